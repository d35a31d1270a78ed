"""Service clients: the machines that ask the gate."""

"""The demo as it is told to an empty house."""

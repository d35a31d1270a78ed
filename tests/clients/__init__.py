"""The client package, as its users have it: against a server of its own, and against a gate that lies or is away."""

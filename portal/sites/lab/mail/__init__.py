"""The mail page of a development machine."""

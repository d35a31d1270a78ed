"""Search from the head of every page of the lab."""

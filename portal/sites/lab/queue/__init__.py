"""The review queue: what waits, for whom, and for how long."""

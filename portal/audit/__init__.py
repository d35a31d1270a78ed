"""The trail: every fact, in one hash chain."""

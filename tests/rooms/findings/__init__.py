"""Findings, from the proof that closes one to the second look at a decision."""

"""Scores of stored revisions."""

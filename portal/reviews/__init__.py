"""Judging answers, recommending, deciding."""

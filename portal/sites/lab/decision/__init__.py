"""Deciding, co-signing, and what was decided."""

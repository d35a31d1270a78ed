"""Questionnaires: what is asked, as immutable versions."""

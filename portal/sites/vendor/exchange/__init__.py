"""Answers from elsewhere, packs to take along, and what the vendor can take out."""

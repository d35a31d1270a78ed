"""Answers in and out: spreadsheets, answers given elsewhere, the answer pack and OSCAL."""

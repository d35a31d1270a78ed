"""Checking the answers, signing them, and taking a signature back."""

"""Policies as versioned documents."""

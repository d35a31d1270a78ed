"""Findings and second looks on both sides' pages."""

"""Vendors and their engagements; inherent risk and tier."""

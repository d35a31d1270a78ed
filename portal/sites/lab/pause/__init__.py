"""Pausing a vendor, and letting it in again by two."""

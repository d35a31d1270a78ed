"""The vendor's evidence library."""

"""The site of a vendor's people."""

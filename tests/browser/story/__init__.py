"""The whole story of a vendor, told by real browsers to the real application."""

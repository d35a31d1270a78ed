"""What a vendor signed, as a document."""

"""Files that prove something, and until when."""

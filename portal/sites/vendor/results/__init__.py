"""What the lab decided, and what would change it."""

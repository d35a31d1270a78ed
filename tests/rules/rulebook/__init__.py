"""What a policy text is, and how two of them differ."""

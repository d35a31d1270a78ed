"""What is wrong, and when it is closed."""

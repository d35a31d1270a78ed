"""What waits between a file and an answer."""

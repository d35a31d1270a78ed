"""What was found wrong, and the proof that closes it."""

"""What attested answers are worth, exactly."""

"""What vendors wrote and nobody has answered."""

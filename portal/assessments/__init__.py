"""What we ask: the work, its state, its scoping facts, its published outcome."""

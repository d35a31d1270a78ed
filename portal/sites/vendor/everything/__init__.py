"""Taking everything out, and who opened what."""

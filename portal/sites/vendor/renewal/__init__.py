"""What was answered before and waits for a word: the list to confirm, and what is not asked any more."""

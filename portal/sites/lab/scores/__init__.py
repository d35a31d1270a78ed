"""The pages of stored scores: what one is made of, whether it replays, and why it is not the one before."""

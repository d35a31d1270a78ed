"""The pages of stored scores."""

"""The pages to get in, to stay safe and to leave; the same for both sides."""

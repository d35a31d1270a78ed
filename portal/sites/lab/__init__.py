"""The site of the lab's people."""

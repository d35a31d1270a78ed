"""Mail that leaves after the commit, once."""

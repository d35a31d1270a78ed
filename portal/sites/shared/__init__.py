"""What all sites share: the door, the shells, the errors."""

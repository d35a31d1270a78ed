"""The site of machines."""

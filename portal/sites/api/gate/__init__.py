"""The question that other systems ask."""

"""The contractor's home: what is left, what blocks, by when, who has it."""

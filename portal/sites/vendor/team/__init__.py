"""The contractor's own people: who is in, as what, with which sections."""

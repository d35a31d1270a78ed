"""The lab's policies as versioned documents: drafted, signed by two people, and kept for ever."""

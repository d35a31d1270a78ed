"""One section of questions on one page, each answer saved by itself."""

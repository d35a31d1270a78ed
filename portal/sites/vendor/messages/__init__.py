"""Everything that waits for the reader, with the conversations."""

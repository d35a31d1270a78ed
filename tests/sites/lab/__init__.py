"""The lab's pages, through the whole application."""

"""The lab's pages about vendors."""

"""The lab's pages about questionnaires."""

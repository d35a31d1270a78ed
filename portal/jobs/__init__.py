"""Worker entry points; each job is a command with a system actor."""

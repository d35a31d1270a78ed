"""What the generated reports are made of: facts, wordings of audit firms, descriptions of systems."""

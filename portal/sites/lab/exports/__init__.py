"""What leaves the lab as OSCAL: questionnaires, and what became of a signed revision."""

"""The pages of questionnaires and their drafts."""

"""Moving a running assessment to a newer version of its questionnaire."""

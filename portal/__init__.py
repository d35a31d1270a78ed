"""Gatehouse: contractors attest, reviewers judge, onboarding systems ask."""

"""The facts about the engagement that decide which questions are asked."""

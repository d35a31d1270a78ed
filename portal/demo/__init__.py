"""Invented vendors, people and files in every state, made through the same commands that people use."""

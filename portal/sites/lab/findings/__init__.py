"""The proof that vendors send for findings, and what a reviewer says of it."""

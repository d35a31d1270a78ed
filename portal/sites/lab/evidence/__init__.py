"""Evidence on the lab's side: what waits to be verified, one file with its pages."""

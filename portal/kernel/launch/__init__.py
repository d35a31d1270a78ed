"""How the embedded database gets off the ground: its programs, its identity, its folders."""

"""The pages of the lab's policies: what is in force, what was, and the way of a draft into force."""

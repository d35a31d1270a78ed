"""Accepting several answers of a review: by rule, chosen in a list, or at a glance one after the other."""

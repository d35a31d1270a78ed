"""The lab's people: who may do what, and who lets them."""

"""The formats of other programs and what they mean for our answers. Pure."""

"""Measures the product beside its references, in one run on one machine; ratios are what to trust."""

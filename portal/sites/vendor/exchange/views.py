"""All pages of the exchange, under one blueprint."""

from portal.sites.vendor.exchange import filling, oscal, packs, sets
from portal.sites.vendor.exchange.blueprint import bp

__all__ = ["bp", "filling", "oscal", "packs", "sets"]

"""What all sites share: the door, the shells, the errors, the page helper."""

from portal.sites.shared.door import does
from portal.sites.shared.pages import house, ledger, page

__all__ = ["does", "house", "ledger", "page"]

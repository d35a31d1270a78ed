"""What stands inside a file, as its vendor entered it; nothing of what the lab made of it."""

from __future__ import annotations

from portal.evidence.queries import LibraryLine
from portal.kernel.ledger import Tx
from portal.sites.shared.structure import shared_panel


def panel(tx: Tx, line: LibraryLine) -> dict[str, object]:
    """Return what ``_structure.html`` shows."""
    return shared_panel(tx, line)

"""The answers that a file backs, on its page."""

from __future__ import annotations

from portal.attestations import library
from portal.evidence.queries import LibraryLine
from portal.kernel.ledger import Tx


def panel(tx: Tx, line: LibraryLine) -> dict[str, object]:
    """Return what ``_uses.html`` shows."""
    return {"uses": library.uses_of(tx, line.vendor_id, evidence_id=line.id).get(line.id, ())}

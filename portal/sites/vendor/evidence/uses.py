"""The answers that a file backs, and those that it would settle, on its page."""

from __future__ import annotations

from portal.attestations import library
from portal.attestations import service as attestations
from portal.evidence import service as evidence
from portal.evidence.queries import LibraryLine
from portal.kernel.ledger import Tx
from portal.policy import Action


def panel(tx: Tx, line: LibraryLine) -> dict[str, object]:
    """Return what ``_uses.html`` and ``_suggest.html`` show."""
    uses = library.uses_of(tx, line.vendor_id, evidence_id=line.id).get(line.id, ())
    offers: tuple[attestations.Offer, ...] = ()
    if line.can_open and line.replaced_by is None:
        offers = attestations.offers(tx, evidence.get(tx, line.id, Action.EVIDENCE_READ))
    return {
        "uses": uses,
        "checking": attestations.check_again_of(tx, [each.citation_id for each in uses]),
        "offers": offers,
        "settles": sum(len(each.asks) for each in offers),
    }

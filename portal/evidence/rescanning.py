"""Files that were taken in without a scanner are scanned when there is one. Between transactions."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from portal.evidence import service
from portal.evidence.alarm import integrity_alarm
from portal.evidence.facts import EvidenceInfected, EvidenceScanned
from portal.evidence.files import OPENABLE
from portal.evidence.models import Evidence
from portal.kernel.actor import Actor
from portal.kernel.clamd import Found, ScannerUnavailable, scan
from portal.kernel.ledger import Ledger, Tx
from portal.kernel.logging import logger
from portal.kernel.objects import IntegrityFailure, ObjectMissing, ObjectStore, verified_file
from portal.kernel.swap import swap
from portal.kernel.words import said
from portal.policy import Action
from portal.terms import EvidenceState, ScanState

log = logger(__name__)

LATE = said("A scan found malware in this file after it was taken in, so nobody can open it. Tell your security team")
BATCH = 20


def scan_again(ledger: Ledger, actor: Actor, *, store: ObjectStore, scanner_url: str, limit: int = BATCH) -> int:
    """Scan files that nobody scanned yet, the oldest first; return how many have a verdict now.

    A file in which malware is found proves nothing from then on and cannot be opened; the decision that rests on it
    is a matter of the gate, by a reaction.

    :raises StoreUnavailable: if the store is away; the next call goes on.
    """
    with ledger.begin(actor) as tx:
        waiting = _unscanned(tx, limit)
    settled = 0
    for evidence_id in waiting:
        with ledger.begin(actor) as tx:
            stored = service.pinned(service.get(tx, evidence_id, Action.EVIDENCE_UPLOAD))
        try:
            with verified_file(store, stored) as path, path.open("rb") as bytes_of:
                found = scan(bytes_of, scanner_url)
        except ScannerUnavailable as failure:
            log.warning("no verdict on malware", evidence_id=str(evidence_id), reason=str(failure))
            break
        except (IntegrityFailure, ObjectMissing) as failure:
            integrity_alarm(ledger, actor, evidence_id, failure)
            continue
        if isinstance(found, Found):
            log.error("malware found in a file of the library", evidence_id=str(evidence_id), name=found.name)
        with ledger.begin(actor) as tx:
            row = service.get(tx, evidence_id, Action.EVIDENCE_UPLOAD)
            settled += _settle(tx, row, infected=isinstance(found, Found))
    return settled


def _unscanned(tx: Tx, limit: int) -> Sequence[UUID]:
    statement = (
        sa.select(Evidence.id)
        .where(
            Evidence.scan == ScanState.NOT_SCANNED, Evidence.state.in_(list(OPENABLE)), Evidence.removed_at.is_(None)
        )
        .order_by(Evidence.received_at, Evidence.id)
        .limit(limit)
    )
    return tx.session.execute(statement).scalars().all()


def _settle(tx: Tx, row: Evidence, *, infected: bool) -> bool:
    """Write down a verdict, unless another worker was faster."""
    if not infected:
        change = {"scan": ScanState.CLEAN, "row_version": row.row_version + 1}
        won = swap(tx, row, expect={"scan": ScanState.NOT_SCANNED}, change=change)
        if won:
            tx.record(EvidenceScanned(evidence_id=row.id, vendor_id=row.vendor_id, scan=ScanState.CLEAN))
        return won
    change = {
        "state": EvidenceState.REFUSED,
        "refusal": LATE,
        "scan": ScanState.INFECTED,
        "row_version": row.row_version + 1,
    }
    won = swap(tx, row, expect={"scan": ScanState.NOT_SCANNED, "state": list(OPENABLE)}, change=change)
    if won:
        tx.record(EvidenceInfected(evidence_id=row.id, vendor_id=row.vendor_id))
    return won

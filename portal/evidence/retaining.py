"""What was relied on is kept: the store locks the bytes, and the row refuses their removal, until a day.

The reactions only write a job, in the transaction of the fact; the job talks to the store between transactions.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from portal.delivery.queue import enqueue
from portal.evidence.facts import EvidenceRetained
from portal.evidence.models import Evidence
from portal.evidence.opening import pinned
from portal.kernel.actor import Actor
from portal.kernel.errors import Conflict
from portal.kernel.ledger import Ledger, Tx
from portal.kernel.objects import ObjectMissing, ObjectStore
from portal.kernel.swap import swap

KEEP_FILE = "keep_file"
KEEP_SIGNED = "keep_signed_files"
"""The jobs of portal/jobs/keep.py, by name: they stand above every room."""


def keep_verified(tx: Tx, fact: Any) -> None:
    """EvidenceVerified: the file is kept from now on."""
    enqueue(tx, KEEP_FILE, evidence_id=fact.evidence_id, day=tx.now.date())


def keep_signed(tx: Tx, fact: Any) -> None:
    """AttestationSigned: every file that was signed with is kept from now on."""
    enqueue(tx, KEEP_SIGNED, attestation_id=fact.attestation_id, day=tx.now.date())


def retain(ledger: Ledger, actor: Actor, *, store: ObjectStore, evidence_id: UUID, day: date, days: int) -> date | None:
    """Keep a file for so many days from a day; return until when it is kept now, None if there is nothing to keep.

    Repeating it changes nothing, and an earlier end never replaces a later one.

    :raises Unavailable: if the store is away; the same call later goes on.
    """
    with ledger.begin(actor) as tx:
        row = tx.session.get(Evidence, evidence_id)
        if row is None or days == 0:
            return None
        until = day + timedelta(days=days)
        if row.retained_until is not None and row.retained_until >= until:
            return row.retained_until
        try:
            stored = pinned(row)
        except Conflict:
            # Other bytes than were signed are not worth keeping; whoever finds them is told elsewhere.
            return row.retained_until
    try:
        locked = store.lock(stored, until)
    except ObjectMissing:
        return None
    with ledger.begin(actor) as tx:
        row = tx.session.get_one(Evidence, evidence_id)
        before = row.retained_until
        if before is not None and before >= until:
            return before
        if swap(tx, row, expect={"retained_until": before}, change={"retained_until": until}):
            tx.record(
                EvidenceRetained(evidence_id=row.id, vendor_id=row.vendor_id, until=until.isoformat(), locked=locked)
            )
        return row.retained_until

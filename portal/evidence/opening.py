"""Opening a file: the pinned bytes, who looked at them, and what no longer matches. The store is read in viewing."""

from __future__ import annotations

from datetime import timedelta

from portal import policy
from portal.evidence import queries, rules
from portal.evidence.facts import (
    EvidenceIntegrityFailed,
    EvidenceOpened,
)
from portal.evidence.files import OPENABLE
from portal.evidence.models import Evidence, EvidenceOpening
from portal.evidence.receiving import arrived
from portal.kernel.errors import Conflict, Forbidden, TooMany
from portal.kernel.ledger import Tx
from portal.kernel.objects import StoredObject
from portal.kernel.swap import swap
from portal.policy import Action
from portal.terms import EvidenceState, Side

CHANGED = "This file no longer matches its fingerprint, so we do not open it. We have been told. Upload it again"


def pinned(evidence: Evidence) -> StoredObject:
    """Return the very version of the bytes that a file stands for.

    :raises Conflict: if it cannot be opened: still being checked, refused, or changed since.
    """
    if evidence.state is EvidenceState.INTEGRITY_FAILURE:
        raise Conflict(CHANGED)
    if evidence.state not in OPENABLE:
        raise Conflict(evidence.refusal or "This file is still being checked. Look again in a minute.")
    return arrived(evidence).stored


def open_file(tx: Tx, *, evidence: Evidence, page: int | None = None) -> EvidenceOpening:
    """Record that the actor opens a file, or looks at one page of it, before the bytes leave.

    :raises Forbidden: if the actor may not read it.
    :raises Conflict: if it cannot be opened.
    :raises TooMany: if a person of the lab opened too many files within the hour.
    """
    policy.check(tx.actor, Action.EVIDENCE_READ, evidence)
    pinned(evidence)
    if tx.actor.id is None:
        raise Forbidden("Only people open files.")
    side = Side.LAB if tx.actor.is_lab else Side.VENDOR
    if side is Side.LAB and queries.opened_since(tx, tx.actor.id, tx.now - timedelta(hours=1)) >= (
        rules.OPENINGS_AN_HOUR
    ):
        raise TooMany(
            f"You opened {rules.OPENINGS_AN_HOUR} files and pages within the hour, which is the most. Go on later",
            retry_after=600,
        )
    opening = EvidenceOpening(
        id=tx.new_id(),
        vendor_id=evidence.vendor_id,
        evidence_id=evidence.id,
        opened_by=tx.actor.id,
        opened_by_name=tx.actor.name,
        side=side,
        page=page,
        at=tx.now,
    )
    tx.session.add(opening)
    tx.record(
        EvidenceOpened(
            evidence_id=evidence.id,
            vendor_id=evidence.vendor_id,
            opening_id=opening.id,
            side=side,
            page=page,
        )
    )
    return opening


def integrity_failed(tx: Tx, *, evidence: Evidence) -> None:
    """Record that the stored bytes are not the pinned ones. Once recorded it stays recorded."""
    expect = {"state": list(OPENABLE)}
    change = {"state": EvidenceState.INTEGRITY_FAILURE, "row_version": evidence.row_version + 1}
    if swap(tx, evidence, expect=expect, change=change):
        tx.record(
            EvidenceIntegrityFailed(
                evidence_id=evidence.id, vendor_id=evidence.vendor_id, expected_sha256=evidence.sha256
            )
        )

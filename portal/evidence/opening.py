"""Opening a file: the pinned bytes, who looked at them, and what no longer matches. The store is read in viewing."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from portal import policy
from portal.audit import queries as trail
from portal.evidence import openings
from portal.evidence.facts import EvidenceIntegrityFailed, EvidenceOpened, OpeningsLimited
from portal.evidence.files import OPENABLE
from portal.evidence.models import Evidence, EvidenceOpening
from portal.evidence.receiving import arrived
from portal.evidence.rules.looking import over_limit
from portal.kernel.errors import Conflict, Forbidden, TooMany
from portal.kernel.ledger import Tx
from portal.kernel.objects import StoredObject
from portal.kernel.swap import swap
from portal.kernel.words import said
from portal.policy import Action
from portal.terms import EvidenceState, Look, ScanState, Side

CHANGED = said("This file no longer matches its fingerprint, so we do not open it. We have been told. Upload it again")
UNSCANNED = said(
    "This file was never scanned for malware, and here nobody of the lab opens such files. Set up the scanner, or ask "
    "the vendor to upload it again"
)
HOUR = timedelta(hours=1)


def pinned(evidence: Evidence) -> StoredObject:
    """Return the very version of the bytes that a file stands for.

    :raises Conflict: if it cannot be opened: still being checked, refused, or changed since.
    """
    if evidence.state is EvidenceState.INTEGRITY_FAILURE:
        raise Conflict(CHANGED)
    if evidence.state not in OPENABLE:
        raise Conflict(evidence.refusal or said("This file is still being checked. Look again in a minute."))
    return arrived(evidence).stored


def may_open(tx: Tx, *, evidence: Evidence, page: int | None = None, scanned_only: bool = False) -> StoredObject:
    """Return the bytes that the actor may be given now; nothing is recorded yet.

    :param scanned_only: whether the lab opens only what a scanner found clean.
    :raises Forbidden: if the actor may not read it.
    :raises Conflict: if it cannot be opened.
    :raises TooMany: if a person of the lab opened too many files or pages within the hour.
    """
    policy.check(tx.actor, Action.EVIDENCE_READ, evidence)
    stored = pinned(evidence)
    if tx.actor.id is None:
        raise Forbidden(said("Only people open files."))
    if not tx.actor.is_lab:
        return stored
    if evidence.scan is not ScanState.CLEAN and (scanned_only or evidence.scan is not ScanState.NOT_SCANNED):
        raise Conflict(UNSCANNED)
    # One after the other: two requests at once must not both find room for the last file.
    tx.session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(str(tx.actor.id), 15))))
    so_far = openings.opened_since(tx, tx.actor.id, tx.now - HOUR, evidence_id=evidence.id, page=page)
    # What was opened before is looked at again however much it was.
    files = 0 if so_far.has_file else so_far.files + 1
    pages = 0 if page is None or so_far.has_page else so_far.pages + 1
    if words := over_limit(files, pages):
        raise TooMany(words, retry_after=600)
    return stored


def open_file(
    tx: Tx,
    *,
    evidence: Evidence,
    page: int | None = None,
    look: Look = Look.ORIGINAL,
    scanned_only: bool = False,
) -> EvidenceOpening:
    """Record what the actor is given of a file, before it leaves: the original, a page, a table, a text, search hits.

    :raises Forbidden: as ``may_open``.
    :raises Conflict: as ``may_open``.
    :raises TooMany: as ``may_open``.
    """
    may_open(tx, evidence=evidence, page=page, scanned_only=scanned_only)
    if tx.actor.id is None:
        raise Forbidden(said("Only people open files."))
    side = Side.LAB if tx.actor.is_lab else Side.VENDOR
    given = look if page is None else Look.PAGE
    opening = EvidenceOpening(
        id=tx.new_id(),
        vendor_id=evidence.vendor_id,
        evidence_id=evidence.id,
        opened_by=tx.actor.id,
        opened_by_name=tx.actor.name,
        side=side,
        page=page,
        look=given,
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
            look=given,
        )
    )
    return opening


def limited(tx: Tx, *, evidence: Evidence) -> bool:
    """Record that the actor was given no more files, once an hour; return whether it was to be recorded."""
    if tx.actor.id is None:
        return False
    wanted = trail.Wanted(actor_id=tx.actor.id, fact="openings_limited", since=tx.now - HOUR)
    if trail.events(tx, wanted, limit=1):
        return False
    so_far = openings.opened_since(tx, tx.actor.id, tx.now - HOUR, evidence_id=evidence.id, page=None)
    tx.record(OpeningsLimited(evidence_id=evidence.id, person_id=tx.actor.id, files=so_far.files, pages=so_far.pages))
    return True


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

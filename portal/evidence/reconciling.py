"""Whether rows and bytes still agree: what is missing, altered, without a row, or left by uploads (security.md R11).

Both sides are read in the order of their keys, a page at a time and never within one transaction, so that a store
of any size takes the same memory and no lock. What changed meanwhile is looked at again before it is named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from uuid import UUID

import sqlalchemy as sa

from portal.evidence.models import Evidence
from portal.evidence.opening import integrity_failed
from portal.kernel.actor import Actor
from portal.kernel.ledger import Ledger
from portal.kernel.logging import logger
from portal.kernel.objects import INCOMING, Listed, ObjectMissing, ObjectStore, Reason, StoreUnavailable
from portal.kernel.objects.values import check_key
from portal.terms import EvidenceState

log = logger(__name__)

FRESH = timedelta(days=1)
"""An upload of today may still be going on, whatever the rows say."""
SETTLING = timedelta(minutes=15)
"""A file under its final key waits this long for its row at most."""
PAGE = 1_000
_AWAY = {Reason.FORBIDDEN, Reason.MISCONFIGURED, Reason.SLOW}


class Kind(StrEnum):
    """What does not agree."""

    MISSING = "missing"
    ALTERED = "altered"
    UNREAD = "unread"
    EXTRA = "extra"
    STRAY = "stray"


GRAVE = frozenset({Kind.MISSING, Kind.ALTERED, Kind.UNREAD})
"""What an operator has to act on; the others are left-overs."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not agree, and what was done about it."""

    kind: Kind
    key: str
    version_id: str | None
    evidence_id: UUID | None
    said: str
    done: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    id: UUID
    vendor_id: UUID
    bucket: str
    key: str
    version_id: str | None
    size: int
    sha256: str
    state: EvidenceState
    removed: bool


def reconcile(
    ledger: Ledger, actor: Actor, *, store: ObjectStore, quick: bool = False, remove_incoming: bool = False
) -> Iterator[Difference]:
    """Return every difference between rows and store; altered files are marked on the way.

    :param quick: compare listings only; otherwise every file is read again and compared with its SHA-256.
    :param remove_incoming: remove what is stray under ``incoming/``, and nothing else.
    :raises StoreUnavailable: if the store is away; what was found before was returned already.
    """
    with ledger.begin(actor) as tx:
        now = tx.now
    for key, rows, listed in _merged(_rows(ledger, actor), store.versions("")):
        kept = {row.version_id: row for row in rows if row.version_id is not None}
        there = {each.version_id: each for each in listed}
        for row in kept.values():
            yield from _of_row(ledger, actor, store, row, there.get(str(row.version_id)), quick=quick)
        loose = [each for each in listed if each.version_id not in kept]
        if key.startswith(INCOMING):
            yield from _of_upload(ledger, actor, store, key, loose, now=now, remove=remove_incoming)
        else:
            yield from _without_row(ledger, actor, loose, now=now)
    yield from _of_parts(ledger, actor, store, now=now, remove=remove_incoming)


def _of_row(
    ledger: Ledger, actor: Actor, store: ObjectStore, row: _Row, found: Listed | None, *, quick: bool
) -> Iterator[Difference]:
    if row.removed:
        return
    if row.bucket != store.bucket:
        if _unchanged(ledger, actor, row):
            yield _difference(Kind.MISSING, row, f"is kept in {row.bucket}, which is not this store")
        return
    problem: tuple[Kind, str] | None = None
    if found is None:
        problem = (Kind.MISSING, "has no bytes")
    elif found.size != row.size:
        problem = (Kind.ALTERED, f"has {found.size} bytes instead of {row.size}")
    elif not quick:
        problem = _reread(store, row)
    if problem is None or not _unchanged(ledger, actor, row):
        return
    kind, said = problem
    done = "marked" if kind is Kind.ALTERED and _mark(ledger, actor, row, said) else ""
    yield _difference(kind, row, said, done)


def _reread(store: ObjectStore, row: _Row) -> tuple[Kind, str] | None:
    digest, size = hashlib.sha256(), 0
    try:
        for piece in store.open(row.key, str(row.version_id)):
            digest.update(piece)
            size += len(piece)
    except ObjectMissing:
        return Kind.MISSING, "has no bytes"
    except StoreUnavailable as refusal:
        if refusal.reason in _AWAY:
            raise
        # A bad block is the trouble of one file; a store that is down says so at the next listing.
        return Kind.UNREAD, f"could not be read: {refusal}"
    if size != row.size:
        return Kind.ALTERED, f"has {size} bytes instead of {row.size}"
    if digest.hexdigest() != row.sha256:
        return Kind.ALTERED, "has another SHA-256"
    return None


def _mark(ledger: Ledger, actor: Actor, row: _Row, said: str) -> bool:
    log.error("evidence does not match its fingerprint", evidence_id=str(row.id), reason=said)
    with ledger.begin(actor) as tx:
        evidence = tx.session.get_one(Evidence, row.id)
        integrity_failed(tx, evidence=evidence)
        return evidence.state is EvidenceState.INTEGRITY_FAILURE


def _of_upload(
    ledger: Ledger, actor: Actor, store: ObjectStore, key: str, loose: Sequence[Listed], *, now: datetime, remove: bool
) -> Iterator[Difference]:
    stale = [each for each in loose if each.modified <= now - FRESH]
    if not stale or len(stale) < len(loose) or _awaited(ledger, actor, key):
        return
    removed = remove and _of_ours(key)
    if removed:
        store.delete_incoming(key)
    for each in stale:
        said = f"was left by an upload of {each.modified:%Y-%m-%d}"
        yield Difference(Kind.STRAY, key, each.version_id, None, said, "removed" if removed else "")


def _without_row(ledger: Ledger, actor: Actor, loose: Sequence[Listed], *, now: datetime) -> Iterator[Difference]:
    for each in loose:
        if each.modified > now - SETTLING:
            continue
        with ledger.begin(actor) as tx:
            owned = sa.select(
                sa.exists().where(Evidence.object_key == each.key, Evidence.version_id == each.version_id)
            )
            if tx.session.execute(owned).scalar_one():
                continue
        yield Difference(Kind.EXTRA, each.key, each.version_id, None, f"has {each.size} bytes and no row")


def _of_parts(ledger: Ledger, actor: Actor, store: ObjectStore, *, now: datetime, remove: bool) -> Iterator[Difference]:
    for each in store.unfinished(""):
        if each.begun > now - FRESH:
            continue
        with ledger.begin(actor) as tx:
            live = sa.select(Evidence.upload_id).where(
                Evidence.object_key == each.key,
                Evidence.state == EvidenceState.RESERVED,
                Evidence.expires_at > tx.now,
            )
            if any(each.is_of(upload_id) for upload_id in tx.session.execute(live).scalars()):
                continue
        ours = remove and _of_ours(each.key)
        if ours:
            store.abort_parts(each.key, each.upload_id)
        said = f"has parts of an upload of {each.begun:%Y-%m-%d} that was never completed"
        yield Difference(Kind.STRAY, each.key, None, None, said, "removed" if ours else "")


def _awaited(ledger: Ledger, actor: Actor, key: str) -> bool:
    """Tell whether somebody still waits for an upload under this key."""
    with ledger.begin(actor) as tx:
        statement = sa.select(
            sa.exists().where(
                Evidence.object_key == key,
                sa.or_(
                    Evidence.state == EvidenceState.RECEIVED,
                    sa.and_(Evidence.state == EvidenceState.RESERVED, Evidence.expires_at > tx.now),
                ),
            )
        )
        return tx.session.execute(statement).scalar_one()


def _unchanged(ledger: Ledger, actor: Actor, row: _Row) -> bool:
    """Tell whether a row still names the same bytes: it may have moved on since its page was read."""
    with ledger.begin(actor) as tx:
        statement = sa.select(
            sa.exists().where(
                Evidence.id == row.id,
                Evidence.object_key == row.key,
                Evidence.version_id == row.version_id,
                Evidence.state != EvidenceState.REFUSED,
                Evidence.removed_at.is_(None),
            )
        )
        return tx.session.execute(statement).scalar_one()


def _rows(ledger: Ledger, actor: Actor) -> Iterator[_Row]:
    # By the bytes of the key, as stores list them, whatever the database's own order of letters is.
    order = Evidence.object_key.collate("C")
    after: tuple[str, UUID] | None = None
    while True:
        statement = (
            sa.select(
                Evidence.id,
                Evidence.vendor_id,
                Evidence.bucket,
                Evidence.object_key,
                Evidence.version_id,
                Evidence.size,
                Evidence.sha256,
                Evidence.state,
                Evidence.removed_at.is_not(None),
            )
            .where(Evidence.version_id.is_not(None), Evidence.state != EvidenceState.REFUSED)
            .order_by(order, Evidence.id)
            .limit(PAGE)
        )
        if after is not None:
            key, last = after
            statement = statement.where(sa.or_(order > key, sa.and_(Evidence.object_key == key, Evidence.id > last)))
        with ledger.begin(actor) as tx:
            page = [_Row(*row) for row in tx.session.execute(statement)]
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].key, page[-1].id


def _merged(rows: Iterator[_Row], listed: Iterator[Listed]) -> Iterator[tuple[str, list[_Row], list[Listed]]]:
    """Return both sides together, key by key."""
    left = groupby(rows, key=lambda row: row.key)
    right = groupby(listed, key=lambda each: each.key)
    row, one = next(left, None), next(right, None)
    while row is not None or one is not None:
        if one is None or (row is not None and row[0] < one[0]):
            assert row is not None  # noqa: S101 - one side is there, or the loop had ended
            yield row[0], list(row[1]), []
            row = next(left, None)
        elif row is None or one[0] < row[0]:
            yield one[0], [], list(one[1])
            one = next(right, None)
        else:
            yield row[0], list(row[1]), list(one[1])
            row, one = next(left, None), next(right, None)


def _of_ours(key: str) -> bool:
    """Tell whether this is an upload that the portal may have begun; what others put there is for them to remove."""
    try:
        check_key(key)
    except ValueError:
        return False
    return key.startswith(INCOMING)


def _difference(kind: Kind, row: _Row, said: str, done: str = "") -> Difference:
    return Difference(kind, row.key, row.version_id, row.id, said, done)

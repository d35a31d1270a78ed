"""Files as pages show them, who opened them, and how much room is taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal.evidence.dating import in_force
from portal.evidence.models import Evidence
from portal.evidence.rules import (
    KEPT,
    KINDS,
    NEVER,
    PERIODS_1,
    PROVISIONAL,
    VENDOR_BYTES,
    Field,
    Letter,
    Periods,
    Reach,
    Record,
    letter_of,
    missing,
    period_end,
    reach,
)
from portal.evidence.rules.periods import renumbered
from portal.kernel.ledger import Tx
from portal.kernel.objects import PART_BYTES
from portal.kernel.words import said
from portal.terms import EvidenceState, ScanState

MOST = 500
_DAY = timedelta(days=1)
_KEPT = (EvidenceState.RECEIVED, EvidenceState.ATTACHED, EvidenceState.VERIFIED, EvidenceState.REJECTED)
_WAITING = (EvidenceState.ATTACHED,)
CANCELLED = said("You cancelled this upload")
"""The refusal of a place that its own person gave up."""


@dataclass(frozen=True, slots=True)
class LibraryLine:
    """One file of a library. ``replaced_by`` is the newer file that took its place, ``reach`` how far it counts."""

    id: UUID
    vendor_id: UUID
    kind: str
    title: str
    file_name: str
    size: int
    sha256: str
    mime: str | None
    page_count: int | None
    details: Mapping[str, Any]
    valid_from: date | None
    valid_until: date | None
    validity_rule: str
    state: EvidenceState
    scan: ScanState
    refusal: str
    judgement: str
    judged_by: UUID | None
    judged_at: datetime | None
    supersedes_id: UUID | None
    uploaded_by: UUID
    created_at: datetime
    received_at: datetime | None
    row_version: int
    restricted: bool
    criteria_hit: str
    taken_up_at: datetime | None
    replaced_by: UUID | None
    reach: Reach | None = None
    periods: Periods = PERIODS_1

    def rule(self, kind: str, words: str) -> str:
        """Return the rule of a kind in its reader's words, with the numbers in force."""
        return renumbered(words, kind, self.periods)

    @property
    def kind_title(self) -> str:
        """The name of its kind."""
        return KINDS[self.kind].title

    @property
    def at(self) -> datetime:
        """When it came."""
        return self.received_at or self.created_at

    @property
    def missing(self) -> tuple[Field, ...]:
        """What the vendor has not said of it yet."""
        return missing(self.kind, self.details)

    @property
    def ends_on(self) -> date | None:
        """The last day on which it counts, letters that bridge it included; None without an end."""
        ends = self.reach.valid_until if self.reach is not None else self.valid_until
        return self.valid_until if ends == NEVER else ends

    @property
    def is_provisional(self) -> bool:
        """Whether its end is provisional, because its dates are missing."""
        return self.validity_rule == PROVISIONAL

    @property
    def can_open(self) -> bool:
        """Whether its bytes can be had."""
        return self.state in (EvidenceState.ATTACHED, EvidenceState.VERIFIED, EvidenceState.REJECTED)


_COLUMNS = [column for name, column in sa.inspect(Evidence).columns.items() if name in LibraryLine.__dataclass_fields__]


def _lines(tx: Tx, statement: sa.Select[Any]) -> Sequence[LibraryLine]:
    rows = tx.session.execute(statement).all()
    letters = letters_of(tx, {row.vendor_id for row in rows if row.kind == "SOC2"})
    periods = in_force(tx) if rows else PERIODS_1
    return [
        LibraryLine(
            **row._mapping, reach=reach(_record_of(row, letters.get(row.vendor_id, ()), periods)), periods=periods
        )
        for row in rows
    ]


@cache
def _select() -> sa.Select[Any]:
    newer = aliased(Evidence)
    replaced = (
        sa.select(newer.id)
        .where(
            newer.supersedes_id == Evidence.id,
            newer.vendor_id == Evidence.vendor_id,
            newer.removed_at.is_(None),
            newer.state.in_(_KEPT),
        )
        .order_by(newer.created_at.desc())
        .limit(1)
        .correlate(Evidence)
        .scalar_subquery()
        .label("replaced_by")
    )
    return sa.select(*_COLUMNS, replaced).where(Evidence.removed_at.is_(None))


def library(tx: Tx, *, vendor_id: UUID | None = None, limit: int = MOST) -> Sequence[LibraryLine]:
    """Return the files of a vendor, the newest first: the actor's own, or for the lab the one named.

    A vendor also sees the files that were refused within the last day, with the reason.
    """
    whose = tx.actor.vendor_id or vendor_id
    recent = tx.now - _DAY
    shown: sa.ColumnElement[bool] = Evidence.state.not_in([EvidenceState.RESERVED, EvidenceState.REFUSED])
    if tx.actor.is_vendor:
        # What a person cancelled needs no explanation.
        told = sa.and_(Evidence.state == EvidenceState.REFUSED, Evidence.refusal != CANCELLED)
        taken_in = Evidence.validity_rule != ""  # it was in the library when its malware was found
        shown = sa.or_(shown, sa.and_(told, sa.or_(Evidence.created_at >= recent, taken_in)))
    statement = (
        _select()
        .where(Evidence.vendor_id == whose, shown)
        .order_by(Evidence.created_at.desc(), Evidence.id.desc())
        .limit(limit)
    )
    return _lines(tx, statement)


def line(tx: Tx, evidence_id: UUID) -> LibraryLine:
    """Return one file as pages show it; whoever asks has fetched it by ``service.get`` before."""
    return _lines(tx, _select().where(Evidence.id == evidence_id))[0]


@dataclass(frozen=True, slots=True)
class LabPage:
    """One page of the lab's list; ``total`` counts all that match."""

    lines: Sequence[LibraryLine]
    total: int
    waiting: int


def across_vendors(
    tx: Tx,
    *,
    vendor_id: UUID | None = None,
    kind: str = "",
    states: Sequence[EvidenceState] = _WAITING,
    only: Collection[UUID] | None = None,
    offset: int = 0,
    limit: int = 50,
) -> LabPage:
    """Return the files of all vendors that match, the oldest first: what waits longest stands on top.

    :param only: the files to choose from; None: all.
    """
    matching = _select().where(Evidence.state.in_(states))
    if only is not None:
        matching = matching.where(Evidence.id.in_(list(only)))
    if vendor_id is not None:
        matching = matching.where(Evidence.vendor_id == vendor_id)
    if kind:
        matching = matching.where(Evidence.kind == kind)
    total = tx.session.execute(sa.select(sa.func.count()).select_from(matching.subquery())).scalar_one()
    ordered = matching.order_by(Evidence.received_at, Evidence.id).offset(offset).limit(limit)
    return LabPage(_lines(tx, ordered), total, waiting(tx))


def waiting(tx: Tx) -> int:
    """Return how many files wait to be verified."""
    return tx.session.execute(number_waiting()).scalar_one()


@cache
def number_waiting() -> sa.Select[int]:
    """Count the files that wait to be verified."""
    return sa.select(sa.func.count()).where(Evidence.state.in_(_WAITING), Evidence.removed_at.is_(None))


@dataclass(frozen=True, slots=True)
class Usage:
    """What a library takes: its files, and all the bytes that are kept or promised, ``removed`` ones among them."""

    files: int
    size: int
    removed: int

    @property
    def left(self) -> int:
        """How many bytes there is still room for."""
        return max(0, VENDOR_BYTES - self.size)


def usage(tx: Tx, vendor_id: UUID) -> Usage:
    """Return how much a vendor's library holds or has promised to places.

    The bytes of a removed file are kept, so they count; as a file it does not.
    """
    files, size, removed = tx.session.execute(_usage(), {"vendor": vendor_id, "now": tx.now}).one()
    return Usage(files, int(size), int(removed))


@cache
def _usage() -> sa.Select[*tuple[Any, ...]]:
    pending = sa.and_(Evidence.state == EvidenceState.RESERVED, Evidence.expires_at > sa.bindparam("now"))
    held = Evidence.state.not_in([EvidenceState.RESERVED, EvidenceState.REFUSED])
    gone = Evidence.removed_at.is_not(None)
    return sa.select(
        sa.func.count().filter(~gone),
        sa.func.coalesce(sa.func.sum(Evidence.size), 0),
        sa.func.coalesce(sa.func.sum(Evidence.size).filter(gone), 0),
    ).where(Evidence.vendor_id == sa.bindparam("vendor"), sa.or_(held, sa.and_(pending, ~gone)))


@dataclass(frozen=True, slots=True)
class UnfinishedLine:
    """An upload that its person has not finished."""

    id: UUID
    kind: str
    file_name: str
    size: int
    sha256: str
    supersedes_id: UUID | None
    expires_at: datetime

    @property
    def in_parts(self) -> bool:
        """Whether it is sent in parts, so that some of it may be there."""
        return self.size > PART_BYTES

    @property
    def kind_title(self) -> str:
        """The name of its kind."""
        return KINDS[self.kind].title


def unfinished(tx: Tx, *, limit: int = 50) -> Sequence[UnfinishedLine]:
    """Return the uploads that the actor began and has not finished, the newest first."""
    columns = [getattr(Evidence, name) for name in UnfinishedLine.__dataclass_fields__]
    statement = (
        sa.select(*columns)
        .where(
            Evidence.vendor_id == tx.actor.vendor_id,
            Evidence.uploaded_by == tx.actor.id,
            Evidence.state == EvidenceState.RESERVED,
            Evidence.removed_at.is_(None),
            Evidence.expires_at > tx.now,
        )
        .order_by(Evidence.created_at.desc(), Evidence.id.desc())
        .limit(limit)
    )
    return [UnfinishedLine(*row) for row in tx.session.execute(statement)]


def heads(tx: Tx, ids: Collection[UUID]) -> Mapping[UUID, UUID]:
    """Return the newest kept revision of each of these files: itself where no newer one is kept.

    A revision is kept as long as it is attached or verified and in the library. One that was turned down takes
    nobody's place, but a later one that replaced it does.
    """
    if not ids:
        return {}
    found = tx.session.execute(_heads(), {"ids": list(ids)})
    return {each: each for each in ids} | {row.root: row.id for row in found}


@cache
def _heads() -> sa.Select[Any]:
    root = (
        sa.select(Evidence.id.label("root"), Evidence.id, Evidence.vendor_id)
        .where(Evidence.id.in_(sa.bindparam("ids", expanding=True)))
        .cte("revision", recursive=True)
    )
    newer = aliased(Evidence)
    chain = root.union(
        sa.select(root.c.root, newer.id, newer.vendor_id).join(
            root, sa.and_(newer.supersedes_id == root.c.id, newer.vendor_id == root.c.vendor_id)
        )
    )
    return (
        sa.select(chain.c.root, Evidence.id)
        .join(Evidence, Evidence.id == chain.c.id)
        .where(Evidence.state.in_([EvidenceState.ATTACHED, EvidenceState.VERIFIED]), Evidence.removed_at.is_(None))
        .order_by(chain.c.root, Evidence.created_at, Evidence.id)
    )


def records(
    tx: Tx, *, evidence_ids: Collection[UUID] | None = None, vendor_ids: Collection[UUID] | None = None
) -> Mapping[UUID, Record]:
    """Return what is known of these files, or of all files of these vendors, without those that were removed.

    A few statements, however many there are: the files, what took their place, and the letters that bridge reports.
    """
    statement = sa.select(*_OF_RECORD).where(Evidence.removed_at.is_(None))
    if evidence_ids is not None:
        statement = statement.where(Evidence.id.in_(list(evidence_ids)))
    if vendor_ids is not None:
        statement = statement.where(Evidence.vendor_id.in_(list(vendor_ids)))
    rows = tx.session.execute(statement).all() if evidence_ids or vendor_ids else []
    newest = heads(tx, [row.id for row in rows])
    letters = letters_of(tx, {row.vendor_id for row in rows if row.kind == "SOC2"})
    periods = in_force(tx) if rows else PERIODS_1
    found = {}
    for row in rows:
        record = replace(
            _record_of(row, letters.get(row.vendor_id, ()), periods),
            taken_up=row.taken_up_at is not None,
            superseded=newest[row.id] != row.id,
        )
        found[row.id] = record
    return found


def _record_of(row: sa.Row[Any], letters: Sequence[Letter], periods: Periods) -> Record:
    """Return what is known of a file by itself, with the letters of its vendor that name the end of its period."""
    record = Record(row.kind, row.state, row.details, row.valid_from, row.valid_until, periods=periods)
    ends = period_end(record)
    return replace(record, letters=tuple(each for each in letters if each.report_end == ends)) if ends else record


_OF_RECORD = (
    Evidence.id,
    Evidence.vendor_id,
    Evidence.kind,
    Evidence.state,
    Evidence.details,
    Evidence.valid_from,
    Evidence.valid_until,
    Evidence.taken_up_at,
)


def letters_of(tx: Tx, vendor_ids: Collection[UUID]) -> Mapping[UUID, tuple[Letter, ...]]:
    """Return the bridge letters that each of these vendors keeps; one with a kept newer revision is not kept."""
    if not vendor_ids:
        return {}
    statement = (
        sa.select(Evidence.id, Evidence.vendor_id, Evidence.state, Evidence.details)
        .where(
            Evidence.vendor_id.in_(list(vendor_ids)),
            Evidence.kind == "BL",
            Evidence.state.in_(KEPT),
            Evidence.removed_at.is_(None),
        )
        .order_by(Evidence.id)
    )
    rows = tx.session.execute(statement).all()
    newest = heads(tx, [row.id for row in rows])
    found: dict[UUID, tuple[Letter, ...]] = {}
    for row in rows:
        letter = letter_of(str(row.id), row.state, row.details) if newest[row.id] == row.id else None
        if letter is not None:
            found[row.vendor_id] = (*found.get(row.vendor_id, ()), letter)
    return found


def successor_of(tx: Tx, evidence_id: UUID) -> UUID | None:
    """Return the newer file that took a file's place."""
    statement = (
        sa.select(Evidence.id)
        .where(
            Evidence.supersedes_id == evidence_id,
            Evidence.removed_at.is_(None),
            Evidence.state.in_(_KEPT),
        )
        .limit(1)
    )
    return tx.session.execute(statement).scalar_one_or_none()

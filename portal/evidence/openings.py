"""Who opened a file and what they were given, and how much one person opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from portal.evidence.models import EvidenceOpening
from portal.evidence.rules.looking import looked_at
from portal.kernel.ledger import Tx
from portal.terms import Look, Side


@dataclass(frozen=True, slots=True)
class OpeningLine:
    """Who opened a file: one line a person and day, with what was given, how often and when last."""

    name: str
    side: Side
    day: date
    times: int
    last_at: datetime
    pages: tuple[int, ...]
    looks: tuple[Look, ...]

    @property
    def what(self) -> str:
        """What was given, in words: "pages 1–3, original"."""
        return looked_at(self.looks, self.pages)


_WITHOUT_PAGE = EvidenceOpening.page.is_(None)
"""An opening with a page is a look at that page, whatever else it says: older ones say nothing."""


def openings(tx: Tx, evidence_id: UUID, *, limit: int = 50) -> Sequence[OpeningLine]:
    """Return who opened a file, the latest first. Whoever asks has fetched it by ``service.get`` before."""
    day = sa.cast(sa.func.timezone("UTC", EvidenceOpening.at), sa.Date)
    last = sa.func.max(EvidenceOpening.at)
    pages = sa.func.array_agg(EvidenceOpening.page.distinct()).filter(EvidenceOpening.page.is_not(None))
    looks = sa.func.array_agg(sa.cast(EvidenceOpening.look, sa.Text).distinct()).filter(_WITHOUT_PAGE)
    statement = (
        sa.select(EvidenceOpening.opened_by_name, EvidenceOpening.side, day, sa.func.count(), last, pages, looks)
        .where(EvidenceOpening.evidence_id == evidence_id)
        .group_by(EvidenceOpening.opened_by, EvidenceOpening.opened_by_name, EvidenceOpening.side, day)
        .order_by(last.desc(), EvidenceOpening.opened_by_name)
        .limit(limit)
    )
    return [
        OpeningLine(name, side, on, times, at, tuple(filter(None, found or ())), tuple(map(Look, given or ())))
        for name, side, on, times, at, found, given in tx.session.execute(statement)
    ]


@dataclass(frozen=True, slots=True)
class Opened:
    """How much somebody opened: different files and different pages, and whether these are among them."""

    files: int
    pages: int
    has_file: bool
    has_page: bool


def opened_since(tx: Tx, person_id: UUID, since: datetime, *, evidence_id: UUID, page: int | None) -> Opened:
    """Return how much a person opened since then, and whether a file and a page of it are already part of that."""
    file, number = EvidenceOpening.evidence_id, EvidenceOpening.page
    statement = sa.select(
        sa.func.count(file.distinct()),
        sa.func.count(sa.tuple_(file, number).distinct()).filter(number.is_not(None)),
        sa.func.coalesce(sa.func.bool_or(file == evidence_id), sa.false()),
        sa.func.coalesce(sa.func.bool_or(sa.and_(file == evidence_id, number == page)), sa.false()),
    ).where(EvidenceOpening.opened_by == person_id, EvidenceOpening.at > since)
    return Opened(*tx.session.execute(statement).one())


def times_of(tx: Tx, evidence_id: UUID, person_id: UUID | None) -> int:
    """Return how often a person opened a file, or something of it."""
    statement = sa.select(sa.func.count()).where(
        EvidenceOpening.evidence_id == evidence_id, EvidenceOpening.opened_by == person_id
    )
    return tx.session.execute(statement).scalar_one()

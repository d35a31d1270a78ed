"""Who opened what of a vendor's files: every opening, for the vendor's own eyes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.evidence.models import Evidence, EvidenceOpening
from portal.evidence.rules.looking import looked_at
from portal.kernel.ledger import Tx
from portal.terms import Look, Side


@dataclass(frozen=True, slots=True)
class Opening:
    """One opening of one file: who, from which side, when, and what was given."""

    id: UUID
    evidence_id: UUID
    title: str
    file_name: str
    sha256: str
    person_id: UUID
    name: str
    side: Side
    at: datetime
    page: int | None
    look: Look

    @property
    def by_lab(self) -> bool:
        """Whether somebody of the lab opened it."""
        return self.side is Side.LAB

    @property
    def what(self) -> str:
        """What was given, in words: a page, or the original."""
        return looked_at((), (self.page,)) if self.page is not None else looked_at((self.look,), ())


def openings(
    tx: Tx,
    *,
    evidence_id: UUID | None = None,
    person_id: UUID | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int | None = 100,
) -> Sequence[Opening]:
    """Return the openings of the actor's vendor's files, the latest first.

    :param before: the last one seen, to go on from there.
    :param limit: None for all.
    """
    o = EvidenceOpening
    statement = (
        sa.select(
            o.id,
            o.evidence_id,
            Evidence.title,
            Evidence.file_name,
            Evidence.sha256,
            o.opened_by,
            o.opened_by_name,
            o.side,
            o.at,
            o.page,
            o.look,
        )
        .join(Evidence, sa.and_(Evidence.id == o.evidence_id, Evidence.vendor_id == o.vendor_id))
        .where(o.vendor_id == tx.actor.vendor_id)
        .order_by(o.at.desc(), o.id.desc())
    )
    if evidence_id is not None:
        statement = statement.where(o.evidence_id == evidence_id)
    if person_id is not None:
        statement = statement.where(o.opened_by == person_id)
    if before is not None:
        statement = statement.where(sa.tuple_(o.at, o.id) < sa.tuple_(*map(sa.literal, before)))
    if limit is not None:
        statement = statement.limit(limit)
    return [Opening(*row) for row in tx.session.execute(statement)]


def openers(tx: Tx, *, limit: int = 500) -> Sequence[tuple[UUID, str, Side]]:
    """Return who ever opened a file of the actor's vendor, by name."""
    o = EvidenceOpening
    statement = (
        sa.select(o.opened_by, sa.func.max(o.opened_by_name), sa.func.max(sa.cast(o.side, sa.Text)))
        .where(o.vendor_id == tx.actor.vendor_id)
        .group_by(o.opened_by)
        .order_by(sa.func.lower(sa.func.max(o.opened_by_name)), o.opened_by)
        .limit(limit)
    )
    return [(person, name, Side(side)) for person, name, side in tx.session.execute(statement)]


def opened_files(tx: Tx, *, limit: int = 500) -> Sequence[tuple[UUID, str]]:
    """Return the files of the actor's vendor that anybody opened, by title."""
    opened = sa.select(EvidenceOpening.evidence_id).where(EvidenceOpening.vendor_id == tx.actor.vendor_id)
    statement = (
        sa.select(Evidence.id, Evidence.title)
        .where(Evidence.vendor_id == tx.actor.vendor_id, Evidence.id.in_(opened))
        .order_by(sa.func.lower(Evidence.title), Evidence.id)
        .limit(limit)
    )
    return [(each, title) for each, title in tx.session.execute(statement)]

"""For how long evidence counts: the numbers in force, and new dates for files when the lab publishes others."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from portal.evidence.facts import EvidenceRedated
from portal.evidence.models import Evidence
from portal.evidence.rules.periods import PERIODS_1, POLICY, Periods, periods_in
from portal.evidence.rules.validity import PROVISIONAL, Validity, validity
from portal.kernel.ledger import Tx
from portal.rulebook import queries as rulebook
from portal.rulebook.facts import PolicyPublished

_KINDS: Final = {"SOC2_type_1": ("SOC2",), "surveillance": ("ISO", "ISO42")}
"""The kinds whose dates follow from a number that is not called after its kind."""


class Redated(NamedTuple):
    """A file and the dates that it would have."""

    evidence_id: UUID
    vendor_id: UUID
    holds: Validity


def in_force(tx: Tx) -> Periods:
    """Return the numbers that are in force; a transaction asks once."""
    found = rulebook.newest(tx, POLICY)
    return PERIODS_1 if found is None else periods_in(found.text)


def redate(tx: Tx, fact: PolicyPublished) -> None:
    """PolicyPublished: give every file whose dates follow from a changed number the dates that follow from it now.

    What was scored and signed keeps the dates that it names. Files whose dates nobody gave yet keep their month.
    """
    if fact.kind != POLICY:
        return
    before = rulebook.text_of(tx, POLICY, fact.version - 1)
    was, now = PERIODS_1 if before is None else periods_in(before), in_force(tx)
    for evidence_id, vendor_id, holds in dates_under(tx, kinds_between(was, now), now):
        tx.session.execute(
            sa.update(Evidence)
            .where(Evidence.id == evidence_id)
            .values(valid_from=holds.valid_from, valid_until=holds.valid_until, validity_rule=holds.rule)
        )
        until = holds.valid_until.isoformat() if holds.valid_until else None
        tx.record(EvidenceRedated(evidence_id, vendor_id, fact.version, until))


def kinds_between(was: Periods, now: Periods) -> frozenset[str]:
    """Return the kinds of evidence whose dates differ between two sets of numbers."""
    return frozenset(kind for name, _ in now.beside(was) for kind in _KINDS.get(name, (name,)))


def dates_under(tx: Tx, kinds: Collection[str], periods: Periods) -> list[Redated]:
    """Return the files of these kinds whose dates would be others under these numbers, with those dates."""
    if not kinds:
        return []
    statement = (
        sa.select(
            Evidence.id,
            Evidence.vendor_id,
            Evidence.kind,
            Evidence.details,
            Evidence.valid_until,
            Evidence.validity_rule,
            sa.func.coalesce(Evidence.received_at, Evidence.created_at).label("came_at"),
        )
        .where(
            Evidence.kind.in_(sorted(kinds)),
            Evidence.removed_at.is_(None),
            Evidence.validity_rule.not_in(["", PROVISIONAL]),
        )
        .order_by(Evidence.id)
    )
    found = []
    for row in tx.session.execute(statement):
        holds = validity(row.kind, row.details, row.came_at.date(), periods)
        if (holds.valid_until, holds.rule) != (row.valid_until, row.validity_rule):
            found.append(Redated(row.id, row.vendor_id, holds))
    return found

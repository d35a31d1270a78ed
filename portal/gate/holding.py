"""What one finding keeps closed at the gate now, and what it will close, for the lab's pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from portal.gate import queries
from portal.gate.rules import APPROVALS, CLOSES_NAMED, Condition, accepted_until, latest
from portal.kernel.ledger import Tx
from portal.terms import AccessMode, DataClass


@dataclass(frozen=True, slots=True)
class Held:
    """What a finding does to one engagement's access by one condition of its approval.

    ``closes``: the classes and modes that it closes today, or would if its risk were not accepted. ``later``: what it
    closes in addition on the day after ``due_on``. ``accepted_until`` is the last day of an accepted risk, if that
    counts today. ``everything``: what follows when it is overdue is that all is closed.
    """

    engagement: str
    text: str
    due_on: date | None
    closes: tuple[tuple[str, str], ...]
    later: tuple[tuple[str, str], ...]
    overdue: bool
    accepted_until: date | None
    everything: bool


def held_by(tx: Tx, *, vendor_id: UUID, number: int) -> Sequence[Held]:
    """Return what a finding of a vendor does at the gate, by engagement; nothing if no approval waits for it."""
    world = queries.worlds(tx, [vendor_id]).get(vendor_id)
    if world is None:
        return ()
    today = tx.now.date()
    found = []
    for engagement in world.engagements:
        step = latest(world.clearances, engagement.id)
        if step is None or step.act not in APPROVALS:
            continue
        pairs = [
            (DataClass(data), AccessMode(mode))
            for data in sorted(engagement.data_classes & step.data_classes)
            for mode in sorted(engagement.access_modes & step.access_modes)
        ]
        for condition in step.conditions:
            if condition.finding != number or condition.met:
                continue
            now = tuple(each for each in pairs if condition.denies(*each, today))
            later = tuple(each for each in pairs if each not in now and _will_close(condition, each))
            until = accepted_until(condition, world.accepted)
            found.append(
                Held(
                    engagement=engagement.slug,
                    text=condition.text,
                    due_on=condition.due_on,
                    closes=tuple((data.name, mode.value) for data, mode in now),
                    later=tuple((data.name, mode.value) for data, mode in later),
                    overdue=condition.overdue(today),
                    accepted_until=until if until is not None and today <= until else None,
                    everything=condition.consequence != CLOSES_NAMED,
                )
            )
    return tuple(found)


def _will_close(condition: Condition, pair: tuple[DataClass, AccessMode]) -> bool:
    return condition.due_on is not None and bool(condition.denies(*pair, date.max))

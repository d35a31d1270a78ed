"""The gate of one vendor as a panel: what other systems are told, why, until when, and whether it is paused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from portal.gate import queries as gate_queries
from portal.gate import service as gate
from portal.gate.rules import Answer
from portal.gate.words import reason_of
from portal.identity import queries as people
from portal.kernel.actor import Actor
from portal.kernel.ledger import Tx
from portal.policy import Action, may_ever
from portal.terms import ACCESS_MODE_WORDS, DATA_CLASS_WORDS, AccessMode, DataClass, Role


@dataclass(frozen=True, slots=True)
class GateRow:
    """One answer of the gate: for a data class and an access mode, allow or deny, because, until."""

    data_class: str
    data_words: str
    access_mode: str
    mode_words: str
    allow: bool
    because: str
    until: date | None

    @property
    def word(self) -> str:
        """The answer as a status word."""
        return "Allow" if self.allow else "Deny"


@dataclass(frozen=True, slots=True)
class PauseShown:
    """A pause in force, with the names of those who began it and asked to end it."""

    id: UUID
    everywhere: bool
    reason: str
    begun_by: str
    begun_at: datetime
    resume_asked_by: str
    resume_asked_by_id: UUID | None
    resume_asked_at: datetime | None
    resume_plan: str
    row_version: int


def row_of(data_class: str, access_mode: str, answer: Answer) -> GateRow:
    """Return one answer in words. The last day is the day before the instant at which the gate would deny."""
    return GateRow(
        data_class=data_class,
        data_words=DATA_CLASS_WORDS[DataClass[data_class]],
        access_mode=access_mode,
        mode_words=ACCESS_MODE_WORDS[AccessMode(access_mode)],
        allow=answer.allow,
        because=reason_of(answer),
        until=(answer.valid_until - timedelta(microseconds=1)).date() if answer.valid_until else None,
    )


def pauses_of(tx: Tx, vendor_id: UUID) -> list[PauseShown]:
    """Return the pauses that stop a vendor now, the oldest first, with names."""
    lines = gate_queries.pauses_in_force(tx, vendor_id)
    names = people.people(tx, [each for line in lines for each in (line.begun_by, line.resume_asked_by)])

    def name(person_id: UUID | None) -> str:
        found = names.get(person_id) if person_id else None
        return found.full_name if found else ""

    return [
        PauseShown(
            id=line.id,
            everywhere=line.vendor_id is None,
            reason=line.reason,
            begun_by=name(line.begun_by),
            begun_at=line.begun_at,
            resume_asked_by=name(line.resume_asked_by),
            resume_asked_by_id=line.resume_asked_by,
            resume_asked_at=line.resume_asked_at,
            resume_plan=line.resume_plan,
            row_version=line.row_version,
        )
        for line in lines
    ]


def gate_panel(tx: Tx, vendor_id: UUID) -> dict[str, Any]:
    """Return what the panel ``lab/pause/_panel.html`` shows of a vendor, under the name it takes it by: ``gate``.

    Answers are computed now, so that they lapse with no worker alive.
    """
    world = gate_queries.worlds(tx, [vendor_id]).get(vendor_id)
    rows = [row_of(*each) for each in gate.table(world, tx)] if world else []
    return {
        "slug": world.vendor if world else "",
        "rows": rows,
        "pauses": pauses_of(tx, vendor_id),
        "sequence": world.sequence if world else 0,
        "as_of": tx.now,
        "may_pause": may_ever(tx.actor, Action.PAUSE),
        "may_resume": may_ever(tx.actor, Action.RESUME),
    }


def who_can_resume(tx: Tx, actor: Actor, asked_by: UUID | None) -> list[str]:
    """Return the names of the leads who can confirm the end of a pause: everybody who did not ask for it."""
    leads = people.lab_people_with(tx, Role.LEAD_APPROVER)
    return [each.full_name for each in leads if each.id not in {asked_by, actor.id}]

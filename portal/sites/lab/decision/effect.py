"""What a decision would change at the gate: each class and mode today and after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.gate import queries as gate_queries
from portal.gate.rules import Question, decide
from portal.gate.words import reason_of
from portal.kernel.ledger import Tx
from portal.reviews.rules import Condition, access_after
from portal.terms import ACCESS_MODE_WORDS, DATA_CLASS_WORDS, AccessMode, DataClass, Outcome


@dataclass(frozen=True, slots=True)
class Effect:
    """One class and mode: open or closed today and after, and why."""

    data_class: str
    data_words: str
    access_mode: str
    mode_words: str
    today: bool
    today_because: str
    after: bool
    because: str

    @property
    def changes(self) -> str:
        """What becomes of it, in a word or two."""
        if self.today == self.after:
            return "Stays open" if self.after else "Stays closed"
        return "Opens" if self.after else "Closes"


def effect_of(
    tx: Tx, engagement: Any, outcome: Outcome, conditions: Sequence[Condition], valid_until: date | None
) -> list[Effect]:
    """Return what a decision on an engagement changes at the gate. A pause in force closes all, before and after."""
    world = gate_queries.worlds(tx, [engagement.vendor_id]).get(engagement.vendor_id)
    after = access_after(
        outcome,
        conditions,
        data_classes=engagement.data_classes,
        access_modes=engagement.access_modes,
        valid_until=valid_until,
    )
    paused = bool(world and world.pauses)
    found = []
    for each in after:
        name = DataClass(each.data_class).name
        slug = world.vendor if world else ""
        now = decide(world, Question(slug, name, each.access_mode, "decision", engagement.slug), tx.now)
        found.append(
            Effect(
                data_class=name,
                data_words=DATA_CLASS_WORDS[DataClass(each.data_class)],
                access_mode=each.access_mode,
                mode_words=ACCESS_MODE_WORDS[AccessMode(each.access_mode)],
                today=now.allow,
                today_because=reason_of(now),
                after=each.open and not paused,
                because="Paused: it opens when the pause ends" if each.open and paused else each.because,
            )
        )
    return found

"""What a decision would change at the gate, by its own rules: each class and mode, and what each system hears."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from portal.gate import queries as gate_queries
from portal.gate.queries import condition_of
from portal.gate.rules import Answer, Clearance, Ground, Question, World, decide, latest_day
from portal.gate.words import reason_of
from portal.identity.queries import ClientLine
from portal.kernel.ledger import Tx
from portal.reviews.rules import APPROVALS, Condition, access_after
from portal.scoring import rules as scores
from portal.scoring.rules import Inputs
from portal.sites.shared.ui import day
from portal.terms import ACCESS_MODE_WORDS, DATA_CLASS_WORDS, AccessMode, ClearanceAct, DataClass, Outcome, Scope

MOST_NAMED = 4
NEXT = 2**62
"""Stands for the sequence number that the decision will get: later than all that there are."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One class and mode: what the gate answers today and after, until when, and why."""

    data_class: str
    data_words: str
    access_mode: str
    mode_words: str
    now: Answer
    then: Answer
    because: str

    @property
    def today(self) -> bool:
        """Whether it is open now."""
        return self.now.allow

    @property
    def today_because(self) -> str:
        """Why it is as it is now."""
        return reason_of(self.now)

    @property
    def after(self) -> bool:
        """Whether it is open after the decision."""
        return self.then.allow

    @property
    def until(self) -> date | None:
        """The last day on which it is open after the decision, if nothing else happens."""
        return _last_day(self.then)

    @property
    def changes(self) -> str:
        """What becomes of it, in a word or two."""
        if self.today == self.after:
            return "Stays open" if self.after else "Stays closed"
        return "Opens" if self.after else "Closes"

    @property
    def name(self) -> str:
        """The class and the mode, in short."""
        return f"{self.data_class} {self.access_mode}"


@dataclass(frozen=True, slots=True)
class Heard:
    """What one system is told from the decision on, beside today."""

    system: str
    icon: str
    tone: str
    words: str


def world_of(tx: Tx, vendor_id: UUID) -> World | None:
    """Return what the gate knows of a vendor now."""
    return gate_queries.worlds(tx, [vendor_id]).get(vendor_id)


def effect_of(
    tx: Tx,
    engagement: Any,
    outcome: Outcome,
    conditions: Sequence[Condition],
    valid_until: date | None,
    *,
    tier: int,
    inputs: Inputs | None = None,
    world: World | None = None,
) -> list[Effect]:
    """Return what a decision on an engagement changes at the gate, for each class and mode of it.

    The gate's rules answer twice: in the world as it is, and in the one that the decision would make. Nothing else
    is assumed to change, so a stop in force closes all before and after.

    :param tier: that was assessed.
    :param inputs: of the score that is decided on, for the evidence that an approval would rest on.
    :param world: what the gate knows of the vendor, if the caller has it at hand.
    """
    world = world or world_of(tx, engagement.vendor_id)
    after = _after(world, engagement, outcome, conditions, valid_until, tier, inputs)
    told = access_after(
        outcome,
        conditions,
        data_classes=engagement.data_classes,
        access_modes=engagement.access_modes,
        valid_until=valid_until,
    )
    found = []
    for each in told:
        name = DataClass(each.data_class).name
        question = Question(world.vendor if world else "", name, each.access_mode, "decision", engagement.slug)
        then = decide(after, question, tx.now)
        found.append(
            Effect(
                data_class=name,
                data_words=DATA_CLASS_WORDS[DataClass(each.data_class)],
                access_mode=each.access_mode,
                mode_words=ACCESS_MODE_WORDS[AccessMode(each.access_mode)],
                now=decide(world, question, tx.now),
                then=then,
                because=_because(each.because, each.open, then),
            )
        )
    return found


def _after(
    world: World | None,
    engagement: Any,
    outcome: Outcome,
    conditions: Sequence[Condition],
    valid_until: date | None,
    tier: int,
    inputs: Inputs | None,
) -> World | None:
    """Return the world with the decision in it, as ``gate.clear_decided`` would write it down."""
    if world is None:
        return None
    approved = outcome in APPROVALS
    step = Clearance(
        engagement_id=str(engagement.id),
        sequence=NEXT,
        act=ClearanceAct(outcome.value),
        tier=tier,
        data_classes=frozenset(engagement.data_classes),
        access_modes=frozenset(engagement.access_modes),
        valid_until=valid_until if approved else None,
        conditions=tuple(condition_of(each.stored) for each in conditions),
        grounds=_grounds(inputs) if approved and inputs is not None else (),
    )
    others = tuple(each for each in world.clearances if each.engagement_id != step.engagement_id)
    return replace(world, clearances=(*others, step))


def _grounds(inputs: Inputs) -> tuple[Ground, ...]:
    return tuple(
        Ground(
            requirement.any_of, latest_day(held.valid_until for held in inputs.held if held.kind in requirement.any_of)
        )
        for requirement in scores.met(inputs)
    )


def _because(words: str, opened: bool, then: Answer) -> str:
    """Return why it is as it is after the decision: the decision's own words, unless the gate knows more."""
    if opened != then.allow:
        return reason_of(then)
    last = _last_day(then)
    if opened and last is not None and not words.startswith(f"Open until {day(last)}"):
        return f"Open until {day(last)}: evidence or the engagement ends then"
    return words


def _last_day(answer: Answer) -> date | None:
    if not answer.allow or answer.valid_until is None:
        return None
    return (answer.valid_until - timedelta(days=1)).date()


def heard_by(clients: Sequence[ClientLine], effect: Sequence[Effect], vendor_id: UUID, now: datetime) -> list[Heard]:
    """Return what each system that is in use is told after the decision, beside today."""
    found = []
    for client in clients:
        if client.disabled_at is not None or client.expires_at <= now:
            continue
        if Scope.GATE_READ not in client.scopes:
            found.append(Heard(client.name, "minus", "c-mute", "Does not ask the gate"))
        elif client.vendor_ids is not None and vendor_id not in client.vendor_ids:
            found.append(Heard(client.name, "minus", "c-mute", "Does not ask about this vendor"))
        else:
            found.append(Heard(client.name, *_told(effect)))
    return found


def _told(effect: Sequence[Effect]) -> tuple[str, str, str]:
    opens = [each.name for each in effect if each.after and not each.today]
    closes = [each.name for each in effect if each.today and not each.after]
    moved = [each for each in effect if each.today and each.after and _last_day(each.now) != each.until]
    still = [each.name for each in effect if not each.today and not each.after]
    said = []
    if closes:
        said.append(f"closes {_names(closes, effect)}")
    if opens:
        said.append(f"opens {_names(opens, effect)}")
    if moved:
        ends = {each.until for each in moved}
        only = next(iter(ends))
        new = f" {day(only)}" if len(ends) == 1 and only is not None else ""
        said.append(f"{_names([each.name for each in moved], effect)}: new last day{new}")
    if still and not opens and not closes:
        said.append(f"{_names(still, effect)} stays closed" if len(still) < len(effect) else "stays closed")
    if not said:
        return "check", "c-ok", "No change"
    words = ", ".join(said)
    icon, tone = ("lock", "c-bad") if closes or not any(each.after for each in effect) else ("lock-open", "c-ok")
    return icon, tone, words[0].upper() + words[1:]


def _names(names: Sequence[str], effect: Sequence[Effect]) -> str:
    return f"all {len(names)}" if len(names) == len(effect) > MOST_NAMED else ", ".join(names)

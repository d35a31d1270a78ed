"""Two readings of the gate agree on twenty thousand worlds, and every code is met on the way."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from portal.evidence.rules import NEVER
from portal.gate.rules import (
    Accepted,
    Answer,
    Clearance,
    Condition,
    Engagement,
    Ground,
    Pause,
    Question,
    Reason,
    World,
    decide,
)
from portal.terms import ClearanceAct
from tests.rules.gate.second_reading import Said, second_reading

WORLDS = 20_000
TODAY = date(2026, 11, 24)
CLASSES, MODES = range(6), ("A1", "A2", "A3", "A4", "A5")
ZONES = (ZoneInfo("UTC"), ZoneInfo("Europe/Berlin"))


def mostly(dice: Random, usual: Any, *others: Any) -> Any:
    """Return the usual value, seldom another: a world with many faults says little about any of them."""
    return dice.choice(others) if dice.random() < 0.12 else usual


def day(dice: Random, low: int = -2, high: int = 3) -> date:
    return TODAY + timedelta(days=dice.randint(low, high))


def classes(dice: Random) -> frozenset[int]:
    return frozenset(dice.sample(CLASSES, dice.choice((2, 4, 5, 6, 6))))


def modes(dice: Random) -> frozenset[str]:
    return frozenset(dice.sample(MODES, dice.choice((2, 4, 5, 5))))


def condition(dice: Random) -> Condition:
    return Condition(
        text="fix it",
        due_on=dice.choice((None, day(dice), day(dice))),
        closes_at=dice.choice((None, None, dice.choice(CLASSES))),
        access_mode=dice.choice((None, None, dice.choice(MODES))),
        met=dice.random() < 0.3,
        finding=dice.choice((None, 1, 1, 1, 2)),
        consequence=dice.choice(("class", "class", "all")),
        data_class=dice.choice((None, None, dice.choice(CLASSES))),
        limit=dice.random() < 0.1,
    )


def clearance(dice: Random, engagement_id: str, sequence: int) -> Clearance:
    return Clearance(
        engagement_id=engagement_id,
        sequence=sequence,
        act=mostly(dice, ClearanceAct.APPROVE, *ClearanceAct),
        tier=mostly(dice, 2, 1, 3),
        data_classes=classes(dice),
        access_modes=modes(dice),
        valid_until=mostly(dice, day(dice, 0, 9), None, day(dice)),
        conditions=tuple(condition(dice) for _ in range(dice.choice((0, 0, 1, 2, 3)))),
        grounds=tuple(
            Ground(("SOC2",), mostly(dice, day(dice, 0, 5), None, NEVER, day(dice)))
            for _ in range(dice.choice((0, 0, 1, 2)))
        ),
    )


def engagement(dice: Random, number: int) -> Engagement:
    return Engagement(
        id=f"e{number}",
        slug=f"s{dice.choice((number, number + 3))}",
        data_classes=classes(dice),
        access_modes=modes(dice),
        starts_on=mostly(dice, TODAY - timedelta(days=1), day(dice)),
        ends_on=dice.choice((None, None, day(dice, 0, 9), day(dice))),
        tier=mostly(dice, 2, 1, 3),
    )


def world(dice: Random) -> World | None:
    if dice.random() < 0.02:
        return None
    engagements = tuple(engagement(dice, number) for number in range(1, 1 + dice.choice((0, 1, 1, 1, 2, 3))))
    numbers = dice.sample(range(1, 30), 4)
    steps = tuple(clearance(dice, f"e{dice.choice((1, 1, 2, 3))}", number) for number in numbers[: dice.randint(0, 4)])
    pauses = tuple(
        Pause(everywhere=dice.random() < 0.5, since=datetime.combine(TODAY, time.min, tzinfo=ZONES[0]), sequence=1)
        for _ in range(mostly(dice, 0, 0, 1, 2))
    )
    accepted = tuple(Accepted(dice.choice((1, 1, 2, 3)), day(dice)) for _ in range(dice.choice((0, 1, 2, 3))))
    return World("acme", mostly(dice, False, False, True), engagements, steps, pauses, dice.randint(0, 40), accepted)


def question(dice: Random) -> Question:
    return Question(
        vendor="acme",
        data_class=mostly(dice, f"D{dice.choice(CLASSES)}", "D9", "d3", "", "D1", "D2"),
        access_mode=mostly(dice, dice.choice(MODES), "A9", "", "A1", "A2"),
        purpose=mostly(dice, "ranking", "", "  ", "more", "again"),
        engagement=dice.choice((None, None, "s1", "s2", "s4", "e1", "e2", "zz")),
    )


def moment(dice: Random) -> datetime:
    at = dice.choice((time.min, time(9), time.max))
    return datetime.combine(TODAY, at, tzinfo=dice.choice(ZONES))


def said(answer: Answer) -> Said:
    return Said(
        "allow" if answer.allow else "deny",
        frozenset(answer.reasons),
        answer.valid_until,
        answer.engagement,
        len(answer.conditions),
        frozenset((each.reason.value, each.finding, each.accepted_until) for each in answer.details),
    )


def test_gw_01_two_independent_readings_agree_on_twenty_thousand_worlds_and_meet_every_code() -> None:
    dice = Random(20261124)  # noqa: S311 - worlds, not secrets
    met: Counter[str] = Counter()
    engaged: Counter[bool] = Counter()
    for number in range(WORLDS):
        stored, asked, now = world(dice), question(dice), moment(dice)
        first = decide(stored, asked, now)
        assert said(first) == second_reading(stored, asked, now), (number, stored, asked, now)
        met.update(first.reasons)
        if first.allow:
            engaged[asked.engagement is not None] += 1
    assert {code: met[code] for code in Reason if met[code] < 40} == {}
    assert min(engaged[True], engaged[False]) > 400

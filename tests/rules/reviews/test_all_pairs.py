"""WF-06: every person alone and every pair of two, over tiers, outcomes and exceptions, against security.md."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from portal.reviews.rules import Authored, Candidate, Case, bars_to_sign, signatures_needed
from portal.terms import Outcome, Role

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LEAD, REVIEWER = frozenset({Role.LEAD_APPROVER}), frozenset({Role.REVIEWER})


def someone(number: int, name: str, roles: frozenset[Role] = LEAD, **given: object) -> Candidate:
    return replace(Candidate(UUID(int=number), name, f"{name}@orrery.example", roles), **given)  # type: ignore[arg-type]


CAST = {
    each.name: each
    for each in (
        someone(1, "reviewer", REVIEWER),
        someone(2, "other reviewer", REVIEWER),
        someone(3, "lead"),
        someone(4, "second"),
        someone(5, "lead who reviewed", LEAD | REVIEWER),
        someone(6, "lead who judged before"),
        someone(7, "admin", frozenset({Role.PROGRAM_ADMIN})),
        someone(8, "auditor", frozenset({Role.AUDITOR})),
        someone(9, "lead once invited", belonged=True),
        someone(10, "lead of the domain", email="x@quillmark.example"),
        someone(11, "lead below the domain", email="x@eu.quillmark.example"),
        someone(12, "lead once of the domain", earlier=("x@quillmark.example",)),
        someone(13, "lead who declared", conflicts=("worked there until March",)),
        someone(14, "author"),
        someone(15, "granter"),
        someone(16, "granted today", made_approver_by=frozenset({UUID(int=15)})),
        someone(17, "lead who left", is_active=False),
        someone(18, "service client", frozenset(), is_person=False),
    )
}
TIED = {name for name in CAST if "domain" in name or name in {"lead once invited", "lead who declared"}}
NEVER = TIED | {"admin", "auditor", "lead who left", "service client"}
JUDGES = {1: frozenset({UUID(int=6)}), 2: frozenset({UUID(int=1), UUID(int=5)})}


def case(tier: int, outcome: Outcome, *, exception: bool, proposer: str, signed: str = "") -> Case:
    return Case(
        vendor="Quillmark",
        domains=("quillmark.example",),
        tier=tier,
        revision=2,
        assigned=UUID(int=1),
        judges=JUDGES,
        now=NOW,
        authored=(Authored("the questionnaire", UUID(int=14), NOW - timedelta(days=6)),),
        outcome=outcome,
        exception=exception,
        needed=signatures_needed(tier, outcome, exception=exception),
        proposer=CAST[proposer].id,
        signed=(CAST[signed],) if signed else (),
    )


def may_alone(name: str, tier: int, outcome: Outcome, needed: int) -> bool:
    """The table of roles and actions, read again and written down differently."""
    if name in NEVER:
        return False
    if name == "author" and needed == 1:
        return False
    if tier == 3 or outcome is Outcome.REJECT:
        return name != "other reviewer"
    return name not in {"reviewer", "other reviewer", "lead who reviewed", "lead who judged before"}


WAYS = [
    (tier, outcome, exception)
    for tier, outcome, exception in product((1, 2, 3), Outcome, (False, True))
    if not (outcome is Outcome.REJECT and exception)
]


@pytest.mark.parametrize(("tier", "outcome", "exception"), WAYS)
def test_WF_06_every_person_alone(tier: int, outcome: Outcome, exception: bool) -> None:
    needed = signatures_needed(tier, outcome, exception=exception)
    for name, person in CAST.items():
        bars = bars_to_sign(person, case(tier, outcome, exception=exception, proposer="reviewer"))
        assert (not bars) is may_alone(name, tier, outcome, needed), (name, [str(each) for each in bars])


@pytest.mark.parametrize(("tier", "outcome", "exception"), [each for each in WAYS if each[1] is not Outcome.REJECT])
def test_WF_06_every_pair_of_two(tier: int, outcome: Outcome, exception: bool) -> None:
    """Who proposed and signed first, and who confirms: never the same, never who made the other an approver today."""
    needed = signatures_needed(tier, outcome, exception=exception)
    if needed == 1:
        return
    tried = 0
    for first, second in product(CAST, CAST):
        if not may_alone(first, tier, outcome, needed):
            continue
        bars = bars_to_sign(CAST[second], case(tier, outcome, exception=exception, proposer=first, signed=first))
        apart = first != second and {first, second} != {"granter", "granted today"}
        wanted = apart and may_alone(second, tier, outcome, needed)
        assert (not bars) is wanted, (first, second, [str(each) for each in bars])
        tried += 1
    assert tried >= 5 * len(CAST)


def test_six_days_after_a_change_its_author_waits_and_on_the_seventh_decides_alone() -> None:
    given = case(2, Outcome.APPROVE, exception=False, proposer="author")
    settled = replace(given, authored=(replace(given.authored[0], at=NOW - timedelta(days=7)),))
    assert bars_to_sign(CAST["author"], given)
    assert not bars_to_sign(CAST["author"], settled)

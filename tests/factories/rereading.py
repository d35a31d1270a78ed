"""A prepared renewal for the reviewer: all judged and decided last year, signed again with fourteen answers to read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.kernel.signing import Signer, SigningKey
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Question
from portal.reviews.service import Changed
from portal.terms import EvidenceState
from portal.vendors import service as vendors
from portal.wiring import House
from tests.factories import moulds
from tests.factories.attestations import Desk, desk, good_answer
from tests.factories.identity import Person
from tests.factories.reviews import TIERS, Bench, prove

LAST_YEAR = datetime(2025, 12, 4, 10, 0, tzinfo=UTC)
DOWN, REWORDED, OTHER_FILE = 2, 9, 3
TO_READ = DOWN + REWORDED + OTHER_FILE


@dataclass
class Reread(Bench):
    """A bench at a renewal. ``changed`` says of each answer that is to be read how it differs from last year's."""

    changed: dict[str, Changed]


def reread(
    house: House, *, slug: str = "ai-contractor", tier: int = 2, claimed: bool = True, yes: tuple[str, ...] = ()
) -> Reread:
    """Return a renewal signed today: two answers went down, nine say something else, three have another file.

    :param yes: facts that the vendor states of itself, so that more is asked.
    """
    made, changed, people = moulds.cast(
        house, "reread", lambda new: _reread(new, slug=slug, tier=tier, yes=yes), given=(slug, tier, yes)
    )
    found = Reread(house, replace(made, house=house), dict(changed))
    # The people of last year are still there.
    vars(found).update(people)
    if claimed:
        found.claim()
    return found


def _reread(
    house: House, *, slug: str, tier: int, yes: tuple[str, ...]
) -> tuple[Desk, dict[str, Changed], dict[str, Person]]:
    with last_year(house):
        made = desk(house, slug=slug, **TIERS[tier])
        made.complete(yes=yes)
        prove(made)
        made.sign()
        before = Bench(house, made)
        before.review()
        decision = before.propose(before.lead, valid_until=date(2026, 11, 30), sealer=_sealer_of_then())
        if tier == 1:
            before.sign(before.second, decision, sealer=_sealer_of_then())
    again = _ask_again(made)
    again.settle_scoping(yes=yes)
    changed = _answer_again(again)
    again.answer()
    again.sign()
    return again, changed, {name: each for name, each in vars(before).items() if isinstance(each, Person)}


def _sealer_of_then() -> Signer:
    """Return a signer with a key that was in force then; the house's own begin later."""
    return Signer([SigningKey("then", bytes(range(32)), LAST_YEAR, LAST_YEAR + timedelta(days=365))])


def _ask_again(made: Desk) -> Desk:
    with made.at(system("test")) as (tx, row):
        asked = assessments.request(
            tx,
            vendor=vendors.get(tx, made.vendor_id, Action.VENDOR_READ),
            engagement=vendors.engagement(tx, made.engagement_id, Action.VENDOR_READ),
            questionnaire_version=questionnaires.get(tx, row.questionnaire_id),
            due_on=(tx.now + timedelta(days=28)).date(),
        )
        return replace(made, assessment_id=asked.id)


def _answer_again(made: Desk) -> dict[str, Changed]:
    asked = [each for each in made.visible() if each.is_scored and len(each.choices) > 1]
    down, reworded, other = asked[:DOWN], asked[DOWN : DOWN + REWORDED], asked[DOWN + REWORDED : TO_READ]
    with made.at(made.admin.actor) as (tx, row):
        lines = attestations.carried_of(tx, row)
        new = {each.key for each in (*down, *reworded)}
        keys = [key for key in lines if key not in new]
        attestations.confirm(tx, assessment=row, keys=keys, seen={key: lines[key].digest for key in keys})
    for question in down:
        made.save(question.key, worst_answer(question))
    for question in reworded:
        made.save(question.key, {**good_answer(question), "comment": "Shown to you on a call; the file is here now."})
    newer = made.file(kind="SOC2", title="SOC 2 report 2026", file_name="soc2-2026.pdf", state=EvidenceState.ATTACHED)
    for question in other:
        made.cite(question.key, newer, "4")
    return (
        dict.fromkeys((each.key for each in down), Changed.DOWN)
        | dict.fromkeys((each.key for each in reworded), Changed.CHANGED)
        | dict.fromkeys((each.key for each in other), Changed.EVIDENCE)
    )


def worst_answer(question: Question) -> dict[str, Any]:
    """Return the form of an answer that earns as little as it can, with a day by which it gets better."""
    worst = min(question.choices, key=lambda option: option.credit or 0)
    return {"choice": worst.key, "comment": "Not at the site opened in August.", "planned_on": "2027-03-01"}


@contextmanager
def last_year(house: House) -> Iterator[None]:
    """Let everything inside happen a year ago."""
    clock = house.clock
    assert isinstance(clock, FixedClock)
    now, clock.instant = clock.instant, LAST_YEAR
    try:
        yield
    finally:
        clock.instant = now

"""Conditions that are overdue, what follows, and risks that people accept: nothing opens more than it may."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.gate.queries import condition_of
from portal.gate.rules import Accepted, Answer, Condition, Detail, Question, Reason, World, decide
from portal.gate.words import findings_of, reason_of
from portal.terms import AccessMode, DataClass
from tests.rules.gate.test_decide import CLEARANCES, DAYS, ENGAGEMENTS, NOW, PAUSES, QUESTION, TODAY, with_clearance

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
CONDITIONS = st.builds(
    Condition,
    text=st.just("fix it"),
    due_on=st.none() | DAYS,
    closes_at=st.none() | st.integers(0, 5),
    access_mode=st.none() | st.sampled_from([mode.value for mode in AccessMode]),
    met=st.booleans(),
    finding=st.none() | st.integers(1, 3),
    consequence=st.sampled_from(["class", "all"]),
    data_class=st.none() | st.integers(0, 5),
)
WORLDS = st.builds(
    lambda engagements, clearances, conditions, pauses, accepted: World(
        "acme",
        False,
        tuple(engagements),
        tuple(replace(each, conditions=tuple(conditions)) for each in clearances),
        tuple(pauses),
        7,
        tuple(accepted),
    ),
    ENGAGEMENTS,
    CLEARANCES,
    st.lists(CONDITIONS, max_size=3),
    PAUSES,
    st.lists(st.builds(Accepted, finding=st.integers(1, 3), until=DAYS), max_size=3),
)
QUESTIONS = st.builds(
    Question,
    vendor=st.just("acme"),
    data_class=st.sampled_from([*DataClass.__members__]),
    access_mode=st.sampled_from([*AccessMode.__members__]),
    purpose=st.just("ranking"),
    engagement=st.sampled_from(["s1", "s2"]),
)


def ask(world: World, question: Question = QUESTION, now: datetime = NOW) -> Answer:
    return decide(world, question, now)


def late(**given: object) -> Condition:
    return replace(Condition("fix", due_on=YESTERDAY, closes_at=3, finding=1), **given)


def test_an_overdue_condition_closes_the_class_that_it_names() -> None:
    world = with_clearance(conditions=(late(),))
    assert ask(world).reasons == (Reason.CONDITION_CLOSES, Reason.CONDITION_OVERDUE)
    assert ask(world, replace(QUESTION, data_class="D2")).allow


def test_or_everything_where_that_was_decided() -> None:
    world = with_clearance(conditions=(late(consequence="all"),))
    assert ask(world, replace(QUESTION, data_class="D2")).reasons == (Reason.CONDITION_OVERDUE,)
    before = with_clearance(conditions=(late(consequence="all", due_on=TODAY),))
    answer = ask(before, replace(QUESTION, data_class="D2"))
    assert answer.allow
    assert answer.valid_until == datetime.combine(TOMORROW, datetime.min.time(), tzinfo=NOW.tzinfo)


def test_a_consequence_that_nobody_knows_closes_everything() -> None:
    stored = {"text": "fix", "due_on": YESTERDAY.isoformat(), "closes_at": 3, "consequence": "something newer"}
    world = with_clearance(conditions=(condition_of(stored),))
    assert not ask(world, replace(QUESTION, data_class="D2")).allow


def test_what_was_signed_before_reads_as_it_did() -> None:
    stored = {"text": "fix", "due_on": None, "closes_at": 3, "access_mode": None, "met": False}
    assert condition_of(stored) == Condition("fix", closes_at=3)


def test_a_reason_names_its_finding_in_codes_and_in_words() -> None:
    answer = ask(with_clearance(conditions=(late(),)))
    assert answer.details == (
        Detail(Reason.CONDITION_CLOSES, late()),
        Detail(Reason.CONDITION_OVERDUE, late()),
    )
    assert findings_of(answer) == "F-1"
    assert reason_of(answer) == "Closed until a condition is met; a condition is overdue (F-1)"


def test_an_accepted_risk_opens_until_its_last_day_and_says_so() -> None:
    world = replace(with_clearance(conditions=(late(),)), accepted=(Accepted(1, TOMORROW),))
    answer = ask(world)
    assert answer.allow
    assert answer.reasons == (Reason.CLEARED_WITH_CONDITIONS, Reason.RISK_ACCEPTED)
    assert answer.details == (Detail(Reason.RISK_ACCEPTED, late(), TOMORROW),)
    assert findings_of(answer) == f"F-1 until {TOMORROW.day} {TOMORROW:%B %Y}"
    assert ask(world, now=NOW + timedelta(days=1)).allow
    assert not ask(world, now=NOW + timedelta(days=2)).allow


def test_an_accepted_risk_lifts_nothing_of_another_finding_nor_of_a_condition_without_one() -> None:
    for condition in (late(finding=2), late(finding=None)):
        world = replace(with_clearance(conditions=(condition,)), accepted=(Accepted(1, TOMORROW),))
        assert not ask(world).allow


@pytest.mark.parametrize("until", [YESTERDAY, date(2020, 1, 1)])
def test_one_whose_day_is_over_lifts_nothing(until: date) -> None:
    assert not ask(replace(with_clearance(conditions=(late(),)), accepted=(Accepted(1, until),))).allow


def test_after_its_day_a_condition_that_is_not_yet_due_still_waits_for_its_own() -> None:
    condition = Condition("fix", due_on=TODAY + timedelta(days=5), finding=1)
    world = replace(with_clearance(conditions=(condition,)), accepted=(Accepted(1, TOMORROW),))
    answer = ask(world)
    assert answer.reasons == (Reason.CLEARED_WITH_CONDITIONS,)
    assert answer.valid_until is not None
    assert answer.valid_until.date() == TODAY + timedelta(days=6)


@settings(max_examples=200, deadline=None)
@given(WORLDS, QUESTIONS, st.integers(0, 9))
def test_an_overdue_condition_never_opens_anything(world: World, question: Question, days: int) -> None:
    """Nor does any condition that is added, whatever it says; nor its day passing."""
    added = Condition("more", due_on=TODAY - timedelta(days=days), closes_at=days % 6, consequence="all", finding=9)
    with_it = replace(
        world, clearances=tuple(replace(each, conditions=(*each.conditions, added)) for each in world.clearances)
    )
    if ask(with_it, question).allow:
        assert ask(world, question).allow
        assert days == 0 or not world.clearances
    stricter = replace(
        world,
        clearances=tuple(
            replace(each, conditions=tuple(replace(c, consequence="all") for c in each.conditions))
            for each in world.clearances
        ),
    )
    assert not ask(stricter, question).allow or ask(world, question).allow


@settings(max_examples=300, deadline=None)
@given(WORLDS, QUESTIONS, st.integers(1, 3), DAYS)
def test_accepting_a_risk_opens_at_most_what_its_finding_blocked(
    world: World, question: Question, number: int, until: date
) -> None:
    with_it = replace(world, accepted=(*world.accepted, Accepted(number, until)))
    met = replace(
        world,
        clearances=tuple(
            replace(each, conditions=tuple(replace(c, met=c.met or c.finding == number) for c in each.conditions))
            for each in world.clearances
        ),
    )
    before, after = ask(world, question), ask(with_it, question)
    assert not before.allow or after.allow
    if after.allow and not before.allow:
        assert until >= TODAY
        assert ask(met, question).allow
        assert Reason.RISK_ACCEPTED in after.reasons


@settings(max_examples=200, deadline=None)
@given(WORLDS, QUESTIONS, st.lists(st.builds(Accepted, finding=st.integers(1, 3), until=DAYS), max_size=3))
def test_default_deny_is_never_traded(world: World, question: Question, accepted: list[Accepted]) -> None:
    """Whatever is denied with every condition met is denied with every risk accepted."""
    free = replace(world, clearances=tuple(replace(each, conditions=()) for each in world.clearances), accepted=())
    if not ask(free, question).allow:
        assert not ask(replace(world, accepted=tuple(accepted)), question).allow


@settings(max_examples=250, deadline=None)
@given(WORLDS, QUESTIONS, st.integers(0, 200))
def test_an_allow_holds_to_its_end_and_not_a_moment_longer(world: World, question: Question, hours: int) -> None:
    answer, later = ask(world, question), NOW + timedelta(hours=hours)
    if answer.allow:
        assert ask(world, question, later).allow == (answer.valid_until is None or later < answer.valid_until)

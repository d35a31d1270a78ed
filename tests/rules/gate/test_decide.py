"""The gate: allow only what is decided, in force, in scope and not stopped. Compared with a naive second reading."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.evidence.rules import NEVER
from portal.gate.rules import (
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
from portal.terms import AccessMode, ClearanceAct, DataClass

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

ENGAGEMENT = Engagement(
    id="e1",
    slug="rankings",
    data_classes=frozenset({2, 3}),
    access_modes=frozenset({"A2"}),
    starts_on=date(2026, 1, 1),
    ends_on=None,
    tier=2,
)
APPROVED = Clearance(
    engagement_id="e1",
    sequence=4,
    act=ClearanceAct.APPROVE,
    tier=2,
    data_classes=frozenset({2, 3}),
    access_modes=frozenset({"A2"}),
    valid_until=date(2027, 1, 31),
)
WORLD = World("acme", False, (ENGAGEMENT,), (APPROVED,), (), 4)
QUESTION = Question("acme", "D3", "A2", "preference ranking")


def ask(world: World | None, question: Question = QUESTION, now: datetime = NOW) -> Answer:
    return decide(world, question, now)


def with_clearance(**changes: object) -> World:
    return replace(WORLD, clearances=(replace(APPROVED, **changes),))


def with_engagement(**changes: object) -> World:
    return replace(WORLD, engagements=(replace(ENGAGEMENT, **changes),))


def test_what_was_approved_is_allowed_until_the_day_after_its_last() -> None:
    answer = ask(WORLD)
    assert answer.allow
    assert answer.reasons == (Reason.CLEARED,)
    assert answer.valid_until == datetime(2027, 2, 1, tzinfo=UTC)


def test_a_vendor_that_nobody_knows_is_denied() -> None:
    answer = ask(None)
    assert (answer.allow, answer.reasons) == (False, (Reason.UNKNOWN_VENDOR,))


@pytest.mark.parametrize(
    ("world", "reason"),
    [
        (replace(WORLD, disabled=True), Reason.VENDOR_DISABLED),
        (replace(WORLD, pauses=(Pause(False, NOW, 5),)), Reason.PAUSED),
        (replace(WORLD, pauses=(Pause(True, NOW, 0),)), Reason.PAUSED_EVERYWHERE),
        (replace(WORLD, engagements=()), Reason.NOT_ENGAGED),
        (replace(WORLD, clearances=()), Reason.NOT_DECIDED),
        (with_clearance(act=ClearanceAct.REJECT), Reason.REJECTED),
        (with_clearance(act=ClearanceAct.REVOKE), Reason.REVOKED),
        (with_clearance(valid_until=TODAY - timedelta(days=1)), Reason.EXPIRED),
        (with_clearance(valid_until=None), Reason.EXPIRED),
        (with_clearance(data_classes=frozenset({2})), Reason.DATA_CLASS_NOT_COVERED),
        (with_clearance(access_modes=frozenset({"A1"})), Reason.ACCESS_MODE_NOT_COVERED),
        (with_engagement(data_classes=frozenset({2})), Reason.DATA_CLASS_NOT_COVERED),
        (with_engagement(starts_on=TODAY + timedelta(days=1)), Reason.ENGAGEMENT_NOT_STARTED),
        (with_engagement(ends_on=TODAY - timedelta(days=1)), Reason.ENGAGEMENT_ENDED),
        (with_engagement(tier=1), Reason.TIER_TOO_LOW),
        (with_clearance(conditions=(Condition("fix", due_on=TODAY - timedelta(days=1)),)), Reason.CONDITION_OVERDUE),
        (with_clearance(conditions=(Condition("fix", closes_at=3),)), Reason.CONDITION_CLOSES),
        (with_clearance(grounds=(Ground(("SOC2", "ISO"), TODAY - timedelta(days=1)),)), Reason.EVIDENCE_EXPIRED),
        (with_clearance(grounds=(Ground(("SPL",), None), Ground(("PT",), NEVER))), Reason.EVIDENCE_EXPIRED),
    ],
)
def test_gw_01_every_doubt_is_a_deny_with_its_own_reason(world: World, reason: Reason) -> None:
    answer = ask(world)
    assert not answer.allow
    assert reason in answer.reasons
    assert answer.valid_until is None


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (replace(QUESTION, data_class="D9"), Reason.UNKNOWN_DATA_CLASS),
        (replace(QUESTION, data_class=""), Reason.UNKNOWN_DATA_CLASS),
        (replace(QUESTION, access_mode="A9"), Reason.UNKNOWN_ACCESS_MODE),
        (replace(QUESTION, purpose="  "), Reason.PURPOSE_MISSING),
        (replace(QUESTION, engagement="another"), Reason.NOT_ENGAGED),
    ],
)
def test_a_question_we_do_not_understand_is_denied(question: Question, reason: Reason) -> None:
    answer = ask(WORLD, question)
    assert (answer.allow, answer.reasons) == (False, (reason,))


def test_wf_17_an_approval_lapses_by_the_clock_alone() -> None:
    last_moment = datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)
    assert ask(WORLD, now=last_moment).allow
    assert ask(WORLD, now=last_moment + timedelta(seconds=1)).reasons == (Reason.EXPIRED,)


def test_a_condition_that_is_not_due_is_told_and_shortens_the_answer() -> None:
    condition = Condition("Encrypt the rented laptops", due_on=date(2026, 12, 31))
    answer = ask(with_clearance(act=ClearanceAct.APPROVE_WITH_CONDITIONS, conditions=(condition,)))
    assert answer.allow
    assert answer.reasons == (Reason.CLEARED_WITH_CONDITIONS,)
    assert answer.conditions == (condition,)
    assert answer.valid_until == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_condition_closes_only_what_it_names() -> None:
    world = with_clearance(conditions=(Condition("fix", due_on=TODAY - timedelta(days=9), closes_at=3),))
    assert not ask(world).allow
    assert ask(world, replace(QUESTION, data_class="D2")).allow


def test_the_newest_step_of_an_engagement_counts() -> None:
    revoked = replace(APPROVED, act=ClearanceAct.REVOKE, sequence=9)
    assert not ask(replace(WORLD, clearances=(revoked, APPROVED))).allow
    assert ask(replace(WORLD, clearances=(replace(revoked, sequence=1), APPROVED))).allow


def test_one_engagement_that_allows_is_enough() -> None:
    other = replace(ENGAGEMENT, id="e2", slug="other", data_classes=frozenset({5}))
    assert ask(replace(WORLD, engagements=(other, ENGAGEMENT))).engagement == "rankings"


DAYS = st.integers(-3, 3).map(lambda days: TODAY + timedelta(days=days))
CLASSES = st.frozensets(st.integers(0, 5), min_size=1, max_size=4)
MODES = st.frozensets(st.sampled_from([mode.value for mode in AccessMode]), min_size=1, max_size=3)
CONDITIONS = st.builds(
    Condition,
    text=st.just("fix it"),
    due_on=st.none() | DAYS,
    closes_at=st.none() | st.integers(0, 5),
    access_mode=st.none() | st.sampled_from([mode.value for mode in AccessMode]),
    met=st.booleans(),
)
ENGAGEMENTS = st.lists(
    st.builds(
        Engagement,
        id=st.sampled_from(["e1", "e2", "e3"]),
        slug=st.sampled_from(["s1", "s2", "s3"]),
        data_classes=CLASSES,
        access_modes=MODES,
        starts_on=DAYS,
        ends_on=st.none() | DAYS,
        tier=st.integers(1, 3),
    ),
    max_size=3,
    unique_by=(lambda each: each.id, lambda each: each.slug),
)
CLEARANCES = st.lists(
    st.builds(
        Clearance,
        engagement_id=st.sampled_from(["e1", "e2", "e3"]),
        sequence=st.integers(1, 40),
        act=st.sampled_from(ClearanceAct),
        tier=st.integers(1, 3),
        data_classes=CLASSES,
        access_modes=MODES,
        valid_until=st.none() | DAYS,
        conditions=st.lists(CONDITIONS, max_size=2).map(tuple),
    ),
    max_size=4,
    unique_by=lambda each: each.sequence,
)
PAUSES = st.lists(st.builds(Pause, everywhere=st.booleans(), since=st.just(NOW), sequence=st.just(1)), max_size=1)
WORLDS = st.builds(
    World,
    vendor=st.just("acme"),
    disabled=st.integers(0, 9).map(lambda n: n == 0),
    engagements=ENGAGEMENTS.map(tuple),
    clearances=CLEARANCES.map(tuple),
    pauses=st.integers(0, 4).flatmap(lambda n: PAUSES if n == 0 else st.just([])).map(tuple),
    sequence=st.integers(0, 40),
)
QUESTIONS = st.builds(
    Question,
    vendor=st.just("acme"),
    data_class=st.sampled_from([*DataClass.__members__, "D7", "d3"]),
    access_mode=st.sampled_from([*AccessMode.__members__, "A7"]),
    purpose=st.sampled_from(["ranking", ""]),
    engagement=st.none() | st.sampled_from(["s1", "e2", "zz"]),
)


def naive(world: World, question: Question, today: date) -> bool:
    """A second reading, written as one long "yes, if": nothing of the first is used."""
    if world.disabled or len(world.pauses) > 0 or question.purpose == "":
        return False
    if question.data_class not in ("D0", "D1", "D2", "D3", "D4", "D5"):
        return False
    if question.access_mode not in ("A1", "A2", "A3", "A4", "A5"):
        return False
    number = int(question.data_class[1])
    for engagement in world.engagements:
        if question.engagement is not None and question.engagement not in (engagement.id, engagement.slug):
            continue
        steps = [step for step in world.clearances if step.engagement_id == engagement.id]
        steps.sort(key=lambda step: step.sequence)
        if not steps or steps[-1].act.value not in ("approve", "approve_with_conditions"):
            continue
        step = steps[-1]
        if step.valid_until is None or step.valid_until < today:
            continue
        if engagement.starts_on > today or (engagement.ends_on and engagement.ends_on < today):
            continue
        if step.tier > engagement.tier:
            continue
        if number not in engagement.data_classes & step.data_classes:
            continue
        if question.access_mode not in engagement.access_modes & step.access_modes:
            continue
        stopped = False
        for condition in step.conditions:
            about_class = condition.closes_at is None or number >= condition.closes_at
            about_mode = condition.access_mode is None or condition.access_mode == question.access_mode
            if not condition.met and about_class and about_mode:
                late = condition.due_on is not None and condition.due_on < today
                stopped = stopped or late or condition.closes_at is not None
        if not stopped:
            return True
    return False


@settings(max_examples=500, deadline=None)
@given(WORLDS, QUESTIONS)
def test_two_independent_readings_agree(world: World, question: Question) -> None:
    assert ask(world, question).allow == naive(world, question, TODAY)


@settings(max_examples=150, deadline=None)
@given(WORLDS, QUESTIONS, st.integers(0, 400))
def test_an_allow_holds_to_its_end_and_not_a_moment_longer(world: World, question: Question, hours: int) -> None:
    answer = ask(world, question)
    later = NOW + timedelta(hours=hours)
    if answer.allow and answer.valid_until is not None and question.engagement is not None:
        assert ask(world, question, later).allow == (later < answer.valid_until)


@settings(max_examples=150, deadline=None)
@given(WORLDS, QUESTIONS)
def test_stopping_or_disabling_never_opens_anything(world: World, question: Question) -> None:
    assert not ask(replace(world, pauses=(Pause(False, NOW, 1),)), question).allow
    assert not ask(replace(world, pauses=(Pause(True, NOW, 1),)), question).allow
    assert not ask(replace(world, disabled=True), question).allow

"""WF-06: separation of duties over tiers, roles and pairs of people, as a pure function."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from portal.reviews.rules import (
    Authored,
    Candidate,
    Case,
    Duty,
    bars_to_review,
    bars_to_sign,
    sentence,
    signatures_needed,
)
from portal.terms import Outcome, Role

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
R, R2, L, L2, BOTH = (UUID(int=number) for number in range(1, 6))
REVIEWER = Candidate(R, "Ines Valdarno", "ines@orrery.example", frozenset({Role.REVIEWER}))
EARLIER = Candidate(R2, "Tomasz Okoro", "tomasz@orrery.example", frozenset({Role.REVIEWER, Role.LEAD_APPROVER}))
LEAD = Candidate(L, "Hana Kobayashi", "hana@orrery.example", frozenset({Role.LEAD_APPROVER}))
SECOND = Candidate(L2, "Theo Brandvold", "theo@orrery.example", frozenset({Role.LEAD_APPROVER}))
ADMIN = Candidate(UUID(int=8), "Mara Ilves", "mara@orrery.example", frozenset({Role.PROGRAM_ADMIN}))


def case(**given: Any) -> Case:
    fields: dict[str, Any] = {
        "vendor": "Quillmark",
        "domains": ("quillmark.example",),
        "tier": 2,
        "revision": 2,
        "assigned": R,
        "judges": {1: frozenset({R2}), 2: frozenset({R})},
        "now": NOW,
    }
    return Case(**{**fields, **given})


def duties(person: Candidate, **given: Any) -> set[Duty]:
    return {each.duty for each in bars_to_sign(person, case(**given))}


@pytest.mark.parametrize(
    ("tier", "who", "refused"),
    [
        (3, REVIEWER, set()),
        (3, LEAD, set()),
        (3, EARLIER, set()),
        (3, ADMIN, {Duty.ROLE}),
        (2, REVIEWER, {Duty.ROLE, Duty.REVIEWER}),
        (2, LEAD, set()),
        (2, EARLIER, {Duty.REVIEWER}),
        (2, ADMIN, {Duty.ROLE}),
        (1, REVIEWER, {Duty.ROLE, Duty.REVIEWER}),
        (1, LEAD, set()),
        (1, EARLIER, {Duty.REVIEWER}),
        (1, ADMIN, {Duty.ROLE}),
    ],
)
def test_who_signs_an_approval_in_which_tier(tier: int, who: Candidate, refused: set[Duty]) -> None:
    assert duties(who, tier=tier, needed=signatures_needed(tier)) == refused


@pytest.mark.parametrize("tier", [1, 2])
def test_a_lead_who_reviewed_does_not_approve_what_they_reviewed(tier: int) -> None:
    reviewing_lead = replace(LEAD, roles=frozenset({Role.LEAD_APPROVER, Role.REVIEWER}))

    assert duties(reviewing_lead, tier=tier, judges={2: frozenset({L})}) == {Duty.REVIEWER}
    assert duties(reviewing_lead, tier=tier, assigned=L, judges={}) == {Duty.REVIEWER}


def test_another_reviewer_than_the_assigned_one_does_not_decide_in_tier_3() -> None:
    stranger = replace(REVIEWER, id=UUID(int=9))

    assert duties(stranger, tier=3) == {Duty.ROLE}


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_one_person_is_enough_to_say_no(tier: int) -> None:
    assert signatures_needed(tier, Outcome.REJECT) == 1
    assert duties(REVIEWER, tier=tier, outcome=Outcome.REJECT) == set()
    assert duties(LEAD, tier=tier, outcome=Outcome.REJECT) == set()
    assert duties(ADMIN, tier=tier, outcome=Outcome.REJECT) == {Duty.ROLE}


def test_tier_1_and_exceptions_take_two_people() -> None:
    assert [signatures_needed(tier) for tier in (1, 2, 3)] == [2, 1, 1]
    assert [signatures_needed(tier, exception=True) for tier in (1, 2, 3)] == [2, 2, 2]


def test_nobody_signs_twice() -> None:
    assert duties(LEAD, tier=1, needed=2, signed=(LEAD,)) == {Duty.TWICE}
    assert duties(SECOND, tier=1, needed=2, signed=(LEAD,)) == set()


def test_who_proposed_an_exception_does_not_confirm_it() -> None:
    assert duties(SECOND, exception=True, needed=2, proposer=L2, signed=(LEAD,)) == {Duty.PROPOSER}
    assert duties(SECOND, exception=True, needed=2, proposer=R, signed=(LEAD,)) == set()


@pytest.mark.parametrize(
    "tied",
    [
        replace(LEAD, email="hana@quillmark.example"),
        replace(LEAD, email="hana@mail.quillmark.example"),
        replace(LEAD, belonged=True),
        replace(LEAD, conflicts=("her sister runs sales there",)),
    ],
)
def test_nobody_tied_to_the_vendor_reviews_or_decides(tied: Candidate) -> None:
    for tier in (1, 2, 3):
        assert duties(tied, tier=tier) == {Duty.INTEREST}
    assert [each.duty for each in bars_to_review(tied, "Quillmark", ("quillmark.example",))] == [Duty.INTEREST]


def test_a_domain_that_only_ends_alike_is_no_tie() -> None:
    assert duties(replace(LEAD, email="hana@notquillmark.example")) == set()


@pytest.mark.parametrize(("hours", "refused"), [(24 * 7 - 1, {Duty.AUTHOR}), (24 * 7, set())])
def test_who_just_changed_the_questionnaire_does_not_approve_alone_with_it(hours: int, refused: set[Duty]) -> None:
    authored = (Authored("the questionnaire", L, NOW - timedelta(hours=hours)),)

    assert duties(LEAD, authored=authored) == refused
    assert duties(LEAD, tier=1, needed=2, authored=authored) == set()
    assert duties(SECOND, authored=authored) == set()


def test_who_made_somebody_an_approver_does_not_sign_beside_them() -> None:
    fresh = replace(SECOND, made_approver_by=frozenset({L}))

    assert duties(fresh, tier=1, needed=2, signed=(LEAD,)) == {Duty.GRANTER}
    assert duties(LEAD, tier=1, needed=2, signed=(fresh,)) == {Duty.GRANTER}
    assert duties(replace(LEAD, id=UUID(int=9)), tier=1, needed=2, signed=(fresh,)) == set()


def test_who_left_or_is_a_machine_decides_nothing() -> None:
    assert Duty.LOST_ROLE in duties(replace(LEAD, is_active=False))
    assert duties(replace(LEAD, is_person=False)) == {Duty.MACHINE}
    assert duties(replace(LEAD, id=None)) == {Duty.MACHINE}
    assert duties(replace(LEAD, roles=frozenset({Role.SIGNATORY}))) == {Duty.MACHINE}


def test_reasons_read_as_words_after_the_name() -> None:
    tied = replace(REVIEWER, email="ines@quillmark.example")

    assert sentence(bars_to_sign(tied, case())) == (
        "is not a lead approver, and reviewed this revision, and works or worked at Quillmark"
    )
    assert str(bars_to_sign(EARLIER, case())[0]) == "reviewed revision 1"

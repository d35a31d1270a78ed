"""Asking a vendor to attest."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from portal.assessments import service as assessments
from portal.kernel.actor import Actor, ActorKind
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.policy import Action
from portal.terms import AssessmentState
from portal.wiring import House
from tests.factories.assessments import make_assessment, make_questionnaire
from tests.factories.vendors import make_engagement, make_vendor

ADMIN = Actor(ActorKind.PERSON, UUID(int=1), "Mara Ilves", roles=frozenset({"program_admin"}))
AUDITOR = Actor(ActorKind.PERSON, UUID(int=2), "Olu Adeyemi", roles=frozenset({"auditor"}))


def of_vendor(vendor_id: UUID, *roles: str) -> Actor:
    return Actor(ActorKind.PERSON, UUID(int=9), "Marisol Dufour", vendor_id=vendor_id, roles=frozenset(roles))


def test_an_assessment_is_pinned_to_the_version_and_the_tier_in_force(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        assessment = make_assessment(tx)
        version = make_questionnaire(tx)

    assert (assessment.state, assessment.revision, assessment.tier) == (AssessmentState.DRAFT, 1, 2)
    assert assessment.questionnaire_id == version.id
    assert assessment.title == version.title


def test_the_labs_scoping_facts_come_from_the_engagement(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        vendor = make_vendor(tx)
        engagement = make_engagement(tx, vendor, data_classes=[4, 2], persons=["personal"], services=["eval"])
        assessment = make_assessment(tx, vendor=vendor, engagement=engagement)
        lines = {line.key: line for line in assessments.scoping_of(tx, assessment)}

    assert lines["scp.data"].value == [
        {"engagement": "Lark preferences", "class": "D2"},
        {"engagement": "Lark preferences", "class": "D4"},
    ]
    assert lines["scp.data"].shown[1].startswith("Lark preferences, D4")
    assert lines["scp.services"].value == ["eval"]
    assert lines["scp.persons"].value == ["personal"]
    assert lines["scp.persons"].is_settled, "the lab states it alone"
    assert not lines["scp.data"].is_settled, "the vendor has to confirm it"
    assert not lines["scp.people"].stated


def test_what_is_not_stated_counts_as_the_cautious_case(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        facts = assessments.facts_of(tx, make_assessment(tx))

    assert facts.crowd, "the vendor has not yet said who does the work"
    assert facts.people > 1_000
    assert facts.dmax == 3
    assert facts.modes == {"A2"}
    assert not facts.pii, "the lab stated none"


def test_the_same_is_not_asked_twice_while_it_is_open(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        vendor = make_vendor(tx)
        engagement = make_engagement(tx, vendor)
        first = make_assessment(tx, vendor=vendor, engagement=engagement)

    with pytest.raises(Conflict, match="is asked this already for Lark preferences"), house.ledger.begin(ADMIN) as tx:
        make_assessment(tx, vendor=vendor, engagement=engagement)

    with house.ledger.begin(ADMIN) as tx:
        first = assessments.get(tx, first.id, Action.ASSESSMENT_CANCEL)
        assessments.cancel(tx, assessment=first, reason="Asked on the wrong version")
        make_assessment(tx, vendor=vendor, engagement=engagement)


def test_a_due_date_in_the_past_is_refused_at_its_field(house: House) -> None:
    with pytest.raises(Refused) as refusal, house.ledger.begin(ADMIN) as tx:
        make_assessment(tx, due_on=tx.now.date() - timedelta(days=1))

    assert refusal.value.problems == {"due_on": ["The due date must be today or later"]}


def test_an_ended_engagement_is_not_asked_about(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        vendor = make_vendor(tx)
        ended = make_engagement(tx, vendor, starts_on=date(2026, 1, 1), ends_on=date(2026, 11, 23))

    with pytest.raises(Conflict, match="has ended"), house.ledger.begin(ADMIN) as tx:
        make_assessment(tx, vendor=vendor, engagement=ended)


def test_an_auditor_asks_nobody_anything(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        vendor = make_vendor(tx)
        engagement = make_engagement(tx, vendor)

    with pytest.raises(Forbidden), house.ledger.begin(AUDITOR) as tx:
        make_assessment(tx, vendor=vendor, engagement=engagement)


def test_a_stranger_cannot_tell_that_it_exists(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        assessment = make_assessment(tx)
        other = make_vendor(tx, "Northpier Labelling")

    with house.ledger.begin(of_vendor(assessment.vendor_id, "respondent")) as tx:
        assert assessments.get(tx, assessment.id, Action.ASSESSMENT_READ).id == assessment.id
    with pytest.raises(NotFound), house.ledger.begin(of_vendor(other.id, "vendor_admin")) as tx:
        assessments.get(tx, assessment.id, Action.ASSESSMENT_READ)


def test_the_most_pressing_assessment_is_the_open_one_due_first(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        vendor = make_vendor(tx)
        engagement = make_engagement(tx, vendor)
        late = make_assessment(tx, vendor=vendor, engagement=engagement, due_on=date(2027, 3, 1))
        soon = make_assessment(
            tx, vendor=vendor, engagement=engagement, slug="ai-contractor", due_on=date(2026, 12, 18)
        )

        current = assessments.current_of(tx, vendor.id)
        assert current is not None
        assert current.id == soon.id

        assessments.cancel(tx, assessment=soon, reason="No longer needed")
        current = assessments.current_of(tx, vendor.id)
        assert current is not None
        assert current.id == late.id
        assert [line.id for line in assessments.of_vendor(tx, vendor.id)] == [late.id, soon.id]

"""Dividing the work, and telling the vendor the outcome."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.identity.facts import PersonEnrolled
from portal.identity.models import Invitation
from portal.kernel.actor import system
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.policy import Action
from portal.terms import Side
from portal.wiring import House
from tests.factories.assessments import make_assessment
from tests.factories.vendors import make_vendor
from tests.rooms.assessments.people import ADMIN, LEAD, make_person, of_vendor

SYSTEM = system("test")


@pytest.fixture
def asked(house: House) -> Assessment:
    with house.ledger.begin(ADMIN) as tx:
        assessment = make_assessment(tx)
        for number in (9, 10):
            make_person(tx, assessment.vendor_id, number)
        return assessment


def test_a_section_given_to_a_colleague_is_theirs(house: House, asked: Assessment) -> None:
    admin = of_vendor(asked.vendor_id, "vendor_admin", person=9)
    colleague = of_vendor(asked.vendor_id, "respondent", person=10)
    other = of_vendor(asked.vendor_id, "respondent", person=11)

    with house.ledger.begin(admin) as tx:
        for _ in range(2):
            assessments.assign_section(tx, assessment=asked, section="gov", user_id=UUID(int=10))
        assert assessments.assignees(tx, asked) == {"gov": [UUID(int=10)]}
        assert assessments.sections_of(tx, asked, UUID(int=10)) == ["gov"]
        given, free = (assessments.section_scope(tx, asked, section) for section in ("gov", "dat"))

    assert policy.may(colleague, Action.ANSWER_WRITE, given)
    assert not policy.may(other, Action.ANSWER_WRITE, given)
    assert policy.may(admin, Action.ANSWER_WRITE, given)
    assert policy.may(other, Action.ANSWER_WRITE, free)

    with house.ledger.begin(admin) as tx:
        assessments.unassign_section(tx, assessment=asked, section="gov", user_id=UUID(int=10))
        assert assessments.assignees(tx, asked) == {}
    with pytest.raises(NotFound), house.ledger.begin(admin) as tx:
        assessments.unassign_section(tx, assessment=asked, section="gov", user_id=UUID(int=10))


def test_sections_are_given_within_the_team_only(house: House, asked: Assessment) -> None:
    with house.ledger.begin(ADMIN) as tx:
        stranger = make_person(tx, make_vendor(tx, "Northpier").id, 12)
    admin = of_vendor(asked.vendor_id, "vendor_admin")

    with pytest.raises(Refused) as refusal, house.ledger.begin(admin) as tx:
        assessments.assign_section(tx, assessment=asked, section="gov", user_id=stranger)
    assert refusal.value.problems == {"user_id": ["Choose somebody of your team"]}
    with pytest.raises(NotFound), house.ledger.begin(admin) as tx:
        assessments.assign_section(tx, assessment=asked, section="nowhere", user_id=UUID(int=10))
    with pytest.raises(Forbidden), house.ledger.begin(of_vendor(asked.vendor_id, "respondent")) as tx:
        assessments.assign_section(tx, assessment=asked, section="gov", user_id=UUID(int=10))


def test_who_comes_by_invitation_gets_the_sections_it_named(house: House, asked: Assessment) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        invitation = Invitation(
            id=tx.new_id(),
            purpose="join",
            email="person10@quillmark.example",
            full_name="Person 10",
            side=Side.VENDOR,
            vendor_id=asked.vendor_id,
            roles=["respondent"],
            sections=["gov", "a-section-of-another-version"],
            assessment_id=asked.id,
            user_id=UUID(int=10),
            token_digest=bytes(32),
            invited_by=UUID(int=9),
            created_at=tx.now,
            expires_at=tx.now.replace(year=2027),
        )
        tx.session.add(invitation)
        tx.session.flush()
        assessments.give_invited_sections(tx, PersonEnrolled(UUID(int=10), asked.vendor_id, invitation.id))

        assert assessments.assignees(tx, asked) == {"gov": [UUID(int=10)]}


def test_the_vendor_reads_its_outcome_and_nobody_elses(house: House, asked: Assessment) -> None:
    with house.ledger.begin(LEAD) as tx:
        other = make_vendor(tx, "Northpier")
        told = assessments.publish_outcome(
            tx, assessment=asked, number=412, body={"outcome": "approve", "valid_until": date(2027, 11, 24)}
        )

    with house.ledger.begin(of_vendor(asked.vendor_id, "respondent")) as tx:
        found = assessments.outcome(tx, told.id)
        assert (found.number, found.revision) == (412, 1)
        assert found.body == {"outcome": "approve", "valid_until": "2027-11-24"}
        assert [line.id for line in assessments.outcomes_of(tx, asked.vendor_id)] == [told.id]
    with pytest.raises(NotFound), house.ledger.begin(of_vendor(other.id, "vendor_admin")) as tx:
        assessments.outcome(tx, told.id)
    with house.ledger.begin(of_vendor(other.id, "vendor_admin")) as tx:
        assert assessments.outcomes_of(tx, asked.vendor_id) == []


def test_a_revision_has_one_outcome(house: House, asked: Assessment) -> None:
    with house.ledger.begin(LEAD) as tx:
        assessments.publish_outcome(tx, assessment=asked, number=412, body={})
        with pytest.raises(Conflict):
            assessments.publish_outcome(tx, assessment=asked, number=413, body={})


def test_the_access_card_shows_what_the_gate_said_last(house: House, asked: Assessment) -> None:
    for answer in ("allow", "deny"):
        with house.ledger.begin(LEAD) as tx:
            assessments.publish_card(
                tx, vendor_id=asked.vendor_id, engagement_id=asked.engagement_id, body={"answer": answer}
            )

    with house.ledger.begin(of_vendor(asked.vendor_id, "respondent")) as tx:
        cards = assessments.cards_of(tx, asked.vendor_id)

    assert [(card.project, card.body) for card in cards] == [("Lark preferences", {"answer": "deny"})]

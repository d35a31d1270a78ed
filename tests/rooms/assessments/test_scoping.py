"""Scoping facts: who states them, who confirms them, and what a late writer is told."""

from __future__ import annotations

from typing import Any

import pytest

from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.terms import AssessmentState
from portal.wiring import House
from tests.factories.assessments import make_assessment
from tests.rooms.assessments.people import ADMIN, LEAD, of_vendor


@pytest.fixture
def asked(house: House) -> Assessment:
    with house.ledger.begin(ADMIN) as tx:
        return make_assessment(tx)


def again(tx: Tx, asked: Assessment) -> Assessment:
    return assessments.get(tx, asked.id, Action.ASSESSMENT_READ)


def test_the_vendor_states_what_is_its_to_state(house: House, asked: Assessment) -> None:
    with house.ledger.begin(of_vendor(asked.vendor_id, "vendor_admin")) as tx:
        assessment = again(tx, asked)
        people = assessments.state_fact(
            tx, assessment=assessment, key="scp.people", value={"number": "1200"}, version=0
        )
        assessments.state_fact(
            tx, assessment=assessment, key="scp.workforce", value={"choices": ["employees"]}, version=0
        )
        labs = assessments.state_fact(
            tx,
            assessment=assessment,
            key="scp.labs",
            value={"choice": "yes", "details.names": "Fernhollow AI"},
            version=0,
        )
        facts = assessments.facts_of(tx, assessment)

        assert people.shown == ("1,200 people",)
        assert people.is_settled
        assert labs.details == {"names": "Fernhollow AI"}
        assert (facts.people, facts.crowd, facts.multi) == (1_200, False, True)
        assert assessment.state is AssessmentState.IN_PROGRESS, "stating a fact is a first touch"


def test_an_unusable_value_is_refused_at_its_field(house: House, asked: Assessment) -> None:
    with pytest.raises(Refused) as refusal, house.ledger.begin(of_vendor(asked.vendor_id, "vendor_admin")) as tx:
        assessments.state_fact(tx, assessment=again(tx, asked), key="scp.people", value={"number": "many"}, version=0)

    assert refusal.value.problems == {"number": ["Enter a number in people, for example 40"]}


def test_a_late_writer_is_told_what_stands_now(house: House, asked: Assessment) -> None:
    vendor = of_vendor(asked.vendor_id, "vendor_admin")

    def state(number: str, version: int) -> int:
        with house.ledger.begin(vendor) as tx:
            return assessments.state_fact(
                tx, assessment=again(tx, asked), key="scp.people", value={"number": number}, version=version
            ).version

    assert state("40", 0) == 1
    with pytest.raises(Conflict) as refusal:
        state("60", 0)
    assert refusal.value.current["value"] == "40"
    assert refusal.value.current["version"] == 1
    assert state("60", 1) == 2
    with pytest.raises(Conflict):
        state("70", 1)
    assert state("60", 2) == 2, "saying the same again changes nothing"


def test_a_side_does_not_state_the_other_sides_facts(house: House, asked: Assessment) -> None:
    with pytest.raises(Forbidden), house.ledger.begin(of_vendor(asked.vendor_id, "vendor_admin")) as tx:
        assessments.state_fact(
            tx, assessment=again(tx, asked), key="scp.services", value={"choices": ["eval"]}, version=1
        )
    with pytest.raises(Forbidden), house.ledger.begin(LEAD) as tx:
        assessments.state_fact(tx, assessment=again(tx, asked), key="scp.people", value={"number": "3"}, version=0)
    with pytest.raises(Forbidden), house.ledger.begin(of_vendor(asked.vendor_id, "respondent")) as tx:
        assessments.state_fact(tx, assessment=again(tx, asked), key="scp.people", value={"number": "3"}, version=0)


def test_the_vendor_confirms_what_the_lab_stated_and_a_new_text_needs_it_again(house: House, asked: Assessment) -> None:
    vendor = of_vendor(asked.vendor_id, "vendor_admin")
    with house.ledger.begin(vendor) as tx:
        line = assessments.confirm_fact(tx, assessment=again(tx, asked), key="scp.services", version=1)
        assert line.is_settled
        twice = assessments.confirm_fact(tx, assessment=again(tx, asked), key="scp.services", version=1)
        assert twice.confirmed_at == line.confirmed_at

    with house.ledger.begin(LEAD) as tx:
        changed = assessments.state_fact(
            tx, assessment=again(tx, asked), key="scp.services", value={"choices": ["eval", "redteam"]}, version=1
        )
        assert changed.waits_for_vendor
        assert assessments.facts_of(tx, again(tx, asked)).svc == {"eval", "redteam"}

    with pytest.raises(Conflict) as refusal, house.ledger.begin(vendor) as tx:
        assessments.confirm_fact(tx, assessment=again(tx, asked), key="scp.services", version=1)
    assert refusal.value.current["shown"] == ("Evaluation", "Red-teaming")


@pytest.mark.parametrize(("key", "refusal"), [("scp.persons", Refused), ("scp.people", NotFound), ("scp.x", NotFound)])
def test_only_what_was_stated_for_confirmation_is_confirmed(
    house: House, asked: Assessment, key: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal), house.ledger.begin(of_vendor(asked.vendor_id, "vendor_admin")) as tx:
        assessments.confirm_fact(tx, assessment=again(tx, asked), key=key, version=1)


@pytest.mark.parametrize("moved", ["submitted", "sent back"])
def test_signed_facts_stand(house: House, asked: Assessment, moved: str) -> None:
    vendor = of_vendor(asked.vendor_id, "vendor_admin", "signatory")
    with house.ledger.begin(vendor) as tx:
        assessment = again(tx, asked)
        assessments.touch(tx, assessment=assessment)
        assessments.submit(tx, assessment=assessment, revision=1)
    if moved == "sent back":
        with house.ledger.begin(LEAD) as tx:
            assessment = again(tx, asked)
            assessments.take_into_review(tx, assessment=assessment)
            assessments.request_changes(tx, assessment=assessment, keys=["gov.owner", "scp.labs"])

    with pytest.raises(Conflict), house.ledger.begin(vendor) as tx:
        assessments.state_fact(tx, assessment=again(tx, asked), key="scp.people", value={"number": "3"}, version=0)
    if moved == "sent back":
        with house.ledger.begin(vendor) as tx:
            reopened: dict[str, Any] = {"key": "scp.labs", "value": {"choice": "no"}, "version": 0}
            assert assessments.state_fact(tx, assessment=again(tx, asked), **reopened).shown == ("No",)

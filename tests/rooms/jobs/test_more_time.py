"""Both ways of a request for more time go out as one mail each: to who asked the vendor, then to the vendor."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from portal.assessments import more_time
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.jobs.worker import run_worker
from portal.kernel.actor import system
from portal.policy import Action
from portal.terms import Role
from portal.wiring import House
from tests.factories.attestations import Desk
from tests.factories.attestations import desk as make_desk
from tests.factories.identity import Person, person
from tests.rooms.delivery.world import mails

LATER = date(2027, 1, 15)


@pytest.fixture
def desk(house: House) -> Desk:
    made = make_desk(house)
    run_worker(house, once=True)
    return made


@pytest.fixture
def ines(house: House) -> Person:
    return person(house, roles=[Role.REVIEWER], name="Ines Valdarno")


def ask(made: Desk) -> Any:
    with made.at(made.respondent.actor) as (tx, row):
        return more_time.ask_more_time(tx, assessment=row, wished_on=LATER, reason="Two of us are ill.").id


def told(house: House, kind: str) -> list[Any]:
    run_worker(house, once=True)
    return [mail for mail in mails(house) if mail.kind == kind]


def test_a_request_goes_to_who_asked_the_vendor(house: House, desk: Desk, ines: Person) -> None:
    hana = person(house, roles=[Role.LEAD_APPROVER], name="Hana Kobayashi")
    with house.ledger.begin(system("test")) as tx:
        tx.session.get_one(Assessment, desk.assessment_id).requested_by = hana.id
    ask(desk)

    (mail,) = told(house, "more_time_asked")
    assert mail.to_address == hana.email
    assert "of us" not in str(mail.context), "why stands behind the sign-in"
    assert mail.context["wished_on"] == "2027-01-15"


def test_where_nobody_asked_by_name_every_reviewer_hears_of_it(house: House, desk: Desk, ines: Person) -> None:
    ask(desk)

    assert [mail.to_address for mail in told(house, "more_time_asked")] == [ines.email]


@pytest.mark.parametrize("agreed", [True, False])
def test_the_answer_goes_to_who_asked_and_to_the_vendors_admins(
    house: House, desk: Desk, ines: Person, agreed: bool
) -> None:
    request_id = ask(desk)
    with house.ledger.begin(ines.actor) as tx:
        row = assessments.get(tx, desk.assessment_id, Action.MORE_TIME_ANSWER)
        if agreed:
            more_time.agree_more_time(tx, assessment=row, request_id=request_id, until=LATER)
        else:
            more_time.decline_more_time(tx, assessment=row, request_id=request_id, words="We decide in December.")

    found = told(house, "more_time_answered")
    assert {mail.to_address for mail in found} == {desk.respondent.email, desk.admin.email}
    assert {mail.context["due_on"] for mail in found} == {"2027-01-15" if agreed else "2026-12-22"}
    assert "December" not in str([mail.context for mail in found])
    assert told(house, "more_time_asked") == [], "who answers before the mail left is not asked any more"

"""The lab reads that a vendor needs longer, and answers on the vendor's page."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest

from portal.assessments import more_time
from portal.terms import Role
from portal.wiring import House
from tests.factories.attestations import Desk, desk
from tests.factories.identity import Person, person
from tests.sites.conftest import Client

PAGE = "/lab/vendors/quillmark-annotation"


@pytest.fixture
def asked(house: House) -> Desk:
    """A vendor that asks for time until the middle of January."""
    made = desk(house)
    with made.at(made.respondent.actor) as (tx, row):
        more_time.ask_more_time(tx, assessment=row, wished_on=date(2027, 1, 15), reason="Two of us are ill.")
    return made


@pytest.fixture
def ines(house: House) -> Person:
    return person(house, roles=[Role.REVIEWER], name="Ines Valdarno")


def place(made: Desk) -> str:
    return f"{PAGE}/assessments/{made.assessment_id}/more-time"


def form(client: Client, path: str) -> dict[str, str]:
    page = client.get(path).get_data(as_text=True)
    found = re.search(r'name="asked" type="hidden" value="([^"]+)"', page)
    assert found, page[:500]
    return {"asked": found[1]}


def due(made: Desk) -> date:
    with made.at(made.admin.actor) as (_, row):
        return row.due_on


def test_the_vendors_page_says_that_it_asks_and_leads_to_the_answer(
    asked: Desk, ines: Person, signed_in: Callable[..., Client]
) -> None:
    page = signed_in(ines).get(PAGE).get_data(as_text=True)

    assert "Answer: more time until" in page
    assert f'href="{place(asked)}"' in page
    text = signed_in(ines).get(place(asked)).get_data(as_text=True)
    assert "Two of us are ill." in text
    assert "Priya Raghunath" in text
    assert 'value="2027-01-15"' in text, "the day that was asked for is offered"


def test_agreeing_moves_the_day_to_the_one_typed(asked: Desk, ines: Person, signed_in: Callable[..., Client]) -> None:
    lab = signed_in(ines)
    given = {**form(lab, place(asked)), "answer": "agree", "until": "2027-01-08", "words": "The 8th."}

    answer = lab.post(place(asked), data=given)

    assert answer.status_code == 303
    assert due(asked) == date(2027, 1, 8)
    page = lab.get(PAGE).get_data(as_text=True)
    assert "is due on 8 January 2027. The vendor is told." in page
    assert "Answer: more time" not in page
    late = lab.post(place(asked), data=given)
    assert late.status_code == 409
    assert "answered already" in late.get_data(as_text=True)


def test_declining_needs_words(asked: Desk, ines: Person, signed_in: Callable[..., Client]) -> None:
    lab = signed_in(ines)
    given = {**form(lab, place(asked)), "answer": "decline", "until": "2027-01-08"}

    silent = lab.post(place(asked), data=given)
    assert silent.status_code == 422
    assert "Say why. The vendor reads this" in silent.get_data(as_text=True)
    assert lab.post(place(asked), data={**given, "words": "We decide in December."}).status_code == 303
    assert due(asked) == date(2026, 12, 22)
    assert "Declined" in lab.get(place(asked)).get_data(as_text=True)


@pytest.mark.parametrize(
    ("until", "says"),
    [
        ("", "Enter the day you need"),
        ("2026-12-22", "after the one it is due on now"),
        ("2031-01-01", "within one year"),
    ],
)
def test_a_day_that_cannot_be_is_refused_at_its_field(
    asked: Desk, ines: Person, signed_in: Callable[..., Client], until: str, says: str
) -> None:
    lab = signed_in(ines)
    given = {**form(lab, place(asked)), "answer": "agree", "until": until}

    answer = lab.post(place(asked), data=given)

    assert answer.status_code == 422
    assert says in answer.get_data(as_text=True)
    assert due(asked) == date(2026, 12, 22)


def test_nonsense_in_place_of_the_request_changes_nothing(
    asked: Desk, ines: Person, signed_in: Callable[..., Client]
) -> None:
    lab = signed_in(ines)

    answer = lab.post(place(asked), data={"asked": "x" * 300, "answer": "agree", "until": "2027-01-08"})

    assert answer.status_code == 409
    assert due(asked) == date(2026, 12, 22)


def test_without_a_request_there_is_nothing_to_answer(
    house: House, ines: Person, signed_in: Callable[..., Client]
) -> None:
    made = desk(house)

    assert signed_in(ines).get(place(made)).status_code == 404


def test_an_auditor_reads_the_vendor_and_answers_nothing(
    house: House, asked: Desk, signed_in: Callable[..., Client]
) -> None:
    auditor = signed_in(person(house, roles=[Role.AUDITOR], name="Greta Holm"))

    assert "Answer: more time" not in auditor.get(PAGE).get_data(as_text=True)
    assert auditor.get(place(asked)).status_code == 403

"""The facts about the work: stated, confirmed, contradicted."""

from __future__ import annotations

from portal.assessments import service as assessments
from tests.factories.attestations import Desk
from tests.sites.conftest import Client


def line(made: Desk, key: str) -> assessments.ScopingLine:
    with made.at(made.admin.actor) as (tx, row):
        return next(each for each in assessments.scoping_of(tx, row) if each.key == key)


def here(made: Desk, key: str = "") -> str:
    return f"/assessments/{made.assessment_id}/scoping{'/' + key if key else ''}"


def test_the_vendor_states_its_own_facts_and_confirms_the_labs(quillmark: Desk, marisol: Client) -> None:
    stated = marisol.post(here(quillmark, "scp.people"), data={"number": "40", "version": "0", "act": "state"})
    confirmed = marisol.post(here(quillmark, "scp.services"), data={"version": "1", "act": "confirm"})

    assert stated.status_code == confirmed.status_code == 303
    assert line(quillmark, "scp.people").value == "40"
    assert line(quillmark, "scp.services").confirmed


def test_what_is_wrong_is_said_at_the_field_and_what_was_typed_stays(quillmark: Desk, marisol: Client) -> None:
    answer = marisol.post(here(quillmark, "scp.people"), data={"number": "many", "version": "0", "act": "state"})
    page = answer.get_data(as_text=True)

    assert answer.status_code == 422
    assert page.count("Enter a number in people, for example 40") == 2
    assert 'value="many"' in page


def test_a_fact_that_a_colleague_changed_is_shown_and_not_overwritten(quillmark: Desk, marisol: Client) -> None:
    marisol.post(here(quillmark, "scp.people"), data={"number": "40", "version": "0", "act": "state"})

    late = marisol.post(here(quillmark, "scp.people"), data={"number": "41", "version": "0", "act": "state"})
    page = late.get_data(as_text=True)

    assert late.status_code == 409
    assert "It now says: 40 people" in page
    assert 'value="41"' in page
    assert marisol.post(here(quillmark, "scp.people"), data={"number": "41", "version": "1"}).status_code == 303


def test_a_fact_of_the_lab_that_is_not_right_becomes_a_message(quillmark: Desk, priya: Client, marisol: Client) -> None:
    assert priya.post(f"{here(quillmark, 'scp.access')}/wrong", data={"body": "We hold copies too."}).status_code == 303
    assert "We hold copies too." in marisol.get(here(quillmark)).get_data(as_text=True)
    assert priya.post(f"{here(quillmark, 'scp.access')}/wrong", data={"body": ""}).status_code == 422
    assert priya.post(f"{here(quillmark, 'scp.nothing')}/wrong", data={"body": "Hm."}).status_code == 404


def test_a_respondent_reads_the_facts_and_does_not_settle_them(quillmark: Desk, priya: Client) -> None:
    assert "You can read these facts." in priya.get(here(quillmark)).get_data(as_text=True)
    assert priya.post(here(quillmark, "scp.people"), data={"number": "40", "version": "0"}).status_code == 403


def test_all_facts_are_confirmed_as_the_page_showed_them(quillmark: Desk, marisol: Client) -> None:
    assert "Confirm all 3 facts as they stand" in marisol.get(here(quillmark)).get_data(as_text=True)
    seen = {f"seen.{key}": "1" for key in ("scp.services", "scp.data", "scp.access")}

    assert marisol.post(here(quillmark), data=seen).status_code == 303
    assert all(line(quillmark, key).confirmed for key in ("scp.services", "scp.data", "scp.access"))
    assert marisol.post(here(quillmark), data=seen).status_code == 303, "confirming twice is confirming once"


def test_if_one_of_all_facts_changed_meanwhile_none_is_confirmed(quillmark: Desk, marisol: Client) -> None:
    seen = {"seen.scp.services": "1", "seen.scp.data": "7"}

    answer = marisol.post(here(quillmark), data=seen)

    assert answer.status_code == 409
    assert "was changed since you opened it" in answer.get_data(as_text=True)
    assert not line(quillmark, "scp.services").confirmed


def test_nobody_but_the_admin_confirms_all_facts(quillmark: Desk, priya: Client, daniel: Client) -> None:
    for client in (priya, daniel):
        assert client.post(here(quillmark), data={"seen.scp.services": "1"}).status_code == 403

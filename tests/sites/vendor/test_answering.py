"""Answering without scripts and with them: one answer at a time, nothing typed is lost, nobody is overwritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.wiring import House
from tests.factories.attestations import Desk, desk
from tests.factories.identity import person
from tests.sites.conftest import Client

HX = {"HX-Request": "true"}


def section(made: Desk, key: str) -> str:
    part = made.questionnaire.question(key).section
    return f"/assessments/{made.assessment_id}/s/{part}"


def save(client: Client, made: Desk, key: str, data: dict[str, Any], *, script: bool = False) -> Any:
    return client.post(f"{section(made, key)}/{key}", data=data, headers=HX if script else {})


def stored(made: Desk, key: str) -> Any:
    with made.at(made.respondent.actor) as (tx, row):
        return attestations.answers_of(tx, row)[key]


def test_an_answer_is_saved_by_a_plain_form_and_leads_back_to_its_card(quillmark: Desk, priya: Client) -> None:
    answer = save(priya, quillmark, "gov.owner", {"choice": "yes", "comment": "Our CTO.", "version": "0"})

    assert answer.status_code == 303
    assert answer.location.endswith("/s/gov#q-gov-owner")
    assert stored(quillmark, "gov.owner").comment == "Our CTO."


def test_a_scripted_save_gives_back_the_card_with_its_new_version(quillmark: Desk, priya: Client) -> None:
    answer = save(priya, quillmark, "gov.owner", {"choice": "yes", "comment": "Our CTO.", "version": "0"}, script=True)
    page = answer.get_data(as_text=True)

    assert answer.status_code == 200
    assert '<form id="answer-gov-owner"' in page
    assert 'name="version" value="1"' in page
    assert "<html" not in page


def test_a_late_writer_without_script_sees_both_texts_and_can_keep_theirs(
    quillmark: Desk, priya: Client, marisol: Client
) -> None:
    save(marisol, quillmark, "gov.owner", {"choice": "no", "comment": "Nobody yet.", "version": "0"})

    late = save(priya, quillmark, "gov.owner", {"choice": "yes", "comment": "Our CTO.", "version": "0"})
    page = late.get_data(as_text=True)

    assert late.status_code == 409
    assert "Marisol Dufour changed this answer a moment ago. Yours is kept." in page
    assert "Nobody yet." in page
    assert "Our CTO." in page
    assert stored(quillmark, "gov.owner").comment == "Nobody yet."

    kept = save(priya, quillmark, "gov.owner", {"choice": "yes", "comment": "Our CTO.", "version": "1"})
    assert kept.status_code == 303
    assert stored(quillmark, "gov.owner").comment == "Our CTO."


def test_a_late_writer_with_script_gets_the_other_text_to_choose(
    quillmark: Desk, priya: Client, marisol: Client
) -> None:
    save(marisol, quillmark, "gov.owner", {"choice": "no", "comment": "Nobody yet.", "version": "0"})

    late = save(priya, quillmark, "gov.owner", {"choice": "yes", "version": "0"}, script=True)
    page = late.get_data(as_text=True)

    assert late.status_code == 409
    assert 'data-keep="1"' in page
    assert "Nobody yet." in page
    theirs = priya.get(f"{section(quillmark, 'gov.owner')}/gov.owner", headers=HX).get_data(as_text=True)
    assert "Nobody yet." in theirs


@pytest.mark.parametrize(
    ("key", "typed", "words"),
    [
        ("wrk.training", {"number": "about three", "comment": "We count."}, "Enter a number"),
        ("gov.owner", {"choice": "partial", "planned_on": "soon", "comment": "We plan."}, "Enter the date as"),
        ("gov.owner", {"choice": "perhaps", "comment": "We think."}, "Choose an answer for"),
    ],
)
def test_what_cannot_be_taken_stays_in_the_form_with_the_way_to_mend_it(
    quillmark: Desk, priya: Client, key: str, typed: dict[str, str], words: str
) -> None:
    for script in (False, True):
        answer = save(priya, quillmark, key, {**typed, "version": "0"}, script=script)
        page = answer.get_data(as_text=True)

        assert answer.status_code == 422
        assert words in page
        assert typed["comment"] in page


@pytest.mark.parametrize("version", ["", "x", "-1", "99999999999999999999", "1"])
def test_a_version_that_we_did_not_issue_is_told_apart_and_never_a_fault(
    quillmark: Desk, priya: Client, version: str
) -> None:
    save(priya, quillmark, "gov.owner", {"choice": "no", "version": "0"})
    save(priya, quillmark, "gov.owner", {"choice": "partial", "version": "1"})

    assert save(priya, quillmark, "gov.owner", {"choice": "yes", "version": version}).status_code == 409


def test_a_question_that_an_answer_brings_up_or_spares_comes_with_the_save(
    house: House, signed_in: Callable[..., Client]
) -> None:
    made = desk(house, slug="ai-contractor", data_classes=[4], access_modes=["A3"])
    client = signed_in(made.respondent)
    assert '<div id="q-gov-assurance-scope" hidden></div>' in client.get(section(made, "gov.owner")).get_data(
        as_text=True
    )

    some = save(client, made, "gov.assurance.level", {"choice": "soc2_2", "version": "0"}, script=True)
    assert '<article class="q" id="q-gov-assurance-scope"' in some.get_data(as_text=True)

    none = save(client, made, "gov.assurance.level", {"choice": "none", "version": "1"}, script=True)
    assert '<div id="q-gov-assurance-scope" hidden></div>' in none.get_data(as_text=True)


def test_a_table_grows_without_a_script(quillmark: Desk, priya: Client) -> None:
    rows = {
        f"details.suppliers.{n}.{quillmark.questionnaire.question('sub.list').details[0].columns[0].key}": f"Firm {n}"
        for n in range(3)
    }
    save(priya, quillmark, "sub.list", {"choice": "yes", "version": "0", **rows})

    page = priya.get(section(quillmark, "sub.list")).get_data(as_text=True)

    assert 'value="Firm 2"' in page
    assert 'name="details.suppliers.5.' in page


def test_a_section_of_a_colleague_can_be_read_and_not_written(
    quillmark: Desk, priya: Client, signed_in: Callable[..., Client]
) -> None:
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        assessments.assign_section(tx, assessment=row, section="gov", user_id=quillmark.admin.id)

    page = priya.get(section(quillmark, "gov.owner")).get_data(as_text=True)
    refused = save(priya, quillmark, "gov.owner", {"choice": "yes", "version": "0"})

    assert "This section belongs to Marisol Dufour." in page
    assert "You can read it" in page
    assert "data-autosave" not in page
    assert refused.status_code == 403


def test_saying_that_a_section_is_complete_lists_what_is_missing(quillmark: Desk, priya: Client) -> None:
    save(priya, quillmark, "gov.owner", {"choice": "partial", "version": "0"})

    answer = priya.post(section(quillmark, "gov.owner"), data={"done": "yes", "then": "next"})
    page = answer.get_data(as_text=True)

    assert answer.status_code == 422
    assert "<title>Error: " in page
    assert page.count("Enter what is in place and what is missing".lower()) + page.count("enter what is in place") >= 2
    assert page.count("Answer 1.2") >= 2


def test_leaving_a_section_goes_on_to_the_next_or_home(quillmark: Desk, priya: Client) -> None:
    here = section(quillmark, "gov.owner")

    assert priya.post(here, data={"done": "no", "then": "next"}).location.endswith("/s/dat")
    assert priya.post(here, data={"done": "no", "then": "home"}).location.endswith(str(quillmark.assessment_id))


def test_a_file_of_the_library_is_attached_with_pages_and_removed(quillmark: Desk, priya: Client) -> None:
    file = quillmark.file()
    here = f"{section(quillmark, 'gov.owner')}/gov.owner/evidence"

    assert priya.post(here, data={"evidence": str(file), "pages": "3, 5-7"}).status_code == 303
    page = priya.get(section(quillmark, "gov.owner")).get_data(as_text=True)
    assert "pages 3, 5–7" in page

    wrong = priya.post(here, data={"evidence": str(file), "pages": "400"})
    assert wrong.status_code == 422
    assert "The file has 12 pages" in wrong.get_data(as_text=True)
    assert priya.post(here, data={}).status_code == 422

    with quillmark.at(quillmark.respondent.actor) as (tx, row):
        citation = attestations.citations_of(tx, row)["gov.owner"][0].id
    assert priya.post(f"{here}/{citation}/remove").status_code == 303
    assert "pages 3, 5–7" not in priya.get(section(quillmark, "gov.owner")).get_data(as_text=True)


def test_a_question_is_asked_and_answered_on_the_question_itself(quillmark: Desk, priya: Client) -> None:
    here = f"{section(quillmark, 'gov.owner')}/gov.owner/messages"

    empty = priya.post(here, data={"body": "  "})
    assert empty.status_code == 422
    assert "Write your message" in empty.get_data(as_text=True)

    assert priya.post(here, data={"body": "Does a <b>hired-in</b> chief count?"}).status_code == 303
    page = priya.get(section(quillmark, "gov.owner")).get_data(as_text=True)
    assert "Does a &lt;b&gt;hired-in&lt;/b&gt; chief count?" in page


def test_only_what_came_back_can_change_and_the_page_says_so(house: House, quillmark: Desk, priya: Client) -> None:
    quillmark.complete()
    quillmark.sign()
    quillmark.send_back("gov.owner")

    page = priya.get(section(quillmark, "gov.owner")).get_data(as_text=True)
    home = priya.get("/").get_data(as_text=True)

    assert "Orrery asked" in page
    assert "This question did not come back. It stays as it was signed." in page
    assert "1 question came back to you" in home
    refused = save(priya, quillmark, "gov.attest", {"choice": "no", "version": "1"})
    assert refused.status_code == 409


def test_a_page_asks_the_database_the_same_number_of_things_however_many_questions_it_has(
    house: House, signed_in: Callable[..., Client]
) -> None:
    small, large = desk(house), desk(house, slug="ai-contractor", name="Brightfen Data", data_classes=[5])
    large.settle_scoping()
    for each in [q for q in large.visible() if q.section == "gov"]:
        large.save(each.key, {"comment": "As agreed."})
    seen: list[str] = []
    sa.event.listen(house.engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    counted: list[int] = []
    for made in (small, large):
        client = signed_in(person(house, roles=["respondent"], vendor=made.vendor_id, name="Tomasz Okoro"))
        client.get(section(made, "gov.owner"))
        seen.clear()
        assert client.get(section(made, "gov.owner")).status_code == 200
        counted.append(len(seen))

    assert counted[0] == counted[1]


def test_nothing_answers_for_a_section_or_question_that_is_not_there(quillmark: Desk, priya: Client) -> None:
    here = f"/assessments/{quillmark.assessment_id}/s"

    assert priya.get(f"{here}/nowhere").status_code == 404
    assert priya.post(f"{here}/gov/dat.transfer", data={"choice": "yes", "version": "0"}).status_code == 404
    assert priya.post(f"{here}/gov/no.such", data={"choice": "yes", "version": "0"}).status_code == 404

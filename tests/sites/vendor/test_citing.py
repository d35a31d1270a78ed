"""Choosing a file of the library under an answer, and attaching one file to many answers from its own page."""

from __future__ import annotations

import html
import re

import pytest

from portal.attestations import service as attestations
from portal.kernel.actor import system
from tests.factories.attestations import Desk, make_file
from tests.sites.conftest import Client

KEY = "dat.transfer"


def place(made: Desk, key: str = KEY) -> str:
    return f"/assessments/{made.assessment_id}/s/{made.questionnaire.question(key).section}"


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def cited(made: Desk) -> dict[str, list[tuple[str, str]]]:
    with made.at(made.respondent.actor) as (tx, row):
        return {key: [(e.pages, e.quote) for e in lines] for key, lines in attestations.citations_of(tx, row).items()}


def test_the_picker_lists_fitting_files_first_with_their_validity_and_use(quillmark: Desk, priya: Client) -> None:
    other = quillmark.file(kind="INS", title="A screen shot")
    fits = quillmark.file(kind="POL", title="The policy")
    quillmark.cite("gov.owner", fits)

    page = priya.get(place(quillmark)).get_data(as_text=True)
    picker = page.split('id="pick-dat-transfer"')[1].split("</details>")[0]

    assert picker.index(str(fits)) < picker.index(str(other))
    assert "The policy Fits this question. Policy, " in words(picker)
    assert "valid until 30 September 2027, used in 1.1" in words(picker)


def test_a_file_is_attached_with_its_pages_and_a_passage(quillmark: Desk, priya: Client) -> None:
    file = quillmark.file()

    answer = priya.post(
        f"{place(quillmark)}/{KEY}/evidence",
        data={"evidence": str(file), "other": "", "pages": "3", "quote": " Leavers lose\naccess within 4 hours. "},
    )

    assert (answer.status_code, answer.location.partition("#")[2]) == (303, "ev-dat-transfer")
    assert cited(quillmark) == {KEY: [("3", "Leavers lose access within 4 hours.")]}
    assert "“Leavers lose access within 4 hours.”" in words(priya.get(place(quillmark)).get_data(as_text=True))


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(quillmark: Desk, priya: Client) -> None:
    file, other = quillmark.file(), quillmark.file()
    where = f"{place(quillmark)}/{KEY}/evidence"

    wrong = priya.post(where, data={"evidence": str(file), "pages": "40", "quote": "x" * 501})
    page = wrong.get_data(as_text=True)
    assert wrong.status_code == 422
    assert "The file has 12 pages. Enter pages that are in it" in page
    assert "Quote at most 500 characters; this has 501" in page
    assert f'value="{file}" checked' in page
    assert 'href="#dat-transfer-quote"' in page

    both = priya.post(where, data={"evidence": str(file), "other": str(other)})
    none = priya.post(where, data={"pages": "3"})
    assert (both.status_code, none.status_code) == (422, 422)
    assert "You chose two files. Attach one, then the other" in both.get_data(as_text=True)
    assert "Choose a file of your library" in none.get_data(as_text=True)
    assert cited(quillmark) == {}


def test_a_long_list_is_short_at_hand_and_whole_in_the_select(quillmark: Desk, priya: Client) -> None:
    last, *_ = [quillmark.file(kind="INS", title=f"Certificate {number}") for number in range(7)]
    page = priya.get(place(quillmark)).get_data(as_text=True)
    picker = page.split('id="pick-dat-transfer"')[1].split("</details>")[0]
    assert picker.count('type="radio"') == 5
    assert picker.count("<option") == 3

    priya.post(f"{place(quillmark)}/{KEY}/evidence", data={"other": str(last)})

    assert list(cited(quillmark)) == [KEY]


def test_a_file_is_attached_to_all_ticked_answers_in_one_press(quillmark: Desk, priya: Client) -> None:
    file = quillmark.file(kind="POL")
    page = priya.get(f"/evidence/{file}").get_data(as_text=True)
    named = re.findall(r'name="attach" value="([^"]+)" checked', page)
    assert f"This file would settle {len(named)} questions" in page
    assert f"Attach to {len(named)} answers" in page

    form = {"attach": named, f"pages:{named[0]}": "3, 5-7"}
    for _ in range(2):
        done = priya.post(f"/evidence/{file}/attach", data=form, follow_redirects=True).get_data(as_text=True)
        assert f"Attached to {len(named)} answers." in done

    assert "would settle" not in done
    assert cited(quillmark)[named[0].partition(":")[2]] == [("3, 5–7", "")]
    assert len(cited(quillmark)) == len(named)


def test_what_was_left_is_told_with_its_reason(quillmark: Desk, priya: Client) -> None:
    file = quillmark.file(kind="POL")
    named = [f"{quillmark.assessment_id}:gov.owner", f"{quillmark.assessment_id}:dat.transfer"]

    answer = priya.post(f"/evidence/{file}/attach", data={"attach": named, f"pages:{named[0]}": "40"})

    told = words(answer.get_data(as_text=True))
    assert answer.status_code == 200
    assert "Attached to 1 answer." in told
    assert "1 answer was left" in told
    assert "The file has 12 pages. Enter pages that are in it" in told
    assert list(cited(quillmark)) == ["dat.transfer"]
    nothing = priya.post(f"/evidence/{file}/attach", data={"attach": named[:1], f"pages:{named[0]}": "40"})
    assert nothing.status_code == 409
    assert "Attached to 0 answers." in words(nothing.get_data(as_text=True))


@pytest.mark.parametrize("named", ["x", "x:y", ":", "00000000-0000-7000-8000-000000000000:gov.owner", "?"])
def test_an_answer_that_is_nobodys_is_not_found(quillmark: Desk, priya: Client, named: str) -> None:
    file = quillmark.file(kind="POL")
    assert priya.post(f"/evidence/{file}/attach", data={"attach": named}).status_code == 404


def test_a_vendor_reads_that_the_new_revision_is_checked(quillmark: Desk, priya: Client) -> None:
    file = quillmark.file()
    quillmark.cite(KEY, file)
    quillmark.complete()
    quillmark.sign()
    with quillmark.house.ledger.begin(system("test")) as tx:
        make_file(tx, vendor_id=quillmark.vendor_id, uploaded_by=quillmark.respondent.id, supersedes_id=file)

    assert "We check the new revision for this answer" in priya.get(place(quillmark)).get_data(as_text=True)
    assert "We check the new revision for this answer" in priya.get(f"/evidence/{file}").get_data(as_text=True)

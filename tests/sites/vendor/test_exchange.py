"""Starting from answers given elsewhere: brought in, confirmed, suggested, and never answered by themselves."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import xlsxwriter

from portal.attestations import service as attestations
from portal.exchange.rules.external import Page
from tests.factories.attestations import Desk
from tests.rules.exchange.workbooks import Said, caiq, hecvat
from tests.sites.conftest import Client

SAID = {
    "GRC-05.1": ("Yes", "Our CTO owns it."),
    "A&A-02.1": ("Yes", "Planned for May."),
    "DSP-16.1": ("No", ""),
    "GRC-06.1": ("Yes", "Named in the handbook."),
}


def workbook(pages: Sequence[Page], *, merge: str = "") -> bytes:
    """These sheets as an XLSX file."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        for each in pages:
            sheet = book.add_worksheet(each.name)
            for number, row in enumerate(each.rows):
                for column, text in enumerate(row):
                    sheet.write_string(number, column, text)
            if merge and each is pages[-1]:
                sheet.merge_range(merge, "© Nobody in particular")
    return out.getvalue()


def bring(client: Client, content: bytes, name: str = "our-caiq.xlsx") -> Any:
    return client.post("/exchange/sets", data={"file": (io.BytesIO(content), name)}, content_type="multipart/form-data")


def confirmed(client: Client, said: Mapping[str, Said] | None = None, *, version: str = "4.0.7") -> str:
    """Bring a CAIQ in and confirm its version; return where it is."""
    where = bring(client, workbook(caiq(said or SAID))).location
    answer = client.post(f"{where}/confirm", data={"framework": "ccm", "version": version, "row_version": "1"})
    assert answer.status_code == 303
    return str(where)


def standing(desk: Desk) -> object:
    with desk.at(desk.admin.actor) as (tx, row):
        return (
            attestations.progress(tx, row),
            attestations.blockers(tx, row),
            attestations.answers_of(tx, row),
            row.state,
        )


def mapped(desk: Desk, control: str) -> str:
    """A question that is asked and names a control of the CCM."""
    return next(each.key for each in desk.visible() if each.maps.get("ccm") == control)


def test_a_completed_caiq_becomes_suggestions_once_its_version_is_confirmed(quillmark: Desk, priya: Client) -> None:
    key = mapped(quillmark, "GRC-06")
    part = quillmark.questionnaire.question(key).section
    answer = bring(priya, workbook(caiq(SAID), merge="A40:F40"))
    assert answer.status_code == 303
    first = priya.get(answer.location).get_data(as_text=True)
    assert "Confirm the version first" in first
    assert 'value="4.0.3"' in first

    section = f"/assessments/{quillmark.assessment_id}/s/{part}"
    assert "You said in your CAIQ" not in priya.get(section).get_data(as_text=True)
    priya.post(f"{answer.location}/confirm", data={"framework": "ccm", "version": "4.0.7", "row_version": "1"})

    page = priya.get(section).get_data(as_text=True)
    assert "You said in your CAIQ 4.0.7, GRC-06.1: <b>Yes</b>" in page
    assert "Named in the handbook." in page


def test_using_it_fills_the_form_and_saves_nothing_until_it_is_saved(quillmark: Desk, priya: Client) -> None:
    key = mapped(quillmark, "GRC-06")
    part = quillmark.questionnaire.question(key).section
    confirmed(priya)
    before = standing(quillmark)
    section = f"/assessments/{quillmark.assessment_id}/s/{part}"
    link = re.search(
        rf'href="({section}/{re.escape(key)}/suggestion/[^"#]+)', priya.get(section).get_data(as_text=True)
    )
    assert link

    page = priya.get(link[1]).get_data(as_text=True)

    assert "Filled in from your CAIQ 4.0.7, not saved yet." in page
    assert f'form="answer-{key.replace(".", "-")}"' in page
    assert "Named in the handbook." in page
    assert re.search(r'value="yes" checked', page)
    assert standing(quillmark) == before


def test_bringing_a_workbook_in_answers_nothing(quillmark: Desk, priya: Client) -> None:
    before = standing(quillmark)
    confirmed(priya)
    assert standing(quillmark) == before


def test_another_version_is_told_and_suggests_nothing(quillmark: Desk, priya: Client) -> None:
    where = confirmed(priya, version="4.0.12")
    page = priya.get(where).get_data(as_text=True)

    assert "Our questions name controls of CCM 4.0.7; this file answers CCM 4.0.12" in page
    assert "other version, not used" in page
    assert "You said in your" not in priya.get(f"/assessments/{quillmark.assessment_id}/s/gov").get_data(as_text=True)


def test_a_version_can_be_corrected(quillmark: Desk, priya: Client) -> None:
    where = confirmed(priya, version="4.0.12")
    priya.post(f"{where}/confirm", data={"framework": "ccm", "version": "4.0.7", "row_version": "2"})
    assert "CAIQ 4.0.7 speaks to" in priya.get(where).get_data(as_text=True)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"version": "four", "framework": "ccm"}, "Enter the version as the file names it"),
        ({"version": "", "framework": "ccm"}, "Enter the version as the file names it"),
        ({"version": "4.0.7", "framework": "pets"}, "Choose the catalogue"),
        ({"version": "4.0.7", "framework": "hecvat"}, "Choose the catalogue"),
    ],
)
def test_what_cannot_be_a_version_is_asked_again(
    quillmark: Desk, priya: Client, told: dict[str, str], words: str
) -> None:
    where = bring(priya, workbook(caiq(SAID))).location
    answer = priya.post(f"{where}/confirm", data={**told, "row_version": "1"})
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)


def test_who_confirms_late_is_told(quillmark: Desk, priya: Client, marisol: Client) -> None:
    where = confirmed(priya)
    answer = marisol.post(f"{where}/confirm", data={"framework": "ccm", "version": "4.0.8", "row_version": "1"})
    assert answer.status_code == 409
    assert "Somebody changed this set since you opened it" in answer.get_data(as_text=True)


def test_a_withdrawn_workbook_suggests_nothing_and_stays_readable(quillmark: Desk, priya: Client) -> None:
    where = confirmed(priya)
    asked = priya.get(f"{where}/withdraw").get_data(as_text=True)
    assert "It suggests nothing any more." in asked
    assert priya.post(f"{where}/withdraw", data={"row_version": "2"}).status_code == 303

    assert "Withdrawn on" in priya.get(where).get_data(as_text=True)
    assert "1 withdrawn workbook" in priya.get("/exchange").get_data(as_text=True)
    assert "You said in your" not in priya.get(f"/assessments/{quillmark.assessment_id}/s/gov").get_data(as_text=True)


def test_the_same_file_twice_is_one_workbook(quillmark: Desk, priya: Client, marisol: Client) -> None:
    content = workbook(caiq(SAID))
    assert bring(priya, content).location == bring(marisol, content, "a-copy.xlsx").location


def test_a_hecvat_can_be_read_and_taken_out_and_no_cell_of_it_is_a_formula(quillmark: Desk, priya: Client) -> None:
    said = {f"COMP-{n:02}": ("Yes", "=1+1") for n in range(1, 25)}
    where = bring(priya, workbook(hecvat(said)), "hecvat.xlsx").location
    listed = priya.get(f"{where}/answers.csv")

    assert "24 answers" in priya.get(where).get_data(as_text=True)
    assert listed.get_data().startswith("\ufeffid,answer,words".encode())
    assert "COMP-01,Yes,'=1+1,,,Organization,2\r\n" in listed.get_data(as_text=True)


def with_part(name: str, body: bytes) -> bytes:
    """A completed CAIQ in which one part is another."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(caiq(SAID)))) as honest,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for each in honest.namelist():
            made.writestr(each, body if each == name else honest.read(each))
    return out.getvalue()


SHEET = "xl/worksheets/sheet2.xml"
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]><a>&c;</a>'


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (with_part(SHEET, b" " * 30_000_000), "bomb.xlsx", "unpacks to far more than it seems"),
        (with_part(SHEET, ENTITIES), "entities.xlsx", "The workbook could not be read"),
        (with_part(SHEET, b"<worksheet><sheetData><row"), "cut.xlsx", "The workbook could not be read"),
        (b"", "caiq.xlsx", "The file is empty"),
        (b"not a workbook", "caiq.xlsx", "The file is not a workbook"),
        (workbook([Page("Budget", [("Item", "Cost")])]), "budget.xlsx", "We found no completed CAIQ 4"),
        (workbook(caiq({"A&A-02.1": ("", "")})), "caiq.xlsx", "has no answers yet"),
        (b'Question ID,Answer\n"A&A-02.1,Yes', "caiq.csv", "quotation mark"),
    ],
)
def test_what_is_no_completed_workbook_is_refused_with_the_way_to_mend_it(
    quillmark: Desk, priya: Client, content: bytes, name: str, words: str
) -> None:
    answer = bring(priya, content, name)
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)


def test_no_file_is_asked_for(quillmark: Desk, priya: Client) -> None:
    answer = priya.post("/exchange/sets", data={})
    assert answer.status_code == 422
    assert "Choose a file" in answer.get_data(as_text=True)


def test_a_csv_of_answers_is_read_too(quillmark: Desk, priya: Client) -> None:
    content = b"Question ID,Answer,Description\r\nA&A-02.1,Yes,Every spring\r\n"
    assert "1 answer read" in priya.get(bring(priya, content, "caiq.csv").location).get_data(as_text=True)


def test_the_signatory_reads_and_brings_nothing_in(quillmark: Desk, priya: Client, daniel: Client) -> None:
    where = confirmed(priya)
    page = daniel.get(where).get_data(as_text=True)
    assert "Named in the handbook." in page
    assert "Withdraw it" not in page
    assert bring(daniel, workbook(caiq(SAID))).status_code == 403


def test_the_home_page_leads_here(quillmark: Desk, priya: Client) -> None:
    assert 'href="/exchange"' in priya.get("/").get_data(as_text=True)


def test_an_assessment_that_is_signed_shows_no_suggestions(quillmark: Desk, priya: Client) -> None:
    confirmed(priya)
    quillmark.complete()
    quillmark.sign()
    for part in quillmark.questionnaire.sections:
        page = priya.get(f"/assessments/{quillmark.assessment_id}/s/{part.key}").get_data(as_text=True)
        assert "You said in your" not in page

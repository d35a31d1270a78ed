"""The pages of working offline, as a person without scripts uses them, and as hostile files do."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.factories import office
from tests.factories.attestations import Desk, desk
from tests.sites.conftest import Client

DAYS, NDA = "ret.days", "wrk.nda"


@pytest.fixture
def answered(quillmark: Desk) -> Desk:
    """The vendor with two answers."""
    quillmark.settle_scoping()
    quillmark.save(DAYS, {"number": "30", "comment": "In the contract."})
    quillmark.save(NDA, {"choice": "yes"})
    return quillmark


def url(of: Desk) -> str:
    """Return the page of working offline."""
    return f"/assessments/{of.assessment_id}/offline"


def downloaded(client: Client, of: Desk, what: str = "xlsx") -> bytes:
    """Download the answers."""
    answer = client.get(f"{url(of)}/answers.{what}")
    assert answer.status_code == 200
    return answer.data


def bring(client: Client, of: Desk, data: bytes, name: str = "answers.xlsx") -> TestResponse:
    """Bring a file back, and follow to the comparison."""
    form = {"file": (io.BytesIO(data), name)}
    return client.post(url(of), data=form, content_type="multipart/form-data", follow_redirects=True)


def take(client: Client, page: TestResponse, **choices: str) -> TestResponse:
    """Press the button of a comparison."""
    action = re.search(r'action="(/assessments/[^"]+/offline/[^"]+)"', page.text)
    assert action
    form = {f"choice.{key}": value for key, value in choices.items()}
    return client.post(action[1], data=form, follow_redirects=True)


def words(page: TestResponse) -> str:
    """Return what a reader of a page reads."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def test_home_leads_to_working_offline(answered: Desk, priya: Client) -> None:
    home = priya.get(f"/assessments/{answered.assessment_id}")

    assert "Answer offline, XLSX, import later" in words(home)
    assert url(answered) in home.text
    assert "Download the workbook (XLSX)" in words(priya.get(url(answered)))


@pytest.mark.parametrize(
    ("what", "kind"),
    [("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), ("csv", "text/csv; charset=utf-8")],
)
def test_a_download_is_an_attachment_and_is_written_down(answered: Desk, priya: Client, what: str, kind: str) -> None:
    answer = priya.get(f"{url(answered)}/answers.{what}")

    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert f"2026-11-24.{what}" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_no_cell_of_a_workbook_is_a_formula(answered: Desk, priya: Client) -> None:
    answered.save(NDA, {"choice": "yes", "comment": '=HYPERLINK("https://evil.example","x")'})

    with zipfile.ZipFile(io.BytesIO(downloaded(priya, answered))) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".xml")}

    assert [name for name, text in texts.items() if "<f>" in text or "<hyperlink" in text] == []
    assert "'=HYPERLINK(" in texts["xl/sharedStrings.xml"]
    assert ",'=HYPERLINK(" in downloaded(priya, answered, "csv").decode().replace('"', "")


def test_there_is_no_other_format(answered: Desk, priya: Client) -> None:
    assert priya.get(f"{url(answered)}/answers.exe").status_code == 404


@pytest.mark.parametrize("what", ["xlsx", "csv"])
def test_what_a_file_changes_is_read_first_and_then_taken(answered: Desk, priya: Client, what: str) -> None:
    data = downloaded(priya, answered, what)
    new = office.answering(data, {DAYS: 45}) if what == "xlsx" else office.csv_edited(data, {DAYS: "45"})

    page = bring(priya, answered, new, f"answers.{what}")
    assert page.status_code == 200
    assert "What the file would change" in words(page)
    assert "Nothing is saved yet. 1 answer would change." in words(page)
    assert office.answers(answered)[DAYS]["number"] == "30"

    done = take(priya, page)
    assert "1 answer is saved" in words(done)
    assert "45 days In the contract. 30 days In the contract. Saved" in words(done)
    assert office.answers(answered)[DAYS] == {"number": "45", "comment": "In the contract."}
    assert "Nothing had to change" in words(take(priya, bring(priya, answered, new, f"answers.{what}")))


def test_a_conflict_is_side_by_side_and_needs_a_choice(answered: Desk, priya: Client) -> None:
    data = office.answering(downloaded(priya, answered), {DAYS: 45})
    answered.save(DAYS, {"number": "60"}, actor=answered.admin.actor)

    page = bring(priya, answered, data)
    assert "Changed in both places" in words(page)
    assert "From your file 45 days" in words(page)
    assert "Online, Marisol Dufour 60 days" in words(page)

    missed = take(priya, page)
    assert missed.status_code == 422
    assert "<title>Error: What the file would change" in missed.text
    assert f'href="#choice-{DAYS.replace(".", "-")}-0">Choose which answer to keep for' in missed.text

    assert "1 answer is saved" in words(take(priya, page, **{DAYS: "mine"}))
    assert office.answers(answered)[DAYS]["number"] == "45"


def test_what_moved_after_the_comparison_is_said(answered: Desk, priya: Client) -> None:
    page = bring(priya, answered, office.answering(downloaded(priya, answered), {DAYS: 45}))
    answered.save(DAYS, {"number": "60"}, actor=answered.admin.actor)

    done = words(take(priya, page))

    assert "Nothing had to change" in done
    assert "Left as online" in done
    assert "the answer changed after you read this comparison" in done


def test_refusals_and_strange_lines_are_named(answered: Desk, priya: Client) -> None:
    data = office.edited(
        downloaded(priya, answered), {(DAYS, "answer"): "1,500", (NDA, "question"): "Do you?", (NDA, "answer"): "no"}
    )

    page = words(bring(priya, answered, data))

    assert "2 questions cannot be taken" in page
    assert "“1,500” can be read as 1500 and as 1.500" in page
    assert "The grey column “question” was changed in this line" in page


def test_what_a_person_writes_is_never_markup(answered: Desk, priya: Client) -> None:
    data = office.edited(
        downloaded(priya, answered), {(NDA, "details"): "<script>alert(1)</script>", (DAYS, "answer"): "<b>"}
    )

    page = bring(priya, answered, data, "<img src=x>.xlsx")

    assert "<script>alert(1)" not in page.text
    assert "<img src=x>" not in page.text
    assert "&lt;script&gt;" in page.text


def test_a_signatory_takes_along_but_brings_nothing_back(answered: Desk, daniel: Client) -> None:
    assert downloaded(daniel, answered)
    assert "Your account does not answer questions" in words(daniel.get(url(answered)))
    assert bring(daniel, answered, b"x").status_code == 403


def test_a_stranger_sees_none_of_it(
    answered: Desk, priya: Client, house: Any, signed_in: Callable[..., Client]
) -> None:
    page = bring(priya, answered, downloaded(priya, answered))
    comparison = page.request.path
    other = desk(house, name="Brightcrowd")
    stranger = signed_in(other.respondent)

    assert [stranger.get(path).status_code for path in (url(answered), f"{url(answered)}/answers.csv", comparison)] == [
        404
    ] * 3
    assert stranger.get(comparison.replace(str(answered.assessment_id), str(other.assessment_id))).status_code == 404
    assert "belongs to another assessment" in words(bring(stranger, other, downloaded(priya, answered)))


def test_a_signed_assessment_takes_nothing_back(answered: Desk, priya: Client) -> None:
    data = office.answering(downloaded(priya, answered), {DAYS: 45})
    page = bring(priya, answered, data)
    answered.complete()
    answered.sign()

    assert "Nothing can be brought back now" in words(priya.get(url(answered)))
    assert bring(priya, answered, data).status_code == 409
    assert take(priya, page).status_code == 409


def part(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return a workbook with one of its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            content = old.read(member)
            new.writestr(member, change(content) if member == name else content)
    return out.getvalue()


ANSWERS = "xl/worksheets/sheet2.xml"
ENTITIES = (
    b'<!DOCTYPE x [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12))
    + b"]>"
)


def bomb(data: bytes) -> bytes:
    """A sheet of eighty megabytes of blanks in a few kilobytes."""
    return part(data, ANSWERS, lambda xml: xml.replace(b"</worksheet>", b" " * 80_000_000 + b"</worksheet>"))


def entities(data: bytes) -> bytes:
    """Entities within entities."""
    return part(data, ANSWERS, lambda xml: xml.replace(b"<worksheet", ENTITIES + b"<worksheet", 1))


def empty_rows(data: bytes) -> bytes:
    """A million rows without a cell."""
    rows = b"".join(b'<row r="%d"/>' % number for number in range(5_000, 1_005_000))
    return part(data, ANSWERS, lambda xml: xml.replace(b"</sheetData>", rows + b"</sheetData>"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hostile", "said"),
    [
        (bomb, "unpacks to far more than it seems"),
        (entities, "could not be read"),
        (empty_rows, "rows, empty ones included"),
    ],
)
def test_a_hostile_workbook_is_refused_within_limits_and_the_site_goes_on(
    answered: Desk, priya: Client, marisol: Client, hostile: Callable[[bytes], bytes], said: str
) -> None:
    data = hostile(downloaded(priya, answered))

    page = bring(priya, answered, data)

    assert page.status_code == 422
    assert said in words(page)
    assert "<title>Error: Answer offline" in page.text
    assert marisol.get(url(answered)).status_code == 200


def test_a_formula_is_no_answer_whatever_it_shows(answered: Desk, priya: Client) -> None:
    data = office.answering(downloaded(priya, answered), {DAYS: "=40+5"})

    page = bring(priya, answered, data)

    assert "The cell holds a formula. Write the value itself" in words(page)
    take(priya, page)
    assert office.answers(answered)[DAYS]["number"] == "30"


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"x" * 21_000_000, "a.xlsx", "The file must be smaller than 20 MB; this one is 21 MB"),
        (b"", "a.xlsx", "The file is empty"),
        (b"", "a.csv", "The file is empty"),
        (b"not a workbook", "a.xlsx", "The file is not a workbook"),
        (b"%PDF-1.7", "a.pdf", "The file must be XLSX or CSV"),
        (b"a,b\r\n1,2\r\n", "a.csv", "the column “question_id” is not in it"),
        (b"question_id,answer\r\nret.days,5\r\n", "a.csv", "the column “rev” is not in it"),
        (b"\x00\x01\x02,\r\n", "a.csv", "has a character that is not text"),
    ],
)
def test_what_is_none_of_our_files_is_refused_in_words(
    answered: Desk, priya: Client, data: bytes, name: str, said: str
) -> None:
    page = bring(priya, answered, data, name)

    assert page.status_code == 422
    assert said in words(page)


def test_no_file_at_all_is_refused_in_words(answered: Desk, priya: Client) -> None:
    page = priya.post(url(answered), data={}, content_type="multipart/form-data")

    assert (page.status_code, "Choose a file" in words(page)) == (422, True)


def test_a_csv_file_without_its_last_line_does_not_say_where_it_comes_from(answered: Desk, priya: Client) -> None:
    data = downloaded(priya, answered, "csv")
    cut = data[: data.rindex(b"_meta")]

    assert "does not say where it comes from" in words(bring(priya, answered, cut, "a.csv"))

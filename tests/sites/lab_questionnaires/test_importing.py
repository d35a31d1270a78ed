"""Another system's questionnaire becomes a draft, or the page says what stands in the way and keeps nothing."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest

from portal.questionnaires import queries
from portal.terms import Role
from portal.wiring import House
from tests.factories.identity import Person, person
from tests.factories.questionnaires import FACTORY, SMALL
from tests.rules.questionnaires.importers.test_vsaq import TEMPLATE
from tests.sites.conftest import Client

Browser = Callable[..., Client]
PAGE = "/lab/questionnaires/import"


@pytest.fixture
def ines(house: House) -> Person:
    """A reviewer."""
    return person(house, roles=[Role.REVIEWER], name="Ines Valdarno")


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def sent(client: Client, format_: str, *files: tuple[str, bytes], **more: Any) -> Any:
    data: dict[str, Any] = {"format": format_, "slug": "web-app", "version": "1", "title": "", **more}
    data["file"] = [(io.BytesIO(content), name) for name, content in files]
    return client.post(PAGE, data=data)


def drafts(house: House) -> list[str]:
    with house.ledger.begin(FACTORY) as tx:
        return [f"{line.slug} v{line.version} {line.origin}" for line in queries.drafts(tx)]


def test_the_page_is_reached_from_a_new_draft(signed_in: Browser, ines: Person) -> None:
    browser = signed_in(ines)

    assert PAGE in browser.get("/lab/questionnaires/drafts/new").get_data(as_text=True)
    assert "Import a questionnaire" in text(browser.get(PAGE))


def test_a_template_becomes_a_draft_with_its_notes(house: House, signed_in: Browser, ines: Person) -> None:
    browser = signed_in(ines)

    answer = sent(browser, "vsaq", ("C:\\odd\\t.json", TEMPLATE.encode()))

    assert answer.status_code == 303
    assert drafts(house) == ["web-app v1 import:vsaq"]
    shown = text(browser.get(answer.location))
    assert "The draft is here. Read its notes first" in shown
    assert "t.json:15:11: the condition" in shown


def test_the_bundled_mvsp_needs_no_file(house: House, signed_in: Browser, ines: Person) -> None:
    assert sent(signed_in(ines), "mvsp", slug="mvsp").status_code == 303
    assert drafts(house) == ["mvsp v1 import:mvsp"]


def test_a_workbook_becomes_a_draft(house: House, signed_in: Browser, ines: Person) -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in (["Key", "Question", "Type"], ["a", "Is it kept?", "yes/no"], ["b", "=1+1", "text"]):
        book.active.append(row)
    book.save(out)
    browser = signed_in(ines)

    answer = sent(browser, "table", ("q.xlsx", out.getvalue()))

    assert answer.status_code == 303
    assert "of 1 formula in “Sheet”, what the last program computed" in text(browser.get(answer.location))


def test_overlays_are_put_into_their_base(house: House, signed_in: Browser, ines: Person) -> None:
    overlay = (
        "overlay: extra\nversion: 1\ntitle: Extra\nbase: {slug: small, version: 1}\ninsert:\n- after: acc.mfa\n"
        "  questions:\n"
        "  - {key: x.a, revision: 1, label: A, text: A, kind: text, weight: 0, tiers: [1], guidance: g, why: w}\n"
    )
    browser = signed_in(ines)
    base = (io.BytesIO(SMALL.encode()), "v1.yaml")

    answer = sent(browser, "overlay", ("o.yaml", overlay.encode()), base=base, title="Small and more")

    assert answer.status_code == 303
    assert drafts(house) == ["web-app v1 overlay"]


def test_what_cannot_be_read_is_told_with_its_place_and_nothing_is_kept(
    house: House, signed_in: Browser, ines: Person
) -> None:
    answer = sent(signed_in(ines), "vsaq", ("odd<name>.json", b'{"questionnaire": [\n {"type": oops}]}'))

    assert answer.status_code == 422
    assert "The file cannot be taken over" in text(answer)
    assert "odd&lt;name&gt;.json:2:11: Expected a value" in answer.get_data(as_text=True)
    assert drafts(house) == []


@pytest.mark.parametrize(
    ("format_", "files", "more", "words"),
    [
        ("vsaq", [], {}, "Choose the file that holds the questionnaire"),
        ("oscal", [("a.json", b"{}"), ("b.json", b"{}")], {}, "Choose one file"),
        ("folder", [("f.zip", b"PK")], {}, "Choose the mapping file that says where each thing stands"),
        ("overlay", [("o.yaml", b"a: b")], {}, "Choose the version that the overlays are for"),
        ("table", [("q.xlsx", b"not a workbook")], {}, "The file is not a workbook. Save it as .xlsx"),
        ("table", [("q.csv", b"\x00\x01")], {}, "Line 1 has a character that is not text"),
        ("mvsp", [], {"slug": "Not A Slug"}, "Write the short name as lower-case words joined by hyphens"),
        ("mvsp", [], {"version": "0"}, "Write the version as a number from 1 to 9,999"),
        ("mvsp", [], {"version": "x"}, "Enter a whole number"),
        ("magic", [], {}, "Choose one of the options shown"),
        (
            "folder",
            [("f.zip", b"not a zip")],
            {"mapping": (io.BytesIO(b"mapping: 1\n"), "m.yaml")},
            "The file is not a zip archive, or is damaged",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_said_at_its_field(
    house: House,
    signed_in: Browser,
    ines: Person,
    format_: str,
    files: list[tuple[str, bytes]],
    more: dict[str, Any],
    words: str,
) -> None:
    answer = sent(signed_in(ines), format_, *files, **more)

    assert answer.status_code == 422
    assert words in text(answer)
    assert drafts(house) == []


def test_an_auditor_may_not_import(house: House, signed_in: Browser) -> None:
    auditor = person(house, roles=[Role.AUDITOR], name="Una Auditor")

    assert sent(signed_in(auditor), "mvsp", slug="mvsp").status_code == 403
    assert drafts(house) == []

"""Search from the head of every lab page: by group, by role, behind the wall between vendors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portal.evidence import reading
from portal.kernel.actor import system
from portal.reviews import service as reviews
from portal.terms import Role
from portal.wiring import House
from tests.factories.attestations import Desk, desk
from tests.factories.evidence import make_evidence
from tests.factories.identity import person
from tests.factories.pdfs import text_pdf, wrapped
from tests.factories.reviews import Bench


def main_of(answer: Any) -> str:
    return str(answer.get_data(as_text=True).partition("<main")[2])


@pytest.fixture
def made(house: House) -> Bench:
    """One vendor that signed, with a comment, a finding and a file that say something."""
    at: Desk = desk(house)
    at.complete()
    key = next(each.key for each in at.visible() if each.is_scored and len(each.choices) > 1)
    best = max(at.questionnaire.question(key).choices, key=lambda option: option.credit or 0)
    at.save(key, {"choice": best.key, "comment": "The Heliograph vault holds every key."})
    pages = [wrapped("The Zeppelin escrow was opened before the board. " * 20), wrapped("Other business. " * 40)]
    file = make_evidence(house, at.respondent, text_pdf(pages), title="Board minutes")
    reading.read(house.ledger, system("test"), store=house.store, evidence_id=file.id)
    at.cite(key, file.id, "2")
    at.sign()
    b = Bench(house, at)
    b.claim()
    b.flag(b.open_keys()[1], what="The kestrel site has no locks.", closes_when="An invoice of the locksmith.")
    return b


def test_a_vendor_meant_alone_opens_at_once_and_everything_is_one_link_away(
    made: Bench, signed_in: Callable[..., Any]
) -> None:
    client = signed_in(made.reviewer)

    answer = client.get("/lab/search?q=Quil")
    assert (answer.status_code, answer.location) == (302, "/lab/vendors/quillmark-annotation?found=Quil")
    page = client.get(answer.location).get_data(as_text=True)
    assert 'href="/lab/search?all=1&amp;q=Quil"' in page
    assert "Quillmark Annotation" in main_of(client.get("/lab/search?all=1&q=Quil"))


def test_two_vendors_of_one_beginning_are_listed(house: House, made: Bench, signed_in: Callable[..., Any]) -> None:
    desk(house, name="Quill and Sons")

    text = main_of(signed_in(made.reviewer).get("/lab/search?q=quil"))

    assert "Quillmark Annotation" in text
    assert "Quill and Sons" in text


@pytest.mark.parametrize(
    ("q", "group", "said"),
    [
        ("heliog", "Answers", "<mark>Heliograph</mark> vault holds"),
        ("vault helio", "Answers", "Heliograph"),
        ("kestr", "Findings", "The <mark>kestrel</mark> site"),
        ("locksmith", "Findings", "invoice"),
        ("minut", "Evidence", "Board minutes"),
        ("zeppelin", "Evidence", "page 1"),
    ],
)
def test_what_was_said_is_found_in_its_group(
    made: Bench, signed_in: Callable[..., Any], q: str, group: str, said: str
) -> None:
    text = main_of(signed_in(made.reviewer).get(f"/lab/search?q={q}"))

    assert f">{group}</h2>" in text
    assert said in text


@pytest.mark.parametrize("q", ["heliog", "kestr", "minut", "zeppelin"])
def test_who_reads_no_answers_finds_vendors_only(
    made: Bench, house: House, signed_in: Callable[..., Any], q: str
) -> None:
    client = signed_in(person(house, roles=[Role.PROGRAM_ADMIN]))

    text = main_of(client.get(f"/lab/search?q={q}"))

    assert "Nothing says" in text
    assert "Your role finds vendors" in text
    assert "Quillmark" in main_of(client.get("/lab/search?all=1&q=annot"))


def test_nobody_of_a_vendor_searches(made: Bench, signed_in: Callable[..., Any]) -> None:
    assert signed_in(made.desk.admin).get("/lab/search?q=quil").status_code in {403, 404}


@pytest.mark.parametrize("q", ["", " ", "a", "%", "'--", "<b>", "x" * 300, "no-such-word", "\\", "‮"])
def test_any_words_have_an_answer(made: Bench, signed_in: Callable[..., Any], q: str) -> None:
    answer = signed_in(made.reviewer).get("/lab/search", query_string={"q": q})

    assert answer.status_code == 200
    assert "<b>" not in main_of(answer).partition("<h1>")[2].partition("</h1>")[0]


def test_what_a_draft_said_before_is_not_found_any_more(made: Bench, house: House) -> None:
    key = next(key for key, line in _lines(made).items() if line.verdict is not None and line.verdict.value == "flag")
    made.flag(key, what="The cellar has no locks.", closes_when="A photograph.")

    with house.ledger.begin(made.reviewer.actor) as tx:
        assert reviews.search(tx, "kestrel").is_empty
        assert not reviews.search(tx, "cellar").is_empty


def test_an_answer_of_an_older_revision_is_not_found(made: Bench, house: House) -> None:
    with house.ledger.begin(made.reviewer.actor) as tx:
        (hit,) = reviews.search(tx, "heliograph").answers or ()
    assert hit.revision == 1


def _lines(made: Bench) -> Any:
    with made.at(made.reviewer.actor) as (tx, review):
        return reviews.verdict_lines(tx, review)

"""Proposals from the text of a report: decoys, contradictions, silence, hostile text, how often they are right."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from portal.evidence import reader
from portal.evidence.rules import KINDS
from portal.evidence.rules.prefill import (
    MAX_QUOTE,
    READ_KINDS,
    Confidence,
    Proposal,
    by_field,
    confirmed,
    proposal_of,
    propose,
    suggested,
)
from portal.kernel.sandbox import run_limited
from tests.factories import corpus
from tests.factories.pdfs import text_pdf
from tests.factories.reporting.papers import KNOWN_STYLES, papers
from tests.factories.reports import Report, report

DOCS = Path(__file__).resolve().parents[3] / "docs"


def found(pages: tuple[str, ...], kind: str = "SOC2") -> dict[str, Proposal]:
    first: dict[str, Proposal] = {}
    for each in propose(kind, pages):
        first.setdefault(each.field, each)
    return first


def auditor_says(*paragraphs: str, cover: str = "Acme Data, Inc.\nSOC 2 Type 2 Report") -> tuple[str, ...]:
    heading = "Section I\nIndependent Service Auditor’s Report\nTo the Management of Acme Data, Inc.:"
    return cover, "\n".join((heading, *paragraphs))


@pytest.fixture(scope="module")
def tables() -> dict[str, str]:
    return corpus.measured()


def test_the_page_on_evidence_says_how_often_it_is_right(tables: dict[str, str]) -> None:
    page = (DOCS / "evidence.md").read_text(encoding="utf-8")
    for code, table in tables.items():
        assert table in page, f"print the tables with python -m tests.factories.corpus: {code}"


def test_no_wrong_value_is_ever_called_sure(tables: dict[str, str]) -> None:
    for table in tables.values():
        for row in table.split("\n")[2:]:
            wrong = [cell.strip() for cell in row.split("|")[3:7:3]]
            assert all(cell.endswith("(0)") for cell in wrong), row


def test_the_page_on_evidence_names_every_kind_and_how_long_it_holds() -> None:
    page = (DOCS / "evidence.md").read_text(encoding="utf-8")
    assert [f"| `{kind.code}` | {kind.title} | {kind.holds} |" for kind in KINDS.values()] == re.findall(
        r"^\| `[A-Z0-9]+` \| .*$", page, re.MULTILINE
    )


def test_the_corpus_is_as_large_and_as_varied_as_it_says() -> None:
    known, unseen = corpus.tuned(), corpus.unseen()
    assert (len(known), len(unseen)) == (60, 36)
    assert Counter(each.facts.opinion for each in known).keys() == set(corpus.OPINIONS)
    assert sum(each.facts.swapped for each in known) >= 8
    assert sum(bool(each.facts.second_entity) for each in known) >= 5
    assert sum("numeral" in each.facts.traps for each in known) >= 6
    assert sum((each.facts.end - each.facts.start).days < 100 for each in known) >= 5


@pytest.mark.parametrize("seed", [11, 12, 14])
def test_the_pdf_of_a_report_reads_as_its_text(seed: int, tmp_path: Path) -> None:
    made = report(seed)
    path = tmp_path / "report.pdf"
    path.write_bytes(made.pdf())
    answer = run_limited("portal.evidence.reader:read", path, arguments={"first": 1})
    assert isinstance(answer, dict)
    assert tuple(answer["texts"]) == tuple(reader.clean(page) for page in made.text_pages)
    assert propose("SOC2", answer["texts"]) == propose("SOC2", made.text_pages)


def test_long_pages_are_read_in_batches_that_fit_into_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "ROOM", 20_000)
    path = tmp_path / "long.pdf"
    path.write_bytes(text_pdf(["€uro–dash “quoted” text " * 100] * 12))
    first = reader.read(str(path), 1)
    assert first["pages"] == 12
    assert 0 < len(first["texts"]) < 12
    assert len(reader.read(str(path), len(first["texts"]) + 1)["texts"]) > 0


def test_text_is_cleaned_of_what_cannot_be_seen() -> None:
    assert reader.clean("Confi\ufffe\r\ndential\x00 \u202etxt\u200b  end\x02\nless") == "Confidential txt end" + "less"


@pytest.mark.parametrize(
    ("said", "opinion"),
    [
        ("Opinion\nIn our opinion, in all material respects, the controls were suitably designed.", "unqualified"),
        ("Qualified Opinion\nIn our opinion, except for the matter above, the controls were suitable.", "qualified"),
        ("Adverse Opinion\nIn our opinion, the controls were not suitably designed.", "adverse"),
        ("Disclaimer of Opinion\nWe do not express an opinion on the description.", "disclaimer"),
        (
            "An adverse event was assessed. We did not issue a qualified opinion on the year before.\n"
            "Opinion\nIn our opinion, in all material respects, the controls were suitably designed.",
            "unqualified",
        ),
        (
            "We did not test operating effectiveness of controls and do not express an opinion thereon.\n"
            "Opinion\nIn our opinion, in all material respects, the controls were suitably designed.",
            "unqualified",
        ),
    ],
)
def test_an_opinion_is_read_from_its_heading_and_its_sentence(said: str, opinion: str) -> None:
    assert found(auditor_says(said))["opinion"].value == opinion


def test_a_heading_and_a_sentence_that_contradict_each_other_give_nothing_sure() -> None:
    pages = auditor_says(
        "Adverse Opinion\nIn our opinion, in all material respects, the controls were suitably designed."
    )
    read = found(pages).get("opinion")
    assert read is None or read.confidence is not Confidence.HIGH


def test_a_word_alone_is_no_opinion() -> None:
    assert "opinion" not in found(
        auditor_says("Adverse events and qualified staff are described, except for holidays.")
    )


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        ("throughout the period October 1, 2024 to September 30, 2025", "2024-10-01", "2025-09-30"),
        ("for the period from 1 October 2024 until 30 September 2025", "2024-10-01", "2025-09-30"),
        ("for the twelve months ended September 30, 2025", "2024-10-01", "2025-09-30"),
        ("for the six-month period ended 30 June 2025", "2025-01-01", "2025-06-30"),
        ("for the year ended December 31, 2024", "2024-01-01", "2024-12-31"),
        ("throughout the period 2025-04-02 through 2025-07-02", "2025-04-02", "2025-07-02"),
        ("between the 1st day of March, 2025 and the 31st day of May, 2025", "2025-03-01", "2025-05-31"),
        ("for the period beginning Oct. 1, 2024 and ending Sept. 30, 2025", "2024-10-01", "2025-09-30"),
    ],
)
def test_a_period_is_read_in_many_wordings(words: str, start: str, end: str) -> None:
    read = found(auditor_says(f"We have examined the description {words}."))
    assert (read["period_start"].value, read["period_end"].value) == (start, end)
    assert read["report_type"].value == "type2"


def test_a_period_of_another_report_is_not_this_ones() -> None:
    read = found(auditor_says("Our previous report covered the period October 1, 2023 to September 30, 2024."))
    assert "period_end" not in read


def test_two_periods_that_contradict_each_other_are_withheld_or_unsure() -> None:
    read = found(
        auditor_says(
            "We examined controls throughout the period January 1, 2025 to June 30, 2025.",
            "We tested controls during the period March 1, 2025 to August 31, 2025.",
        )
    )
    assert "period_end" not in read or read["period_end"].confidence is Confidence.LOW


def test_the_numeral_does_not_hide_what_the_dates_say() -> None:
    made = report(21, type=1, traps=("numeral",))
    read = found(made.text_pages)["report_type"]
    assert (read.value, read.confidence) == ("type1", Confidence.LOW)


def test_a_date_that_two_countries_read_differently_is_never_sure() -> None:
    read = found(
        auditor_says("We examined the period 01/02/2025 to 03/04/2025.", "Again the period 01/02/2025 to 03/04/2025.")
    )
    assert all(each.confidence is Confidence.LOW for field, each in read.items() if field.startswith("period_"))


def test_no_exceptions_are_never_proposed_as_a_number() -> None:
    read = found(report(31, type=2, exceptions=()).text_pages)
    assert "exceptions" not in read
    assert read.get("exceptions_listed") is None


def test_exceptions_of_the_unaudited_part_are_not_counted() -> None:
    made: Report = report(32, type=2, traps=("other information",))
    read = found(made.text_pages)
    assert (read["exceptions"].value if "exceptions" in read else 0) == len(made.facts.exceptions)


def test_another_name_in_the_assertion_is_told_apart() -> None:
    made = report(33, second_entity="Halvard Holdings, Inc.")
    read = found(made.text_pages)
    assert read["assertion_entity"].value == "Halvard Holdings, Inc."
    assert read["entity"].value == made.facts.entity
    assert read["entity"].confidence is not Confidence.HIGH


def test_every_proposal_has_its_page_and_its_words() -> None:
    for made in corpus.unseen()[:12]:
        for each in propose("SOC2", made.text_pages):
            assert 1 <= each.page <= len(made.text_pages)
            assert 0 < len(each.quote) <= MAX_QUOTE
            assert proposal_of(each.stored()) == each
            page = re.sub(r"\s+", " ", made.text_pages[each.page - 1])
            assert re.sub(r"\s+", " ", each.quote)[:25] in f"{page} {each.quote if each.page else ''}"


def test_a_kind_without_a_reader_proposes_nothing() -> None:
    assert "POL" not in READ_KINDS
    assert propose("POL", ["Approved on 1 October 2026"]) == ()


def test_the_form_is_filled_in_the_shape_that_is_stored() -> None:
    made = report(1001, type=2, categories=("Security", "Privacy"))
    proposals = propose("SOC2", made.text_pages)
    details = suggested("SOC2", proposals)
    assert details["categories"] == ["security", "privacy"]
    assert {row["organisation"] for row in details["carve_out_rows"] if row["method"] == "carve_out"} == {
        name for name, _purpose in made.facts.carved_out
    }
    assert [row["text"] for row in details["user_control_rows"]] == list(made.facts.cuecs)
    assert set(confirmed("SOC2", proposals, details)) == set(details)
    assert "period_end" not in confirmed("SOC2", proposals, {**details, "period_end": "2020-01-01"})


def test_an_unsure_value_is_named_and_not_filled_in() -> None:
    unsure = Proposal("auditor", "Somebody LLP", 1, "Somebody LLP", "signature", Confidence.LOW)
    assert "auditor" in by_field("SOC2", [unsure])
    assert suggested("SOC2", [unsure]) == {}


def test_an_amount_of_insurance_comes_with_its_currency() -> None:
    details = suggested("INS", propose("INS", papers("INS", KNOWN_STYLES)[0].text_pages))
    assert details["limit_claim"]["currency"] == "USD"
    assert details["limit_claim"]["amount"] in {2_000_000, 5_000_000, 10_000_000}


_COVER = "Foo, Inc.\nSOC 2 Type 2"
_HEAD = "Section I\nIndependent Service Auditor’s Report\n"


@pytest.mark.parametrize(
    "body",
    [
        "A B C D E F G " * 6000,
        "A & B, " * 12000,
        "January 1, 2025 to " * 5000,
        "prior period January 1, 2025 to March 31, 2025 " * 2000,
        "In our opinion, except for a " * 3000,
        "carve-out method " * 5000,
        "CC1.1 Exception noted: " * 4000,
        "Aaa’s-" * 15000,
        "security and " * 7000,
        "a" * 90000,
        "(" * 90000,
        "Inc. " * 18000,
    ],
    ids=lambda body: body[:16],
)
def test_a_hostile_text_is_read_to_its_end(body: str) -> None:
    pages = [_COVER, _HEAD + body[:19000], *(body[at : at + 19000] for at in range(19000, len(body), 19000))]
    for kind in sorted(READ_KINDS):
        assert len(propose(kind, pages)) < 400

"""The press: the same bytes for the same data, people's text stays text, and no text holds a worker up."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pytest

from portal.kernel import paper
from portal.kernel.paper import printing

FONTS = Path(printing.__file__).with_name("fonts")


def data(**more: Any) -> dict[str, Any]:
    """Return the least that the signed document is made from, with one answer in it."""
    words = ("page", "statements", "signed", "facts", "answers", "files", "files_intro", "prepared", "backed")
    more_words = ("fingerprint", "how", "how_text")
    answer = more.pop("answer", "Within 4 hours")
    question = {
        "number": "7.2",
        "label": "Leavers",
        "text": "How soon?",
        "answer": [answer],
        "beside": more.pop("beside", []),
        "grids": more.pop("grids", []),
        "files": [],
        "by": "",
    }
    return {
        "title": "Signed answers",
        "language": "de",
        "asked_in": "en",
        "lab": "Orrery",
        "made_at": datetime(2026, 12, 9, 14, 32, tzinfo=UTC),
        "fingerprint": "ab" * 32,
        "about": [],
        "statements": [],
        "facts": [],
        "sections": [{"number": 7, "title": "People", "questions": [question]}],
        "files": [],
        "words": {each: each for each in (*words, *more_words)} | {"page": "Seite {page} von {pages}"},
        **more,
    }


def text_of(pdf: bytes) -> str:
    document = pdfium.PdfDocument(pdf)
    try:
        return " ".join(" ".join(page.get_textpage().get_text_range() for page in document).split())
    finally:
        document.close()


def test_the_same_data_gives_the_same_bytes_and_other_data_gives_others() -> None:
    first = paper.render("attestation", data())
    assert first == paper.render("attestation", data())
    assert first != paper.render("attestation", data(answer="Within 24 hours"))


def test_it_is_a_tagged_document_with_a_title_a_language_and_a_date() -> None:
    made = paper.render("attestation", data())
    assert b"pdfuaid:part" in made or b"<pdfuaid:part>1</pdfuaid:part>" in made
    assert b"/StructTreeRoot" in made or b"/MarkInfo" in made
    document = pdfium.PdfDocument(made)
    try:
        assert document.get_metadata_value("Title") == "Signed answers"
        assert document.get_metadata_value("CreationDate").startswith("D:20261209143200")
    finally:
        document.close()
    assert "Seite 1 von 1" in text_of(made)


@pytest.mark.parametrize(
    "text",
    [
        '#panic(1) #import "x" #read("/etc/passwd")',
        "*bold* _it_ = heading @ref <label> $x^2$ `raw` \\ // /* comment",
        "]] }} ) #{ let",
    ],
)
def test_what_people_wrote_is_text_and_never_markup(text: str) -> None:
    assert text in text_of(paper.render("attestation", data(answer=text)))


def test_every_letter_that_is_said_to_be_in_the_fonts_can_be_printed() -> None:
    """A letter without a shape would make the press refuse the document."""
    letters = "".join(map(chr, sorted(printing._letters())))
    visible = printing.printable(letters)
    assert len(paper.render("attestation", data(answer=" ".join(visible[at : at + 30] for at in range(0, 900, 30)))))


def test_names_of_the_world_are_printed_or_shown_as_code_points() -> None:
    said = text_of(paper.render("attestation", data(answer="Łucja Weiß Søren Ελένη Жанна 田中 🙂")))
    assert "Łucja Weiß Søren Ελένη Жанна [U+7530 U+4E2D] [U+1F642]" in said


def test_wide_tables_and_long_words_stay_on_the_sheet() -> None:
    grid = {"label": "Register", "columns": [f"C{n}" for n in range(9)], "rows": [[f"cell{n}" for n in range(9)]]}
    made = paper.render("attestation", data(answer="x" * 500, grids=[grid]))
    document = pdfium.PdfDocument(made)
    try:
        for page in document:
            text = page.get_textpage()
            width, _ = page.get_size()
            for number in range(text.count_rects()):
                assert text.get_rect(number)[2] <= width - 40
    finally:
        document.close()
    assert "cell8" in text_of(made)


def test_too_much_text_is_refused_in_words_before_anything_is_laid_out() -> None:
    with pytest.raises(paper.TooLong, match="too long to be printed"):
        paper.render("attestation", data(answer="word " * 500_000))


def test_a_document_that_takes_too_long_is_stopped_and_refused() -> None:
    with pytest.raises(paper.TooLong):
        paper.render("attestation", data(answer="word " * 300_000), seconds=0.4)


def test_the_fonts_are_those_whose_fingerprints_are_kept() -> None:
    kept = dict(reversed(line.split()) for line in (FONTS / "fonts.lock").read_text().splitlines())
    assert {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in FONTS.glob("*.ttf")} == kept

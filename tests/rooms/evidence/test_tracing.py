"""Traces of editing in real PDFs: what is measured is measured, and an honest file shows none."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from portal.evidence import tracing
from portal.evidence.rules.traits import Edit, edits, traits_of
from portal.kernel.sandbox import run_limited
from tests.factories.pdfs import scanned_pdf, text_pdf
from tests.factories.reports import report
from tests.rules import files

HELVETICA = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
COURIER = b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>"
RESOURCES = "/Resources << /Font << /F1 101 0 R /F2 102 0 R >> >>"
OPINION = "BT /F1 10 Tf 40 250 Td (In our opinion, in all material respects, the description is fair.) Tj ET\n"


def one_page(content: str, *, info: str = "", catalog: str = "", more: dict[int, bytes] | None = None) -> bytes:
    """A page with these drawing operators."""
    body = (OPINION + content).encode("latin-1")
    extra = {
        3: f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 300] /Contents 100 0 R {RESOURCES} >>".encode(),
        100: b"<< /Length %d >>\nstream\n" % len(body) + body + b"\nendstream",
        101: HELVETICA,
        102: COURIER,
        **(more or {}),
    }
    trailer = "/Info 103 0 R" if info else ""
    return files.pdf(
        pages=1, extra=extra | ({103: f"<< {info} >>".encode()} if info else {}), trailer=trailer, catalog=catalog
    )


def seen(tmp_path: Path, content: bytes, opinion: int = 1) -> dict[str, Any]:
    path = tmp_path / "file.pdf"
    path.write_bytes(content)
    return tracing.look(str(path), opinion)


def signs(found: dict[str, Any], opinion_on: date | None = None) -> list[Edit]:
    return list(edits(traits_of(found), opinion_on))


def test_an_honest_report_shows_no_trace_also_when_it_is_looked_at_in_the_limited_process(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(report(3).pdf())

    found = run_limited("portal.evidence.tracing:look", path, arguments={"opinion": 2})

    assert isinstance(found, dict)
    assert (found["problem"], found["families"], found["hidden"], found["saves"]) == ("", ["Helvetica"], [], 1)
    assert signs(found) == []


@pytest.mark.parametrize(
    ("drawn", "how"),
    [
        ("1 g BT /F1 10 Tf 40 200 Td (No exceptions noted) Tj ET", "nothing is drawn at their place, or it is covered"),
        ("BT /F1 10 Tf 3 Tr 40 200 Td (No exceptions noted) Tj ET", "drawn invisibly"),
        ("BT /F1 10 Tf 40 900 Td (No exceptions noted) Tj ET", "off the page"),
        (
            "BT /F1 10 Tf 40 200 Td (No exceptions noted) Tj ET 1 g 30 190 200 30 re f",
            "nothing is drawn at their place, or it is covered",
        ),
    ],
    ids=["white on white", "invisible", "off the page", "painted over"],
)
def test_words_that_a_search_finds_and_a_reader_does_not_are_said(tmp_path: Path, drawn: str, how: str) -> None:
    found = seen(tmp_path, one_page(drawn))

    assert found["hidden"] == [{"page": 1, "text": "No exceptions noted", "how": how}]
    (sign,) = signs(found)
    assert (sign.page, sign.quote, sign.strong) == (1, "No exceptions noted", True)


def test_letters_that_change_within_a_line_of_the_opinion_are_said(tmp_path: Path) -> None:
    changed = "BT /F1 10 Tf 40 200 Td (Signed on 30 June by the firm in ) Tj /F2 10 Tf (2026) Tj ET"

    assert [sign.quote for sign in signs(seen(tmp_path, one_page(changed)))] == ["2026"]
    assert signs(seen(tmp_path, one_page(changed), opinion=0)) == []


def test_what_was_added_after_the_signature_is_said(tmp_path: Path) -> None:
    def signed(reach: int) -> bytes:
        return one_page(
            "",
            catalog="/AcroForm << /Fields [104 0 R] /SigFlags 3 >>",
            more={
                104: b"<< /FT /Sig /T (s) /Subtype /Widget /Rect [0 0 0 0] /V 105 0 R >>",
                105: b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /Contents <00> "
                b"/ByteRange [0 10 20 %06d] >>" % reach,
            },
        )

    whole = signed(len(signed(0)) - 20)

    assert signs(seen(tmp_path, whole)) == []
    (sign,) = signs(seen(tmp_path, whole + b"% added later, one line of it\n"))
    assert sign.words.startswith("30 bytes were added after the last signature")


def test_late_savings_editors_and_pictured_text_are_said(tmp_path: Path) -> None:
    late = one_page("", info="/Producer (Sejda 3.2) /ModDate (D:20260901120000Z)")
    layered = files.pdf(
        pages=1,
        extra={
            3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents 100 0 R "
            b"/Resources << /Font << /F1 101 0 R >> /XObject << /I 104 0 R >> >> >>",
            100: b"<< /Length 75 >>\nstream\nq 100 0 0 100 0 0 cm /I Do Q "
            b"BT 3 Tr /F1 9 Tf 5 50 Td (Words of a scan) Tj ET \nendstream",
            101: HELVETICA,
            104: b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 "
            b"/Length 1 >>\nstream\n\x80\nendstream",
        },
    )

    said = [sign.words for sign in signs(seen(tmp_path, late), date(2026, 2, 1))]
    assert said[0].startswith("It was last saved on 1 September 2026, 212 days after the opinion")
    assert said[1].startswith("It was last written by Sejda 3.2")
    assert signs(seen(tmp_path, late), None)[0].strong
    assert seen(tmp_path, layered)["pictured"] == [1]
    assert signs(seen(tmp_path, layered))[0].words.startswith("1 page is a picture with a text laid over")


def test_a_file_that_was_saved_on_top_of_itself_counts_its_savings(tmp_path: Path) -> None:
    first = one_page("")
    start = len(first)
    again = first + b"101 0 obj\n" + HELVETICA + b"\nendobj\n"
    at = len(again)
    before = int(first.rsplit(b"startxref\n", 1)[1].split()[0])
    again += b"xref\n101 1\n%010d 00000 n \ntrailer\n<< /Size 103 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (
        start,
        before,
        at,
    )

    assert seen(tmp_path, again)["saves"] == 2
    assert signs(seen(tmp_path, again))[0].words.startswith("The file was saved 2 times on top of itself")


def test_scans_and_damaged_files_are_no_trouble(tmp_path: Path) -> None:
    assert signs(seen(tmp_path, scanned_pdf())) == []
    assert seen(tmp_path, b"%PDF-1.7 nothing")["problem"] == "damaged"
    assert signs(seen(tmp_path, text_pdf(["A page"]), opinion=9)) == []
    assert signs({"saves": "many", "hidden": [1, {"page": "x"}], "mixed": None}) != []

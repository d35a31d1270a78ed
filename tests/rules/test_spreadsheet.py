"""A spreadsheet becomes rows of text, or is refused with words; it never computes, grows or hangs."""

import contextlib
import io
import zipfile
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.kernel.spreadsheet import (
    BLANK,
    Cell,
    Kind,
    RefusedSheet,
    Sheet,
    State,
    read_csv,
    read_workbook,
)
from portal.kernel.workbook import read

Keep = Callable[[bytes], Path]
LIMITS = {"max_rows": 100, "max_columns": 20, "max_cells": 1000, "max_characters": 10_000, "max_cell": 500}


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    def write(data: bytes) -> Path:
        path = tmp_path / "book.xlsx"
        path.write_bytes(data)
        return path

    return write


def saved(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def simple(cell: object = "Hello") -> bytes:
    book = openpyxl.Workbook()
    book.active["A1"] = cell
    return saved(book)


def rewritten(data: bytes, parts: Mapping[str, bytes | None]) -> bytes:
    """The same package with some parts replaced, added or (None) left out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in dict.fromkeys([*old.namelist(), *parts]):
            content = parts.get(name, old.read(name) if name in old.namelist() else None)
            if content is not None:
                new.writestr(name, content)
    return out.getvalue()


def sheet_xml(rows: str) -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?><worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'.encode()


def with_rows(rows: str) -> bytes:
    return rewritten(simple(), {"xl/worksheets/sheet1.xml": sheet_xml(rows)})


def test_cells_keep_their_places_and_say_what_they_are(keep: Keep) -> None:
    book = openpyxl.Workbook()
    page = book.active
    page.title = "Answers"
    page["B2"] = "Two lines\nof text"
    page["C2"] = 0.1
    page["D2"] = 12
    page["A4"] = date(2026, 3, 31)
    page["B4"] = datetime(2026, 3, 31, 13, 30)  # noqa: DTZ001
    page["C4"] = True
    page["D4"] = "=1+1"
    hidden = book.create_sheet("_meta")
    hidden.sheet_state = "veryHidden"
    hidden["A1"] = "7"

    answers, meta = read_workbook(keep(saved(book)))

    assert answers == Sheet(
        "Answers",
        State.VISIBLE,
        [
            [],
            [BLANK, Cell("Two lines\nof text", Kind.TEXT), Cell("0.1", Kind.NUMBER), Cell("12", Kind.NUMBER)],
            [],
            [
                Cell("2026-03-31", Kind.DATE),
                Cell("2026-03-31T13:30:00", Kind.DATE),
                Cell("TRUE", Kind.TRUTH),
                Cell("=1+1", Kind.FORMULA),
            ],
        ],
    )
    assert meta == Sheet("_meta", State.VERY_HIDDEN, [[Cell("7", Kind.TEXT)]])


def test_a_formula_is_shown_and_never_computed(keep: Keep) -> None:
    rows = '<row r="1"><c r="A1" t="str"><f>HYPERLINK("http://example.org";"x")</f><v>x</v></c></row>'

    (sheet,) = read_workbook(keep(with_rows(rows)))

    assert sheet.rows == [[Cell('=HYPERLINK("http://example.org";"x")', Kind.FORMULA, "x")]]


def test_rich_text_and_escapes_become_plain_text_without_readings(keep: Keep) -> None:
    rows = (
        '<row r="1"><c r="A1" t="inlineStr"><is><r><t>bold_x000D_</t></r><r><t xml:space="preserve"> and plain</t></r>'
        "<rPh><t>reading</t></rPh></is></c></row>"
    )

    (sheet,) = read_workbook(keep(with_rows(rows)))

    assert sheet.rows == [[Cell("bold\n and plain", Kind.TEXT)]]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("dd/mm/yyyy", "2026-03-31T06:00:00"),
        ("[$-409]mmmm d, yyyy;@", "2026-03-31T06:00:00"),
        ("0.00%", "46112.25"),
        ('#,##0 "days"', "46112.25"),
        ("[h]:mm", "46112.25"),
        ("[Red]0", "46112.25"),
        ("@", "46112.25"),
    ],
)
def test_a_number_is_a_day_where_its_format_shows_one(code: str, text: str, keep: Keep) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.add_worksheet().write_number(0, 0, 46112.25, book.add_format({"num_format": code}))

    (sheet,) = read_workbook(keep(out.getvalue()))

    assert sheet.rows[0][0].text == text


def test_days_count_from_1904_where_the_workbook_says_so(keep: Keep) -> None:
    book = openpyxl.Workbook()
    book.epoch = datetime(1904, 1, 1)  # noqa: DTZ001
    book.active["A1"] = date(2026, 3, 31)

    (sheet,) = read_workbook(keep(saved(book)))

    assert sheet.rows == [[Cell("2026-03-31", Kind.DATE)]]


def refusal(data: bytes, keep: Keep) -> RefusedSheet:
    with pytest.raises(RefusedSheet) as refused:
        read_workbook(keep(data))
    return refused.value


def test_a_million_empty_rows_are_refused_before_they_cost_anything(keep: Keep) -> None:
    assert refusal(with_rows("<row/>" * 1_000_000), keep).code in ("rows", "too_much")


def test_a_million_rows_that_do_not_pack_well_are_counted(keep: Keep) -> None:
    assert refusal(with_rows("".join(f'<row r="{n}"/>' for n in range(1, 100_000))), keep).message == (
        "The workbook, up to the sheet “Sheet”, has more than 20,000 rows, empty ones included. "
        "Delete the rows that are not needed"
    )


def test_a_single_cell_far_away_is_refused_instead_of_filling_up_to_it(keep: Keep) -> None:
    far_down = '<row r="1048576"><c r="A1048576"><v>1</v></c></row>'
    far_right = '<row r="1"><c r="XFD1"><v>1</v></c></row>'

    assert refusal(with_rows(far_down), keep).code == "rows"
    assert refusal(with_rows(far_right), keep).code == "columns"


def test_a_zip_bomb_is_refused_unopened(keep: Keep) -> None:
    data = rewritten(simple(), {"xl/worksheets/sheet1.xml": b" " * 300_000_000})

    assert refusal(data, keep).code == "too_much"


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml"])
def test_an_entity_bomb_is_refused(part: str, keep: Keep) -> None:
    bomb = (
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
        b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><x>&c;</x>'
    )

    assert refusal(rewritten(simple(), {part: bomb}), keep).code == "damaged"


def test_an_external_entity_is_not_fetched(keep: Keep) -> None:
    evil = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'

    assert refusal(rewritten(simple(), {"xl/worksheets/sheet1.xml": evil}), keep).code == "damaged"


def test_macros_are_refused(keep: Keep) -> None:
    assert refusal(rewritten(simple(), {"xl/vbaProject.bin": b"x"}), keep).code == "macros"


@pytest.mark.parametrize("data", [b"", b"id,text\r\n1,a\r\n", b"PK\x03\x04 not a zip", b"\x00" * 500, b"%PDF-1.7\n"])
def test_what_is_not_a_workbook_is_refused(data: bytes, keep: Keep) -> None:
    assert refusal(data, keep).code in ("empty", "mismatch", "damaged")


def test_a_file_over_the_limit_is_not_opened(keep: Keep) -> None:
    assert "must be smaller than 20 MB" in refusal(b"P" * 20_000_001, keep).message


def test_a_thousand_cells_that_share_one_long_text_are_counted_each_time(keep: Keep) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        page = book.add_worksheet()
        for row in range(1000):
            page.write_string(row, 0, "x" * 30_000)

    assert refusal(out.getvalue(), keep).code == "characters"


def test_a_cell_that_is_too_long_is_named(keep: Keep) -> None:
    rows = f'<row r="3"><c r="AB3" t="str"><v>{"ab" * 17_000}</v></c></row>'

    assert refusal(with_rows(rows), keep).message.startswith("Cell AB3 of the sheet “Sheet” holds more than 32,767")


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_mutated_workbook_is_read_or_refused_and_nothing_else(tmp_path: Path, data: st.DataObject) -> None:
    part = data.draw(st.sampled_from(["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml"]))
    whole = simple("=1+1")
    with zipfile.ZipFile(io.BytesIO(whole)) as package:
        old = package.read(part)
    at = data.draw(st.integers(0, len(old)))
    new = old[:at] + data.draw(st.binary(max_size=12)) + old[at + data.draw(st.integers(0, 12)) :]
    path = tmp_path / "mutated.xlsx"
    path.write_bytes(rewritten(whole, {part: new}))

    found = read(str(path), **LIMITS)

    assert "sheets" in found or found["refused"]


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b'\xef\xbb\xbfid,text\r\n1,"a, b"\r\n', [["id", "text"], ["1", "a, b"]]),
        ("id;text\n1;größer\n".encode("cp1252"), [["id", "text"], ["1", "größer"]]),
        ("id\ttext\n1\tgrößer\n".encode("utf-16"), [["id", "text"], ["1", "größer"]]),
        (b'id,text\n1,"two\nlines ""quoted"""\n\n\n', [["id", "text"], ["1", 'two\nlines "quoted"']]),
        (b'"a;b,c";d\n', [["a;b,c", "d"]]),
    ],
)
def test_a_csv_file_is_read_as_programs_write_it(data: bytes, rows: list[list[str]]) -> None:
    assert [[cell.text for cell in row] for row in read_csv(data).rows] == rows


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"  \n", "The file is empty"),
        (b'id,text\n1,"open\n2,b\n', "Line 2 has a quotation mark that is never closed"),
        (b"id,text\n1,\x00\n", "Line 2 has a character that is not text"),
        (b"a\n" * 20_001, "The file has more than 20,000 rows"),
        (b"," * 300, "Line 1 has more than 256 columns"),
        (b"a\n" + b"x" * 40_000, "A cell in line 2 holds more than 32,767 characters"),
    ],
)
def test_a_csv_file_that_cannot_be_read_is_refused_with_its_line(data: bytes, words: str) -> None:
    with pytest.raises(RefusedSheet, match=words):
        read_csv(data)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_csv_file_or_refused(data: bytes) -> None:
    with contextlib.suppress(RefusedSheet):
        read_csv(data)

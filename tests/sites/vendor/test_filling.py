"""A customer's own CAIQ comes back with our answers, and in everything else as it was."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from tests.factories.attestations import Desk
from tests.rules.exchange.workbooks import HEADER, caiq, hecvat
from tests.sites.conftest import Client
from tests.sites.vendor.test_exchange import mapped, workbook


def customers(control: str) -> bytes:
    """A CAIQ as it comes: styles, a drop-down, a picture of a chart, a formula, a title and a footer."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        first = book.add_worksheet("Introduction")
        first.write("A1", "Read me first", book.add_format({"bold": True}))
        sheet = book.add_worksheet("CAIQ")
        sheet.merge_range("A1:F1", "An invented questionnaire (CAIQ) version 4")
        sheet.write_row("A2", HEADER, book.add_format({"bg_color": "#ddeeff"}))
        boxed = book.add_format({"border": 1, "text_wrap": True})
        for number, key in enumerate((f"{control}.1", f"{control}.2", "ZZZ-99.1"), start=3):
            sheet.write(f"A{number}", key)
            sheet.write_blank(f"C{number}", None, boxed)
        sheet.write("C4", "No")
        sheet.data_validation("C3:C5", {"validate": "list", "source": ["Yes", "No", "NA"]})
        sheet.write_formula("H1", '=COUNTIF(C3:C5,"Yes")', None, 0)
        chart = book.add_chart({"type": "column"})
        chart.add_series({"values": "=CAIQ!$H$1:$H$1"})
        first.insert_chart("D4", chart)
    return out.getvalue()


def fill(client: Client, made: Desk, content: bytes, version: str = "4.0.7", name: str = "their caiq.xlsx") -> Any:
    return client.post(
        f"/exchange/fill/{made.assessment_id}",
        data={"file": (io.BytesIO(content), name), "version": version},
        content_type="multipart/form-data",
    )


def test_it_is_filled_where_it_was_empty_and_keeps_its_shape(quillmark: Desk, priya: Client) -> None:
    key = mapped(quillmark, "GRC-06")
    quillmark.save(key, {"choice": "yes", "comment": "Named in the <handbook> & signed."})
    content = customers("GRC-06")

    answer = fill(priya, quillmark, content)

    assert answer.status_code == 200
    assert "their caiq-filled.xlsx" in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(io.BytesIO(answer.get_data())) as after:
        assert before.namelist() == after.namelist()
        assert [name for name in before.namelist() if before.read(name) != after.read(name)] == [
            "xl/worksheets/sheet2.xml"
        ]
    sheet = openpyxl.load_workbook(io.BytesIO(answer.get_data()))["CAIQ"]
    assert [sheet[f"C{n}"].value for n in (3, 4, 5)] == ["Yes", "No", None]
    assert str(sheet["E3"].value).endswith(": Yes. Named in the <handbook> & signed.")
    assert sheet["C3"].border.left.style == "thin"
    assert sheet.data_validations.dataValidation[0].formula1 == '"Yes,No,NA"'
    assert sheet["H1"].value == '=COUNTIF(C3:C5,"Yes")'


def test_a_partial_answer_is_never_a_yes(quillmark: Desk, priya: Client) -> None:
    key = mapped(quillmark, "GRC-06")
    quillmark.save(key, {"choice": "partial", "comment": "In Lisbon."})
    sheet = openpyxl.load_workbook(io.BytesIO(fill(priya, quillmark, customers("GRC-06")).get_data()))["CAIQ"]
    assert sheet["C3"].value is None
    assert "Partly. In Lisbon." in str(sheet["E3"].value)


@pytest.mark.parametrize(
    ("content", "version", "words"),
    [
        (customers("GRC-06"), "4.0.12", "Our questions name controls of CCM 4.0.7; this file asks CCM 4.0.12"),
        (workbook(caiq({"GRC-06.1": ("", "")}, title="for CCM 4.0.12")), "4.0.7", "The file names CCM 4.0.12"),
        (workbook(hecvat({"COMP-01": ("", "")})), "4.0.7", "We do not write into a HECVAT"),
        (b"PK", "4.0.7", "The file is not a workbook"),
        (b"", "4.0.7", "The file is empty"),
    ],
)
def test_what_cannot_be_filled_is_refused_with_what_to_do(
    quillmark: Desk, priya: Client, content: bytes, version: str, words: str
) -> None:
    answer = fill(priya, quillmark, content, version)
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)


def test_the_page_names_the_versions_that_can_be_filled(quillmark: Desk, daniel: Client) -> None:
    page = daniel.get(f"/exchange/fill/{quillmark.assessment_id}").get_data(as_text=True)
    assert "CCM 4.0.7" in page
    assert "AICM 1.1" in page

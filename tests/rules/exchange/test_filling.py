"""Our answers in a customer's workbook: only what Yes, No and NA can say, and nothing else is touched."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.exchange.rules.external import layouts
from portal.exchange.rules.filling import NotWritten, fill, letters, told_of, written
from portal.questionnaires.rules import Answer, compile_yaml
from tests.rules.exchange.workbooks import caiq

FULL = compile_yaml((Path(__file__).parents[3] / "questionnaires" / "ai-contractor" / "v1.yaml").read_bytes(), "v1")
ONE = next(
    each
    for each in FULL.questions
    if each.kind == "ynp" and sum(other.maps.get("ccm") == each.maps.get("ccm") for other in FULL.questions) == 1
)
CONTROL = ONE.maps["ccm"]
PAIR = next(
    pair
    for control in sorted({each.maps["ccm"] for each in FULL.questions if "ccm" in each.maps})
    if len(pair := [each for each in FULL.questions if each.maps.get("ccm") == control and each.kind == "ynp"]) > 1
)
NUMBER = FULL.question("ret.days")


@pytest.mark.parametrize(
    ("answer", "written_answer", "words"),
    [
        (Answer(choice="yes", comment="Our CTO."), "Yes", "Yes. Our CTO."),
        (Answer(choice="no", comment="Nobody."), "No", "No. Nobody."),
        (Answer(na=True, na_reason="We are two."), "NA", "NA. We are two."),
        (
            Answer(choice="partial", comment="In Lisbon.", planned_on=date(2027, 1, 31)),
            "",
            "Partly. In Lisbon. Planned by 2027-01-31.",
        ),
    ],
)
def test_only_yes_no_and_na_are_written_as_answers(answer: Answer, written_answer: str, words: str) -> None:
    found = told_of(FULL, {ONE.key: answer}, "ccm", "4.0.7")[CONTROL]
    assert found.answer == written_answer
    assert found.words == f"{ONE.label}: {words}"


def test_a_number_is_told_in_words_only() -> None:
    found = told_of(FULL, {NUMBER.key: Answer(number=Decimal(14))}, "ccm", "4.0.7")[NUMBER.maps["ccm"]]
    assert (found.answer, found.words) == ("", f"{NUMBER.label}: 14 days.")


def test_answers_that_differ_leave_the_choice_to_a_person() -> None:
    one, other = PAIR[:2]
    found = told_of(FULL, {one.key: Answer(choice="yes"), other.key: Answer(choice="no")}, "ccm", "4.0.7")
    assert found[one.maps["ccm"]].answer == ""
    both = told_of(FULL, {one.key: Answer(choice="yes"), other.key: Answer(choice="yes")}, "ccm", "4.0.7")
    assert both[one.maps["ccm"]].answer == "Yes"


def test_another_version_of_the_catalogue_is_told_nothing() -> None:
    assert told_of(FULL, {ONE.key: Answer(choice="yes")}, "ccm", "4.0.12") == {}


def test_only_empty_rows_are_filled() -> None:
    pages = caiq(
        {f"{CONTROL}.1": ("", ""), f"{CONTROL}.2": ("No", ""), f"{CONTROL}.3": ("", "Ours."), "ZZZ-99.1": ("", "")}
    )
    found = fill(pages, layouts(pages), told_of(FULL, {ONE.key: Answer(choice="yes")}, "ccm", "4.0.7"))
    assert found.cells == {"CAIQv4.0.3": {"C4": "Yes", "E4": f"{ONE.label}: Yes.", "C6": "Yes"}}
    assert (found.answered, found.words_only, found.empty) == (2, 0, 1)


SHEET = (
    '<worksheet xmlns="x"><sheetData><row r="4" spans="1:7" ht="30">'
    '<c r="A4" s="2" t="s"><v>7</v></c><c r="C4" s="5"/><c r="F4"><f>A4</f><v>1</v></c></row>'
    '<row r="5"/></sheetData><dataValidations count="1"/></worksheet>'
)


def test_a_cell_is_replaced_in_its_style_and_added_in_its_place() -> None:
    found = written(SHEET, {"C4": "Yes", "E4": "Ours <&> theirs", "B5": "x"})
    cells = re.findall(r'<c r="([A-Z]+[0-9]+)"', found)
    assert cells == ["A4", "C4", "E4", "F4", "B5"]
    assert '<c r="C4" s="5" t="inlineStr"><is><t xml:space="preserve">Yes</t></is></c>' in found
    assert "Ours &lt;&amp;&gt; theirs" in found
    assert found.startswith(
        '<worksheet xmlns="x"><sheetData><row r="4" spans="1:7" ht="30"><c r="A4" s="2" t="s"><v>7</v></c>'
    )
    assert found.endswith('<dataValidations count="1"/></worksheet>')


def test_a_formula_stays() -> None:
    assert written(SHEET, {"F4": "Yes"}) == SHEET


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "<worksheet/>",
        SHEET.replace("<sheetData>", "<sheetData><!-- -->"),
        SHEET.replace('r="4" ', ""),
        SHEET.replace("<row", "<x:row").replace("</row", "</x:row"),
        SHEET.replace('r="C4" ', ""),
    ],
)
def test_a_sheet_of_another_hand_is_not_written(xml: str) -> None:
    with pytest.raises(NotWritten):
        written(xml, {"E4": "Yes"})


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(st.sampled_from(["A4", "B4", "C4", "E4", "AA4", "A5", "Z5"]), st.text(max_size=40), min_size=1))
def test_whatever_is_written_the_sheet_stays_well_formed_and_its_cells_in_order(cells: dict[str, str]) -> None:
    root = ElementTree.fromstring(written(SHEET, cells))  # noqa: S314 - written by us
    for row in root.iter("{x}row"):
        columns = [each.get("r", "").rstrip("0123456789") for each in row]
        assert columns == sorted(columns, key=lambda name: (len(name), name))


def test_columns_are_named_as_spreadsheets_do() -> None:
    assert [letters(each) for each in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]

"""Answers as cells, and cells read back as answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.exchange.rules.fields import fields_of
from portal.exchange.rules.grid import TypedGrid, grids_of, headings, shown
from portal.exchange.rules.sheet import COLUMNS, Base, Cells, Reading, entries_of, locked_cells, read, rendered
from portal.exchange.rules.typed import CellKind, Typed, guarded
from portal.questionnaires.rules import Kind, Question, parse_answer, to_json
from tests.rules.exchange.questions import EVERY, contents, question

YNP = question(Kind.YES_PARTIAL_NO)


def export(asked: Question, content: dict[str, Any]) -> tuple[dict[str, Cells], dict[str, TypedGrid]]:
    """Return what an export of an answer would come back as."""
    cells = {
        entry.id: Cells(*(Typed(guarded(text)) for text in rendered(entry, content, "Sheet")))
        for entry in entries_of(asked)
    }
    grids = {}
    for grid in grids_of(asked):
        rows = content.get("rows", []) if grid.field is None else content.get("details", {}).get(grid.field.key, [])
        grids[grid.id] = TypedGrid(
            ("row", *headings(grid)),
            tuple(
                (at, (Typed(str(at)), *(Typed(guarded(shown(c, row.get(c.key, "")))) for c in grid.columns)))
                for at, row in enumerate(rows, start=1)
            ),
        )
    return cells, grids


def said(asked: Question, content: dict[str, Any], answer: str = "", details: str = "", **more: Any) -> Reading:
    """Read a line of a question that was exported with an answer; what is not given stays empty."""
    line = Cells(Typed(answer), Typed(details), Typed(more.get("na_reason", "")))
    lines = {
        asked.key: line,
        **{f"{asked.key}#{key}": Cells(Typed(text)) for key, text in more.get("under", {}).items()},
    }
    return read(asked, Base(content, more.get("earlier")), lines, {}, sheet_names={asked.key: "Sheet"})


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_an_unedited_export_changes_nothing(data: st.DataObject) -> None:
    asked = data.draw(st.sampled_from(EVERY))
    content = data.draw(contents(asked))
    cells, grids = export(asked, content)
    gone = data.draw(st.sets(st.sampled_from([*cells, *grids])))

    reading = read(
        asked,
        Base(content),
        {name: line for name, line in cells.items() if name not in gone},
        {name: grid for name, grid in grids.items() if name not in gone},
        sheet_names={asked.key: "Sheet"},
    )

    assert (reading.touched, reading.problems, reading.content) == (False, (), content)


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_an_empty_sheet_changes_nothing(data: st.DataObject) -> None:
    asked = data.draw(st.sampled_from(EVERY))
    content = data.draw(contents(asked))

    reading = read(asked, Base(content), {entry.id: Cells() for entry in entries_of(asked)}, {})

    assert (reading.touched, reading.problems, reading.content) == (False, (), content)


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_the_form_of_an_answer_says_the_answer(data: st.DataObject) -> None:
    asked = data.draw(st.sampled_from(EVERY))
    content = data.draw(contents(asked))

    answer = parse_answer(asked, fields_of(asked, content), draft=True)

    assert to_json(answer) == content  # type: ignore[arg-type]


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_what_is_written_into_an_export_of_nothing_is_the_answer(data: st.DataObject) -> None:
    asked = data.draw(st.sampled_from([each for each in EVERY if each.kind not in (Kind.TABLE, Kind.FILE)]))
    content = data.draw(contents(asked))
    cells, grids = export(asked, content)
    new = {
        name: TypedGrid(grid.heads, tuple((at, (Typed(), *row[1:])) for at, row in grid.rows))
        for name, grid in grids.items()
    }

    reading = read(asked, Base({}), cells, new)

    # Rows that are empty are no rows.
    assert reading.problems == ()
    assert read(asked, Base(dict(reading.content)), *export(asked, dict(reading.content))).touched is False
    assert reading.content.get("choice") == content.get("choice")
    assert reading.content.get("number") == content.get("number")


@pytest.mark.parametrize(
    ("asked", "written", "kept"),
    [
        (YNP, "Partly", {"choice": "partial"}),
        (YNP, "partial", {"choice": "partial"}),
        (YNP, "ja", {"choice": "yes"}),
        (YNP, "Does not apply to us", {"na": True}),
        (YNP, "n/a", {"na": True}),
        (question(Kind.ONE_CHOICE), "iso", {"choice": "iso"}),
        (question(Kind.ONE_CHOICE), "SOC 2 Type 2; with exceptions", {"choice": "soc2"}),
        (question(Kind.MANY_CHOICES), "Type B; type a", {"choices": ["a", "b"]}),
        (question(Kind.MANY_CHOICES), "b", {"choices": ["b"]}),
        (question(Kind.NUMBER), "1.5 hours", {"number": "1.5"}),
        (question(Kind.DATE), "2026-12-31", {"date": "2026-12-31"}),
        (question(Kind.RANGE), "2026-01-01 to 2026-06-30", {"range": {"from": "2026-01-01", "to": "2026-06-30"}}),
        (question(Kind.TEXT), "It’s\u00a0so", {"text": "It’s so"}),
        (question(Kind.URL), "https://trust.example/", {"url": "https://trust.example/"}),
    ],
)
def test_an_answer_is_read_by_its_kind(asked: Question, written: str, kept: dict[str, Any]) -> None:
    reading = said(asked, {}, written)

    assert (reading.touched, reading.problems, dict(reading.content)) == (True, (), kept)


@pytest.mark.parametrize(
    ("asked", "written", "words"),
    [
        (YNP, "perhaps", "“perhaps” is not on offer. Choose one of: Yes, Partly, No"),
        (question(Kind.YES_NO_STRICT), "n/a", "“n/a” is not on offer. Choose one of: Yes, No"),
        (question(Kind.NUMBER), "1,500", "can be read as 1500 and as 1.500"),
        (question(Kind.DATE), "31/12/2026", "Write it like 2026-12-31"),
        (question(Kind.RANGE), "2026", "Write the first and the last day"),
        (question(Kind.URL), "javascript:alert(1)", "Enter a web address"),
        (question(Kind.TABLE), "a supplier", "Change the rows on its own sheet"),
        (question(Kind.FILE), "report.pdf", "Upload the file on the page"),
        (question(Kind.TEXT), "x" * 4_001, "Shorten the answer to 4,000 characters"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_write(asked: Question, written: str, words: str) -> None:
    reading = said(asked, {}, written)

    assert reading.touched
    assert words in " ".join(reading.problems)


@pytest.mark.parametrize(
    ("kind", "words"), [(CellKind.FORMULA, "holds a formula"), (CellKind.ERROR, "holds the error")]
)
def test_a_formula_is_no_answer_even_if_it_shows_one(kind: CellKind, words: str) -> None:
    reading = read(YNP, Base({"choice": "yes"}), {YNP.key: Cells(Typed("=A1", kind))}, {})

    assert words in reading.problems[0]


def test_true_and_false_cells_answer_yes_and_no() -> None:
    reading = read(YNP, Base({}), {YNP.key: Cells(Typed("TRUE", CellKind.TRUTH))}, {})

    assert reading.content == {"choice": "yes"}


def test_clear_blanks_one_cell_and_nothing_else() -> None:
    content = {"choice": "partial", "comment": "Half", "planned_on": "2026-12-31", "details": {"auditor": "A"}}

    assert said(YNP, content, "(clear)").content == {k: v for k, v in content.items() if k != "choice"}
    assert said(YNP, content, "", "(Clear)").content == {"choice": "partial", "details": {"auditor": "A"}}
    assert said(YNP, content, under={"auditor": "(clear)"}).content == {
        k: v for k, v in content.items() if k != "details"
    }


def test_clearing_what_is_blank_already_is_no_answer() -> None:
    assert said(YNP, {}, "(clear)").content == {}


def test_a_changed_cell_leaves_what_stands_beside_it() -> None:
    content = {"choice": "no", "comment": "Not yet", "details": {"auditor": "A", "size": "3"}}

    assert said(YNP, content, "yes").content == {**content, "choice": "yes"}
    assert said(YNP, content, under={"size": "4"}).content == {**content, "details": {"auditor": "A", "size": "4"}}


def test_the_day_of_the_rest_is_the_last_line_of_the_details() -> None:
    reading = said(YNP, {}, "partly", "Servers yes.\nLaptops not.\nplanned by 2026/12/31")

    assert reading.content == {"choice": "partial", "comment": "Servers yes.\nLaptops not.", "planned_on": "2026-12-31"}


def test_a_day_that_cannot_be_read_is_not_swallowed_as_a_comment() -> None:
    assert "Write it like 2026-12-31" in said(YNP, {}, "partly", "Half\nPlanned by: next year").problems[0]


def test_a_problem_under_a_question_names_its_line() -> None:
    assert said(YNP, {}, under={"ends": "soon"}).problems[0].startswith("7.2 Leavers, Ends on: “soon” is not a date")


def test_an_earlier_answer_left_alone_is_not_confirmed() -> None:
    reading = said(YNP, {}, earlier={"choice": "yes", "comment": "As ever"})

    assert (reading.touched, reading.content) == (False, {})


@pytest.mark.parametrize("written", ["(confirm)", "Yes", "yes", "y"])
def test_an_earlier_answer_is_confirmed_by_word_or_by_writing_it_again(written: str) -> None:
    earlier = {"choice": "yes", "comment": "As ever"}

    assert said(YNP, {}, written, earlier=earlier).content == earlier


def test_an_earlier_answer_can_be_confirmed_with_a_change() -> None:
    reading = said(YNP, {}, "(confirm)", "New words", earlier={"choice": "yes", "comment": "As ever"})

    assert reading.content == {"choice": "yes", "comment": "New words"}


def test_there_must_be_something_to_confirm() -> None:
    assert said(YNP, {}, "(confirm)").problems == (
        "There is no earlier answer to confirm here. Write the answer itself",
    )


def test_a_text_that_does_not_fit_into_a_cell_stays_as_it_is_and_says_so() -> None:
    asked = question(Kind.TEXT)
    long = {"text": "x" * 33_000}
    entry = entries_of(asked)[0]

    shown_text = rendered(entry, long)[0]

    assert "Too long for a cell: 33,000 characters" in shown_text
    assert said(asked, long, shown_text).touched is False


def test_a_line_says_what_its_question_says() -> None:
    entry = entries_of(question(Kind.NUMBER, guidance="Count all.", why="They keep keys."))[0]

    assert dict(zip(COLUMNS, locked_cells(entry, "People", "Yes"), strict=False)) == {
        "question_id": "x.number",
        "rev": "1",
        "domain": "People",
        "question": "7.2 How soon are accounts of leavers disabled?",
        "help": "Count all.\n\nWhy we ask: They keep keys.",
        "type": "Number, hours",
        "options": "Does not apply to us",
        "required now": "Yes",
    }


def test_every_field_below_a_question_has_a_line_and_every_table_a_sheet() -> None:
    assert [entry.id for entry in entries_of(YNP)] == [
        "x.yes_partial_no",
        "x.yes_partial_no#_instead",
        *(f"x.yes_partial_no#{key}" for key in ("auditor", "ends", "size", "type", "named", "page", "period")),
    ]
    assert [grid.id for grid in grids_of(question(Kind.TABLE))] == ["x.table", "x.table#suppliers"]

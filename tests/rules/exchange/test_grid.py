"""Tables on sheets of their own."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.exchange.rules.grid import Grid, GridReading, TypedGrid, grids_of, headings, read_grid, sheet_names
from portal.exchange.rules.typed import CellKind, Typed
from portal.questionnaires.rules import Column, Kind
from tests.rules.exchange.questions import question

GRID = grids_of(question(Kind.TABLE))[0]
ROWS = ({"name": "Acme", "people": "3"}, {"name": "Brume", "since": "2024-05-01", "kind": "a"})


def came(*rows: tuple[str, ...], heads: tuple[str, ...] = ("row", *headings(GRID))) -> GridReading:
    """Read a sheet with these rows on top of what was exported."""
    typed = tuple((at, tuple(Typed(cell) for cell in row)) for at, row in enumerate(rows, start=3))
    return read_grid(GRID, ROWS, TypedGrid(heads, typed))


def rows_in(reading: GridReading) -> list[dict[str, str]]:
    """Return the table of a reading."""
    found: dict[str, dict[str, str]] = {}
    for name, values in reading.fields.items():
        _, number, column = name.split(".")
        found.setdefault(number, {})[column] = values[0]
    return list(found.values())


ACME = ("1", "Acme", "", "3", "")
BRUME = ("2", "Brume", "2024-05-01", "", "Type A")


def test_rows_come_back_as_they_went() -> None:
    assert (came(ACME, BRUME).touched, rows_in(came(ACME, BRUME))) == (False, list(ROWS))


def test_the_order_of_rows_says_nothing() -> None:
    assert came(BRUME, ACME).touched is False


def test_the_order_of_columns_says_nothing() -> None:
    heads = ("Kind", "row", "Supplier", "People", "Works for you since")
    assert came(("", "1", "Acme", "3", ""), ("Type A", "2", "Brume", "", "2024-05-01"), heads=heads).touched is False


def test_a_row_that_is_gone_stays_and_the_report_says_so() -> None:
    reading = came(ACME)

    assert reading.touched is False
    assert "1 row is not in the file and stays" in reading.notes[0]


def test_a_row_is_removed_by_clear_in_its_first_column() -> None:
    assert rows_in(came(ACME, ("2", "(clear)", "", "", ""))) == [ROWS[0]]


def test_a_cell_is_blanked_by_clear() -> None:
    assert rows_in(came(ACME, ("2", "", "(clear)", "", ""))) == [ROWS[0], {"name": "Brume", "kind": "a"}]


def test_new_rows_follow_the_others() -> None:
    reading = came(("", "Corvid", "2025-01-01", "12", "b"), ACME, BRUME)

    assert rows_in(reading)[2] == {"name": "Corvid", "since": "2025-01-01", "people": "12", "kind": "b"}


def test_a_number_that_was_not_exported_is_refused_and_so_is_one_that_is_there_twice() -> None:
    assert "the number 9 in the column “row” is not one of ours" in came(("9", "X")).problems[0]
    assert "the number 1 in the column “row” is there twice" in came(ACME, ACME).problems[0]


def test_a_cell_that_cannot_be_read_is_named_by_line_and_column() -> None:
    reading = came(("1", "Acme", "spring", "3", ""))

    assert reading.problems[0].startswith("Leavers, line 3, Works for you since: “spring” is not a date")


def test_a_formula_in_a_table_is_refused() -> None:
    reading = read_grid(
        GRID, ROWS, TypedGrid(("row", *headings(GRID)), ((3, (Typed("1"), Typed("=B9", CellKind.FORMULA))),))
    )

    assert "holds a formula" in reading.problems[0]


def test_a_column_that_is_gone_is_asked_back() -> None:
    assert "The column “Supplier” of “Leavers” is gone" in came(heads=("row", "People")).problems[0]


@given(st.lists(st.sampled_from([ACME, BRUME, ("", "New", "", "", "")]), max_size=4), st.booleans())
@settings(deadline=None, max_examples=60)
def test_no_row_is_ever_lost_without_a_word(rows: list[tuple[str, ...]], blank: bool) -> None:
    reading = came(*rows, *((("1", "", "", "", ""),) if blank else ()))

    assert all(row in rows_in(reading) for row in ROWS)


def test_names_of_sheets_are_short_and_unique_and_hold_no_special_signs() -> None:
    grids = [
        Grid(
            f"x.{n}",
            question(Kind.TABLE, number=f"{n}.1"),
            "Suppliers: [all] / who? * 'our' very long list",
            (),
            5,
            "rows",
        )
        for n in (1, 1, 2)
    ]
    names = list(
        sheet_names([grids[0], Grid("y", grids[1].question, grids[1].label, (), 5, "rows"), grids[2]], ()).values()
    )

    assert all(len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names)
    assert len({name.casefold() for name in names}) == 3


def test_a_table_never_takes_the_name_of_another_sheet() -> None:
    named = Grid("x", question(Kind.TABLE, number=""), "Answers", (), 5, "rows")

    assert sheet_names([named], ("Start", "Answers")) == {"x": "Answers 2"}


def test_columns_with_one_label_are_headed_by_their_keys() -> None:
    grid = Grid("x", GRID.question, "T", (Column("a", "Name"), Column("b", "name"), Column("c", "Row")), 5, "rows")

    assert headings(grid) == ("a", "b", "c")

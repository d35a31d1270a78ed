"""The workbook itself: which cells are open, and where its drop-downs come from."""

from __future__ import annotations

import pytest
from openpyxl import Workbook

from portal.wiring import House
from tests.factories import office
from tests.factories.attestations import Desk
from tests.factories.attestations import desk as make_desk


@pytest.fixture
def desk(house: House) -> Desk:
    """A vendor that has answered nothing yet."""
    made = make_desk(house)
    made.settle_scoping()
    return made


def test_only_the_cells_of_answers_are_open(desk: Desk) -> None:
    def look(book: Workbook) -> None:
        assert all(book[name].protection.sheet for name in ("Start", "Answers", "_meta"))
        assert [book[name].sheet_state for name in ("_lists", "_meta")] == ["hidden", "hidden"]
        page = book["Answers"]
        heads = [cell.value for cell in page[1]]
        for row in page.iter_rows(min_row=2):
            opened = {str(head) for head, cell in zip(heads, row, strict=True) if not cell.protection.locked}
            found.add((str(row[0].value).partition("#")[1], frozenset(opened)))
            assert all(cell.number_format == "@" for cell in row if not cell.protection.locked)
        assert page.column_dimensions["O"].hidden

    found: set[tuple[str, frozenset[str]]] = set()
    office.saved(office.exported(desk), look)

    assert found == {
        ("", frozenset({"answer", "details", "NA reason", "evidence references"})),
        ("#", frozenset({"answer"})),
    }


def test_drop_downs_come_from_ranges(desk: Desk) -> None:
    def look(book: Workbook) -> None:
        for rule in book["Answers"].data_validations.dataValidation:
            formulas.add(str(rule.formula1))
            cells, _, column = str(rule.formula1).partition("!")
            letter = column.split("$")[1]
            names = [cell.value for cell in book["_lists"][letter] if cell.value]
            lists.add(tuple(map(str, names)))
            assert cells == "_lists"

    formulas: set[str] = set()
    lists: set[tuple[str, ...]] = set()
    office.saved(office.exported(desk), look)

    assert ("Yes", "Partly", "No", "Does not apply to us", "(clear)") in lists
    assert len(lists) == len(formulas)

"""Earlier answers that wait to be confirmed, taken along and brought back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from portal.exchange import offline
from portal.wiring import House
from tests.factories import office
from tests.factories.attestations import Desk
from tests.factories.renewing import NEW, RE_ATTEST, TO_CONFIRM, Renewal, renewal


def outcomes(line: offline.ImportLine) -> dict[str, str]:
    """Return what the comparison says of each question that it names."""
    return {each.key: str(each.outcome) for each in line.report.lines}


def round_trip(desk: Desk, data: bytes, folder: Path) -> offline.ImportLine:
    """Bring a file in."""
    return office.stage(desk, office.read(data, folder))


@pytest.fixture
def again(house: House) -> Renewal:
    """A vendor that signed last year and is asked the second version."""
    return renewal(house)


def test_an_earlier_answer_that_is_left_alone_is_not_confirmed(again: Renewal, tmp_path: Path) -> None:
    data = office.exported(again.desk)

    line = round_trip(again.desk, data, tmp_path)
    office.apply(again.desk, line)

    assert (outcomes(line), office.answers(again.desk)) == ({}, {})
    assert {key for key, each in again.lines().items() if each.waits} == set(TO_CONFIRM)


def test_an_earlier_answer_stands_in_the_state_and_not_in_the_answer(again: Renewal, tmp_path: Path) -> None:
    def look(book: Workbook) -> None:
        page = book["Answers"]
        heads = [cell.value for cell in page[1]]
        for row in page.iter_rows(min_row=2):
            told = dict(zip(heads, (cell.value for cell in row), strict=True))
            seen[str(told["question_id"])] = (told["answer"], told["state"])

    seen: dict[str, Any] = {}
    office.saved(office.exported(again.desk), look)

    assert seen["acc.mfa"][0] is None
    assert seen["acc.mfa"][1].startswith("To confirm. Earlier answer (small-renewal v1, 2025-12-04): Yes")
    assert seen[RE_ATTEST[0]][1].startswith("Not started. Earlier answer")
    assert seen[NEW[0]] == (None, "Not started")


def test_an_earlier_answer_is_confirmed_by_word_and_by_writing_it_again(again: Renewal, tmp_path: Path) -> None:
    lines = again.lines()
    data = office.answering(
        office.exported(again.desk), {"acc.mfa": "(confirm)", "dat.region": "yes", "acc.keys": "yes"}
    )

    line = round_trip(again.desk, data, tmp_path)
    applied = office.apply(again.desk, line)

    assert (applied.confirmed, applied.taken) == (("acc.mfa", "dat.region"), ("acc.keys",))
    assert office.answers(again.desk)["acc.mfa"] == dict(lines["acc.mfa"].content)
    assert again.lines()["acc.mfa"].settled == "confirmed"
    assert outcomes(round_trip(again.desk, data, tmp_path)) == {}


def test_a_changed_question_cannot_be_confirmed(again: Renewal, tmp_path: Path) -> None:
    line = round_trip(again.desk, office.answering(office.exported(again.desk), {RE_ATTEST[0]: "(confirm)"}), tmp_path)

    assert outcomes(line) == {RE_ATTEST[0]: "refused"}
    assert "no earlier answer to confirm" in line.report.lines[0].why[0]


def test_another_answer_than_the_earlier_one_is_an_answer(again: Renewal, tmp_path: Path) -> None:
    line = round_trip(again.desk, office.answering(office.exported(again.desk), {"acc.mfa": "no"}), tmp_path)

    assert office.apply(again.desk, line).taken == ("acc.mfa",)
    assert again.lines()["acc.mfa"].settled == "answered"

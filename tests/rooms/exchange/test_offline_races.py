"""A file that is taken while others write: nothing is lost, nothing is written twice."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from portal.attestations import service as attestations
from portal.exchange import reading
from portal.kernel.errors import Unavailable
from portal.wiring import House
from tests.factories import office
from tests.factories.attestations import Desk
from tests.factories.attestations import desk as make_desk
from tests.rooms.attestations.test_races import at_once

DAYS, NDA = "ret.days", "wrk.nda"


@pytest.fixture
def desk(house: House) -> Desk:
    """A vendor with two answers."""
    made = make_desk(house)
    made.settle_scoping()
    made.save(DAYS, {"number": "30"})
    made.save(NDA, {"choice": "yes"})
    return made


def versions(desk: Desk, key: str) -> list[int]:
    """Return the versions of an answer, the oldest first."""
    with desk.at(desk.admin.actor) as (tx, row):
        return [each.version for each in attestations.history(tx, row, key)][::-1]


def test_a_file_that_two_take_at_once_is_taken_once(desk: Desk, tmp_path: Path) -> None:
    data = office.answering(office.exported(desk), {DAYS: 45, NDA: "no"})
    line = office.stage(desk, office.read(data, tmp_path))

    first, second = at_once(lambda: office.apply(desk, line), lambda: office.apply(desk, line, actor=desk.admin.actor))

    assert set(first.taken) == set(second.taken) == {DAYS, NDA}
    assert (versions(desk, DAYS), versions(desk, NDA)) == ([1, 2], [1, 2])


def test_a_file_and_a_form_at_once_lose_neither_answer(desk: Desk, tmp_path: Path) -> None:
    for turn in range(6):
        data = office.answering(office.exported(desk), {DAYS: 100 + turn})
        line = office.stage(desk, office.read(data, tmp_path))
        before = len(versions(desk, DAYS))

        applied, _ = at_once(
            lambda line=line: office.apply(desk, line),
            lambda turn=turn, before=before: desk.save(DAYS, {"number": str(200 + turn)}, version=before),
        )

        stands = office.answers(desk)[DAYS]["number"]
        written = len(versions(desk, DAYS)) - before
        assert (written, stands) in {(1, str(100 + turn)), (1, str(200 + turn))}
        if stands == str(200 + turn):
            assert [key for key, _ in applied.left] == [DAYS]


def test_files_that_were_taken_away_online_do_not_come_back_with_an_old_copy(desk: Desk, tmp_path: Path) -> None:
    citation = desk.cite(DAYS, desk.file(file_name="deletion.pdf"))
    data = office.exported(desk)
    desk.house.clock.instant = desk.house.clock.instant.replace(minute=30)  # type: ignore[attr-defined]
    with desk.at(desk.respondent.actor) as (tx, row):
        attestations.uncite(tx, assessment=row, citation_id=citation)

    line = office.stage(desk, office.read(data, tmp_path))

    assert line.report.lines == ()
    assert office.apply(desk, line).files == 0


def test_files_wait_for_their_turn_and_say_so(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PATIENCE", 0)
    monkeypatch.setattr(reading, "_BUSY", threading.BoundedSemaphore(1))
    data = office.exported(desk)

    with reading._BUSY, pytest.raises(Unavailable, match="Try again in a minute"):
        office.read(data, tmp_path)
    assert office.read(data, tmp_path).lines

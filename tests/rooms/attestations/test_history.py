"""Versions of an answer: restored, confirmed, and a page that does not know that its words arrived."""

from __future__ import annotations

from uuid import UUID

import pytest

from portal.attestations import service as attestations
from portal.kernel.errors import Conflict, Refused
from portal.terms import Written
from tests.factories.attestations import Desk

KEY = "gov.owner"
PAGE, OTHER = UUID(int=1), UUID(int=2)


def write(desk: Desk, text: str, version: int, page: UUID | None = None, turn: int = 0, *, admin: bool = False) -> int:
    actor = desk.admin.actor if admin else desk.respondent.actor
    with desk.at(actor) as (tx, row):
        line = attestations.save_answer(
            tx,
            assessment=row,
            question_key=KEY,
            raw={"choice": "yes", "comment": text},
            version=version,
            turn=attestations.Turn(page, turn) if page else None,
        )
        return line.version


def texts(desk: Desk) -> list[str]:
    with desk.at(desk.respondent.actor) as (tx, row):
        return [each.answer.comment for each in attestations.history(tx, row, KEY)]


def test_a_page_whose_acknowledgement_was_lost_goes_on_over_its_own_words(desk: Desk) -> None:
    write(desk, "Our", 0, PAGE, 1)

    assert write(desk, "Our CTO", 0, PAGE, 2) == 2
    assert texts(desk) == ["Our CTO", "Our"]


def test_a_write_that_was_held_up_never_comes_over_a_later_one_of_its_page(desk: Desk) -> None:
    write(desk, "Our CTO", 0, PAGE, 2)

    with pytest.raises(Conflict):
        write(desk, "Our", 0, PAGE, 1)
    assert texts(desk) == ["Our CTO"]


def test_another_window_of_the_same_person_is_asked_like_anybody(desk: Desk) -> None:
    write(desk, "Here.", 0, PAGE, 1)

    with pytest.raises(Conflict):
        write(desk, "There.", 0, OTHER, 2)


def test_a_colleague_in_between_is_never_written_over(desk: Desk) -> None:
    write(desk, "Mine.", 0, PAGE, 1)
    write(desk, "Hers.", 1, OTHER, 1, admin=True)

    with pytest.raises(Conflict):
        write(desk, "Mine again.", 0, PAGE, 2)
    write(desk, "Mine, seen hers.", 2, PAGE, 3)
    with pytest.raises(Conflict):
        write(desk, "Mine, from before.", 0, PAGE, 4)


def test_the_history_says_how_each_version_came_about_and_can_be_read_on(desk: Desk) -> None:
    write(desk, "One.", 0)
    write(desk, "Two.", 1)
    with desk.at(desk.admin.actor) as (tx, row):
        line = attestations.restore(tx, assessment=row, question_key=KEY, to=1, version=2)
    assert (line.version, line.comment) == (3, "One.")

    with desk.at(desk.admin.actor) as (tx, row):
        found = attestations.history(tx, row, KEY)
        assert [(each.version, each.how, each.restored_version) for each in found] == [
            (3, Written.RESTORED, 1),
            (2, Written.TYPED, None),
            (1, Written.TYPED, None),
        ]
        assert [each.version for each in attestations.history(tx, row, KEY, before=3, limit=1)] == [2]


def test_restoring_what_stands_there_already_is_no_new_version(desk: Desk) -> None:
    write(desk, "One.", 0)
    with desk.at(desk.admin.actor) as (tx, row):
        assert attestations.restore(tx, assessment=row, question_key=KEY, to=1, version=1).version == 1


def test_restoring_over_words_that_were_not_seen_is_a_conflict(desk: Desk) -> None:
    write(desk, "One.", 0)
    write(desk, "Two.", 1)
    write(desk, "Three.", 2)
    with pytest.raises(Conflict) as refusal, desk.at(desk.admin.actor) as (tx, row):
        attestations.restore(tx, assessment=row, question_key=KEY, to=1, version=2)
    assert refusal.value.current["theirs"].comment == "Three."


def test_what_does_not_fit_the_question_of_today_is_not_restored(desk: Desk) -> None:
    from portal.attestations.models import AnswerEdit

    write(desk, "One.", 0)
    with desk.at(desk.admin.actor) as (tx, row):
        tx.session.add(
            AnswerEdit(
                id=tx.new_id(),
                vendor_id=desk.vendor_id,
                assessment_id=row.id,
                question_key=KEY,
                version=90,
                content={"choice": "of-an-earlier-version"},
                edited_by=desk.admin.id,
                edited_at=tx.now,
            )
        )
    with pytest.raises(Refused, match="The question changed since"), desk.at(desk.admin.actor) as (tx, row):
        attestations.restore(tx, assessment=row, question_key=KEY, to=90, version=1)

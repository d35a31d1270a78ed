"""Many questions at once are answered as each would be alone; a coming moment is foreseen, a past one refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.gate import service as gate
from portal.gate.rules import Question, Reason
from portal.kernel.actor import Actor, ActorKind, system
from portal.terms import Scope
from portal.wiring import House
from tests.factories.gate import make_clearance
from tests.factories.vendors import make_engagement, make_vendor

SYSTEM = system("test")


@pytest.fixture
def questions(house: House) -> list[Question]:
    """Six vendors, of which every other one is cleared, and one that nobody knows."""
    asked = [Question("nobody-knows", "D3", "A2", "ranking")]
    with house.ledger.begin(SYSTEM) as tx:
        for number in range(6):
            vendor = make_vendor(tx, f"Vendor {number}")
            engagement = make_engagement(tx, vendor, data_classes=[2, 3])
            if number % 2:
                make_clearance(tx, engagement)
            asked.append(Question(vendor.slug, "D3", "A2", "ranking"))
    return [*asked, asked[2], replace(asked[2], data_class="D9")]


@contextmanager
def counted(house: House) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    sa.event.listen(house.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(house.engine, "before_cursor_execute", note)


def test_many_at_once_are_answered_as_each_alone(house: House, questions: list[Question]) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        together = gate.answers(tx, questions)
        assert together == [gate.answer(tx, each) for each in questions]
        assert [each.allow for each in together] == [False, False, True, False, True, False, True, True, False]
        assert gate.answers(tx, []) == []


def test_a_batch_reads_the_database_no_more_often_than_one_question(house: House, questions: list[Question]) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        with counted(house) as one:
            gate.answers(tx, questions[2:3])
        with counted(house) as many:
            gate.answers(tx, questions)
    assert len(many) == len(one) <= 8


def test_gw_06_in_a_batch_too_a_vendor_that_was_not_given_is_nobody(house: House, questions: list[Question]) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        given = tx.session.execute(sa.text("SELECT id FROM vendor WHERE slug = 'vendor-1'")).scalar_one()
    actor = Actor(ActorKind.CLIENT, None, "c", scopes=frozenset({Scope.GATE_READ.value}), vendor_ids=frozenset({given}))
    with house.ledger.begin(actor) as tx:
        found = gate.answers(tx, [questions[2], questions[4], questions[0]])
    assert [each.reasons for each in found] == [(Reason.CLEARED,), (Reason.UNKNOWN_VENDOR,), (Reason.UNKNOWN_VENDOR,)]
    assert found[1] == replace(found[2], vendor=questions[4].vendor)


def test_a_coming_moment_is_foreseen_from_what_is_known_and_a_past_one_refused(
    house: House, questions: list[Question]
) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        end = gate.answer(tx, questions[2]).valid_until
        assert end is not None
        before = gate.answer_at(tx, questions[2], end - timedelta(seconds=1))
        after = gate.answer_at(tx, questions[2], end)
        assert (before.answer.allow, after.answer.allow) == (True, False)
        assert after.answer.reasons == (Reason.EXPIRED,)
        assert before.known_at == after.known_at == tx.now
        with pytest.raises(gate.Past):
            gate.answer_at(tx, questions[2], tx.now - timedelta(seconds=1))

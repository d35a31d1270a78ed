"""Calls of the gate are counted by the hour, beside the answers: none twice, none in the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.gate.counting import MOST_KEPT, Call, CallCounter, CallLine, call_of, calls, last_day
from portal.gate.rules import Answer, Question, Reason
from portal.identity import service as identity
from portal.kernel.actor import Actor, ActorKind, system
from portal.kernel.errors import Unavailable
from portal.terms import Scope
from portal.wiring import House
from tests.factories.vendors import make_vendor

HOUR = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture
def client_id(house: House) -> UUID:
    with house.ledger.begin(system("test")) as tx:
        made, _token = identity.create_client(
            tx, name="IAM", scopes=[Scope.GATE_READ], vendor_ids=None, expires_at=tx.now + timedelta(days=30)
        )
        make_vendor(tx, "Quillmark Annotation")
        make_vendor(tx, "Hollowbrook Linguistics")
        return made.id


@pytest.fixture
def counter(house: House) -> Iterator[CallCounter]:
    made = CallCounter(house.ledger, every=timedelta(days=1))
    yield made
    made.close()


def call(client_id: UUID, **changes: object) -> Call:
    return Call(HOUR, client_id, "quillmark-annotation", "D3", "A2", allowed=True)._replace(**changes)


def stored(house: House, since: datetime = HOUR, vendor: str = "quillmark-annotation") -> list[CallLine]:
    with house.ledger.begin(system("test")) as tx:
        vendor_id = tx.session.execute(sa.text("SELECT id FROM vendor WHERE slug = :s"), {"s": vendor}).scalar_one()
        return list(calls(tx, vendor_id, since))


def test_calls_of_one_hour_are_one_row_that_is_counted_up(house: House, counter: CallCounter, client_id: UUID) -> None:
    for _ in range(3):
        counter.count(call(client_id))
    counter.count(call(client_id, allowed=False))
    assert counter.flush() == 4
    counter.count(call(client_id))
    assert counter.flush() == 1

    assert stored(house) == [CallLine(client_id, "D3", "A2", 5, 4)]
    assert counter.flush() == 0


def test_hours_classes_modes_and_vendors_are_told_apart(house: House, counter: CallCounter, client_id: UUID) -> None:
    counter.count(call(client_id, hour=HOUR - timedelta(hours=1)))
    counter.count(call(client_id, access_mode="A3"))
    counter.count(call(client_id, vendor="hollowbrook-linguistics"))
    counter.flush()

    assert [(each.access_mode, each.calls) for each in stored(house)] == [("A3", 1)]
    assert sum(each.calls for each in stored(house, HOUR - timedelta(hours=1))) == 2
    assert sum(each.calls for each in stored(house, vendor="hollowbrook-linguistics")) == 1


def test_what_the_database_could_not_take_is_kept_and_written_later(
    house: House, counter: CallCounter, client_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter.count(call(client_id))

    def away(_actor: object) -> None:
        raise Unavailable("The database is away.")

    monkeypatch.setattr(counter, "_ledger", type("Away", (), {"begin": staticmethod(away)}))
    assert counter.flush() == 0
    counter.count(call(client_id))
    monkeypatch.setattr(counter, "_ledger", house.ledger)

    counter.close()

    assert [each.calls for each in stored(house)] == [2]


def test_memory_is_bounded_while_the_database_is_away(counter: CallCounter, client_id: UUID) -> None:
    for number in range(MOST_KEPT + 10):
        counter.count(call(client_id, vendor=f"v{number}"))
    counter.count(call(client_id, vendor="v0"))

    assert len(counter._counts) == MOST_KEPT
    assert counter._counts.total() == MOST_KEPT + 1


def test_two_processes_that_write_at_once_lose_nothing(house: House, client_id: UUID) -> None:
    counters = [CallCounter(house.ledger, every=timedelta(days=1)) for _ in range(4)]
    names = ("D1", "D2", "D3", "D4")

    def work(counter: CallCounter, turn: int) -> None:
        for _ in range(5):
            for name in names[turn:] + names[:turn]:
                counter.count(call(client_id, data_class=name))
            counter.flush()

    threads = [Thread(target=work, args=(each, turn)) for turn, each in enumerate(counters)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in counters:
        each.close()

    assert sorted((each.data_class, each.calls) for each in stored(house)) == [(name, 20) for name in names]


def test_calls_of_one_vendor_are_walled_off_from_another(house: House, counter: CallCounter, client_id: UUID) -> None:
    counter.count(call(client_id))
    counter.flush()
    with house.ledger.begin(system("test")) as tx:
        other = make_vendor(tx, "Northpier Labelling").id

    with house.ledger.begin(Actor(ActorKind.PERSON, id=UUID(int=7), name="Priya", vendor_id=other)) as tx:
        assert tx.session.execute(sa.text("SELECT count(*) FROM gate_call")).scalar_one() == 0


def test_a_question_about_a_stranger_is_counted_for_nobody_and_nonsense_under_nothing(client_id: UUID) -> None:
    question = Question("quillmark-annotation", "D99", "DROP", "ranking")
    given = Answer(False, (Reason.UNKNOWN_DATA_CLASS,), "quillmark-annotation", 4, HOUR.replace(minute=31), None)
    assert call_of(client_id, question, given) == call(client_id, data_class="", access_mode="", allowed=False)
    stranger = Answer(False, (Reason.UNKNOWN_VENDOR,), "nobody", 0, HOUR, None)
    assert call_of(client_id, question, stranger) is None


def test_the_last_day_is_the_hour_that_runs_and_23_before_it() -> None:
    assert last_day(HOUR.replace(minute=59)) == datetime(2026, 11, 23, 10, tzinfo=UTC)

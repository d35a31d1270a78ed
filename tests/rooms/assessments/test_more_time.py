"""Asking for a later due date: at most one open request, an answer by the lab, and both in the trail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
import sqlalchemy as sa

from portal.assessments import more_time
from portal.assessments import service as assessments
from portal.assessments.models import Assessment, MoreTime
from portal.audit.models import AuditEvent
from portal.kernel.actor import system
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.policy import Action
from portal.terms import AssessmentState, MoreTimeState, Role
from portal.wiring import House
from tests.factories.attestations import Desk, desk
from tests.factories.identity import Person, person

DUE = date(2026, 12, 22)
LATER = date(2027, 1, 15)


@pytest.fixture
def asked(house: House) -> Desk:
    return desk(house)


@pytest.fixture
def ines(house: House) -> Person:
    return person(house, roles=[Role.REVIEWER], name="Ines Valdarno")


def ask(made: Desk, wished_on: date | None = LATER, reason: str = "Two of us are ill.") -> Any:
    with made.at(made.respondent.actor) as (tx, row):
        return more_time.ask_more_time(tx, assessment=row, wished_on=wished_on, reason=reason).id


def agree(made: Desk, who: Person, request_id: Any, until: date | None = LATER, words: str = "") -> None:
    with made.house.ledger.begin(who.actor) as tx:
        row = assessments.get(tx, made.assessment_id, Action.MORE_TIME_ANSWER)
        more_time.agree_more_time(tx, assessment=row, request_id=request_id, until=until, words=words)


def decline(made: Desk, who: Person, request_id: Any, words: str = "We decide in December.") -> None:
    with made.house.ledger.begin(who.actor) as tx:
        row = assessments.get(tx, made.assessment_id, Action.MORE_TIME_ANSWER)
        more_time.decline_more_time(tx, assessment=row, request_id=request_id, words=words)


def newest(made: Desk) -> more_time.MoreTimeLine:
    with made.at(made.admin.actor) as (tx, row):
        found = more_time.more_time_of(tx, row)
    assert found is not None
    return found


def due(made: Desk) -> date:
    with made.at(made.admin.actor) as (_, row):
        return row.due_on


def trail(house: House) -> list[str]:
    with house.ledger.begin(system("test")) as tx:
        found = tx.session.execute(sa.select(AuditEvent.fact).order_by(AuditEvent.seq)).scalars()
        return [each for each in found if each.startswith("more_time")]


def test_the_lab_agrees_and_the_due_date_moves(house: House, asked: Desk, ines: Person) -> None:
    assert due(asked) == DUE
    request_id = ask(asked)
    assert newest(asked).is_open
    assert due(asked) == DUE

    agree(asked, ines, request_id, until=date(2027, 1, 8), words="Until the 8th.")

    assert due(asked) == date(2027, 1, 8)
    line = newest(asked)
    assert (line.state, line.agreed_on, line.words) == (MoreTimeState.AGREED, date(2027, 1, 8), "Until the 8th.")
    assert (line.due_on, line.wished_on, line.asked_by) == (DUE, LATER, "Priya Raghunath")
    assert trail(house) == ["more_time_asked", "more_time_agreed"]


def test_the_lab_declines_with_words_and_the_day_stays(house: House, asked: Desk, ines: Person) -> None:
    request_id = ask(asked)
    with pytest.raises(Refused) as refused:
        decline(asked, ines, request_id, words="  ")
    assert refused.value.problems == {"words": ["Say why. The vendor reads this"]}

    decline(asked, ines, request_id)

    assert due(asked) == DUE
    assert newest(asked).words == "We decide in December."
    assert trail(house) == ["more_time_asked", "more_time_declined"]
    ask(asked, reason="We really need it.")
    assert newest(asked).is_open


def test_there_is_at_most_one_open_request(asked: Desk) -> None:
    ask(asked)

    with pytest.raises(Conflict, match="waits for an answer"):
        ask(asked)


def test_of_two_who_ask_at_once_one_is_told_that_it_was_asked(asked: Desk) -> None:
    outcomes = at_once(lambda: ask(asked), lambda: ask(asked))

    assert sorted(type(each).__name__ for each in outcomes) == ["Conflict", "UUID"]


def test_of_two_who_answer_at_once_one_wins(house: House, asked: Desk, ines: Person) -> None:
    request_id = ask(asked)
    hana = person(house, roles=[Role.LEAD_APPROVER], name="Hana Kobayashi")

    outcomes = at_once(lambda: agree(asked, ines, request_id), lambda: decline(asked, hana, request_id))

    assert sorted(type(each).__name__ for each in outcomes) == ["Conflict", "NoneType"]
    agreed = newest(asked).state is MoreTimeState.AGREED
    assert due(asked) == (LATER if agreed else DUE)
    assert len(trail(house)) == 2


@pytest.mark.parametrize(
    ("wished_on", "reason", "problems"),
    [
        (None, "Ill.", {"wished_on": ["Enter the day you need"]}),
        (DUE, "Ill.", {"wished_on": ["The day must be after the one it is due on now, 22 December 2026"]}),
        (DUE + timedelta(days=800), "Ill.", {"wished_on": ["The day must be within one year"]}),
        (LATER, " ", {"reason": ["Say what the time is needed for"]}),
        (LATER, "x" * 1_001, {"reason": ["Shorten this to 1,000 characters; it has 1,001"]}),
    ],
)
def test_what_is_wrong_with_a_request_is_said_at_its_field(
    asked: Desk, wished_on: date | None, reason: str, problems: dict[str, list[str]]
) -> None:
    with pytest.raises(Refused) as refused:
        ask(asked, wished_on, reason)

    assert refused.value.problems == problems


def test_a_day_that_has_passed_is_not_more_time(asked: Desk, clock: Any) -> None:
    clock.advance(days=40)

    with pytest.raises(Refused) as refused:
        ask(asked, DUE + timedelta(days=2))
    assert refused.value.problems == {"wished_on": ["The day must be after today"]}


def test_what_is_signed_has_no_day_to_move(house: House, asked: Desk, ines: Person) -> None:
    request_id = ask(asked)
    asked.complete()
    asked.sign()

    with pytest.raises(Conflict, match="submitted and waits for a reviewer"):
        ask(asked)
    with pytest.raises(Conflict, match="submitted and waits for a reviewer"):
        agree(asked, ines, request_id)
    assert due(asked) == DUE
    with house.ledger.begin(ines.actor) as tx:
        assert more_time.more_time_waiting(tx, asked.vendor_id) == {}


def test_only_the_vendors_people_ask_and_only_the_lab_answers(house: House, asked: Desk, ines: Person) -> None:
    request_id = ask(asked)
    stranger = person(
        house, roles=[Role.VENDOR_ADMIN], vendor=desk(house, name="Northpier").vendor_id, name="A Stranger"
    )

    with pytest.raises(Forbidden):
        agree(asked, asked.admin, request_id)
    with pytest.raises(Forbidden), house.ledger.begin(ines.actor) as tx:
        row = tx.session.get_one(Assessment, asked.assessment_id)
        more_time.ask_more_time(tx, assessment=row, wished_on=LATER, reason="For them.")
    with pytest.raises(NotFound), house.ledger.begin(stranger.actor) as tx:
        assessments.get(tx, asked.assessment_id, Action.MORE_TIME_ASK)
    with house.ledger.begin(stranger.actor) as tx:
        assert tx.session.execute(sa.select(sa.func.count()).select_from(MoreTime)).scalar_one() == 0


def test_a_later_day_does_not_disturb_a_page_that_is_about_to_sign(asked: Desk, ines: Person) -> None:
    request_id = ask(asked)
    asked.complete()
    form = asked.form()
    agree(asked, ines, request_id)

    asked.sign(**form)

    with asked.at(asked.admin.actor) as (_, row):
        assert row.state is AssessmentState.SUBMITTED


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run them in threads of their own that begin together; return what each gave, or raised."""
    gate, found = Barrier(len(acts)), [None] * len(acts)

    def run(number: int) -> None:
        gate.wait()
        try:
            found[number] = acts[number]()
        except Exception as failure:
            found[number] = failure

    threads = [Thread(target=run, args=(number,)) for number in range(len(acts))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return found

"""A mail is a row and a job, in the transaction that gave the reason for it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.delivery import queries, service
from portal.delivery.models import Mail
from portal.kernel.actor import Actor, ActorKind, system
from portal.kernel.errors import Conflict, Refused
from portal.terms import MailState, Role
from tests.rooms.delivery.world import JOB, SIGN_IN, jobs_of, only_mail, queue_mail

ACTOR = system("test")
ADMIN = Actor(
    kind=ActorKind.PERSON, id=UUID(int=9), name="Ines Vidal", roles=frozenset({Role.PROGRAM_ADMIN}), fresh=True
)
THE_VENDOR = UUID(int=11)
VENDOR_PERSON = Actor(
    kind=ActorKind.PERSON,
    id=UUID(int=12),
    name="Ada",
    vendor_id=THE_VENDOR,
    roles=frozenset({Role.VENDOR_ADMIN}),
)


def test_a_mail_and_its_job_appear_together(house) -> None:
    queue_mail(house)

    mail = only_mail(house)
    assert mail.state is MailState.QUEUED
    assert jobs_of(house) == [("deliver_mail", {"mail_id": str(mail.id)}, "todo")]


def test_a_rollback_leaves_neither_mail_nor_job(house) -> None:
    with pytest.raises(ZeroDivisionError), house.ledger.begin(ACTOR) as tx:
        service.send(tx, **SIGN_IN)
        service.enqueue(tx, JOB, number=1)
        raise ZeroDivisionError

    with house.ledger.begin(ACTOR) as tx:
        assert tx.session.execute(sa.select(sa.func.count()).select_from(Mail)).scalar_one() == 0
    assert jobs_of(house) == []


def test_saying_it_twice_sends_it_once(house) -> None:
    queue_mail(house)
    queue_mail(house)

    only_mail(house)
    assert len(jobs_of(house)) == 1


def test_a_vendors_person_can_queue_mail_and_jobs_but_sees_no_other_vendors_mail(house) -> None:
    queue_mail(house)
    with house.ledger.begin(VENDOR_PERSON) as tx:
        service.send(tx, **{**SIGN_IN, "dedupe_key": "theirs"})
        service.enqueue(tx, JOB, number=1)
    with house.ledger.begin(VENDOR_PERSON) as tx:
        seen = tx.session.execute(sa.select(Mail)).scalars().all()

    assert [mail.vendor_id for mail in seen] == [THE_VENDOR]


def test_the_applications_role_can_only_add_to_the_queue(house) -> None:
    for statement in (
        "SELECT args FROM procrastinate_jobs",
        "UPDATE procrastinate_jobs SET status = 'failed'",
        "DELETE FROM procrastinate_jobs",
        "SELECT procrastinate_fetch_job_v2(NULL, 1)",
        "SELECT * FROM procrastinate_workers",
        "UPDATE parked_job SET reason = 'x'",
    ):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), house.ledger.begin(ACTOR) as tx:
            tx.session.execute(sa.text(statement))


def test_one_job_waits_under_one_key(house) -> None:
    with house.ledger.begin(ACTOR) as tx:
        first = service.enqueue(tx, JOB, once="digest", number=1)
        second = service.enqueue(tx, JOB, once="digest", number=2)
        service.enqueue(tx, JOB, number=3)

    assert (first, second) == (True, False)
    assert [args for _name, args, _status in jobs_of(house)] == [{"number": 1}, {"number": 3}]


@pytest.mark.parametrize(
    "address",
    [
        "ada@acme.example\r\nBcc: all@acme.example",
        "ada@acme.example\nBcc: all@acme.example",
        "ada@acme.example, all@acme.example",
        "Ada <ada@acme.example>",
        "ada@acme.example bob@acme.example",
        "ada@@acme.example",
        "ada",
        "",
        "@acme.example",
        "ada@-",
    ],
)
def test_an_address_that_is_not_one_plain_address_is_refused(house, address) -> None:
    with pytest.raises(Refused) as refusal, house.ledger.begin(ACTOR) as tx:
        service.send(tx, **{**SIGN_IN, "to_address": address})

    assert refusal.value.problems == {"to_address": ["Enter one e-mail address, for example name@company.example"]}


def test_the_database_refuses_such_an_address_too(house) -> None:
    queue_mail(house)
    with pytest.raises(sa.exc.IntegrityError, match="ck_mail_address_plain"), house.ledger.begin(ACTOR) as tx:
        tx.session.execute(sa.update(Mail).values(to_address="a@b.example\nBcc: c@d.example"))


def test_a_context_that_does_not_fit_the_kind_is_found_when_it_is_sent(house) -> None:
    with pytest.raises(ValueError, match="at"), house.ledger.begin(ACTOR) as tx:
        service.send(tx, **{**SIGN_IN, "context": {}})


def test_only_one_of_two_workers_gets_a_mail(house, clock) -> None:
    queue_mail(house)
    mail_id = only_mail(house).id
    with house.ledger.begin(ACTOR) as tx:
        assert service.claim(tx, mail_id) is not None

    with pytest.raises(service.NotYet) as refusal, house.ledger.begin(ACTOR) as tx:
        service.claim(tx, mail_id)

    assert refusal.value.until == clock.instant + timedelta(seconds=60)


def test_a_worker_that_lost_its_mail_cannot_write_what_became_of_it(house, clock) -> None:
    queue_mail(house)
    mail_id = only_mail(house).id
    with house.ledger.begin(ACTOR) as tx:
        frozen = service.claim(tx, mail_id)
    clock.advance(seconds=61)
    with house.ledger.begin(ACTOR) as tx:
        other = service.claim(tx, mail_id)

    with house.ledger.begin(ACTOR) as tx:
        assert not service.failed(tx, frozen, reason="late", again_in=None)
        assert not service.sent(tx, frozen, transport="smtp")
        assert not service.dropped(tx, frozen, reason="late")
        assert service.sent(tx, other, transport="smtp")
    with house.ledger.begin(ACTOR) as tx:
        assert not service.sent(tx, frozen, transport="smtp")

    assert only_mail(house).state is MailState.SENT


def test_a_parked_mail_can_be_sent_again_and_a_waiting_one_cannot(house) -> None:
    queue_mail(house)
    mail_id = only_mail(house).id
    with pytest.raises(Conflict), house.ledger.begin(ACTOR) as tx:
        service.send_again(tx, mail_id)
    with house.ledger.begin(ACTOR) as tx:
        assert service.park(tx, mail_id, reason="The address is unknown.")
    with house.ledger.begin(ADMIN) as tx:
        assert queries.backlog(tx).failed == 1

    with house.ledger.begin(ACTOR) as tx:
        service.send_again(tx, mail_id)

    again = only_mail(house)
    assert (again.state, again.attempts, again.last_error) == (MailState.QUEUED, 0, "")
    assert len(jobs_of(house)) == 2


def test_reasons_carry_no_links() -> None:
    from portal.delivery.rules import reason

    assert reason("550 blocked https://g.example/invitation/abc\r\nX: y") == "550 blocked (link) X: y"

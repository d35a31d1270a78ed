"""deliver_mail: sent once, kept in development, waiting in production without a server, retried, parked, dropped."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from portal.delivery import rules, service
from portal.jobs.mail import deliver_mail
from portal.kernel.actor import system
from portal.terms import MailState
from portal.wiring import House
from tests.rooms.delivery.test_transport import Letterbox, free_port
from tests.rooms.delivery.world import jobs_of, only_mail, queue_mail


@pytest.fixture
def serve(house: House) -> Any:
    """Point the house at a mail server that answers as told."""
    running: list[Controller] = []

    def start(box: Letterbox) -> None:
        controller = Controller(box, hostname="127.0.0.1", port=free_port())
        controller.start()
        running.append(controller)
        house.settings = dataclasses.replace(house.settings, smtp_url=f"smtp://127.0.0.1:{controller.port}")

    yield start
    for each in running:
        each.stop()


def deliver(house: House) -> None:
    deliver_mail(house, mail_id=str(only_mail(house).id))


def test_a_mail_is_sent_once_however_often_its_job_runs(house, serve: Callable[..., None]) -> None:
    box = Letterbox()
    serve(box)
    queue_mail(house)

    deliver(house)
    deliver(house)

    mail = only_mail(house)
    assert (mail.state, mail.transport, mail.attempts, mail.not_before) == (MailState.SENT, "smtp", 1, None)
    assert len(box.envelopes) == 1


def test_in_development_without_a_server_it_is_kept_for_the_mail_page(house) -> None:
    queue_mail(house)
    deliver(house)
    assert (only_mail(house).state, only_mail(house).transport) == (MailState.SENT, "kept for the mail page")


def test_in_production_without_a_server_it_waits_for_ever_and_says_why(house, clock) -> None:
    house.settings = dataclasses.replace(house.settings, env="production")
    queue_mail(house)

    for _ in range(rules.MOST_TRIES + 5):
        deliver(house)
        clock.advance(hours=2)

    mail = only_mail(house)
    assert mail.state is MailState.QUEUED
    assert mail.last_error == "No mail server is set. Set GATEHOUSE_SMTP_URL; the mail then leaves by itself."


def test_a_server_that_is_away_is_tried_again_later_and_then_gets_it(house, clock, serve) -> None:
    house.settings = dataclasses.replace(house.settings, smtp_url=f"smtp://127.0.0.1:{free_port()}")
    queue_mail(house)

    deliver(house)

    waiting = only_mail(house)
    assert waiting.state is MailState.QUEUED
    assert waiting.last_error == "The mail server could not be reached (ConnectionRefusedError)."
    assert clock.instant + timedelta(seconds=10) <= waiting.not_before <= clock.instant + timedelta(seconds=20)
    assert len(jobs_of(house)) == 2
    box = Letterbox()
    serve(box)
    clock.advance(seconds=21)
    deliver(house)
    assert only_mail(house).state is MailState.SENT
    assert len(box.envelopes) == 1


def test_a_job_that_comes_too_early_makes_one_for_the_right_moment(house) -> None:
    queue_mail(house)
    with house.ledger.begin(system("test")) as tx:
        service.claim(tx, only_mail(house).id)

    deliver(house)

    assert only_mail(house).attempts == 1
    assert [name for name, _args, _status in jobs_of(house)] == ["deliver_mail", "deliver_mail"]


def test_an_address_that_the_server_refuses_is_parked_at_once(house, serve) -> None:
    serve(Letterbox(rcpt="550 5.1.1 no such person"))
    queue_mail(house)

    deliver(house)

    mail = only_mail(house)
    assert (mail.state, mail.last_error) == (MailState.FAILED, "The mail server said 550: 5.1.1 no such person")


def test_a_server_that_stays_away_parks_the_mail_in_the_end(house, clock, serve) -> None:
    serve(Letterbox(data="451 busy"))
    queue_mail(house)

    for _ in range(rules.MOST_TRIES):
        deliver(house)
        clock.advance(hours=1)

    mail = only_mail(house)
    assert (mail.state, mail.attempts) == (MailState.FAILED, rules.MOST_TRIES)
    assert mail.last_error == "The mail server said 451: busy Tried 25 times."


def test_a_mail_that_cannot_be_made_is_parked_after_three_tries(house, clock) -> None:
    house.settings = dataclasses.replace(house.settings, mail_from="not an address")
    queue_mail(house)

    for _ in range(3):
        deliver(house)
        clock.advance(hours=1)

    mail = only_mail(house)
    assert mail.state is MailState.FAILED
    assert mail.last_error.startswith("It could not be made (")


def test_a_link_that_is_over_drops_the_mail(house, serve) -> None:
    box = Letterbox()
    serve(box)
    context = {
        "invitation_id": "00000000-0000-7000-8000-00000000ffff",
        "expires_at": "2026-12-01T09:00:00Z",
        "roles": ["reviewer"],
    }
    queue_mail(house, kind="invitation", context=context)

    deliver(house)

    assert only_mail(house).state is MailState.DROPPED
    assert box.envelopes == []

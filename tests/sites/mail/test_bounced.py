"""flask mail: what comes back is noted once, and nothing that is no report does any harm."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.delivery import service as delivery
from portal.delivery.models import Mail
from portal.kernel.actor import system
from portal.terms import MailState
from portal.wiring import House
from tests.rules.delivery.test_bounces import report

ADDRESS = "lena.brandt@quillmark.example"


@pytest.fixture
def sent(house: House) -> UUID:
    """A mail that left."""
    with house.ledger.begin(system("test")) as tx:
        context = {"at": tx.now, "change": "password"}
        delivery.send(
            tx, kind="account_changed", to_address=ADDRESS, to_name="Lena", context=context, dedupe_key="a mail"
        )
        mail = tx.session.scalars(sa.select(Mail)).one()
        mail.state, mail.sent_at, mail.transport = MailState.SENT, tx.now, "smtp"
        return mail.id


def reason(house: House, mail_id: UUID) -> str:
    with house.ledger.begin(system("test")) as tx:
        return tx.session.get_one(Mail, mail_id).bounce_reason


def test_a_report_is_noted_once_with_the_servers_words(app: Flask, house: House, sent: UUID) -> None:
    runner = app.test_cli_runner()

    first = runner.invoke(args=["mail", "report"], input=report(mail=sent))
    second = runner.invoke(args=["mail", "report"], input=report(mail=sent))

    assert (first.exit_code, first.output) == (0, "1 mail noted as not delivered.\n")
    assert (second.exit_code, second.output) == (0, "Nothing to note.\n")
    assert reason(house, sent).startswith("550 5.1.1")


@pytest.mark.parametrize("raw", [b"", b"Subject: hello\r\n\r\nHm.", b"\xff\x00" * 100, report()])
def test_what_tells_of_no_mail_of_ours_never_bounces_itself(app: Flask, house: House, sent: UUID, raw: bytes) -> None:
    answer = app.test_cli_runner().invoke(args=["mail", "report"], input=raw)

    assert (answer.exit_code, reason(house, sent)) == (0, "")


def test_by_hand_the_newest_mail_to_an_address_is_noted(app: Flask, house: House, sent: UUID) -> None:
    runner = app.test_cli_runner()

    noted = runner.invoke(args=["mail", "bounced", ADDRESS.upper(), "--reason", "the mailbox is full"])
    again = runner.invoke(args=["mail", "bounced", ADDRESS])

    assert noted.exit_code == 0
    assert reason(house, sent) == "the mailbox is full"
    assert again.exit_code == 1
    assert "No mail to" in again.output

"""What a delivery report says of our mail, and what is none (RFC 3464)."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.delivery.bounces import Bounce, read_report

MAIL = UUID("018f6c1e-7a55-7cc2-9d3e-3a7b5c1d2e4f")
OTHER = UUID("018f6c1e-7a55-7cc2-9d3e-000000000000")

REPORT = """\
Return-Path: <>
From: MAILER-DAEMON@mx.orrery.example (Mail Delivery System)
To: gatehouse@orrery.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B1"
{head}
--B1
Content-Type: text/plain; charset=us-ascii

I could not deliver your message.

--B1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.orrery.example
Arrival-Date: Mon, 30 Nov 2026 09:00:00 +0000

Final-Recipient: rfc822; Lena.Brandt@quillmark.example
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <lena.brandt@quillmark.example>:
    no such mailbox

{returned}
--B1--
"""
HEADERS = """\
--B1
Content-Type: text/rfc822-headers

From: gatehouse@orrery.example
Message-ID: <{mail}@orrery.example>
Subject: Accept your invitation
"""
WHOLE = """\
--B1
Content-Type: message/rfc822

From: gatehouse@orrery.example
Message-ID: <{mail}@orrery.example>
Content-Type: text/plain

Open the link.
"""


def report(*, action: str = "failed", returned: str = HEADERS, head: str = "", mail: object = MAIL) -> bytes:
    return REPORT.format(action=action, head=head, returned=returned.format(mail=mail)).replace("\n", "\r\n").encode()


@pytest.mark.parametrize("returned", [HEADERS, WHOLE], ids=["its headers", "the whole mail"])
def test_a_report_of_a_failure_names_the_mail_the_address_and_why(returned: str) -> None:
    why = "550 5.1.1 <lena.brandt@quillmark.example>: no such mailbox"
    assert read_report(report(returned=returned)) == (Bounce(MAIL, "lena.brandt@quillmark.example", why),)


def test_a_report_that_returns_nothing_is_known_by_what_it_answers() -> None:
    found = read_report(report(returned="", head=f"In-Reply-To: <{MAIL}@orrery.example>\n"))

    assert [each.mail_id for each in found] == [MAIL]


def test_what_is_returned_counts_before_what_is_answered() -> None:
    found = read_report(report(head=f"References: <{OTHER}@orrery.example>\n"))

    assert [each.mail_id for each in found] == [MAIL]


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_what_is_no_failure_says_nothing(action: str) -> None:
    assert read_report(report(action=action)) == ()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Subject: Out of office\r\n\r\nBack on Monday.",
        report(mail="not-one-of-ours"),
        report()[:300],
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n--x--",
    ],
    ids=["nothing", "an absence", "another's mail", "cut short", "an empty status"],
)
def test_what_is_no_report_on_our_mail_says_nothing(raw: bytes) -> None:
    assert read_report(raw) == ()


@given(st.binary(max_size=400), st.integers(0, 1200))
def test_no_bytes_make_it_fail(noise: bytes, at: int) -> None:
    whole = report()
    for raw in (noise, whole[:at] + noise + whole[at:]):
        assert all(isinstance(each, Bounce) for each in read_report(raw))

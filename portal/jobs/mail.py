"""deliver_mail: one mail, from its row to the mail server, at least once and noticed as one."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Any
from uuid import UUID

from portal.delivery import render, rules, service, transport
from portal.delivery.unsubscribing import token_of
from portal.jobs import recipients
from portal.jobs.digests import ending_groups
from portal.jobs.tools import House, Job, frame_of
from portal.jobs.wanted import why_not
from portal.kernel.actor import system
from portal.kernel.logging import logger

log = logger(__name__)

ACTOR = system("deliver_mail")
KEPT = "kept for the mail page"
SMTP = "smtp"
NO_SERVER = "No mail server is set. Set GATEHOUSE_SMTP_URL; the mail then leaves by itself."

_chance = secrets.SystemRandom().random


def deliver_mail(house: House, *, mail_id: str) -> None:
    """Send the mail if it still waits. Claim it, talk to the server outside of any transaction, write down the end.

    What the server cannot take now is tried again later by a job of its own; what it never will is parked.
    """
    which = UUID(mail_id)
    try:
        with house.ledger.begin(ACTOR) as tx:
            claim = service.claim(tx, which)
    except service.NotYet as refusal:
        with house.ledger.begin(ACTOR) as tx:
            service.enqueue(tx, service.DELIVER, at=refusal.until, mail_id=which)
        return
    if claim is not None:
        _send(house, claim)


def _send(house: House, claim: service.Claim) -> None:
    settings = house.settings
    try:
        server = transport.Server.of(settings.smtp_url) if settings.smtp_url else None
        reader = _reader(house, claim)
        message = render.render(
            claim.kind,
            claim.context,
            to_name=claim.to_name,
            frame=frame_of(settings),
            link_token=house.link_token,
            reader=reader,
        )
        wire = render.envelope(
            message,
            mail_id=claim.mail_id,
            to_address=claim.to_address,
            to_name=claim.to_name,
            sender=settings.mail_from,
            lab_name=settings.lab_name,
            created_at=claim.created_at,
            unsubscribe=_unsubscribe(house, claim),
        )
        if server is not None:
            transport.deliver(server, wire)
        elif settings.production:
            raise transport.Later(NO_SERVER)
    except render.NotWanted as refusal:
        with house.ledger.begin(ACTOR) as tx:
            service.dropped(tx, claim, reason=str(refusal))
    except transport.Never as refusal:
        _give_up(house, claim, str(refusal))
    except transport.Later as refusal:
        _later(house, claim, str(refusal), most=None if settings.smtp_url is None else rules.MOST_TRIES)
    except Exception as mishap:
        log.exception("mail not made", mail_id=str(claim.mail_id), kind=claim.kind)
        _later(house, claim, f"It could not be made ({type(mishap).__name__}).", most=rules.MOST_MISHAPS)
    else:
        with house.ledger.begin(ACTOR) as tx:
            kept = service.sent(tx, claim, transport=SMTP if server is not None else KEPT)
        if not kept:
            log.warning("mail sent by a worker that had lost it", mail_id=str(claim.mail_id))


def _reader(house: House, claim: service.Claim) -> rules.Reader:
    """Return who reads the mail, if it is still to be said.

    :raises NotWanted: if the matter was settled while the mail waited.
    """
    with house.ledger.begin(ACTOR) as tx:
        if reason := why_not(tx, claim.kind, claim.context, claim.user_id):
            raise render.NotWanted(reason)
        return recipients.reader_of(tx, claim.user_id)


def _unsubscribe(house: House, claim: service.Claim) -> str:
    """Return the address that ends mails of this sort with one click; empty where there is nothing to end."""
    groups = ending_groups(claim.kind, claim.context)
    if not groups or claim.user_id is None:
        return ""
    token = token_of(house.keyring, user_id=claim.user_id, groups=groups, on=claim.created_at.date())
    return f"{house.settings.base_url}/unsubscribe/{token}"


def _later(house: House, claim: service.Claim, reason: str, *, most: int | None) -> None:
    if most is not None and claim.attempt >= most:
        _give_up(house, claim, f"{reason} Tried {rules.count(claim.attempt, 'time')}.")
        return
    pause = rules.wait_before(claim.attempt, _chance)
    log.info("mail waits", mail_id=str(claim.mail_id), kind=claim.kind, attempt=claim.attempt)
    with house.ledger.begin(ACTOR) as tx:
        service.failed(tx, claim, reason=reason, again_in=pause)


def _give_up(house: House, claim: service.Claim, reason: str) -> None:
    log.error("mail parked", mail_id=str(claim.mail_id), kind=claim.kind, attempt=claim.attempt)
    with house.ledger.begin(ACTOR) as tx:
        service.failed(tx, claim, reason=reason, again_in=None)


def _gave_up(house: House, args: dict[str, Any], reason: str) -> None:
    """Park the mail whose job was given up, so that it does not wait for ever."""
    with suppress(KeyError, ValueError), house.ledger.begin(ACTOR) as tx:
        service.park(tx, UUID(str(args["mail_id"])), reason=reason)


JOBS = (Job(service.DELIVER, deliver_mail, gave_up=_gave_up),)

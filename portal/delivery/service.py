"""Saying something to somebody: a mail row and its job in the transaction that gave the reason for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal.delivery import rules
from portal.delivery.channels import Channel, group_of
from portal.delivery.facts import JobParked, MailBounced, MailDropped, MailParked, MailSent
from portal.delivery.mails import KINDS
from portal.delivery.models import DigestItem, Mail, ParkedJob
from portal.delivery.preferences import wants
from portal.delivery.queue import enqueue
from portal.kernel.errors import Conflict, Refused
from portal.kernel.ledger import Tx
from portal.kernel.swap import swap
from portal.terms import MailState

__all__ = [
    "Claim",
    "NotYet",
    "claim",
    "dropped",
    "enqueue",
    "failed",
    "park",
    "park_job",
    "send",
    "send_again",
    "sent",
    "wants",
]

DELIVER = "deliver_mail"


class NotYet(Exception):
    """Another worker has the mail, or its pause is not over. ``until`` says when it may be tried."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"not before {until.isoformat()}")
        self.until = until


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send one mail, until the lease ends. ``attempt`` is the fencing token."""

    mail_id: UUID
    attempt: int
    kind: str
    to_address: str
    to_name: str
    context: Mapping[str, Any]
    created_at: datetime
    user_id: UUID | None = None


def send(
    tx: Tx,
    *,
    kind: str,
    to_address: str,
    to_name: str,
    context: Mapping[str, Any],
    dedupe_key: str,
    user_id: UUID | None = None,
    vendor_id: UUID | None = None,
    at_once: bool = False,
) -> None:
    """Queue a mail of this kind to one person; nothing happens if the dedupe key was used before.

    Who chose a digest for this kind gets it in the next one, and who chose not to hear of it gets nothing.

    ``context`` holds the fields of the kind (portal/delivery/mails): ids and plain words, never a token. Without
    ``vendor_id`` a mail from a vendor's person belongs to that vendor.

    :raises Refused: if the address is not one plain address.
    :raises KeyError: if there is no such kind; :raises msgspec.ValidationError: if its fields are not right.
    """
    if not rules.is_address(to_address):
        raise Refused(problems={"to_address": ["Enter one e-mail address, for example name@company.example"]})
    fields = msgspec.to_builtins(context)
    msgspec.convert(fields, KINDS[kind].fields)
    whose = vendor_id or tx.actor.vendor_id
    if user_id is not None and not at_once and group_of(kind) is not None:
        if _was_said(tx, dedupe_key):
            return
        channel = wants(tx, user_id, kind)
        if channel is not Channel.NOW:
            off = "Its reader chose not to hear of this." if channel is Channel.OFF else ""
            _keep(tx, user_id, whose, kind, fields, dedupe_key, off)
            return
    mail_id = tx.new_id()
    added = tx.session.execute(
        postgresql.insert(Mail)
        .values(
            id=mail_id,
            kind=kind,
            to_address=to_address,
            to_name=rules.one_line(to_name),
            user_id=user_id,
            vendor_id=whose,
            context=fields,
            dedupe_key=dedupe_key,
            state=MailState.QUEUED,
            attempts=0,
            last_error="",
            transport="",
            created_at=tx.now,
        )
        .on_conflict_do_nothing(index_elements=["dedupe_key"])
        .returning(Mail.id)
    ).first()
    if added is not None:
        enqueue(tx, DELIVER, mail_id=mail_id)


def _was_said(tx: Tx, dedupe_key: str) -> bool:
    """Tell whether this was mailed, or kept for a digest, before its reader chose the other."""
    kept = sa.exists().where(DigestItem.dedupe_key == dedupe_key)
    mailed = sa.exists().where(Mail.dedupe_key == dedupe_key)
    return bool(tx.session.execute(sa.select(sa.or_(kept, mailed))).scalar())


def _keep(
    tx: Tx, user_id: UUID, vendor_id: UUID | None, kind: str, fields: Mapping[str, Any], dedupe_key: str, left_out: str
) -> None:
    tx.session.execute(
        postgresql.insert(DigestItem)
        .values(
            id=tx.new_id(),
            user_id=user_id,
            vendor_id=vendor_id,
            kind=kind,
            context=fields,
            dedupe_key=dedupe_key,
            created_at=tx.now,
            settled_at=tx.now if left_out else None,
            left_out=left_out,
        )
        .on_conflict_do_nothing(index_elements=["dedupe_key"])
    )


def claim(tx: Tx, mail_id: UUID, *, lease: timedelta = rules.LEASE) -> Claim | None:
    """Take the mail in hand until the lease ends; None if nothing is left to do.

    :raises NotYet: if somebody else has it, or its pause is not over.
    """
    mail = tx.session.get(Mail, mail_id)
    if mail is None or mail.state is not MailState.QUEUED:
        return None
    if mail.not_before is not None and mail.not_before > tx.now:
        raise NotYet(mail.not_before)
    attempt = mail.attempts + 1
    won = swap(
        tx,
        mail,
        expect={"state": MailState.QUEUED, "attempts": mail.attempts},
        change={"attempts": attempt, "not_before": tx.now + lease},
    )
    if not won:
        raise NotYet(mail.not_before or tx.now)
    return Claim(
        mail_id, attempt, mail.kind, mail.to_address, mail.to_name, mail.context, mail.created_at, mail.user_id
    )


def sent(tx: Tx, claim: Claim, *, transport: str) -> bool:
    """Note that the mail left; False if the claim was lost meanwhile."""
    mail = tx.session.get_one(Mail, claim.mail_id)
    change = {"state": MailState.SENT, "sent_at": tx.now, "transport": transport, "not_before": None, "last_error": ""}
    if not swap(tx, mail, expect=_held(claim), change=change):
        return False
    tx.record(MailSent(mail.id, mail.kind, mail.vendor_id, transport))
    return True


def failed(tx: Tx, claim: Claim, *, reason: str, again_in: timedelta | None) -> bool:
    """Note why it did not leave, and try again later, or park it when ``again_in`` is None.

    False if the claim was lost.
    """
    mail = tx.session.get_one(Mail, claim.mail_id)
    words = rules.reason(reason) or "It could not be sent."
    if again_in is None:
        return _park(tx, mail, _held(claim), words)
    later = tx.now + again_in
    if not swap(tx, mail, expect=_held(claim), change={"not_before": later, "last_error": words}):
        return False
    enqueue(tx, DELIVER, at=later, mail_id=mail.id)
    return True


def dropped(tx: Tx, claim: Claim, *, reason: str) -> bool:
    """Note that the mail is not wanted any more; False if the claim was lost."""
    mail = tx.session.get_one(Mail, claim.mail_id)
    change = {"state": MailState.DROPPED, "not_before": None, "last_error": rules.reason(reason)}
    if not swap(tx, mail, expect=_held(claim), change=change):
        return False
    tx.record(MailDropped(mail.id, mail.kind, mail.vendor_id, rules.reason(reason)))
    return True


def park(tx: Tx, mail_id: UUID, *, reason: str) -> bool:
    """Give a waiting mail up, whoever has it; False if it was not waiting."""
    mail = tx.session.get(Mail, mail_id)
    return mail is not None and _park(tx, mail, {"state": MailState.QUEUED}, rules.reason(reason))


def bounced(tx: Tx, mail_id: UUID, *, reason: str) -> bool:
    """Note that a mail which left was given back by a server on the way; False if it had not left, or is noted."""
    mail = tx.session.get(Mail, mail_id)
    words = rules.reason(reason) or "The mail server gave it back."
    expect = {"state": MailState.SENT, "bounced_at": None}
    if mail is None or not swap(tx, mail, expect=expect, change={"bounced_at": tx.now, "bounce_reason": words}):
        return False
    tx.record(MailBounced(mail.id, mail.kind, mail.vendor_id, words))
    return True


def newest_sent(tx: Tx, address: str) -> UUID | None:
    """Return the newest mail that left for an address and was not given back."""
    statement = (
        sa.select(Mail.id)
        .where(Mail.to_address == address, Mail.state == MailState.SENT, Mail.bounced_at.is_(None))
        .order_by(Mail.sent_at.desc(), Mail.id.desc())
        .limit(1)
    )
    return tx.session.execute(statement).scalar()


def send_again(tx: Tx, mail_id: UUID) -> None:
    """Queue a parked mail once more.

    :raises Conflict: if it is not parked.
    """
    mail = tx.session.get(Mail, mail_id)
    fresh = {"state": MailState.QUEUED, "attempts": 0, "not_before": None, "last_error": ""}
    if mail is None or not swap(tx, mail, expect={"state": MailState.FAILED}, change=fresh):
        raise Conflict("This mail is not parked.")
    enqueue(tx, DELIVER, mail_id=mail.id)


def park_job(tx: Tx, *, job_id: int, name: str, args: Mapping[str, Any], attempts: int, reason: str) -> None:
    """Write down that a job was given up and why; a second time changes nothing."""
    words = rules.reason(reason) or "It failed without a word."
    added = tx.session.execute(
        postgresql.insert(ParkedJob)
        .values(job_id=job_id, name=name, args=dict(args), attempts=attempts, reason=words, parked_at=tx.now)
        .on_conflict_do_nothing()
        .returning(ParkedJob.job_id)
    ).first()
    if added is not None:
        tx.record(JobParked(job_id, name, words))


def _held(claim: Claim) -> dict[str, Any]:
    return {"state": MailState.QUEUED, "attempts": claim.attempt}


def _park(tx: Tx, mail: Mail, expect: Mapping[str, Any], words: str) -> bool:
    change = {"state": MailState.FAILED, "not_before": None, "last_error": words}
    if not swap(tx, mail, expect=expect, change=change):
        return False
    tx.record(MailParked(mail.id, mail.kind, mail.vendor_id, words))
    return True

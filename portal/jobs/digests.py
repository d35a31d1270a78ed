"""gather_digests: what people chose to hear of together, each at their own hour; and who opened a vendor's evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.delivery import preferences
from portal.delivery import service as delivery
from portal.delivery.channels import CHOICES, Channel, Group, group_of, is_due, last_cut
from portal.delivery.models import DigestItem, Mail
from portal.delivery.preferences import Wishes
from portal.evidence.models import EvidenceOpening
from portal.jobs import recipients
from portal.jobs.recipients import Recipient
from portal.jobs.tools import House, Job, Pace
from portal.jobs.wanted import why_not
from portal.kernel.actor import system
from portal.kernel.ledger import Tx
from portal.kernel.words import in_zone, zone_of
from portal.terms import Role, Side
from portal.vendors.models import Vendor

GATHER = "gather_digests"
MOST = 1_000
WEEK = timedelta(days=7)
COUNTED = {"reply": "replies", "reply_received": "replies"}
"""The field of a kind that says how many things one mail of it would have been about."""


def gather_digests(house: House, *, timestamp: int = 0) -> None:  # noqa: ARG001 - every periodic job is given its moment
    """Queue the digests that are due, person by person; what came after its hour waits for the next one."""
    actor = system(GATHER)
    with house.ledger.begin(actor) as tx:
        statement = sa.select(DigestItem.user_id).where(DigestItem.settled_at.is_(None)).distinct()
        waiting = sorted(tx.session.execute(statement).scalars())
    for user_id in waiting:
        with house.ledger.begin(actor) as tx:
            _gather(tx, user_id)
    _openings(house)


def _gather(tx: Tx, user_id: UUID) -> None:
    """One who gathers holds the items; another finds them settled."""
    statement = (
        sa.select(DigestItem)
        .where(DigestItem.user_id == user_id, DigestItem.settled_at.is_(None))
        .order_by(DigestItem.created_at, DigestItem.id)
        .limit(MOST)
        .with_for_update()
    )
    items = tx.session.execute(statement).scalars().all()
    person = recipients.one(tx, user_id)
    wishes, zone = preferences.wishes(tx, user_id), zone_of(recipients.reader_of(tx, user_id).zone)
    due: list[tuple[DigestItem, Channel]] = []
    for item in items:
        group = group_of(item.kind)
        channel = wishes.channel(group) if group is not None else Channel.NOW
        if person is None:
            _leave_out(tx, item, "Its reader cannot sign in any more.")
        elif channel is Channel.OFF:
            _leave_out(tx, item, "Its reader chose not to hear of this.")
        elif is_due(channel, item.created_at, tx.now, zone, wishes.hour):
            if reason := why_not(tx, item.kind, item.context, user_id):
                _leave_out(tx, item, reason)
            else:
                due.append((item, channel))
    if person is None or not due:
        return
    counts = Counter[str]()
    for item, _ in due:
        counts[item.kind] += _number(item)
    first = due[0][0]
    key = f"digest:{first.id}"
    delivery.send(
        tx,
        kind="digest",
        to_address=person.email,
        to_name=person.full_name,
        user_id=user_id,
        vendor_id=first.vendor_id,
        context={
            "on": in_zone(tx.now, zone).date(),
            "lines": [{"kind": kind, "number": number} for kind, number in counts.items()],
            "weekly": all(channel is Channel.WEEKLY for _, channel in due),
            "side": (Side.LAB if first.vendor_id is None else Side.VENDOR).value,
        },
        dedupe_key=key,
        at_once=True,
    )
    mail_id = tx.session.execute(sa.select(Mail.id).where(Mail.dedupe_key == key)).scalar_one()
    for item, _ in due:
        item.settled_at, item.mail_id = tx.now, mail_id


def _leave_out(tx: Tx, item: DigestItem, reason: str) -> None:
    item.settled_at, item.left_out = tx.now, reason


def _number(item: DigestItem) -> int:
    if item.kind == "evidence_ends":
        return len(item.context["evidence_ids"])
    return int(item.context.get(COUNTED.get(item.kind, ""), 1))


def _openings(house: House) -> None:
    """Tell vendor admins once a week who opened their evidence, where anybody did (ux.md, e-mail 18)."""
    actor = system(GATHER)
    with house.ledger.begin(actor) as tx:
        recent = sa.exists().where(
            EvidenceOpening.vendor_id == Vendor.id,
            EvidenceOpening.side == Side.LAB,
            EvidenceOpening.at > tx.now - 2 * WEEK,
        )
        statement = sa.select(Vendor.id).where(Vendor.disabled_at.is_(None), recent).order_by(Vendor.id)
        vendors = tx.session.execute(statement).scalars().all()
    for vendor_id in vendors:
        with house.ledger.begin(actor) as tx:
            vendor = tx.session.get_one(Vendor, vendor_id)
            for person in recipients.of_vendor(tx, vendor_id, {Role.VENDOR_ADMIN}):
                _summarise(tx, vendor, person)


def _summarise(tx: Tx, vendor: Vendor, person: Recipient) -> None:
    wishes: Wishes = preferences.wishes(tx, person.id)
    if wishes.channel(Group.OPENED) is Channel.OFF:
        return
    zone = zone_of(recipients.reader_of(tx, person.id).zone)
    until = last_cut(tx.now, zone, wishes.hour, weekly=True)
    key = f"evidence_opened:{person.id}:{until.date().isoformat()}"
    counts = tx.session.execute(
        sa.select(
            sa.func.count(),
            sa.func.count(EvidenceOpening.evidence_id.distinct()),
            sa.func.count(EvidenceOpening.opened_by.distinct()),
        ).where(
            EvidenceOpening.vendor_id == vendor.id,
            EvidenceOpening.side == Side.LAB,
            EvidenceOpening.at >= until - WEEK,
            EvidenceOpening.at < until,
        )
    ).one()
    openings, files, people = counts
    if not openings:
        return
    delivery.send(
        tx,
        kind="evidence_opened",
        to_address=person.email,
        to_name=person.full_name,
        user_id=person.id,
        vendor_id=vendor.id,
        context={
            "vendor_name": vendor.name,
            "until": in_zone(until, zone).date(),
            "openings": openings,
            "files": files,
            "people": people,
        },
        dedupe_key=key,
        at_once=True,
    )


def ending_groups(kind: str, context: Mapping[str, Any]) -> Sequence[Group]:
    """Return the groups that one click in this mail may end; none in a mail that is no digest."""
    if kind == "evidence_opened":
        return (Group.OPENED,)
    if kind == "queue_digest":
        return (Group.MORNING,)
    if kind != "digest":
        return ()
    told = {group_of(line["kind"]) for line in context["lines"]}
    return [group for group, choice in CHOICES.items() if group in told and Channel.OFF in choice.channels]


def jobs(pace: Pace) -> tuple[Job, ...]:
    """Return the jobs of this module that run by the clock."""
    return (Job(GATHER, gather_digests, cron=pace.digest_cron),)

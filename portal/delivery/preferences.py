"""What a person wants to hear of: read when something is said to them, changed by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal.delivery.channels import CHOICES, HOUR, Channel, Group, channel_of, choices_of, group_of
from portal.delivery.facts import MailChosen, MailUnsubscribed
from portal.delivery.models import MailPreference
from portal.kernel.errors import Conflict, Forbidden, Refused
from portal.kernel.ledger import Tx
from portal.kernel.swap import swap
from portal.kernel.words import said
from portal.terms import Side


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person chose. ``row_version`` goes back with the form; 0 means that nothing was chosen yet."""

    chosen: Mapping[str, str] = field(default_factory=dict)
    hour: int = HOUR
    row_version: int = 0

    def channel(self, group: Group) -> Channel:
        """How a group is told."""
        return channel_of(group, self.chosen)


def wishes(tx: Tx, user_id: UUID) -> Wishes:
    """Return what a person chose."""
    row = tx.session.execute(
        sa.select(MailPreference.channels, MailPreference.digest_hour, MailPreference.row_version).where(
            MailPreference.user_id == user_id
        )
    ).first()
    return Wishes() if row is None else Wishes(row.channels, row.digest_hour, row.row_version)


def wants(tx: Tx, user_id: UUID | None, kind: str) -> Channel:
    """Return how a person wants to hear of a kind of mail; whom we do not know yet is told at once."""
    group = group_of(kind)
    if group is None or user_id is None:
        return Channel.NOW
    return wishes(tx, user_id).channel(group)


def choose(tx: Tx, *, channels: Mapping[str, str], hour: str, row_version: int) -> None:
    """Keep what the actor chose.

    :raises Refused: with the problems of the groups (by their keys) and of hour.
    :raises Conflict: if the actor chose something else meanwhile, in another window.
    """
    if tx.actor.id is None:
        raise Forbidden("A person must do this.")
    offered = choices_of(Side.VENDOR if tx.actor.is_vendor else Side.LAB)
    problems: dict[str, list[str]] = {
        group.value: [said("Choose how you want to hear of this")]
        for group, choice in offered.items()
        if channels.get(group.value) not in choice.channels
    }
    if not (hour.isascii() and hour.isdigit() and len(hour) <= 2 and int(hour) <= 23):
        problems["hour"] = [said("Choose an hour from 0 to 23")]
    if problems:
        raise Refused(problems=problems)
    kept = {group.value: channels[group.value] for group in offered}
    if row_version == 0:
        made = tx.session.execute(
            postgresql.insert(MailPreference)
            .values(
                user_id=tx.actor.id,
                vendor_id=tx.actor.vendor_id,
                channels=kept,
                digest_hour=int(hour),
                changed_at=tx.now,
                row_version=1,
            )
            .on_conflict_do_nothing(index_elements=["user_id"])
            .returning(MailPreference.user_id)
        ).first()
        won = made is not None
    else:
        row = tx.session.get(MailPreference, tx.actor.id)
        change = {"channels": kept, "digest_hour": int(hour), "changed_at": tx.now, "row_version": row_version + 1}
        won = row is not None and swap(tx, row, expect={"row_version": row_version}, change=change)
    if not won:
        raise Conflict(said("You changed this in another window. What you chose there is shown now."))
    tx.record(MailChosen(tx.actor.id, tx.actor.vendor_id, tuple(f"{name}={how}" for name, how in kept.items())))


def switch_off(tx: Tx, *, user_id: UUID, vendor_id: UUID | None, groups: Iterable[Group]) -> None:
    """Switch groups off that may be, for a person who followed the link of a digest; a second time changes nothing."""
    off = {each.value: Channel.OFF.value for each in groups if Channel.OFF in CHOICES[each].channels}
    before = wishes(tx, user_id)
    if not off or all(before.chosen.get(name) == how for name, how in off.items()):
        return
    statement = postgresql.insert(MailPreference).values(
        user_id=user_id, vendor_id=vendor_id, channels=off, digest_hour=HOUR, changed_at=tx.now, row_version=1
    )
    tx.session.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id"],
            set_={
                "channels": MailPreference.channels.op("||")(statement.excluded.channels),
                "changed_at": tx.now,
                "row_version": MailPreference.row_version + 1,
            },
        )
    )
    tx.record(MailUnsubscribed(user_id, vendor_id, tuple(off)))

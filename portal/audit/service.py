"""Writing the trail: every fact of a transaction, in one chain, in that transaction."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC

import sqlalchemy as sa

from portal.audit import queries
from portal.audit.models import AuditEvent, AuditHead
from portal.audit.rules import Checkpoint, Flaw, Link, flaws, hash_of
from portal.kernel.canonical import canonical_bytes
from portal.kernel.ledger import Fact, Tx


def name_of(fact: Fact) -> str:
    """Return the fact's name as stored: AnswerSaved becomes answer_saved."""
    return name_of_kind(type(fact))


def name_of_kind(kind: type[Fact]) -> str:
    """Return the name under which facts of a kind are stored."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def append(tx: Tx, facts: Sequence[Fact]) -> None:
    """Add the facts to the chain. Runs last before the commit, so that the head is locked for a moment only."""
    head = tx.session.execute(
        sa.select(AuditHead).where(AuditHead.id == 1).with_for_update().execution_options(populate_existing=True)
    ).scalar_one()
    rows = []
    seq, previous = head.seq, head.hash
    for fact in facts:
        seq += 1
        vendor_id = getattr(fact, "vendor_id", None) or tx.actor.vendor_id
        link = Link(
            seq=seq,
            at=tx.now.astimezone(UTC).isoformat(timespec="microseconds"),
            fact=name_of(fact),
            payload=canonical_bytes(fact).decode(),
            actor_kind=tx.actor.kind.value,
            actor_id=str(tx.actor.id) if tx.actor.id else None,
            actor_label=tx.actor.name if tx.actor.kind.value != "person" else "",
            vendor_id=str(vendor_id) if vendor_id else None,
            previous_hash=previous,
        )
        previous = hash_of(link)
        rows.append(
            {
                "seq": seq,
                "at": tx.now,
                "fact": link.fact,
                "payload": link.payload,
                "actor_kind": link.actor_kind,
                "actor_id": tx.actor.id,
                "actor_label": link.actor_label,
                "vendor_id": vendor_id,
                "previous_hash": link.previous_hash,
                "hash": previous,
            }
        )
    tx.session.execute(sa.insert(AuditEvent), rows)
    tx.session.execute(sa.update(AuditHead).where(AuditHead.id == 1).values(seq=seq, hash=previous))


def links(tx: Tx, *, after: int = 0, batch: int = 2_000) -> Iterator[Link]:
    """Yield the stored events in order, in batches, as they are hashed."""
    while True:
        statement = sa.select(AuditEvent).where(AuditEvent.seq > after).order_by(AuditEvent.seq).limit(batch)
        events = tx.session.execute(statement).scalars().all()
        for event in events:
            yield Link(
                seq=event.seq,
                at=event.at.astimezone(UTC).isoformat(timespec="microseconds"),
                fact=event.fact,
                payload=event.payload,
                actor_kind=event.actor_kind,
                actor_id=str(event.actor_id) if event.actor_id else None,
                actor_label=event.actor_label,
                vendor_id=str(event.vendor_id) if event.vendor_id else None,
                previous_hash=event.previous_hash,
                hash=event.hash,
            )
        if len(events) < batch:
            return
        after = events[-1].seq
        tx.session.expunge_all()


def head(tx: Tx) -> Checkpoint:
    """Return how long the chain is and how it ends."""
    row = tx.session.get_one(AuditHead, 1)
    return Checkpoint(row.seq, row.hash)


def verify(tx: Tx, checkpoints: Sequence[Checkpoint] = ()) -> list[Flaw]:
    """Return every flaw of the stored chain, none if it is whole."""
    return list(flaws(links(tx), head(tx), checkpoints))


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of the newest events found: which were read, and every flaw among them."""

    first: int
    last: int
    flaws: tuple[Flaw, ...]


def check_tail(tx: Tx, *, most: int = 5_000) -> Checked:
    """Check the newest events, bounded so that it fits into a request; ``verify`` checks the whole chain."""
    end = head(tx)
    start = queries.end_of(tx, max(0, end.seq - most))
    found = tuple(flaws(links(tx, after=start.seq), end, start=start))
    return Checked(start.seq + 1, end.seq, found)

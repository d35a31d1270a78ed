"""How an event is hashed and how a chain is checked. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from portal.kernel.canonical import canonical_bytes

GENESIS = bytes(32)


@dataclass(frozen=True, slots=True)
class Link:
    """One event as it is hashed. ``payload`` is the fact as canonical JSON text; ``at`` is ISO 8601, UTC."""

    seq: int
    at: str
    fact: str
    payload: str
    actor_kind: str
    actor_id: str | None
    actor_label: str
    vendor_id: str | None
    previous_hash: bytes
    hash: bytes = b""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How long the chain was and how it ended at one moment."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Flaw:
    """One place where the chain is broken: the sequence number and a sentence."""

    seq: int
    sentence: str


def hash_of(link: Link) -> bytes:
    """Return SHA-256 over the canonical JSON of everything in the event but its own hash."""
    content = {
        "actor_id": link.actor_id,
        "actor_kind": link.actor_kind,
        "actor_label": link.actor_label,
        "at": link.at,
        "fact": link.fact,
        "payload": link.payload,
        "previous": link.previous_hash.hex(),
        "seq": link.seq,
        "vendor_id": link.vendor_id,
    }
    return hashlib.sha256(canonical_bytes(content)).digest()


def flaws(
    links: Iterable[Link],
    head: Checkpoint,
    checkpoints: Iterable[Checkpoint] = (),
    *,
    start: Checkpoint = Checkpoint(0, GENESIS),
) -> Iterator[Flaw]:
    """Yield every place where the chain is not what was written.

    :param links: the stored events in the order of their sequence numbers.
    :param start: what the events follow: the beginning, or an event that was checked before.
    :param head: what the store says the end is.
    :param checkpoints: what was said of the chain before, kept outside; they prove a truncation or a rewriting.
    """
    expected = {checkpoint.seq: checkpoint.hash for checkpoint in checkpoints}
    last = start
    for link in links:
        if link.seq != last.seq + 1:
            yield Flaw(last.seq + 1, f"Event {last.seq + 1} is missing; {link.seq} follows {last.seq}.")
        elif link.previous_hash != last.hash:
            yield Flaw(link.seq, f"Event {link.seq} does not continue event {last.seq}.")
        if hash_of(link) != link.hash:
            yield Flaw(link.seq, f"Event {link.seq} was changed: its content does not match its hash.")
        if link.seq in expected and expected.pop(link.seq) != link.hash:
            yield Flaw(link.seq, f"Event {link.seq} is not the one that a checkpoint names.")
        last = Checkpoint(link.seq, link.hash)
    if (last.seq, last.hash) != (head.seq, head.hash):
        yield Flaw(last.seq, f"The chain ends at event {last.seq}, but {head.seq} were written.")
    for seq in sorted(expected):
        yield Flaw(last.seq, f"A checkpoint names event {seq}, but the chain ends at {last.seq}.")

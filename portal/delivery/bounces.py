"""Reading what mail servers say of a mail that they could not deliver (RFC 3464). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from uuid import UUID

MOST_BYTES = 1_000_000
"""More than any report of a delivery has: what stands beyond is not read."""

FAILED = "failed"
_OURS = re.compile(r"<([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})@[^<>\s]+>")


@dataclass(frozen=True, slots=True)
class Bounce:
    """One mail of ours that did not arrive: which, at which address, and why in the words of the server."""

    mail_id: UUID
    address: str
    reason: str


def read_report(raw: bytes) -> tuple[Bounce, ...]:
    """Return the mails that a delivery report says were not delivered; none for anything else.

    A report of a delay, of a delivery or of an unknown mail tells of no failure. What it belongs to is told by the
    Message-ID of the mail that is returned in it, which nobody but its recipient and the servers on the way has seen.
    """
    report = message_from_bytes(raw[:MOST_BYTES], policy=policy.default)
    if report.get_content_type() != "multipart/report":
        return ()
    parts = list(report.walk())
    ids = list(dict.fromkeys(_ids(parts)))
    failures = [
        each for part in parts if part.get_content_type() == "message/delivery-status" for each in _failed(part)
    ]
    return tuple(Bounce(mail_id, address, reason) for mail_id in ids[:1] for address, reason in failures[:1])


def _ids(parts: Sequence[Message]) -> Iterator[UUID]:
    """Yield the ids of the mails that are returned, whole or as their headers, then of what is answered."""
    for part in parts:
        if part.get_content_type() == "text/rfc822-headers":
            yield from _named(str(part.get_payload()), "message-id")
        elif part.get_content_type() == "message/rfc822":
            for inner in part.get_payload() if isinstance(part.get_payload(), list) else []:
                if isinstance(inner, Message):
                    yield from _in(inner.get("Message-ID", ""))
    for name in ("In-Reply-To", "References"):
        yield from _in(parts[0].get(name, ""))


def _named(headers: str, name: str) -> Iterator[UUID]:
    for line in headers.splitlines():
        if line.lower().startswith(f"{name}:"):
            yield from _in(line)


def _in(words: object) -> Iterator[UUID]:
    for found in _OURS.finditer(str(words).lower()):
        yield UUID(found.group(1))


def _failed(part: Message) -> Iterator[tuple[str, str]]:
    blocks = part.get_payload()
    for block in blocks if isinstance(blocks, list) else []:
        if not isinstance(block, EmailMessage) or str(block.get("Action", "")).strip().lower() != FAILED:
            continue
        said = _after_type(str(block.get("Diagnostic-Code", "")))
        code = str(block.get("Status", "")).strip()
        address = _after_type(str(block.get("Original-Recipient", "") or block.get("Final-Recipient", "")))
        words = said if said.startswith(code) or code in said else f"{code} {said}".strip()
        yield address.lower(), words or "no reason was given"


def _after_type(value: str) -> str:
    """Return a field of the form "type; value" without its type."""
    return " ".join((value.partition(";")[2] or value).split())

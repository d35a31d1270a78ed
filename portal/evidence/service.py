"""The life of a file in one place: reserved, received, attached, described, opened, judged."""

from portal.evidence.files import describe, get, remove
from portal.evidence.judging import reject, verify
from portal.evidence.opening import integrity_failed, open_file, pinned
from portal.evidence.queries import LibraryLine, OpeningLine, library, openings
from portal.evidence.receiving import (
    Arrival,
    arrived,
    attach,
    expire_reservations,
    promised,
    receive,
    refuse,
    reserve,
    unchecked,
)

__all__ = [
    "Arrival",
    "LibraryLine",
    "OpeningLine",
    "arrived",
    "attach",
    "describe",
    "expire_reservations",
    "get",
    "integrity_failed",
    "library",
    "open_file",
    "openings",
    "pinned",
    "promised",
    "receive",
    "refuse",
    "reject",
    "remove",
    "reserve",
    "unchecked",
    "verify",
]

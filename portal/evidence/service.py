"""The life of a file in one place: reserved, received, attached, described, opened, judged."""

from portal.evidence.files import describe, get, remove
from portal.evidence.judging import reject, take_up, verify
from portal.evidence.opening import integrity_failed, limited, may_open, open_file, pinned
from portal.evidence.openings import OpeningLine, openings
from portal.evidence.queries import LibraryLine, library
from portal.evidence.receiving import (
    Abandoned,
    Arrival,
    arrived,
    attach,
    begin_parts,
    cancel,
    expire_reservations,
    promised,
    receive,
    refuse,
    reserve,
    unchecked,
)

__all__ = [
    "Abandoned",
    "Arrival",
    "LibraryLine",
    "OpeningLine",
    "arrived",
    "attach",
    "begin_parts",
    "cancel",
    "describe",
    "expire_reservations",
    "get",
    "integrity_failed",
    "library",
    "limited",
    "may_open",
    "open_file",
    "openings",
    "pinned",
    "promised",
    "receive",
    "refuse",
    "reject",
    "remove",
    "reserve",
    "take_up",
    "unchecked",
    "verify",
]

"""What both sites say of a file, and how its bytes leave: always as an attachment that can run nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, BinaryIO
from urllib.parse import quote

from flask import Response

from portal.evidence.queries import LibraryLine
from portal.evidence.rules import (
    BRIDGE_MONTHS,
    KINDS,
    NEVER,
    Column,
    Field,
    FieldType,
    Reach,
    Standing,
    Worth,
    add_months,
    amount_words,
    current,
    parse_day,
    state_on,
)
from portal.evidence.viewing import Opened
from portal.kernel.objects import CHUNK
from portal.kernel.words import said as worded
from portal.sites.shared.language import _, told
from portal.sites.shared.ui import day, whole
from portal.terms import N_, EvidenceState, ScanState

INERT = {
    "application/pdf": "application/pdf",
    "image/png": "image/png",
    "image/jpeg": "image/jpeg",
    "text/csv": "text/plain; charset=utf-8",
    "text/plain": "text/plain; charset=utf-8",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    ),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    ),
}
"""The types that leave under their own name; anything else is octets."""

MOST_ROWS_SAID = 10
"""How many rows of a table are said in a list of facts."""

SANDBOX = "default-src 'none'; sandbox"

SCAN_WORDS = {
    ScanState.PENDING: N_("Not yet scanned for malware"),
    ScanState.CLEAN: N_("Scanned, no malware found"),
    ScanState.NOT_SCANNED: N_("Not scanned for malware: no scanner is set up"),
    ScanState.INFECTED: N_("Malware found"),
}

Tag = tuple[str, str, str]
"""Label, tone and icon of a state."""


def as_attachment(lent: Opened) -> Response:
    """Return a proven file as a download that no browser runs or guesses at.

    The file is held open, so that the answer can be sent after the private copy lost its name.
    """
    file = lent.path.open("rb")
    answer = Response(_pieces(file), content_type=INERT.get(lent.mime, "application/octet-stream"))
    answer.call_on_close(file.close)
    answer.content_length = lent.size
    answer.headers["Content-Disposition"] = disposition(lent.file_name)
    answer.headers["Content-Security-Policy"] = SANDBOX
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def disposition(name: str) -> str:
    """Return the header that makes it a download: an ASCII name (RFC 6266) and the true one (RFC 8187)."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " ._-") else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(CHUNK):
        yield piece


def tag_of(line: LibraryLine, today: date) -> Tag:
    """Return the one state of a file that matters most now, as its icon and word."""
    if line.state is EvidenceState.REFUSED:
        return (N_("Refused"), "t-bad", "file-x")
    if line.state is EvidenceState.INTEGRITY_FAILURE:
        return (N_("Quarantined"), "t-bad", "shield-alert")
    if line.state in (EvidenceState.RESERVED, EvidenceState.RECEIVED):
        return (N_("Checking"), "t-info", "loader-circle")
    if line.replaced_by is not None:
        return (N_("Replaced"), "t-plain t-off", "history")
    if line.state is EvidenceState.REJECTED:
        return (N_("Sent back"), "t-ask", "undo-2")
    if line.missing:
        return (N_("Dates missing"), "t-warn", "paperclip")
    return _by_the_day(line, today)


def tag_of_use(line: LibraryLine, held: Reach | None, today: date, *, check_again: bool = False) -> Tag:
    """Return the state of one use of a file that was signed with, by the rule of the score.

    :param line: the file that counts for the use: the one signed with, or the newer revision that was checked.
    :param held: how far this use reaches, None if it counts for nothing.
    """
    if check_again:
        return (N_("Check again"), "t-warn", "file-clock")
    return tag_of(replace(line, replaced_by=None, reach=held or line.reach), today)


def reach_words(held: Reach, today: date) -> str:
    """Return until when something counts as what, for the lab."""
    if held.bridged_until is not None and held.is_bridged(today):
        return f"bridged until {day(held.bridged_until)}, counts as attached"
    if held.valid_until is None:
        return "no end"
    if held.valid_until == NEVER:
        return "counts on no day"
    if held.on(today) is Worth.EXPIRED:
        return f"{day(held.valid_until)}, ended"
    if held.bridged_until is not None and held.verified_until is not None:
        return f"{day(held.verified_until)}, then bridged until {day(held.bridged_until)} as attached"
    return f"{day(held.valid_until)}, counts as {held.on(today).value}"


def _by_the_day(line: LibraryLine, today: date) -> Tag:
    """Return what the day makes of a file that is kept and described."""
    reach = line.reach
    if reach is not None and reach.bridged_until is not None and reach.is_bridged(today):
        return (worded("Bridged until %(day)s", day=reach.bridged_until), "t-warn", "calendar-clock")
    standing = state_on(line, today)
    if reach is not None and reach.on(today) is Worth.EXPIRED:
        standing = Standing.ENDED
    if standing is Standing.ENDED:
        return (N_("Bridge letter needed"), "t-bad", "triangle-alert") if _bridgeable(line, today) else _ENDED
    if standing is Standing.ENDS_SOON:
        return (N_("Ends soon"), "t-warn", "calendar-clock")
    if standing is Standing.NOT_YET:
        return (N_("Not valid yet"), "", "clock")
    if line.state is EvidenceState.VERIFIED:
        return (N_("Verified"), "t-ok", "badge-check")
    if line.taken_up_at is not None:
        return (N_("In review"), "t-info", "eye")
    return (N_("Valid"), "t-plain", "check")


def _bridgeable(line: LibraryLine, today: date) -> bool:
    """Whether a letter could still carry this report: a Type 2 report, up to the fifteenth month."""
    if line.kind != "SOC2" or line.details.get("report_type") != "type2" or line.valid_until is None:
        return False
    return today <= add_months(line.valid_until, BRIDGE_MONTHS)


_ENDED: Tag = (N_("Ended"), "t-bad", "calendar-clock")
ATTENTION = frozenset(
    {"Refused", "Quarantined", "Sent back", "Dates missing", "Bridge letter needed", "Ended", "Ends soon"}
)
"""The states that ask the vendor to do something."""


def needs_attention(tag: Tag) -> bool:
    """Return whether a state asks the vendor to do something; what a letter carries ends soon whatever it says."""
    return tag[0] in ATTENTION or tag[0].startswith("Bridged until")


def described(kind: str, details: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what is known of a file as pairs of words, in the order of its form."""
    now = current(kind, details)
    pairs = []
    for field in KINDS[kind].fields:
        value = now.get(field.name)
        if value is None or value in ("", [], {}):
            continue
        pairs.append((field.label, said(field, value)))
    return pairs


def said(field: Field | Column, value: Any) -> str:
    """Return a stored value of a field in words; what does not fit its type is said as it stands."""
    words = str(value)
    if field.type is FieldType.DATE and (found := parse_day(words)):
        return day(found)
    if field.type is FieldType.CHOICE:
        return told(dict(field.options).get(words, words))
    if field.type is FieldType.NUMBER and isinstance(value, int):
        return whole(value)
    if field.type is FieldType.MONEY:
        return amount_words(value)
    if field.type is FieldType.MULTI and isinstance(value, list):
        return ", ".join(told(dict(field.options).get(str(each), str(each))) for each in value)
    if isinstance(field, Field) and field.type is FieldType.TABLE and isinstance(value, list):
        rows = [
            ", ".join(said(column, row[column.name]) for column in field.columns if row.get(column.name))
            for row in value[:MOST_ROWS_SAID]
        ]
        more = len(value) - MOST_ROWS_SAID
        return "; ".join([*rows, _("and %(count)s more", count=more)] if more > 0 else rows)
    return words


def gist(kind: str, details: Mapping[str, Any]) -> str:
    """Return the few words that stand below a file's type in a list."""
    known = {
        field.name: words
        for field in KINDS[kind].fields
        for label, words in described(kind, details)
        if label == field.label
    }
    wanted = {
        "SOC2": ("report_type", "categories"),
        "INS": ("limit_claim", "line"),
        "ISO": ("edition",),
        "PT": ("firm",),
        "POL": ("version",),
        "SBOM": ("format", "release"),
        "SCR": ("system", "setting"),
        "STAR": ("level",),
    }.get(kind, ())
    return ", ".join(known[name] for name in wanted if name in known)

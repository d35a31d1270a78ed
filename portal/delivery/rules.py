"""What a mail may look like, whom it may go to, when it is tried again and when we remind. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from portal.kernel.words import Near, Said, said, said_n

LONGEST_SUBJECT = 60
LONGEST_REASON = 200
MOST_TRIES = 25
"""How often a mail server may be away before the mail is parked: about twenty hours."""
MOST_MISHAPS = 3
"""How often a job may fail by our own fault before it is parked (security.md R4)."""
LEASE = timedelta(seconds=60)
"""How long one worker has a mail to itself; longer than the longest talk with a mail server."""
FIRST_WAIT = timedelta(seconds=20)
LONGEST_WAIT = timedelta(hours=1)

_BREAKS = re.compile(r"[\s\x00-\x1f\x7f\u0085\u200b\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+")
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_LINK = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Button:
    """The one thing a mail asks for. With ``invitation_id`` its link ends in that invitation's one-time token."""

    label: str
    path: str
    invitation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What a mail says, before it is laid out as plain text and as light HTML.

    A detail that is a day is one by whose end something is due: who lives by other clocks is told by their own too.
    """

    subject: str
    paragraphs: tuple[str, ...]
    button: Button
    why: str
    details: tuple[tuple[str, str | date], ...] = ()
    list_title: str = ""
    items: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """What is the same in all mails of an installation. ``base_url`` is the only source of links."""

    lab_name: str
    base_url: str

    @property
    def host(self) -> str:
        """The one true host, without its scheme."""
        return self.base_url.split("://", 1)[-1]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a mail: in which language, and by which clock."""

    language: str = "en"
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Message:
    """A finished mail: its subject, the same words twice, and the one link that stands in both."""

    subject: str
    text: str
    html: str
    label: str = ""
    link: str = ""


def one_line(text: str) -> str:
    """Return the text on one line: no line breaks, no control characters, nothing that turns the reading order."""
    return _BREAKS.sub(" ", text).strip()


def quoted(text: str) -> str:
    """Return foreign words fit for a body: on one line, and with no link that a mail program would make live."""
    return one_line(text).replace("://", ": //")


def subject_line(text: str) -> str:
    """Return the text as a subject of at most 60 characters, cut at a word."""
    line = one_line(text)
    if len(line) <= LONGEST_SUBJECT:
        return line
    head = line[: LONGEST_SUBJECT - 1]
    return (head.rsplit(" ", 1)[0] if " " in head else head).rstrip(" ,:;") + "…"


def is_address(text: str) -> bool:
    """Tell whether the text is one plain address, with nothing that could begin another header or recipient."""
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None and ".." not in text


def reason(text: str) -> str:
    """Return why something failed as one short line without links, for they may carry a one-time token."""
    line = _LINK.sub("(link)", one_line(text))
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 1] + "…"


def day(value: date) -> Said:
    """Return "18 December 2026", in the language of whoever reads it."""
    return said("%(day)s", day=value)


def near_day(value: date) -> Said:
    """Return "18 December", for subjects."""
    return said("%(day)s", day=Near.of(value))


def moment(value: datetime) -> Said:
    """Return "18 December 2026 at 14:32 UTC", in the zone of whoever reads it, and with its name."""
    return said("%(moment)s", moment=value)


def questions_of(number: int) -> Said:
    """Return "1 question", "5 questions"."""
    return said_n("%(num)s question", "%(num)s questions", number)


def answers_of(number: int) -> Said:
    """Return "1 answer", "5 answers"."""
    return said_n("%(num)s answer", "%(num)s answers", number)


def listed(words: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c"; nothing for nothing."""
    if len(words) < 2:
        return words[0] if words else ""
    head = words[0]
    for each in words[1:-1]:
        head = said("%(one)s, %(more)s", one=head, more=each)
    return said("%(one)s and %(last)s", one=head, last=words[-1])


def count(number: int, one: str, many: str | None = None) -> str:
    """Return "1 question", "5 questions", for the lab's mails, which speak English."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def wait_before(
    tries: int, chance: Callable[[], float], *, first: timedelta = FIRST_WAIT, longest: timedelta = LONGEST_WAIT
) -> timedelta:
    """Return how long to wait after so many tries: doubling, bounded, and spread by up to half.

    :param chance: gives a number from 0 to 1; it keeps a crowd of mails from knocking at the same moment.
    """
    doublings: int = min(max(tries, 1) - 1, 20)
    full: timedelta = min(first * (1 << doublings), longest)
    return full * (0.5 + 0.5 * chance())


class Stage(StrEnum):
    """When a vendor is reminded (ux.md, e-mail 4)."""

    HALF_TIME = "half"
    SEVEN_DAYS = "7d"
    TWO_DAYS = "2d"


def stage_on(requested_on: date, due_on: date, today: date) -> Stage | None:
    """Return the reminder that is due on this day: the most urgent whose day has come.

    None on the day of the request and after the day it is due. A stage that would fall on the day of the request or
    before is left out.
    """
    if not requested_on < today <= due_on:
        return None
    days = (
        (Stage.TWO_DAYS, due_on - timedelta(days=2)),
        (Stage.SEVEN_DAYS, due_on - timedelta(days=7)),
        (Stage.HALF_TIME, requested_on + (due_on - requested_on) // 2),
    )
    return next((stage for stage, when in days if requested_on < when <= today), None)


def nearest(*, since: date, ends_on: date, days: Sequence[int], today: date) -> int | None:
    """Return which of these numbers of days before an end to speak of today: the nearest whose day has come.

    However long nobody looked, it is one and never two, and it never goes back. A number below nought is a day after
    the end; without one nothing is said after the end. What falls on the first day or before it is left out.

    :param since: the day on which the matter began, or on which its reader was told.
    """
    if today > ends_on and min(days) >= 0:
        return None
    due = ((each, ends_on - timedelta(days=each)) for each in sorted(days))
    return next((each for each, when in due if since < when <= today), None)

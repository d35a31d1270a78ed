"""How far a file reaches: until when it counts as verified, until when at all, and what it is called on a day. Pure.

The rule is the validity rule of the evidence page: a SOC 2 Type 2 report holds for twelve months from the end of its
period and may be bridged to the fifteenth, as attached and never as verified. Time alone never makes a file better.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from portal.evidence.rules.periods import PERIODS_1, Periods
from portal.evidence.rules.validity import BRIDGE_MONTHS, add_months, as_day
from portal.terms import EvidenceState

NEVER: Final = date.min
"""The end of what counts on no day."""

ISO_EDITION: Final = 2022
"""The edition of ISO/IEC 27001 that counts; certificates to older ones have ended."""

KEPT: Final = (EvidenceState.ATTACHED, EvidenceState.VERIFIED)
"""The states in which a file proves something."""

_DAY: Final = timedelta(days=1)


class FileState(StrEnum):
    """What a file is called on a day."""

    ATTACHED = "attached"
    IN_REVIEW = "in_review"
    VERIFIED = "verified"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class Worth(StrEnum):
    """What a file is worth on a day, the worst first."""

    EXPIRED = "expired"
    ATTACHED = "attached"
    VERIFIED = "verified"

    @property
    def rank(self) -> int:
        """The place in the order."""
        return list(Worth).index(self)


@dataclass(frozen=True, slots=True)
class Letter:
    """A bridge letter that the vendor keeps. It bridges only if an officer signed it.

    ``key`` names its file; ``verified``: a reviewer verified that.
    """

    report_end: date
    covers_from: date
    covers_until: date
    signer: str = ""
    next_start: date | None = None
    next_auditor: str = ""
    key: str = ""
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a file, as far as its reach follows from it.

    ``superseded``: a newer revision of it is kept. ``letters``: those of its vendor that name the end of its period.
    ``periods``: the numbers that its dates were computed with.
    """

    kind: str
    state: EvidenceState
    details: Mapping[str, Any] = field(default_factory=dict)
    valid_from: date | None = None
    valid_until: date | None = None
    taken_up: bool = False
    superseded: bool = False
    letters: tuple[Letter, ...] = ()
    periods: Periods = PERIODS_1


@dataclass(frozen=True, slots=True)
class Reach:
    """Until when a file counts; last days included, None without an end.

    ``valid_until`` is the last day on which it counts at all, ``verified_until`` the last on which it counts as
    verified (of a file that is not verified: the day with which it would end). From ``bridged_from`` to
    ``bridged_until`` a bridge letter carries it, as attached.
    """

    verified: bool
    verified_until: date | None
    valid_until: date | None
    bridged_from: date | None = None
    bridged_until: date | None = None

    def on(self, day: date) -> Worth:
        """Return what the file is worth on a day."""
        if self.valid_until is not None and day > self.valid_until:
            return Worth.EXPIRED
        if self.verified and (self.verified_until is None or day <= self.verified_until):
            return Worth.VERIFIED
        return Worth.ATTACHED

    def is_bridged(self, day: date) -> bool:
        """Whether a letter carries the file on this day."""
        return (
            self.bridged_from is not None
            and self.bridged_until is not None
            and self.bridged_from <= day <= self.bridged_until
        )

    def unchecked(self) -> Reach:
        """Return the reach of a use whose file was replaced and nobody has looked at the newer one for it."""
        return replace(self, verified=False)


def reach(record: Record) -> Reach:
    """Return how far a file reaches, from what is known of it and of its letters.

    A Type 1 report holds for six months or until the Type 2 report that was promised, whichever comes first: a promise
    alone never lengthens anything. A file that is rejected, refused or damaged reaches no day.
    """
    if record.state not in KEPT:
        return Reach(verified=False, verified_until=NEVER, valid_until=NEVER)
    verified = record.state is EvidenceState.VERIFIED
    ends = _end(record)
    until = bridged_until(record)
    if until is None or ends is None or until <= ends:
        return Reach(verified=verified, verified_until=ends, valid_until=ends)
    return Reach(
        verified=verified, verified_until=ends, valid_until=until, bridged_from=ends + _DAY, bridged_until=until
    )


def bridged_until(record: Record) -> date | None:
    """Return the last day to which letters carry a Type 2 report: the fifteenth month, or three months after what
    they cover without a hole. None if they carry it nowhere.

    They carry it only if an officer signed each of them and one says when the next period began and who audits it. It
    must have begun by the day from which the letters are needed.
    """
    ended = period_end(record)
    if ended is None:
        return None
    begins = add_months(ended, record.periods.SOC2) + _DAY
    signed = sorted(
        (each for each in record.letters if each.report_end == ended and each.signer.strip()),
        key=lambda each: (each.covers_from, each.covers_until),
    )
    covered, goes_on = ended, False
    for letter in signed:
        if letter.covers_from > covered + _DAY:
            break
        covered = max(covered, letter.covers_until)
        goes_on = goes_on or _next_began(letter, begins)
    if not goes_on:
        return None
    last = min(add_months(ended, record.periods.SOC2 + BRIDGE_MONTHS), add_months(covered, BRIDGE_MONTHS))
    return last if last >= begins else None


def period_end(record: Record) -> date | None:
    """Return the end of the period of a SOC 2 Type 2 report, None for anything else."""
    if record.kind != "SOC2" or record.details.get("report_type") != "type2":
        return None
    return as_day(record.details.get("period_end"))


def letter_of(key: str, state: EvidenceState, details: Mapping[str, Any]) -> Letter | None:
    """Return a stored bridge letter as a value, None while its dates are missing."""
    end, first, last = (as_day(details.get(name)) for name in ("report_end", "covers_from", "covers_until"))
    if end is None or first is None or last is None:
        return None
    return Letter(
        report_end=end,
        covers_from=first,
        covers_until=last,
        signer=str(details.get("signer", "")),
        next_start=as_day(details.get("next_start")),
        next_auditor=str(details.get("next_auditor", "")),
        key=key,
        verified=state is EvidenceState.VERIFIED,
    )


def state_on_day(record: Record, day: date) -> FileState:
    """Return what a file is called on a day; its last day still counts."""
    if record.superseded:
        return FileState.SUPERSEDED
    if record.state not in KEPT:
        waits = record.state in (EvidenceState.RESERVED, EvidenceState.RECEIVED)
        return FileState.ATTACHED if waits else FileState.REJECTED
    worth = reach(record).on(day)
    if worth is Worth.EXPIRED:
        return FileState.EXPIRED
    if worth is Worth.VERIFIED:
        return FileState.VERIFIED
    return FileState.IN_REVIEW if record.taken_up and record.state is EvidenceState.ATTACHED else FileState.ATTACHED


@dataclass(frozen=True, slots=True)
class Gap:
    """Days between two periods that no report covers; both days included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1


def gaps(periods: Iterable[tuple[date, date]]) -> tuple[Gap, ...]:
    """Return the holes between the periods of Type 2 reports, each (first day, last day), the oldest hole first.

    Periods touch when the next begins on the day after the last one ended; periods that overlap leave no hole.
    """
    holes: list[Gap] = []
    reached: date | None = None
    for first, last in sorted(periods):
        if reached is not None and first > reached + _DAY:
            holes.append(Gap(reached + _DAY, first - _DAY))
        reached = last if reached is None else max(reached, last)
    return tuple(holes)


def opinion_cap(record: Record) -> int | None:
    """Return the most that the answer about the level of assurance is worth with this report, in percent.

    Only a report that a reviewer verified caps anything: 60 with a qualified opinion, 0 with an adverse one or a
    disclaimer, 100 with a clean one; None for everything that says nothing about it. The cap does not lapse with the
    report, so time raises no score.
    """
    if record.kind != "SOC2" or record.state is not EvidenceState.VERIFIED:
        return None
    return _OPINION_CAPS.get(str(record.details.get("opinion", "")))


_OPINION_CAPS: Final[Mapping[str, int]] = {"unqualified": 100, "qualified": 60, "adverse": 0, "disclaimer": 0}


def _end(record: Record) -> date | None:
    """Return the last day of a file by its own rule, without any letter."""
    if record.kind == "ISO" and _is_old_edition(record.details.get("edition")):
        return NEVER
    if record.kind == "SOC2" and record.details.get("report_type") == "type1":
        promised = as_day(record.details.get("promised_on"))
        return min((day for day in (record.valid_until, promised) if day is not None), default=None)
    return record.valid_until


def _is_old_edition(edition: Any) -> bool:
    text = str(edition or "")
    return text.isascii() and text.isdigit() and int(text) < ISO_EDITION


def _next_began(letter: Letter, by: date) -> bool:
    return letter.next_start is not None and letter.next_start <= by and bool(letter.next_auditor.strip())

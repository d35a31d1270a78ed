"""The chart of when each file holds: pure geometry that a template draws as SVG.

Type 2 reports share one row: the periods they observed, the holes between them, how long the newest counts after its
period and how far a bridge letter carries it. Every other file has a row of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from uuid import UUID

from markupsafe import Markup

from portal.evidence.queries import LibraryLine
from portal.evidence.rules import (
    BRIDGE_MONTHS,
    KEPT,
    Reach,
    Record,
    Worth,
    add_months,
    as_day,
    gaps,
    period_end,
    reach,
)
from portal.evidence.rules.validity import ENDS_SOON_DAYS
from portal.sites.shared import timed
from portal.sites.shared.language import _, ngettext, told
from portal.sites.shared.ui import day, month

LEFT, RIGHT, TOP, ROW = 214.0, 1060.0, 37, 34
LETTER = 5.9
"""The width of a letter of the chart's text, near enough to tell whether words fit into a bar."""

MOST_ROWS = 30
MOST_PERIODS = 12
BACK_MONTHS, AHEAD_MONTHS, MOST_BACK_MONTHS = 13, 24, 20
ROOM_MONTHS = 10
"""How far the chart goes at least, so that what is said beside a hole has room."""

SOON_DAYS = 60
LABEL, TODAY = 76.0, 20.0
"""How far a month's name reaches to the right of its line, and today's to both sides, with some air."""

OK, WARN, BAD, MUTE = "ok", "warn", "bad", "mute"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid; ``words`` are empty where they would collide with today's."""

    x: float
    words: str


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of days to draw; ``words`` are empty where they do not fit. ``thin``: it counts, unobserved."""

    x: float
    width: float
    tone: str
    words: str = ""
    thin: bool = False

    @property
    def words_x(self) -> float:
        """Where its words begin."""
        return round(self.x + 9, 1)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its stretches, the hatched holes, and what is said beside it."""

    name: str
    y: int
    spans: tuple[Span, ...]
    holes: tuple[Span, ...]
    note: str
    note_x: float
    sentence: Markup
    needs: bool
    """Whether it asks the vendor to do something within 60 days."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything to draw, and the same in words."""

    first: date
    last: date
    today_x: float
    height: int
    ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]
    sentences: tuple[Markup, ...]
    soon: int
    hidden: int
    """Rows that are not drawn, because there are too many."""

    @property
    def words(self) -> str:
        """What it shows, as one text."""
        return " ".join(each.striptags() for each in self.sentences)


@dataclass(frozen=True, slots=True)
class _Axis:
    first: date
    last: date
    today: date

    def x(self, on: date) -> float:
        span = (self.last - self.first).days
        return round(LEFT + (RIGHT - LEFT) * max(0, min(span, (on - self.first).days)) / span, 1)

    def span(self, begins: date, ends: date | None, tone: str, words: str = "", *, thin: bool = False) -> Span | None:
        """Return a stretch of days, both included, or None if all of it lies outside."""
        if begins > self.last or (ends is not None and ends < self.first):
            return None
        left = self.x(begins)
        right = RIGHT if ends is None else self.x(ends + _DAY)
        width = max(3.0, round(right - left, 1))
        return Span(left, width, tone, words if len(words) * LETTER + 14 <= width else "", thin)


@dataclass(frozen=True, slots=True)
class _Held:
    """A file of the chart, with how far it reaches."""

    line: LibraryLine
    record: Record
    reach: Reach

    @property
    def begins(self) -> date | None:
        return self.line.valid_from

    @property
    def ends(self) -> date | None:
        return self.reach.valid_until

    @property
    def period(self) -> tuple[date, date] | None:
        """The period that a Type 2 report observed."""
        ends = period_end(self.record)
        starts = as_day(self.record.details.get("period_start"))
        return (starts, ends) if starts and ends and starts <= ends else None


def chart(lines: Sequence[LibraryLine], records: Mapping[UUID, Record], today: date) -> Chart | None:
    """Return the chart of the files that count, those that end first on top; None if there are none.

    :param records: what is known of each file, by its id (``queries.records``).
    """
    held = [
        _Held(each, records[each.id], reach(records[each.id]))
        for each in lines
        if each.id in records and records[each.id].state in KEPT and each.valid_from is not None
    ]
    reports = sorted(
        (each for each in held if each.period), key=lambda each: (each.period or (today, today))[::-1], reverse=True
    )
    others = [each for each in held if not each.record.superseded and each not in reports]
    if not reports and not others:
        return None
    back = [add_months(today, -BACK_MONTHS)]
    periods = [each.period for each in reports if each.period]
    if periods:
        told = [hole.first for hole in gaps(periods)] + [periods[0][1]]
        back.append(max(add_months(min(told), -2), add_months(today, -MOST_BACK_MONTHS)))
    first = _quarter(min(back))
    ends = [each.ends for each in (*reports, *others) if each.ends is not None]
    last = min(add_months(today, AHEAD_MONTHS), max([*ends, add_months(today, ROOM_MONTHS)]) + timedelta(days=20))
    axis = _Axis(first, last, today)
    covered = {each.line.kind for each in others if each.reach.on(today) is not Worth.EXPIRED}
    makers: list[tuple[date, str, Callable[[int], Row]]] = []
    if reports:
        makers.append((reports[0].ends or date.max, "", partial(_reports, reports, axis)))
    makers += [(each.ends or date.max, each.line.file_name, partial(_file, each, axis, covered)) for each in others]
    makers.sort(key=lambda each: each[:2])
    rows = tuple(make(TOP + ROW * number) for number, (_ends, _name, make) in enumerate(makers))
    shown = rows[:MOST_ROWS]
    return Chart(
        first=first,
        last=last,
        today_x=axis.x(today),
        height=TOP + ROW * len(shown) + 6,
        ticks=tuple(_ticks(axis)),
        rows=shown,
        sentences=tuple(row.sentence for row in rows),
        soon=sum(row.needs for row in rows),
        hidden=len(rows) - len(shown),
    )


def _quarter(on: date) -> date:
    return date(on.year, (on.month - 1) // 3 * 3 + 1, 1)


def _ticks(axis: _Axis) -> Iterator[Tick]:
    at, now = axis.first, axis.x(axis.today)
    while at <= axis.last:
        x = axis.x(at)
        near = now - LABEL < x < now + TODAY or x > RIGHT - 40
        yield Tick(x, "" if near else month(at))
        at = add_months(at, 3)


def _tone(ends: date | None, today: date) -> str:
    if ends is None or (ends - today).days > ENDS_SOON_DAYS:
        return OK
    return BAD if ends < today else WARN


def _months(first: date, last: date) -> str:
    """Return a period as the months it goes over."""
    return _("%(first)s to %(last)s", first=month(first), last=month(last))


def _needs(ends: date | None, today: date) -> bool:
    return ends is not None and (ends - today).days <= SOON_DAYS


def _reports(reports: Sequence[_Held], axis: _Axis, y: int) -> Row:
    """Draw the Type 2 reports, the newest first in ``reports``, in one row."""
    today, newest = axis.today, reports[0]
    periods = [each.period for each in reports[:MOST_PERIODS] if each.period]
    ended = periods[0][1]
    until, carried = newest.reach.verified_until, newest.reach.bridged_until
    tone = _tone(newest.ends, today)
    spans = [
        axis.span(first, last, tone if number == 0 else MUTE, _months(first, last))
        for number, (first, last) in enumerate(periods)
    ]
    if until is not None and until > ended:
        spans.append(
            axis.span(ended + _DAY, until, tone, _("counts until %(day)s", day=day(until, short=True)), thin=True)
        )
    if carried is not None and newest.reach.bridged_from is not None:
        words = _("bridged until %(day)s", day=day(carried, short=True))
        spans.append(axis.span(newest.reach.bridged_from, carried, WARN if carried >= today else BAD, words))
    between = gaps(periods)
    holes = [axis.span(hole.first, hole.last, BAD) for hole in between]
    note, days = "", 0
    if newest.ends is not None and newest.ends < today:
        days = (today - newest.ends).days
        holes.append(axis.span(newest.ends + _DAY, today - _DAY, BAD))
        note = _("%(days)s not covered: %(cure)s", days=_days(days), cure=_cure(newest, today))
    elif between:
        missing = sum(hole.days for hole in between)
        note = ngettext(
            "%(num)s day between two periods is covered by no report",
            "%(num)s days between two periods are covered by no report",
            missing,
        )
    return Row(
        name=_("SOC 2 Type 2 report")
        if len(periods) == 1
        else _("SOC 2 Type 2, %(count)s reports", count=len(periods)),
        y=y,
        spans=tuple(filter(None, spans)),
        holes=tuple(filter(None, holes)),
        note=_fitting(note, axis, newest.ends),
        note_x=_note_x(axis, newest.ends),
        sentence=_report_words(newest, periods[0], note, today),
        needs=bool(days or between) or _needs(newest.ends, today),
    )


def _cure(report: _Held, today: date) -> str:
    """Return what closes the hole after a report: letters carry it to the fifteenth month, then only a report does."""
    ended = period_end(report.record)
    late = ended is not None and today > add_months(ended, report.record.periods.SOC2 + BRIDGE_MONTHS)
    return _("upload the next report") if late else _("add a bridge letter")


def _report_words(newest: _Held, period: tuple[date, date], note: str, today: date) -> Markup:
    of_period = timed.sentence(
        _("SOC 2 Type 2 report for %(first)s to %(last)s"), first=timed.on(period[0]), last=timed.on(period[1])
    )
    ends = newest.ends
    if ends is None:
        return Markup("{}.").format(of_period)
    if ends < today:
        sentence = timed.sentence(_("%(report)s ended %(day)s"), report=of_period, day=timed.on(ends))
    elif newest.reach.is_bridged(today):
        sentence = timed.sentence(_("%(report)s is bridged until %(day)s"), report=of_period, day=timed.on(ends))
    else:
        sentence = timed.sentence(_("%(report)s counts until %(day)s"), report=of_period, day=timed.on(ends))
    return (Markup("{}, {}.") if note else Markup("{}.")).format(sentence, note)


def _file(file: _Held, axis: _Axis, covered: set[str], y: int) -> Row:
    today, ends = axis.today, file.ends
    begins = file.begins or today
    over = ends is not None and ends < today
    uncovered = over and file.line.kind not in covered
    words = _("until it is replaced")
    if ends is not None:
        words = _("ended %(day)s", day=day(ends, short=True)) if over else _("until %(day)s", day=day(ends, short=True))
    tone = MUTE if begins > today else _tone(ends, today)
    bar = axis.span(begins, max(begins, ends) if ends else None, tone, words)
    hole = axis.span(ends + _DAY, today - _DAY, BAD) if uncovered and ends else None
    note = _("%(days)s not covered: upload a newer one", days=_days((today - ends).days)) if uncovered and ends else ""
    if not note and (bar is None or not bar.words):
        note = words
    title = told(file.line.title)
    if ends is None:
        sentence = timed.sentence(_("%(title)s is valid until it is replaced"), title=title)
    elif over:
        sentence = timed.sentence(_("%(title)s ended %(day)s"), title=title, day=timed.on(ends))
    else:
        sentence = timed.sentence(_("%(title)s is valid until %(day)s"), title=title, day=timed.on(ends))
    sentence = (Markup("{}, {}.") if uncovered else Markup("{}.")).format(sentence, note)
    return Row(
        name=_short(title),
        y=y,
        spans=(bar,) if bar else (),
        holes=(hole,) if hole else (),
        note=_fitting(note, axis, ends),
        note_x=_note_x(axis, ends),
        sentence=sentence,
        needs=_needs(ends, today) and not (over and not uncovered),
    )


def _note_x(axis: _Axis, ends: date | None) -> float:
    """Return where a note begins: right of what is drawn, and right of today's line."""
    drawn = axis.x(ends + _DAY) if ends is not None else RIGHT
    return round(max(drawn, axis.x(axis.today)) + 10, 1)


def _fitting(note: str, axis: _Axis, ends: date | None) -> str:
    """Return a note if there is room for it; what it says stands in the list below the chart too."""
    return note if _note_x(axis, ends) + len(note) * LETTER <= RIGHT else ""


def _days(count: int) -> str:
    return ngettext("%(num)s day", "%(num)s days", count)


def _short(name: str) -> str:
    return name if len(name) <= 32 else name[:31].rstrip() + "…"

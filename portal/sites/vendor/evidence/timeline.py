"""The chart of when each file holds: pure geometry that a template draws as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from portal.evidence.queries import LibraryLine
from portal.evidence.rules import Standing, add_months, state_on
from portal.sites.shared.ui import day

LEFT, RIGHT, TOP, ROW = 214.0, 1060.0, 37, 34
LETTER = 5.9
"""The width of a letter of the chart's text, near enough to tell whether words fit into a bar."""

MOST_ROWS = 30
BACK_MONTHS, AHEAD_MONTHS = 13, 24
LABEL, TODAY = 76.0, 20.0
"""How far a month's name reaches to the right of its line, and today's to both sides, with some air."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid; ``words`` are empty where they would collide with today's."""

    x: float
    words: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One file's row. ``gap`` is the hatched part, from its end to today: where it starts, and how wide it is."""

    name: str
    y: int
    x: float
    width: float
    tone: str
    words: str
    words_x: float
    gap: tuple[float, float] | None = None
    gap_words: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything to draw, and the same in words."""

    first: date
    last: date
    today_x: float
    height: int
    ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...]
    words: str
    soon: int


def chart(lines: Sequence[LibraryLine], today: date) -> Chart | None:
    """Return the chart of the files that count, those that end first on top; None if there are none."""
    dated = [each for each in lines if each.can_open and each.replaced_by is None and each.valid_from is not None]
    if not dated:
        return None
    dated.sort(key=lambda each: (each.valid_until or date.max, each.file_name, each.id))
    first = _quarter(add_months(today, -BACK_MONTHS))
    most = add_months(today, AHEAD_MONTHS)
    ends = [each.valid_until for each in dated if each.valid_until is not None]
    last = min(most, max([*ends, add_months(today, 6)]) + timedelta(days=20))
    span = (last - first).days

    def x_of(on: date) -> float:
        return round(LEFT + (RIGHT - LEFT) * max(0, min(span, (on - first).days)) / span, 1)

    covered = {each.kind for each in dated if state_on(each, today) is not Standing.ENDED}
    shown = dated[:MOST_ROWS]
    now = x_of(today)
    return Chart(
        first=first,
        last=last,
        today_x=now,
        height=TOP + ROW * len(shown) + 6,
        ticks=tuple(_ticks(first, last, now, x_of)),
        bars=tuple(_bar(each, n, today, now, covered, x_of) for n, each in enumerate(shown)),
        words=" ".join(_sentence(each, today, covered) for each in shown),
        soon=sum(1 for each in ends if 0 <= (each - today).days <= 60) + sum(1 for each in ends if each < today),
    )


def _quarter(on: date) -> date:
    return date(on.year, (on.month - 1) // 3 * 3 + 1, 1)


def _ticks(first: date, last: date, now: float, x_of) -> list[Tick]:  # type: ignore[no-untyped-def]
    ticks = []
    at = first
    while at <= last:
        x = x_of(at)
        near = now - LABEL < x < now + TODAY or x > RIGHT - 40
        ticks.append(Tick(x, "" if near else f"{day(at, short=True)[2:]}"))
        at = add_months(at, 3)
    return ticks


def _bar(line: LibraryLine, row: int, today: date, now: float, covered: set[str], x_of) -> Bar:  # type: ignore[no-untyped-def]
    begins = x_of(line.valid_from or today)
    ends = x_of(line.valid_until) if line.valid_until else RIGHT
    width = max(3.0, round(ends - begins, 1))
    standing = state_on(line, today)
    uncovered = standing is Standing.ENDED and line.kind not in covered and line.valid_until is not None
    words = _until(line, standing)
    fits = len(words) * LETTER + 14 <= width
    gap = None
    if uncovered:
        gap = (ends, round(max(0.0, now - ends), 1))
        words = words if fits else ""
    return Bar(
        name=_short(line),
        y=TOP + ROW * row,
        x=begins,
        width=width,
        tone={Standing.ENDED: "bad", Standing.ENDS_SOON: "warn", Standing.NOT_YET: "mute"}.get(standing, "ok"),
        words=words,
        words_x=round(begins + 9, 1) if fits else round(begins + width + 6, 1),
        gap=gap,
        gap_words=_gap(line, today) if uncovered else "",
    )


def _short(line: LibraryLine) -> str:
    name = line.title
    return name if len(name) <= 32 else name[:31].rstrip() + "…"


def _until(line: LibraryLine, standing: Standing) -> str:
    if line.valid_until is None:
        return "until it is replaced"
    if standing is Standing.ENDED:
        return f"ended {day(line.valid_until, short=True)}"
    return f"until {day(line.valid_until, short=True)}"


def _gap(line: LibraryLine, today: date) -> str:
    days = (today - (line.valid_until or today)).days
    cure = "add a bridge letter" if line.kind == "SOC2" else "upload a newer one"
    return f"{days} {'day' if days == 1 else 'days'} not covered: {cure}"


def _sentence(line: LibraryLine, today: date, covered: set[str]) -> str:
    standing = state_on(line, today)
    if line.valid_until is None:
        return f"{line.title} is valid until it is replaced."
    if standing is Standing.ENDED:
        more = "" if line.kind in covered else f", {_gap(line, today)}"
        return f"{line.title} ended {day(line.valid_until)}{more}."
    return f"{line.title} is valid until {day(line.valid_until)}."

"""How pages say dates, sizes, points and states: the filters and globals that every template may use."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from functools import cache
from math import floor
from pathlib import Path

from flask import Flask, url_for
from jinja2 import pass_environment
from jinja2.environment import Environment

UNKNOWN = "unknown"
MINUS = "−"
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
RELATIVE_WITHIN_DAYS = 60


def day(value: date | None, *, short: bool = False) -> str:
    """Return "18 December 2026", in tables (short) "18 Dec 2026"; an absent date is the word "unknown"."""
    if value is None:
        return UNKNOWN
    month = MONTHS[value.month - 1]
    return f"{value.day} {month[:3] if short else month} {value.year}"


def clock_time(value: datetime | None, *, zone: tzinfo = UTC) -> str:
    """Return "14:32" in the zone given; a naive time is read as UTC."""
    return UNKNOWN if value is None else f"{_in_zone(value, zone):%H:%M}"


def moment(value: datetime | None, *, short: bool = False, zone: tzinfo = UTC) -> str:
    """Return "18 December 2026 at 14:32", in tables (short) "18 Dec 2026, 14:32"."""
    if value is None:
        return UNKNOWN
    local = _in_zone(value, zone)
    return f"{day(local, short=short)}{', ' if short else ' at '}{local:%H:%M}"


def machine_time(value: date | datetime) -> str:
    """Return what belongs into <time datetime>: ISO 8601, moments in UTC to the second."""
    if isinstance(value, datetime):
        return f"{_in_zone(value, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return value.isoformat()


def zone_name(value: datetime, *, zone: tzinfo = UTC) -> str:
    """Return the name of the zone a moment is shown in, for the hover text."""
    return _in_zone(value, zone).tzname() or "UTC"


def _in_zone(value: datetime, zone: tzinfo) -> datetime:
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(zone)


def relative_days(value: date | datetime | None, on: date) -> str:
    """Return "in 25 days", "today", "54 days ago"; beyond 60 days nothing, for a date says it better."""
    if value is None:
        return ""
    days = ((value.date() if isinstance(value, datetime) else value) - on).days
    if abs(days) > RELATIVE_WITHIN_DAYS:
        return ""
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    return near.get(days) or (f"in {days} days" if days > 0 else f"{-days} days ago")


def duration(value: timedelta | None) -> str:
    """Return the two largest units, "2 d 3 h" or "12 min"; without a sign, the words beside it carry that."""
    if value is None:
        return UNKNOWN
    minutes = int(abs(value.total_seconds())) // 60
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {rest} min" if rest and hours < 3 else f"{hours} h"
    return f"{rest} min"


def filesize(size: int | None) -> str:
    """Return a size in SI units: "640 bytes", "2 kB", "18.0 MB"."""
    if size is None:
        return UNKNOWN
    if size < 1000:
        return plural(size, "byte")
    if size < 100_000:
        return f"{floor(size / 1000 + 0.5)} kB"
    # The unit is chosen after rounding, so that 999,960,000 bytes are 1.0 GB and not 1000.0 MB.
    unit, name = (10**9, "GB") if size >= 999_950_000 else (10**6, "MB")
    return f"{size / unit:.1f} {name}"


def points(value: Fraction | int | None, *, signed: bool = False) -> str:
    """Return exact points with one decimal, floored and never rounded up, as spec/scoring.md shows them."""
    if value is None:
        return UNKNOWN
    tenths = floor(Fraction(value) * 10)
    sign = MINUS if tenths < 0 else "+" if signed and tenths > 0 else ""
    return f"{sign}{abs(tenths) // 10:,}.{abs(tenths) % 10}"


def whole(value: Fraction | int | None) -> str:
    """Return a score as a whole number, floored, so that nobody reads a threshold as met that is not."""
    if value is None:
        return UNKNOWN
    floored = floor(value)
    return f"{MINUS if floored < 0 else ''}{abs(floored):,}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return "1 question", "1,204 questions"; give the second word where an s will not do."""
    return f"{whole(count)} {one if count == 1 else many or one + 's'}"


def initials(name: str) -> str:
    """Return the first letters of the first and the last word of a name."""
    words = name.split()
    return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper() if words else "?"


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is drawn: a tone of the style sheet and an icon of the sprite."""

    tone: str
    icon: str


_PLAIN, _OFF = "t-plain", "t-plain t-off"
STATUS: Mapping[str, Look] = {
    "Not started": Look("", "circle-dashed"),
    "In progress": Look("t-info", "circle-dot"),
    "Complete": Look(_PLAIN, "check"),
    "Evidence missing": Look("t-warn", "paperclip"),
    "Ends soon": Look("t-warn", "calendar-clock"),
    "Ended": Look("t-bad", "calendar-clock"),
    "Overdue": Look("t-bad", "clock"),
    "Cannot start yet": Look(_OFF, "lock"),
    "Critical": Look("t-bad", "octagon-x"),
    "High": Look("t-bad", "octagon-x"),
    "Medium": Look("t-warn", "triangle-alert"),
    "Low": Look("", "info"),
    "Open": Look("t-ok", "lock-open"),
    "Closed": Look("t-bad", "lock"),
    "Not asked": Look("", "minus"),
    "Stale": Look("t-warn", "clock"),
    "New": Look("", "circle-dashed"),
    "Reviewing": Look("t-info", "circle-dot"),
    "With vendor": Look("t-ask", "hourglass"),
    "To decide": Look("t-warn", "badge-check"),
    "To co-sign": Look("t-warn", "signature"),
    "Asked": Look("t-ask", "message-circle-question-mark"),
    "Accepted": Look("t-ok", "check"),
    "Flagged": Look("t-bad", "flag"),
    "Undecided": Look("", "circle-dashed"),
    "Valid": Look(_PLAIN, "check"),
    "Checking": Look("t-info", "loader-circle"),
    "Refused": Look("t-bad", "file-x"),
    "Quarantined": Look("t-bad", "shield-alert"),
    "Replaced": Look(_OFF, "history"),
    "Draft": Look("", "circle-dashed"),
    "Signed": Look(_PLAIN, "signature"),
    "Submitted": Look("t-info", "signature"),
    "In review": Look("t-info", "circle-dot"),
    "Returned": Look("t-ask", "undo-2"),
    "Withdrawn": Look(_OFF, "ban"),
    "Decided": Look(_PLAIN, "badge-check"),
    "Approved": Look("t-ok", "badge-check"),
    "Approved with conditions": Look("t-warn", "shield-alert"),
    "Not approved": Look("t-bad", "ban"),
    "Lapsed": Look("t-bad", "calendar-clock"),
    "Paused": Look("t-bad", "circle-pause"),
    "Allow": Look("t-ok", "check"),
    "Deny": Look("t-bad", "ban"),
    "Active": Look("t-bad", "siren"),
    "Resolved": Look(_PLAIN, "check"),
    "Proof to check": Look("t-warn", "file-check"),
    "Risk accepted": Look("t-warn", "signature"),
    "Invited": Look("", "mail"),
    "Joined": Look(_PLAIN, "check"),
    "Switched off": Look(_OFF, "user-x"),
    "Published": Look("t-ok", "check"),
    "Retired": Look(_OFF, "history"),
    "Confirmed": Look("t-ok", "check"),
    "No answer": Look("t-bad", "triangle-alert"),
    "To confirm": Look("", "history"),
    "Changed": Look("t-info", "git-compare"),
    "New question": Look("t-info", "plus"),
}


def status_look(word: str) -> Look:
    """Return the tone and icon of a status word; "Orrery asked" is the Asked of whoever asked.

    :raises KeyError: for a word outside the vocabulary, so that no status is drawn without its icon.
    """
    return STATUS["Asked"] if word.endswith(" asked") and word not in STATUS else STATUS[word]


@dataclass(frozen=True, slots=True)
class NavItem:
    """One destination of a site; count names the number beside it in nav_counts."""

    key: str
    label: str
    path: str
    icon: str = ""
    count: str = ""
    urgent: bool = False


VENDOR_NAV = (
    NavItem("assessment", "Assessment", "/"),
    NavItem("evidence", "Evidence", "/evidence"),
    NavItem("results", "Results", "/results"),
    NavItem("team", "Team", "/team"),
)
LAB_NAV: Mapping[str, tuple[NavItem, ...]] = {
    "Work": (
        NavItem("queue", "Review queue", "/lab/queue", "inbox", "queue"),
        NavItem("reviews", "My reviews", "/lab/reviews", "list-checks", "reviews"),
        NavItem("cosign", "To co-sign", "/lab/cosign", "signature", "cosign"),
    ),
    "Vendors": (
        NavItem("vendors", "Vendors", "/lab/vendors", "building-2", "vendors"),
        NavItem("portfolio", "Portfolio", "/lab/portfolio", "layout-dashboard"),
        NavItem("evidence", "Evidence", "/lab/evidence", "file-clock", "evidence"),
        NavItem("incidents", "Incidents", "/lab/incidents", "siren", "incidents", urgent=True),
    ),
    "Manage": (
        NavItem("questionnaires", "Questionnaires", "/lab/questionnaires", "git-compare-arrows"),
        NavItem("users", "Users and roles", "/lab/admin/users", "users"),
        NavItem("keys", "API and webhooks", "/lab/admin/clients", "webhook"),
        NavItem("audit", "Audit log", "/lab/audit", "scroll-text"),
    ),
}


def is_current(path: str, here: str) -> bool:
    """Say whether the reader is at a destination or below it; "/" owns the sections and the check."""
    if path == "/":
        return here == "/" or here.startswith(("/s/", "/check"))
    return here == path or here.startswith(path + "/")


@cache
def fingerprint(path: Path, _changed: int) -> str:
    """Return eight characters that change when the file does."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def register(app: Flask, *, today: Callable[[], date] | None = None) -> None:
    """Give the templates these filters and globals; today is the clock's date, UTC by default."""
    current = today or (lambda: datetime.now(UTC).date())

    def asset(name: str) -> str:
        """Return the address of a static file, new whenever its bytes are new."""
        path = Path(app.static_folder or "static") / name
        version = fingerprint(path, path.stat().st_mtime_ns)
        return url_for("static", filename=name, v=version)

    @pass_environment
    def days_from_today(_: Environment, value: date | datetime | None) -> str:
        # An environment filter is never evaluated when the template is compiled, so "today" stays today.
        return relative_days(value, current())

    app.jinja_env.filters.update(
        date=day,
        datetime=moment,
        clock_time=clock_time,
        machine_time=machine_time,
        zone_name=zone_name,
        relative_days=days_from_today,
        duration=duration,
        filesize=filesize,
        points=points,
        whole=whole,
        plural=plural,
        initials=initials,
    )
    app.jinja_env.globals.update(
        asset=asset, status_look=status_look, is_current=is_current, VENDOR_NAV=VENDOR_NAV, LAB_NAV=LAB_NAV
    )

"""How pages say dates, sizes, points and states: the filters and globals that every template may use.

What a function here returns is in the language and the zone of the reader of this request; outside of a request it is
English in UTC.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from functools import cache, lru_cache, wraps
from math import floor
from pathlib import Path
from typing import Any

from flask import Flask, g, has_request_context, request, url_for
from jinja2 import pass_context
from markupsafe import Markup

from portal.kernel import words
from portal.sites.shared.language import _, ngettext, reader, told
from portal.terms import N_

UNKNOWN = N_("unknown")
MINUS = "−"
RELATIVE_WITHIN_DAYS = 60


def day(value: date | None, *, short: bool = False) -> str:
    """Return "18 December 2026", in tables (short) "18 Dec 2026"; an absent date is the word "unknown".

    The day of a moment is the day on which the reader's clocks show it.
    """
    if value is None:
        return _(UNKNOWN)
    who = reader()
    local = words.in_zone(value, who.zone) if isinstance(value, datetime) else value
    return words.day(local, who.language, short=short)


def month(value: date) -> str:
    """Return the month of a day in few letters, "Dec 2026", for a chart."""
    return words.month(value, reader().language)


def clock_time(value: datetime | None, *, zone: tzinfo | None = None) -> str:
    """Return "14:32" in the reader's zone or the one given; a naive time is read as UTC."""
    return _(UNKNOWN) if value is None else words.clock(value, zone or reader().zone)


def moment(value: datetime | None, *, short: bool = False, zone: tzinfo | None = None) -> str:
    """Return "18 December 2026 at 14:32", in tables (short) "18 Dec 2026, 14:32"."""
    if value is None:
        return _(UNKNOWN)
    who = reader()
    return words.moment(value, who.language, zone or who.zone, short=short, name_zone=False)


def machine_time(value: date | datetime) -> str:
    """Return what belongs into <time datetime>: ISO 8601, moments in UTC to the second."""
    if isinstance(value, datetime):
        return f"{words.in_zone(value):%Y-%m-%dT%H:%M:%SZ}"
    return value.isoformat()


def zone_name(value: datetime, *, zone: tzinfo | None = None) -> str:
    """Return the name of the zone a moment is shown in, for the hover text: "UTC", or "CET, Europe/Berlin"."""
    there = zone or reader().zone
    name, place = words.in_zone(value, there).tzname() or "UTC", getattr(there, "key", "")
    return f"{name}, {place}" if place else name


def relative_days(value: date | datetime | None, on: date) -> str:
    """Return "in 25 days", "today", "54 days ago"; beyond 60 days nothing, for a date says it better."""
    if value is None:
        return ""
    days = ((words.in_zone(value, reader().zone).date() if isinstance(value, datetime) else value) - on).days
    if abs(days) > RELATIVE_WITHIN_DAYS:
        return ""
    if days in _NEAR:
        return _(_NEAR[days])
    if days > 0:
        return ngettext("in %(num)s day", "in %(num)s days", days)
    return ngettext("%(num)s day ago", "%(num)s days ago", -days)


_NEAR = {-1: N_("yesterday"), 0: N_("today"), 1: N_("tomorrow")}


def duration(value: timedelta | None) -> str:
    """Return the two largest units, "2 d 3 h" or "12 min"; without a sign, the words beside it carry that."""
    if value is None:
        return _(UNKNOWN)
    minutes = int(abs(value.total_seconds())) // 60
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return _("%(days)s d %(hours)s h", days=days, hours=hours) if hours else _("%(days)s d", days=days)
    if hours:
        if rest and hours < 3:
            return _("%(hours)s h %(minutes)s min", hours=hours, minutes=rest)
        return _("%(hours)s h", hours=hours)
    return _("%(minutes)s min", minutes=rest)


def filesize(size: int | None) -> str:
    """Return a size in SI units: "640 bytes", "2 kB", "18.0 MB"."""
    if size is None:
        return _(UNKNOWN)
    if size < 1000:
        return ngettext("%(num)s byte", "%(num)s bytes", size)
    if size < 100_000:
        return f"{floor(size / 1000 + 0.5)} kB"
    # The unit is chosen after rounding, so that 999,960,000 bytes are 1.0 GB and not 1000.0 MB.
    unit, name = (10**9, "GB") if size >= 999_950_000 else (10**6, "MB")
    return f"{size / unit:.1f} {name}".replace(".", words.symbols(reader().language)[0])


def points(value: Fraction | int | None, *, signed: bool = False) -> str:
    """Return exact points with one decimal, floored and never rounded up, as spec/scoring.md shows them."""
    if value is None:
        return _(UNKNOWN)
    tenths = floor(Fraction(value) * 10)
    sign = MINUS if tenths < 0 else "+" if signed and tenths > 0 else ""
    speaks = reader().language
    return f"{sign}{words.whole(abs(tenths) // 10, speaks)}{words.symbols(speaks)[0]}{abs(tenths) % 10}"


def whole(value: Fraction | int | None) -> str:
    """Return a score as a whole number, floored, so that nobody reads a threshold as met that is not."""
    if value is None:
        return _(UNKNOWN)
    floored = floor(value)
    return f"{MINUS if floored < 0 else ''}{words.whole(abs(floored), reader().language)}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return "1 question", "1,204 questions" for the lab's pages; give the second word where an s will not do.

    English only: a contractor's page says ``ngettext``.
    """
    return f"{whole(count)} {one if count == 1 else many or one + 's'}"


def initials(name: str) -> str:
    """Return the first letters of the first and the last word of a name."""
    parts = name.split()
    return (parts[0][:1] + (parts[-1][:1] if len(parts) > 1 else "")).upper() if parts else "?"


def pages_words(pages: str) -> str:
    """Return "page 3" or "pages 2–5"; a place without numbers is said as it was entered."""
    if pages.isdigit():
        return _("page %(pages)s", pages=pages)
    return _("pages %(pages)s", pages=pages) if pages[:1].isdigit() else pages


def told_choices(options: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the options of a choice, each with its words in the reader's language: (value, words, more words)."""
    return [(value, *(told(each) for each in said)) for value, *said in options]


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is drawn: a tone of the style sheet and an icon of the sprite."""

    tone: str
    icon: str


_PLAIN, _OFF = "t-plain", "t-plain t-off"
STATUS: Mapping[str, Look] = {
    N_("Not started"): Look("", "circle-dashed"),
    N_("In progress"): Look("t-info", "circle-dot"),
    N_("Complete"): Look(_PLAIN, "check"),
    N_("Evidence missing"): Look("t-warn", "paperclip"),
    N_("Ends soon"): Look("t-warn", "calendar-clock"),
    N_("Ended"): Look("t-bad", "calendar-clock"),
    N_("Overdue"): Look("t-bad", "clock"),
    N_("Cannot start yet"): Look(_OFF, "lock"),
    N_("Critical"): Look("t-bad", "octagon-x"),
    N_("High"): Look("t-bad", "octagon-x"),
    N_("Medium"): Look("t-warn", "triangle-alert"),
    N_("Low"): Look("", "info"),
    N_("Open"): Look("t-ok", "lock-open"),
    N_("Closed"): Look("t-bad", "lock"),
    N_("Not asked"): Look("", "minus"),
    N_("Stale"): Look("t-warn", "clock"),
    N_("New"): Look("", "circle-dashed"),
    N_("Reviewing"): Look("t-info", "circle-dot"),
    N_("With vendor"): Look("t-ask", "hourglass"),
    N_("To decide"): Look("t-warn", "badge-check"),
    N_("To co-sign"): Look("t-warn", "signature"),
    N_("Asked"): Look("t-ask", "message-circle-question-mark"),
    N_("Accepted"): Look("t-ok", "check"),
    N_("Flagged"): Look("t-bad", "flag"),
    N_("Undecided"): Look("", "circle-dashed"),
    N_("Valid"): Look(_PLAIN, "check"),
    N_("Checking"): Look("t-info", "loader-circle"),
    N_("Refused"): Look("t-bad", "file-x"),
    N_("Quarantined"): Look("t-bad", "shield-alert"),
    N_("Replaced"): Look(_OFF, "history"),
    N_("To fix"): Look("t-warn", "flag"),
    N_("Proof sent"): Look("t-info", "hourglass"),
    N_("Closed by proof"): Look(_PLAIN, "check"),
    N_("Plan sent"): Look("t-info", "hourglass"),
    N_("Plan agreed"): Look(_PLAIN, "check"),
    N_("Plan returned"): Look("t-ask", "undo-2"),
    N_("Under appeal"): Look("t-ask", "hourglass"),
    N_("Draft"): Look("", "circle-dashed"),
    N_("Signed"): Look(_PLAIN, "signature"),
    N_("Submitted"): Look("t-info", "signature"),
    N_("In review"): Look("t-info", "circle-dot"),
    N_("Reviewed"): Look(_PLAIN, "check"),
    N_("You replied"): Look("t-info", "message-square"),
    N_("Returned"): Look("t-ask", "undo-2"),
    N_("Withdrawn"): Look(_OFF, "ban"),
    N_("Decided"): Look(_PLAIN, "badge-check"),
    N_("Approved"): Look("t-ok", "badge-check"),
    N_("Approved with conditions"): Look("t-warn", "shield-alert"),
    N_("Not approved"): Look("t-bad", "ban"),
    N_("Lapsed"): Look("t-bad", "calendar-clock"),
    N_("Paused"): Look("t-bad", "circle-pause"),
    N_("Allow"): Look("t-ok", "check"),
    N_("Deny"): Look("t-bad", "ban"),
    N_("Active"): Look("t-bad", "siren"),
    N_("Resolved"): Look(_PLAIN, "check"),
    N_("Proof to check"): Look("t-warn", "file-check"),
    N_("Risk accepted"): Look("t-warn", "signature"),
    N_("Invited"): Look("", "mail"),
    N_("Queued"): Look("", "hourglass"),
    N_("Sent"): Look("t-info", "mail"),
    N_("Not delivered"): Look("t-bad", "triangle-alert"),
    N_("Opened"): Look("t-info", "eye"),
    N_("Expired"): Look("t-warn", "calendar-clock"),
    N_("Left"): Look(_OFF, "user-x"),
    N_("Joined"): Look(_PLAIN, "check"),
    N_("Switched off"): Look(_OFF, "user-x"),
    N_("Published"): Look("t-ok", "check"),
    N_("Retired"): Look(_OFF, "history"),
    N_("Confirmed"): Look("t-ok", "check"),
    N_("No answer"): Look("t-bad", "triangle-alert"),
    N_("To confirm"): Look("", "history"),
    N_("Changed"): Look("t-info", "git-compare"),
    N_("New question"): Look("t-info", "plus"),
}


def status_look(word: str) -> Look:
    """Return the tone and icon of a status word; "Orrery asked" is the Asked of whoever asked.

    :raises KeyError: for a word outside the vocabulary, so that no status is drawn without its icon.
    """
    return STATUS["Asked"] if word.endswith(" asked") and word not in STATUS else STATUS[word]


@dataclass(frozen=True, slots=True)
class NavItem:
    """One destination of a site; count names the number beside it in nav_counts, keys the two that lead there."""

    key: str
    label: str
    path: str
    icon: str = ""
    count: str = ""
    urgent: bool = False
    keys: str = ""


VENDOR_NAV = (
    NavItem("assessment", N_("Assessment"), "/"),
    NavItem("evidence", N_("Evidence"), "/evidence"),
    NavItem("results", N_("Results"), "/results"),
    NavItem("team", N_("Team"), "/team"),
)
LAB_NAV: Mapping[str, tuple[NavItem, ...]] = {
    "Work": (
        NavItem("queue", "Review queue", "/lab/queue", "inbox", "queue", keys="g q"),
        NavItem("reviews", "My reviews", "/lab/reviews", "list-checks", "reviews", keys="g r"),
        NavItem("messages", "Messages", "/lab/messages", "message-square", "messages", keys="g m"),
        NavItem("cosign", "To co-sign", "/lab/cosign", "signature", "cosign", keys="g c"),
        NavItem("findings", "Findings", "/lab/findings", "flag", "findings", keys="g f"),
        NavItem("appeals", "Second looks", "/lab/appeals", "refresh-cw", "appeals", keys="g s"),
    ),
    "Vendors": (
        NavItem("vendors", "Vendors", "/lab/vendors", "building-2", "vendors", keys="g v"),
        NavItem("portfolio", "Portfolio", "/lab/portfolio", "layout-dashboard", keys="g p"),
        NavItem("evidence", "Evidence", "/lab/evidence", "file-clock", "evidence", keys="g e"),
        NavItem("incidents", "Incidents", "/lab/incidents", "siren", "incidents", urgent=True, keys="g i"),
    ),
    "Manage": (
        NavItem("questionnaires", "Questionnaires", "/lab/questionnaires", "git-compare-arrows", keys="g n"),
        NavItem("policies", "Policies", "/lab/policies", "gauge", keys="g o"),
        NavItem("users", "Users and roles", "/lab/admin/users", "users", keys="g u"),
        NavItem("keys", "API and webhooks", "/lab/admin/clients", "webhook", keys="g k"),
        NavItem("audit", "Audit log", "/lab/audit", "scroll-text", keys="g l"),
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


@lru_cache(maxsize=2048)
def _drawn(sprite: str, name: str, cls: str, label: str) -> Markup:
    """Return the markup of an icon; a page has a hundred, of few kinds."""
    more = Markup(" {}").format(cls) if cls else ""
    spoken = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="i{}" {}><use href="{}#i-{}"/></svg>').format(more, spoken, sprite, name)


def _for_reader(say: Callable[..., Any]) -> Callable[..., Any]:
    """Return the filter of a function whose answer depends on the reader.

    A context filter is never evaluated when a template is compiled, so no reader is spoken to as another.
    """

    @pass_context
    @wraps(say)
    def filtered(_context: object, *args: Any, **more: Any) -> Any:
        return say(*args, **more)

    return filtered


def register(app: Flask, *, today: Callable[[], date] | None = None, now: Callable[[], datetime] | None = None) -> None:
    """Give the templates these filters and globals; now is the clock's moment, of which today is the date in UTC."""
    instant = now or (lambda: datetime.now(UTC))
    current = today or (lambda: instant().astimezone(UTC).date())

    folder = str(app.static_folder or "static")
    addresses: dict[tuple[str, int, str], str] = {}

    def asset(name: str) -> str:
        """Return the address of a static file, new whenever its bytes are new; looked at once a request."""
        if not has_request_context():
            return address(name, "")
        here = g._get_current_object()
        found: dict[str, str] = here.setdefault("assets", {})
        if name not in found:
            found[name] = address(name, request.script_root)
        return found[name]

    def address(name: str, root: str) -> str:
        changed = os.stat(f"{folder}/{name}").st_mtime_ns
        known = (name, changed, root)
        if known not in addresses:
            version = fingerprint(Path(folder) / name, changed)
            addresses[known] = url_for("static", filename=name, v=version)
        return addresses[known]

    def icon(name: str, cls: str = "", label: str = "") -> Markup:
        """Return one icon of the sprite. Beside words it is silent; alone, give it a label."""
        return _drawn(asset("icons/sprite.svg"), name, cls, label)

    def days_from_today(value: date | datetime | None) -> str:
        # A day ends as the house's clock says, in UTC; a moment is as far away as the reader's calendar shows it.
        is_moment = isinstance(value, datetime) and today is None
        return relative_days(value, words.in_zone(instant(), reader().zone).date() if is_moment else current())

    said_to_reader: dict[str, Callable[..., Any]] = {
        "date": day,
        "datetime": moment,
        "clock_time": clock_time,
        "zone_name": zone_name,
        "relative_days": days_from_today,
        "duration": duration,
        "filesize": filesize,
        "points": points,
        "whole": whole,
        "plural": plural,
        "told": told,
        "told_choices": told_choices,
        "pages_words": pages_words,
    }
    app.jinja_env.filters.update({name: _for_reader(say) for name, say in said_to_reader.items()})
    app.jinja_env.filters.update(machine_time=machine_time, initials=initials)
    app.jinja_env.globals.update(
        asset=asset,
        drawn_icon=icon,
        status_look=status_look,
        is_current=is_current,
        VENDOR_NAV=VENDOR_NAV,
        LAB_NAV=LAB_NAV,
    )

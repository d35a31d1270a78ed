"""How long evidence holds, by the rule of its kind; months are calendar months. Pure."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Protocol

from portal.evidence.rules.kinds import KINDS
from portal.evidence.rules.periods import PERIODS_1, Periods

ENDS_SOON_DAYS: Final = 90
PROVISIONAL_DAYS: Final = 30
"""How long a file counts whose dates are not given yet: long enough to give them, too short to live on."""

BRIDGE_MONTHS: Final = 3
"""How long letters carry a Type 2 report beyond its own time."""
BRIDGED_MONTHS: Final = PERIODS_1.SOC2 + BRIDGE_MONTHS
"""How long after the end of its period that is, by the first periods."""


@dataclass(frozen=True, slots=True)
class Validity:
    """From when to when a file holds, both days included, and by which rule. No end: until it is replaced."""

    valid_from: date | None
    valid_until: date | None
    rule: str

    @property
    def is_provisional(self) -> bool:
        """Whether the dates that the rule needs are missing."""
        return self.rule == PROVISIONAL


PROVISIONAL: Final = "provisional-30d"


class Standing(StrEnum):
    """Where a file stands on a day."""

    VALID = "valid"
    ENDS_SOON = "ends_soon"
    ENDED = "ended"
    NOT_YET = "not_yet"


class Dated(Protocol):
    """Anything with a time in which it holds."""

    @property
    def valid_from(self) -> date | None:
        """The first day."""

    @property
    def valid_until(self) -> date | None:
        """The last day."""


def state_on(evidence: Dated, day: date) -> Standing:
    """Return where a file stands on a day; its last day still counts."""
    if evidence.valid_until is not None and day > evidence.valid_until:
        return Standing.ENDED
    if evidence.valid_from is not None and day < evidence.valid_from:
        return Standing.NOT_YET
    if evidence.valid_until is not None and (evidence.valid_until - day).days <= ENDS_SOON_DAYS:
        return Standing.ENDS_SOON
    return Standing.VALID


def add_months(day: date, months: int) -> date:
    """Return the same day some months later, or the last of that month if it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def validity(kind: str, details: Mapping[str, Any], uploaded_on: date, periods: Periods = PERIODS_1) -> Validity:
    """Return how long a file of this kind holds (spec/evidence.md, the table of kinds).

    Without the dates that its rule needs, a file holds provisionally from its upload.

    :raises KeyError: for a kind that is not one of ours.
    """
    if kind not in KINDS:
        raise KeyError(kind)
    days = {name: found for name, value in details.items() if (found := as_day(value)) is not None}
    by_rule = _RULES[kind](days, details, periods)
    return by_rule or Validity(uploaded_on, uploaded_on + timedelta(days=PROVISIONAL_DAYS), PROVISIONAL)


def as_day(value: Any) -> date | None:
    """Return a stored detail as a day, None if it is none."""
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return None


_Rule = Callable[[Mapping[str, date], Mapping[str, Any], Periods], Validity | None]


def _months(field: str, number: str) -> _Rule:
    def rule(days: Mapping[str, date], _details: Mapping[str, Any], periods: Periods) -> Validity | None:
        start, months = days.get(field), getattr(periods, number)
        return Validity(start, add_months(start, months), f"{months}m-from-{field}") if start else None

    return rule


def _days(field: str, number: str) -> _Rule:
    def rule(days: Mapping[str, date], _details: Mapping[str, Any], periods: Periods) -> Validity | None:
        start, count = days.get(field), getattr(periods, number)
        return Validity(start, start + timedelta(days=count), f"{count}d-from-{field}") if start else None

    return rule


def _lasting(field: str) -> _Rule:
    def rule(days: Mapping[str, date], _details: Mapping[str, Any], _periods: Periods) -> Validity | None:
        start = days.get(field)
        return Validity(start, None, "until-replaced") if start else None

    return rule


def _soc2(days: Mapping[str, date], details: Mapping[str, Any], periods: Periods) -> Validity | None:
    if details.get("report_type") == "type1":
        holds = _months("as_of", "SOC2_type_1")(days, details, periods)
        promised = days.get("promised_on")
        if holds is None or holds.valid_until is None or promised is None or promised >= holds.valid_until:
            return holds
        return Validity(holds.valid_from, max(days["as_of"], promised), "until-promised_on")
    return _months("period_end", "SOC2")(days, details, periods)


def _bridge(days: Mapping[str, date], _details: Mapping[str, Any], _periods: Periods) -> Validity | None:
    if not {"report_end", "covers_from", "covers_until"} <= days.keys():
        return None
    # Counted from where the letter takes over: the end of the report, or of the letter before it.
    last = min(days["covers_until"], add_months(days["covers_from"] - timedelta(days=1), BRIDGE_MONTHS))
    return Validity(days["covers_from"], max(days["covers_from"], last), "bridge-3m")


def _certificate(days: Mapping[str, date], _details: Mapping[str, Any], periods: Periods) -> Validity | None:
    if not {"issued_on", "expires_on"} <= days.keys():
        return None
    watched = add_months(days.get("surveillance_on", days["issued_on"]), periods.surveillance)
    if watched < days["expires_on"]:
        return Validity(days["issued_on"], watched, f"surveillance-{periods.surveillance}m")
    return Validity(days["issued_on"], days["expires_on"], "until-expires_on")


def _insurance(days: Mapping[str, date], _details: Mapping[str, Any], _periods: Periods) -> Validity | None:
    if not {"starts_on", "expires_on"} <= days.keys():
        return None
    return Validity(days["starts_on"], days["expires_on"], "until-expires_on")


def _policy(days: Mapping[str, date], details: Mapping[str, Any], periods: Periods) -> Validity | None:
    if "approved_on" in days and "next_review_on" in days:
        return Validity(days["approved_on"], days["next_review_on"], "until-next_review_on")
    return _months("approved_on", "POL")(days, details, periods)


def _contract(days: Mapping[str, date], details: Mapping[str, Any], periods: Periods) -> Validity | None:
    if "starts_on" in days and "ends_on" in days:
        return Validity(days["starts_on"], days["ends_on"], "until-ends_on")
    return _lasting("starts_on")(days, details, periods)


_RULES: Final[Mapping[str, _Rule]] = MappingProxyType(
    {
        "SOC2": _soc2,
        "BL": _bridge,
        "ISO": _certificate,
        "ISO42": _certificate,
        "STAR": _months("dated_on", "STAR"),
        "PT": _months("tested_until", "PT"),
        "VS": _days("scanned_on", "VS"),
        "INS": _insurance,
        "DPA": _lasting("signed_on"),
        "SPL": _days("as_of", "SPL"),
        "BCP": _months("tested_on", "BCP"),
        "IRP": _months("exercised_on", "IRP"),
        "DEL": _lasting("deleted_on"),
        "VER": _months("checked_until", "VER"),
        "TRN": _months("completed_on", "TRN"),
        "ARC": _months("dated_on", "ARC"),
        "SBOM": _days("made_on", "SBOM"),
        "SCR": _days("taken_on", "SCR"),
        "LOG": _days("range_until", "LOG"),
        "POL": _policy,
        "CON": _contract,
        "RPT": _months("dated_on", "RPT"),
        "ATT": _months("dated_on", "ATT"),
    }
)

"""Where a review stands in the queue, why one should look at it, and in which lists it is found. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, TypeVar
from uuid import UUID

from portal.reviews.rules.timing import Kind, Stage
from portal.scoring.rules import Code
from portal.terms import AssessmentState


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that stands out. ``tone``: stop, watch or asked, the hue of the design."""

    kind: str
    words: str
    tone: str


SIGNAL_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "knock_out_failed": "Knock-out failed",
        "finding_high": "High finding",
        "escalated": "Escalated",
        "contradiction": "Contradiction",
        "knock_out_open": "Knock-out open",
        "evidence_missing": "Evidence missing",
        "evidence_expired": "Evidence ended",
        "went_down": "Answers went down",
    }
)
"""What can stand out, the gravest first, as a filter says it."""

_WEIGHTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "knock_out_failed": 300,
        "finding_high": 100,
        "escalated": 50,
        "contradiction": 30,
        "knock_out_open": 20,
        "evidence_missing": 10,
        "evidence_expired": 10,
        "went_down": 5,
    }
)
_HEAVIEST: Final = 999


def stage_of(state: AssessmentState, *, claimed: bool, proposed: bool) -> Stage:
    """Return where a review stands."""
    if state is AssessmentState.CHANGES_REQUESTED:
        return Stage.WITH_VENDOR
    if state is AssessmentState.RECOMMENDED:
        return Stage.TO_COSIGN if proposed else Stage.TO_DECIDE
    return Stage.REVIEWING if claimed else Stage.NEW


def signals_of(
    *,
    failed: int,
    still_open: int,
    reasons: Iterable[Mapping[str, Any]],
    high: int,
    disagree: int = 0,
    down: int = 0,
    escalated: bool = False,
) -> tuple[Signal, ...]:
    """Return what stands out of a score, its findings, the checks and the comparison, the gravest first."""
    found: list[Signal] = []
    if failed:
        found.append(Signal("knock_out_failed", _count(failed, "knock-out failed", "knock-outs failed"), "stop"))
    if high:
        found.append(Signal("finding_high", _count(high, "high finding", "high findings"), "stop"))
    if escalated:
        found.append(Signal("escalated", "Escalated", "asked"))
    if disagree:
        found.append(Signal("contradiction", _count(disagree, "contradiction", "contradictions"), "stop"))
    if still_open:
        found.append(Signal("knock_out_open", _count(still_open, "knock-out open", "knock-outs open"), "asked"))
    for reason in reasons:
        kinds = " or ".join(reason["keys"])
        if reason["code"] == Code.EVIDENCE_MISSING:
            found.append(Signal("evidence_missing", f"No {kinds}", "watch"))
        elif reason["code"] == Code.EVIDENCE_EXPIRED:
            found.append(Signal("evidence_expired", f"{kinds} ended", "watch"))
    if down:
        found.append(Signal("went_down", _count(down, "answer went down", "answers went down"), "watch"))
    return tuple(found)


def _count(number: int, one: str, many: str) -> str:
    return f"1 {one}" if number == 1 else f"{number} {many}"


def rank_of(tier: int, signals: Iterable[Signal]) -> int:
    """Return how risky a review is, the riskiest lowest: the stricter tier first, then what stands out of it."""
    weight = sum(_WEIGHTS.get(each.kind, 0) for each in signals)
    return tier * (_HEAVIEST + 1) + _HEAVIEST - min(weight, _HEAVIEST)


class Sort(StrEnum):
    """In which order a list is shown."""

    DUE = "due"
    RISK = "risk"
    WAITING = "waiting"


SORT_WORDS: Final[Mapping[Sort, str]] = MappingProxyType(
    {
        Sort.DUE: "time left to the service level",
        Sort.RISK: "risk: tier, then what stands out",
        Sort.WAITING: "who waits longest",
    }
)


class View(StrEnum):
    """The lists that everybody has."""

    ALL = "all"
    MINE = "mine"
    UNCLAIMED = "unclaimed"
    TIER_1 = "tier1"
    VENDOR = "vendor"
    DECIDE = "decide"
    COSIGN = "cosign"
    SNOOZED = "snoozed"


VIEW_WORDS: Final[Mapping[View, str]] = MappingProxyType(
    {
        View.ALL: "By time left",
        View.MINE: "Mine",
        View.UNCLAIMED: "Unassigned",
        View.TIER_1: "Tier 1",
        View.VENDOR: "Waiting for vendor",
        View.DECIDE: "To decide",
        View.COSIGN: "To co-sign",
        View.SNOOZED: "Snoozed",
    }
)
_STAGES: Final[Mapping[View, Stage]] = MappingProxyType(
    {View.UNCLAIMED: Stage.NEW, View.DECIDE: Stage.TO_DECIDE, View.COSIGN: Stage.TO_COSIGN}
)
NOBODY: Final = "nobody"
ME: Final = "me"

_OPEN: Final = "open"
_VENDOR: Final = "vendor"
_SNOOZED: Final = "snoozed"


def places_of(
    *,
    stage: Stage,
    tier: int,
    kind: Kind,
    reviewer_id: UUID | None,
    signals: Iterable[str],
    data_classes: Iterable[int],
    snoozed: bool,
) -> tuple[str, ...]:
    """Return the names of all lists in which a review is found, each once, in order.

    A list is the lab's turn ("open") or the vendor's ("vendor"), whole or by one trait of the reviews in it.
    """
    turn = _VENDOR if stage is Stage.WITH_VENDOR else _OPEN
    traits = [
        f"tier:{tier}",
        f"kind:{kind.value}",
        f"who:{reviewer_id or NOBODY}",
        *(f"signal:{each}" for each in signals),
        *(f"class:{each}" for each in data_classes),
    ]
    names = {turn, *(f"{turn}/{each}" for each in traits)}
    if turn == _OPEN:
        names.add(f"{_OPEN}/stage:{stage.value}")
    if snoozed:
        names.add(_SNOOZED)
    return tuple(sorted(names))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of the queue is asked for: a view, narrowed by filters, in an order."""

    view: View = View.ALL
    tier: int | None = None
    kind: Kind | None = None
    who: str = ""
    signal: str = ""
    data_class: int | None = None
    sort: Sort = Sort.DUE

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Wanted:
        """Return what the parts of an address ask for. What is not known is left out, as if it were not there."""
        who = given.get("who", "")
        return cls(
            view=_of(View, given.get("tab", "")) or View.ALL,
            tier=_number(given.get("tier", ""), range(1, 4)),
            kind=_of(Kind, given.get("kind", "")),
            who=who if who in {ME, NOBODY} else _person(who),
            signal=given.get("signal", "") if given.get("signal", "") in SIGNAL_WORDS else "",
            data_class=_number(given.get("data", "").removeprefix("D"), range(6)),
            sort=_of(Sort, given.get("sort", "")) or Sort.DUE,
        )

    def written(self) -> dict[str, str]:
        """Return the parts of an address that ask for this; ``read`` gives the same again."""
        parts = {
            "tab": self.view.value if self.view is not View.ALL else "",
            "tier": str(self.tier or ""),
            "kind": self.kind.value if self.kind else "",
            "who": self.who,
            "signal": self.signal,
            "data": f"D{self.data_class}" if self.data_class is not None else "",
            "sort": self.sort.value if self.sort is not Sort.DUE else "",
        }
        return {name: value for name, value in parts.items() if value}

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter beyond the view is on."""
        return replace(self, view=View.ALL, sort=Sort.DUE) != Wanted()

    def places(self, me: UUID | None) -> tuple[str, ...]:
        """Return the lists that a review must be in, the one that is presumably the shortest first."""
        turn = _VENDOR if self.view is View.VENDOR else _OPEN
        who = {ME: str(me), NOBODY: NOBODY}.get(self.who, self.who)
        stage = _STAGES.get(self.view)
        names = [
            _SNOOZED if self.view is View.SNOOZED else "",
            f"{turn}/who:{me}" if self.view is View.MINE else "",
            f"{turn}/who:{who}" if who and who != NOBODY else "",
            f"{turn}/stage:{stage.value}" if stage not in {None, Stage.NEW} and stage is not None else "",
            f"{turn}/signal:{self.signal}" if self.signal else "",
            f"{turn}/class:{self.data_class}" if self.data_class is not None else "",
            f"{turn}/kind:{self.kind.value}" if self.kind else "",
            f"{turn}/tier:1" if self.view is View.TIER_1 else "",
            f"{turn}/tier:{self.tier}" if self.tier else "",
            f"{turn}/stage:{stage.value}" if stage is Stage.NEW else "",
            f"{turn}/who:{who}" if who == NOBODY else "",
        ]
        return tuple(dict.fromkeys(each for each in names if each)) or (turn,)

    def takes(self, places: Collection[str], *, snoozed_until: datetime | None, now: datetime, me: UUID | None) -> bool:
        """Whether a review in these lists belongs into this one; a snooze hides it until it has passed."""
        hidden = snoozed_until is not None and snoozed_until > now
        return set(self.places(me)) <= set(places) and hidden == (self.view is View.SNOOZED)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page, after which the next one begins: what the list is sorted by, and which row it was.

    ``moment`` counts microseconds since 1970.
    """

    rank: int
    moment: int
    id: UUID

    def written(self) -> str:
        """Return it for an address."""
        return f"{self.rank}.{self.moment}.{self.id}"

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """Return what an address says; None if it says nothing of the kind."""
        parts = text.split(".")
        if len(parts) != _PARTS or not all(each.isascii() and each.isdigit() for each in parts[:2]):
            return None
        rank, moment = (int(each) if len(each) <= _DIGITS else _TOO_MUCH for each in parts[:2])
        if rank > _LARGEST_RANK or moment >= _TOO_MUCH:
            return None
        try:
            return cls(rank, moment, UUID(parts[2]))
        except ValueError:
            return None


_PARTS: Final = 3
_DIGITS: Final = 17
_TOO_MUCH: Final = 10**17
_LARGEST_RANK: Final = 10_000

E = TypeVar("E", bound=StrEnum)


def _of(kind: type[E], text: str) -> E | None:
    return kind(text) if text in set(kind) else None


def _number(text: str, among: Sequence[int]) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) == 1 and int(text) in among else None


def _person(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""

"""A published outcome as its page needs it, from the published value and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from portal.questionnaires.rules.text import date_from
from portal.terms import ACCESS_MODE_WORDS, DATA_CLASS_WORDS, OUTCOME_WORDS, AccessMode, DataClass, Outcome

SEVERITY_WORDS = {"high": "High", "medium": "Medium", "low": "Low"}
BAR = Decimal(560)
"""Width of the drawing of the score, for 100 points."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to fix. ``gain`` is in points, None where it gains none by itself."""

    name: str
    number: str
    label: str
    severity: str
    what: str
    closes_when: str
    due_on: date | None
    gain: Decimal | None


@dataclass(frozen=True, slots=True)
class Domain:
    """One section's score against the threshold of the tier."""

    title: str
    score: Decimal | None
    threshold: Decimal | None

    @property
    def below(self) -> Decimal:
        """How far it is under its threshold, 0 if it meets it."""
        if self.score is None or self.threshold is None:
            return Decimal(0)
        return max(Decimal(0), self.threshold - self.score)

    @property
    def tone(self) -> str:
        """How the bar is drawn: far below, below, or met."""
        return "bad" if self.below >= 20 else "warn" if self.below > 0 else "ok"


@dataclass(frozen=True, slots=True)
class Access:
    """What one class of data through one mode is told."""

    label: str
    mode: str
    open: bool
    because: str


@dataclass(frozen=True, slots=True)
class Zones:
    """The score on its scale: where conditions begin, where full approval begins, and where it is with all fixed."""

    consider: Decimal
    approve: Decimal
    score: Decimal
    fixed: Decimal | None

    def x(self, points: Decimal) -> str:
        """Return where a number of points is drawn."""
        return str((points * BAR / 100).quantize(Decimal("0.1")))


@dataclass(frozen=True, slots=True)
class Result:
    """The whole page."""

    word: str
    approved: bool
    number: str
    decided_on: date | None
    valid_until: date | None
    score: Decimal | None
    whole: str
    threshold: Decimal | None
    tier: int | None
    zones: Zones | None
    findings: tuple[Finding, ...]
    domains: tuple[Domain, ...]
    conditions: tuple[Mapping[str, Any], ...]
    access: tuple[Access, ...]
    signed_by: tuple[str, ...]
    letter: str
    revision: int | None
    digest: str

    @property
    def short_by(self) -> Decimal:
        """How many points are missing for full approval."""
        if self.score is None or self.threshold is None:
            return Decimal(0)
        return max(Decimal(0), self.threshold - self.score)


def result_of(body: Mapping[str, Any]) -> Result:
    """Return a published body as its page needs it: findings by what they gain, domains worst first."""
    score = _points(body.get("score"))
    findings = sorted((_finding(each) for each in body.get("findings") or ()), key=_most_first)
    domains = sorted((_domain(each) for each in body.get("domains") or ()), key=_worst_first)
    outcome = Outcome(body["decision"])
    return Result(
        word=OUTCOME_WORDS[outcome],
        approved=outcome is not Outcome.REJECT,
        number=str(body.get("number", "")),
        decided_on=_day(body.get("decided_on")),
        valid_until=_day(body.get("valid_until")),
        score=score,
        whole=str(body.get("score_whole", "") if score is not None else ""),
        threshold=_points(body.get("threshold")),
        tier=body.get("tier"),
        zones=_zones(body.get("zones") or {}, score, findings),
        findings=tuple(findings),
        domains=tuple(domains),
        conditions=tuple(
            {**each, "due": _day(each.get("due_on")), "closes": closes(each)} for each in body.get("conditions") or ()
        ),
        access=tuple(_access(each) for each in body.get("access") or ()),
        signed_by=tuple(body.get("signed_by") or ()),
        letter=str(body.get("letter") or ""),
        revision=body.get("revision"),
        digest=str(body.get("attestation_digest") or ""),
    )


def closes(condition: Mapping[str, Any]) -> str:
    """Return what a condition keeps closed, in words; nothing if it keeps nothing closed."""
    level, mode = str(condition.get("closes_at")), str(condition.get("access_mode"))
    said = []
    if level in DataClass.__members__:
        said.append(f"{level} {DATA_CLASS_WORDS[DataClass[level]].lower()} and above")
    if mode in AccessMode.__members__:
        said.append(ACCESS_MODE_WORDS[AccessMode(mode)].lower())
    return ", ".join(said)


def _most_first(finding: Finding) -> tuple[Decimal, int, str]:
    order = {"High": 0, "Medium": 1, "Low": 2}
    return (-(finding.gain or Decimal(0)), order.get(finding.severity, 3), finding.name)


def _worst_first(domain: Domain) -> tuple[bool, Decimal, str]:
    return (domain.score is None, domain.score or Decimal(0), domain.title)


def _finding(plain: Mapping[str, Any]) -> Finding:
    return Finding(
        name=str(plain.get("name", "")),
        number=str(plain.get("number") or ""),
        label=str(plain.get("label") or ""),
        severity=SEVERITY_WORDS.get(str(plain.get("severity")), "Medium"),
        what=str(plain.get("what") or ""),
        closes_when=str(plain.get("closes_when") or ""),
        due_on=_day(plain.get("due_on")),
        gain=_points(plain.get("gain")) or None,
    )


def _domain(plain: Mapping[str, Any]) -> Domain:
    return Domain(str(plain.get("title", "")), _points(plain.get("score")), _points(plain.get("threshold")))


def _access(plain: Mapping[str, Any]) -> Access:
    data, mode = str(plain.get("data_class", "")), str(plain.get("access_mode", ""))
    words = f"{data} {DATA_CLASS_WORDS[DataClass[data]]}" if data in DataClass.__members__ else data
    how = ACCESS_MODE_WORDS[AccessMode(mode)] if mode in AccessMode.__members__ else mode
    return Access(words, how, bool(plain.get("open")), str(plain.get("because") or ""))


def _zones(plain: Mapping[str, Any], score: Decimal | None, findings: list[Finding]) -> Zones | None:
    consider, approve = _points(plain.get("consider")), _points(plain.get("approve"))
    if consider is None or approve is None or score is None:
        return None
    gained = sum((each.gain for each in findings if each.gain), Decimal(0))
    return Zones(consider, approve, score, min(Decimal(100), score + gained) if gained else None)


def _points(given: Any) -> Decimal | None:
    try:
        return None if given is None or given == "" else Decimal(str(given))
    except InvalidOperation:
        return None


def _day(given: Any) -> date | None:
    return date_from(str(given)[:10]) if given else None

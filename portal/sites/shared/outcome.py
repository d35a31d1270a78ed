"""A published outcome as its pages and its letter need it, from the published values and nothing else. Pure.

The outcome is what was decided, and never changes. How it stands today comes from a second published value, which
holds the days on which something changes by the clock alone; the reader's day picks what holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from portal.questionnaires.rules.text import date_from
from portal.terms import ACCESS_MODE_WORDS, DATA_CLASS_WORDS, N_, OUTCOME_WORDS, AccessMode, DataClass, Outcome

SEVERITY_WORDS = {"high": N_("High"), "medium": N_("Medium"), "low": N_("Low")}
STATE_WORDS = {
    "open": N_("To fix"),
    "sent": N_("Proof sent"),
    "returned": N_("Returned"),
    "undone": N_("To fix"),
    "closed": N_("Closed by proof"),
}
WORTH_WORDS = {
    "verified": N_("Verified"),
    "attached": N_("Attached"),
    "claimed": N_("Claimed"),
    "ended": N_("Proof ended"),
}
"""What a proof is worth, the most first."""
BAR = Decimal(560)
"""Width of the drawing of the score, for 100 points."""
_APPROVALS = (Outcome.APPROVE.value, Outcome.APPROVE_WITH_CONDITIONS.value)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the vendor will do and by when; ``state`` is sent, agreed or returned, ``said`` is the answer."""

    state: str
    words: str
    by_day: date | None
    by: str
    said: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to fix. ``gain`` is in points, None where it gains none by itself; ``id`` is empty in old results."""

    name: str
    number: str
    label: str
    severity: str
    what: str
    closes_when: str
    due_on: date | None
    gain: Decimal | None
    id: str = ""
    state: str = "open"
    closed_on: date | None = None
    since: date | None = None
    said: str = ""
    owner: str = ""
    blocks: tuple[tuple[str, str], ...] = ()
    plan: Plan | None = None
    accepted_until: date | None = None

    @property
    def word(self) -> str:
        """How it stands."""
        return STATE_WORDS.get(self.state, STATE_WORDS["open"])

    @property
    def closed(self) -> bool:
        """Whether its proof was verified."""
        return self.state == "closed"

    def overdue(self, today: date) -> bool:
        """Whether its day is over and nothing waits for the lab."""
        return self.due_on is not None and today > self.due_on and self.state not in {"closed", "sent"}

    def accepted(self, today: date) -> bool:
        """Whether the lab lives with it today, so that it keeps nothing closed."""
        return self.accepted_until is not None and today <= self.accepted_until


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
    """What one class of data through one mode is told.

    ``why`` is one of the states that pages put into words: until, finding, condition, overdue, refused, revoked,
    paused, ended, proofless. ``until`` is the last day; ``findings`` are what it waits for; ``because`` is the text of
    the condition, or what was published with the outcome.
    """

    label: str
    mode: str
    open: bool
    because: str
    why: str = ""
    until: date | None = None
    findings: tuple[str, ...] = ()


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
class AnswerWorth:
    """One answer that counts: what its proof is worth today, the points it earns of those it can.

    ``finding`` names the finding by which the lab counts other points than the answer's own, and ``why`` says why.
    """

    number: str
    label: str
    section: str
    proof: str
    earned: Decimal
    possible: Decimal
    needs: int
    next_on: date | None
    next_proof: str
    finding: str = ""
    why: str = ""

    @property
    def word(self) -> str:
        """What the proof is worth."""
        return WORTH_WORDS.get(self.proof, WORTH_WORDS["claimed"])

    @property
    def next_word(self) -> str:
        """What it is worth next."""
        return WORTH_WORDS.get(self.next_proof, "")


@dataclass(frozen=True, slots=True)
class Result:
    """The whole page. ``score`` is that of today, ``decided_score`` that of the decision."""

    word: str
    approved: bool
    number: str
    decided_on: date | None
    valid_until: date | None
    score: Decimal | None
    decided_score: Decimal | None
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
    proofs: Mapping[str, int]
    counted: int

    @property
    def short_by(self) -> Decimal:
        """How many points are missing for full approval."""
        if self.score is None or self.threshold is None:
            return Decimal(0)
        return max(Decimal(0), self.threshold - self.score)

    @property
    def to_fix(self) -> tuple[Finding, ...]:
        """The findings that are not closed, the one that gains most first."""
        return tuple(each for each in self.findings if not each.closed)

    @property
    def fix_first(self) -> Finding | None:
        """What the vendor does first: what gains most of all that does not wait for the lab."""
        return next((each for each in self.to_fix if each.state != "sent"), None)

    @property
    def held_by(self) -> tuple[Finding, ...]:
        """The open high findings: with any of them there is no full approval, whatever the score."""
        return tuple(each for each in self.to_fix if each.severity == SEVERITY_WORDS["high"])

    @property
    def opens_with(self) -> tuple[str, ...]:
        """The open findings that keep something closed."""
        waits = {name for each in self.access if not each.open for name in each.findings}
        return tuple(each.name for each in self.to_fix if each.name in waits)


def result_of(
    body: Mapping[str, Any],
    standing: Mapping[str, Any] | None = None,
    *,
    card: Mapping[str, Any] | None = None,
    today: date | None = None,
) -> Result:
    """Return a published body as its page needs it: findings by what they gain, closed ones last; domains worst first.

    :param standing: how it stands since; without it, as it was decided.
    :param card: what the gate says of the engagement, if this outcome is its newest.
    """
    told = standing or {}
    step = _on(told.get("steps") or (), today)
    decided = _points(body.get("score"))
    score = _points(step.get("score")) if step else decided
    whole = step.get("score_whole") if step else body.get("score_whole", "")
    findings = sorted((_finding(each) for each in told.get("findings") or body.get("findings") or ()), key=_most_first)
    outcome = Outcome(body["decision"])
    met = frozenset(told.get("met") or ())
    lived_with = {each.name: each.accepted_until for each in findings}
    conditions = tuple(
        {
            **each,
            "due": _day(each.get("due_on")),
            "closes": closes(each),
            "finding": each.get("finding"),
            "met": each.get("finding") in met,
            "accepted": lived_with.get(str(each.get("finding"))),
        }
        for each in body.get("conditions") or ()
    )
    return Result(
        word=OUTCOME_WORDS[outcome],
        approved=outcome is not Outcome.REJECT,
        number=str(body.get("number", "")),
        decided_on=_day(body.get("decided_on")),
        valid_until=_day(body.get("valid_until")),
        score=score,
        decided_score=decided,
        whole=str(whole if score is not None else ""),
        threshold=_points(body.get("threshold")),
        tier=body.get("tier"),
        zones=_zones(body.get("zones") or {}, score, findings, _points(step.get("fixed")) if step else None),
        findings=tuple(findings),
        domains=tuple(sorted(_domains(body, step), key=_worst_first)),
        conditions=tuple(each for each in conditions if not each.get("limit")),
        access=tuple(_access(each, body, conditions, card, today) for each in body.get("access") or ()),
        signed_by=tuple(body.get("signed_by") or ()),
        letter=str(body.get("letter") or ""),
        revision=body.get("revision"),
        digest=str(body.get("attestation_digest") or ""),
        proofs={word: int(number) for word, number in (step.get("proofs") or {}).items()} if step else {},
        counted=int(step.get("counted") or 0) if step else 0,
    )


def answers_of(standing: Mapping[str, Any], today: date) -> tuple[AnswerWorth, ...]:
    """Return what every counted answer is worth on a day, in the order of the questions."""
    found = []
    for each in standing.get("answers") or ():
        steps = each.get("steps") or ()
        now = _on(steps, today)
        if not now:
            continue
        later = next((step for step in steps if _later(step, today)), None)
        found.append(
            AnswerWorth(
                number=str(each.get("number") or ""),
                label=str(each.get("label") or ""),
                section=str(each.get("section") or ""),
                proof=str(now.get("proof") or "claimed"),
                earned=_points(now.get("earned") or "0.0") or Decimal("0.0"),
                possible=_points(each.get("possible") or "0.0") or Decimal("0.0"),
                needs=int(now.get("needs") or 0),
                next_on=_day(later.get("from")) if later else None,
                next_proof=str(later.get("proof") or "") if later else "",
                finding=str((each.get("replaced") or {}).get("finding") or ""),
                why=str((each.get("replaced") or {}).get("why") or ""),
            )
        )
    return tuple(found)


def finding_of(standing: Mapping[str, Any], name: str) -> Finding | None:
    """Return one finding as it stands, if the published value knows it."""
    found = next((each for each in standing.get("findings") or () if each.get("name") == name), None)
    return _finding(found) if found is not None else None


def closes(condition: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a condition keeps closed: the lowest class of data with its words, and the mode; empty for none."""
    level, mode = str(condition.get("closes_at")), str(condition.get("access_mode"))
    data = f"{level} {DATA_CLASS_WORDS[DataClass[level]]}" if level in DataClass.__members__ else ""
    how = ACCESS_MODE_WORDS[AccessMode(mode)] if mode in AccessMode.__members__ else ""
    return data, how


def _on(steps: Sequence[Mapping[str, Any]], today: date | None) -> Mapping[str, Any]:
    """Return the step that holds on a day: the last that began; the first where none has."""
    if not steps:
        return {}
    begun = [each for each in steps if today is None or not _later(each, today)]
    return begun[-1] if begun and today is not None else steps[0]


def _later(step: Mapping[str, Any], today: date) -> bool:
    day = _day(step.get("from"))
    return day is not None and day > today


def _most_first(finding: Finding) -> tuple[bool, Decimal, int, str]:
    order = {"High": 0, "Medium": 1, "Low": 2}
    return (finding.closed, -(finding.gain or Decimal(0)), order.get(finding.severity, 3), finding.name)


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
        id=str(plain.get("id") or ""),
        state=str(plain.get("state") or "open"),
        closed_on=_day(plain.get("closed_on")),
        since=_day(plain.get("since")),
        said=str(plain.get("said") or ""),
        owner=str(plain.get("owner") or ""),
        blocks=tuple(_block(each) for each in plain.get("blocks") or ()),
        plan=_plan(plain.get("plan") or {}),
        accepted_until=_day(plain.get("accepted_until")),
    )


def _plan(plain: Mapping[str, Any]) -> Plan | None:
    if not plain:
        return None
    return Plan(
        str(plain.get("state") or "sent"),
        str(plain.get("words") or ""),
        _day(plain.get("by_day")),
        str(plain.get("by") or ""),
        str(plain.get("said") or ""),
    )


def _block(plain: Mapping[str, Any]) -> tuple[str, str]:
    level, mode = str(plain.get("data_class")), str(plain.get("access_mode"))
    data = f"{level} {DATA_CLASS_WORDS[DataClass[level]]}" if level in DataClass.__members__ else ""
    return data, ACCESS_MODE_WORDS[AccessMode(mode)] if mode in AccessMode.__members__ else ""


def _domains(body: Mapping[str, Any], step: Mapping[str, Any]) -> Iterable[Domain]:
    now = {str(each.get("key")): each for each in step.get("domains") or ()}
    for each in body.get("domains") or ():
        score = now.get(str(each.get("key")), each).get("score")
        yield Domain(str(each.get("title", "")), _points(score), _points(each.get("threshold")))


def _access(
    plain: Mapping[str, Any],
    body: Mapping[str, Any],
    conditions: Sequence[Mapping[str, Any]],
    card: Mapping[str, Any] | None,
    today: date | None,
) -> Access:
    """Return what one class and mode is told: as it was decided, and with the card as the gate says today."""
    data, mode = str(plain.get("data_class", "")), str(plain.get("access_mode", ""))
    words = f"{data} {DATA_CLASS_WORDS[DataClass[data]]}" if data in DataClass.__members__ else data
    how = ACCESS_MODE_WORDS[AccessMode(mode)] if mode in AccessMode.__members__ else mode
    found = Access(words, how, bool(plain.get("open")), str(plain.get("because") or ""))
    if body.get("decision") not in _APPROVALS:
        return replace(found, open=False, why="refused")
    if card is None or today is None:
        return found
    if card.get("paused"):
        return replace(found, open=False, why="paused")
    if card.get("act") not in _APPROVALS:
        return replace(found, open=False, why="revoked")
    last, proven = _day(card.get("valid_until")), _day(card.get("evidence_until"))
    if last is not None and today > last:
        return replace(found, open=False, why="ended", until=last)
    if proven is not None and today > proven:
        return replace(found, open=False, why="proofless", until=proven)
    waiting = [each for each in conditions if not each["met"] and _about(each, data, mode)]
    ended = [each for each in waiting if each.get("limit") and each["due"] is not None and today > each["due"]]
    if ended:
        return replace(found, open=False, why="ended", until=min(each["due"] for each in ended))
    # What the lab lives with today keeps nothing closed until that day is over.
    live = [each for each in waiting if each["accepted"] is None or today > each["accepted"]]
    closing = [each for each in live if each.get("closes_at") and _names(each, data, mode)]
    overdue = [each for each in live if each["due"] is not None and today > each["due"]]
    if closing or overdue:
        names = tuple(str(each["finding"]) for each in (closing or overdue) if each.get("finding"))
        because = str((closing or overdue)[0].get("text") or "") if not names else ""
        if not names and closing and not found.open and found.because:
            because = found.because
        why = "finding" if names else "overdue" if overdue else "condition"
        return replace(found, open=False, why=why, findings=names, because=because)
    days = (each["due"] if each in live else _lifted_until(each, data, mode) for each in waiting)
    ends = [day for day in (last, proven, *days) if day is not None]
    return replace(found, open=True, why="until", until=min(ends, default=None), because="")


def _about(condition: Mapping[str, Any], data: str, mode: str) -> bool:
    return _names(condition, data, mode) or (condition.get("consequence") == "all" and condition["due"] is not None)


def _lifted_until(condition: Mapping[str, Any], data: str, mode: str) -> date | None:
    """Return the last day on which a condition leaves this open whose risk is accepted."""
    accepted, due = condition["accepted"], condition["due"]
    if condition.get("closes_at") and _names(condition, data, mode):
        return accepted if isinstance(accepted, date) else None
    return max((day for day in (accepted, due) if due is not None and day is not None), default=None)


def _names(condition: Mapping[str, Any], data: str, mode: str) -> bool:
    level, only = str(condition.get("closes_at")), condition.get("access_mode")
    covers = level not in DataClass.__members__ or data not in DataClass.__members__
    about = condition.get("data_class") in {None, data}
    return (covers or DataClass[data] >= DataClass[level]) and about and only in {None, mode}


def _zones(
    plain: Mapping[str, Any], score: Decimal | None, findings: list[Finding], fixed: Decimal | None
) -> Zones | None:
    consider, approve = _points(plain.get("consider")), _points(plain.get("approve"))
    if consider is None or approve is None or score is None:
        return None
    if fixed is None:
        gained = sum((each.gain for each in findings if each.gain and not each.closed), Decimal(0))
        fixed = min(Decimal(100), score + gained) if gained else None
    return Zones(consider, approve, score, fixed if fixed is not None and fixed > score else None)


def _points(given: Any) -> Decimal | None:
    try:
        return None if given is None or given == "" else Decimal(str(given))
    except InvalidOperation:
        return None


def _day(given: Any) -> date | None:
    return date_from(str(given)[:10]) if given else None

"""What the policy suggests, what a person may decide, and the document that everybody signs. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from portal.reviews.rules.eligibility import signatures_needed
from portal.terms import AccessMode, DataClass, Outcome, Recommendation

FORMAT: Final = "gatehouse decision 1"
"""Names the shape of the document, so that a digest says how it is recomputed."""

LONGEST: Final = timedelta(days=400)
LONGEST_EXCEPTION: Final = timedelta(days=90)
MAX_TEXT: Final = 4_000
MAX_CONDITION: Final = 500
MAX_CONDITIONS: Final = 60
PROPOSAL_HOLDS: Final = timedelta(days=14)
"""How long a proposal waits for signatures. Then nobody signs it any more, and it is proposed anew."""

Consequence: TypeAlias = Literal["class", "all"]

APPROVALS: Final = frozenset({Outcome.APPROVE, Outcome.APPROVE_WITH_CONDITIONS})
_AGAINST: Final = frozenset({Recommendation.HOLD, Recommendation.REJECT})

SUGGESTED: Final[Mapping[Recommendation, Outcome | None]] = MappingProxyType(
    {
        Recommendation.INCOMPLETE: None,
        Recommendation.REJECT: Outcome.REJECT,
        Recommendation.HOLD: None,
        Recommendation.CONDITIONAL: Outcome.APPROVE_WITH_CONDITIONS,
        Recommendation.APPROVE: Outcome.APPROVE,
    }
)
"""The outcome that follows the policy. On hold none does: better proof is asked for, or a person gives a reason."""

_WHY: Final[Mapping[Outcome, Mapping[Recommendation, str]]] = MappingProxyType(
    {
        Outcome.APPROVE: {
            Recommendation.INCOMPLETE: "Something is not answered. Send it back, or do not approve.",
            Recommendation.REJECT: "The policy says reject. To approve anyway, two people grant an exception.",
            Recommendation.HOLD: "The policy says hold. To approve anyway, two people grant an exception.",
            Recommendation.CONDITIONAL: "The policy asks for conditions. To approve without, give a reason.",
            Recommendation.APPROVE: "The policy suggests this.",
        },
        Outcome.APPROVE_WITH_CONDITIONS: {
            Recommendation.INCOMPLETE: "Something is not answered. Send it back, or do not approve.",
            Recommendation.REJECT: "The policy says reject. To approve anyway, two people grant an exception.",
            Recommendation.HOLD: "The policy says hold. To approve anyway, two people grant an exception.",
            Recommendation.CONDITIONAL: "The policy suggests this.",
            Recommendation.APPROVE: "The policy asks for no conditions. To add some, give a reason.",
        },
        Outcome.REJECT: {
            Recommendation.INCOMPLETE: "Something is not answered. Give a reason.",
            Recommendation.REJECT: "The policy suggests this.",
            Recommendation.HOLD: "The policy waits for better proof. To say no now, give a reason.",
            Recommendation.CONDITIONAL: "The policy would approve with conditions. Give a reason.",
            Recommendation.APPROVE: "The policy would approve. Give a reason.",
        },
    }
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One outcome on offer. ``latest`` is the last day an approval may run to; None for a rejection."""

    outcome: Outcome
    suggested: bool
    available: bool
    needs_reason: bool
    exception: bool
    signatures: int
    latest: date | None
    because: str


def deviates(outcome: Outcome, recommendation: Recommendation) -> bool:
    """Whether an outcome is another than the policy suggests, so that it needs a reason (scoring.md)."""
    return SUGGESTED[recommendation] is not outcome


def is_exception(outcome: Outcome, recommendation: Recommendation) -> bool:
    """Whether an outcome approves what the policy holds or rejects: two people, and 90 days at most."""
    return outcome in APPROVALS and recommendation in _AGAINST


def latest_end(outcome: Outcome, recommendation: Recommendation, today: date) -> date | None:
    """Return the last day that an approval may run to; None for a rejection."""
    if outcome is Outcome.REJECT:
        return None
    return today + (LONGEST_EXCEPTION if is_exception(outcome, recommendation) else LONGEST)


def options(recommendation: Recommendation, *, tier: int, today: date) -> tuple[Choice, ...]:
    """Return every outcome with what it takes, in the order of the page."""
    return tuple(
        Choice(
            outcome=outcome,
            suggested=SUGGESTED[recommendation] is outcome,
            available=outcome is Outcome.REJECT or recommendation is not Recommendation.INCOMPLETE,
            needs_reason=deviates(outcome, recommendation),
            exception=(exception := is_exception(outcome, recommendation)),
            signatures=signatures_needed(tier, outcome, exception=exception),
            latest=latest_end(outcome, recommendation, today),
            because=_WHY[outcome][recommendation],
        )
        for outcome in Outcome
    )


@dataclass(frozen=True, slots=True)
class Condition:
    """What an approval hangs on. ``closes_at``: the lowest data class that stays closed until it is met.

    ``finding`` is the number of the finding whose proof meets it; None if people see to it otherwise. ``data_class``:
    the only class it is about. ``consequence``: what closes when it is overdue, the class and mode that it is about or
    everything. ``limit``: there is nothing to meet; the approval reaches no further (``closes_at``), or no longer
    (``due_on``), for this class and mode.
    """

    text: str
    due_on: date | None = None
    closes_at: int | None = None
    access_mode: str | None = None
    finding: int | None = None
    consequence: Consequence = "class"
    data_class: int | None = None
    limit: bool = False

    def names(self, data_class: int, access_mode: str) -> bool:
        """Whether the condition is about this class and mode."""
        return (
            (self.closes_at is None or data_class >= self.closes_at)
            and self.data_class in {None, data_class}
            and self.access_mode in {None, access_mode}
        )

    @property
    def stored(self) -> dict[str, Any]:
        """The condition as the decision and the gate store it."""
        return {
            "text": self.text,
            "due_on": self.due_on.isoformat() if self.due_on else None,
            "closes_at": self.closes_at,
            "access_mode": self.access_mode,
            "met": False,
            # Only where there is one, so that what was signed before has the same bytes.
            **({"finding": self.finding} if self.finding is not None else {}),
            **({"consequence": self.consequence} if self.consequence != "class" else {}),
            **({"data_class": self.data_class} if self.data_class is not None else {}),
            **({"limit": True} if self.limit else {}),
        }


def condition_of(stored: Mapping[str, Any]) -> Condition:
    """Return a stored condition as a value."""
    due = stored.get("due_on")
    return Condition(
        str(stored["text"]),
        date.fromisoformat(due) if due else None,
        stored.get("closes_at"),
        stored.get("access_mode"),
        stored.get("finding"),
        "all" if stored.get("consequence") == "all" else "class",
        stored.get("data_class"),
        bool(stored.get("limit")),
    )


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a person proposes to decide, tidied."""

    outcome: Outcome
    conditions: tuple[Condition, ...]
    valid_until: date | None
    reason: str
    letter: str


def problems_of(proposal: Proposal, recommendation: Recommendation, today: date) -> dict[str, list[str]]:
    """Return what is wrong with a proposal, by field; nothing if it can be signed."""
    problems: dict[str, list[str]] = {}
    outcome, ends = proposal.outcome, proposal.valid_until
    if outcome in APPROVALS and recommendation is Recommendation.INCOMPLETE:
        problems["outcome"] = ["Something is not answered, so this cannot be approved. Send it back, or do not approve"]
    if found := _of_conditions(proposal, today):
        problems["conditions"] = found
    if outcome in APPROVALS:
        last = latest_end(outcome, recommendation, today)
        if ends is None:
            problems["valid_until"] = ["Enter until when the approval holds"]
        elif ends < today:
            problems["valid_until"] = ["The last day must be today or later"]
        elif last is not None and ends > last:
            about = "An exception" if is_exception(outcome, recommendation) else "An approval"
            days = (last - today).days
            problems["valid_until"] = [f"{about} holds for {days} days at most. Enter {_day(last)} or earlier"]
    if deviates(outcome, recommendation) and not proposal.reason:
        problems["reason"] = ["Say why you decide otherwise than the policy suggests"]
    for field, text in (("reason", proposal.reason), ("letter", proposal.letter)):
        if len(text) > MAX_TEXT:
            problems[field] = [f"Keep it under {MAX_TEXT:,} characters; this is {len(text):,}"]
    return problems


def _of_conditions(proposal: Proposal, today: date) -> list[str]:
    conditions = proposal.conditions
    if proposal.outcome is not Outcome.APPROVE_WITH_CONDITIONS:
        return ["Choose “Approve with conditions”, or take the conditions out"] if conditions else []
    if not conditions:
        return ["Enter at least one condition, or choose “Approve”"]
    if len(conditions) > MAX_CONDITIONS:
        return [f"Enter at most {MAX_CONDITIONS} conditions; these are {len(conditions)}"]
    found: list[str] = []
    for number, each in enumerate(conditions, 1):
        if not each.text:
            found.append(f"Enter what condition {number} asks for")
        elif len(each.text) > MAX_CONDITION:
            found.append(f"Shorten condition {number} to {MAX_CONDITION} characters; this has {len(each.text):,}")
        if each.limit and each.closes_at is not None:
            pass  # It reaches no further, whatever the day.
        elif each.due_on is None:
            found.append(f"Enter by when condition {number} is to be met")
        elif each.due_on < today:
            found.append(f"The date of condition {number} must be today or later")
        elif proposal.valid_until is not None and each.due_on > proposal.valid_until:
            found.append(f"Condition {number} must be met before the approval ends, {_day(proposal.valid_until)}")
        if each.closes_at is not None and each.closes_at not in set(DataClass):
            found.append(f"Choose the data class that condition {number} keeps closed")
        if each.data_class is not None and each.data_class not in set(DataClass):
            found.append(f"Choose the data class that condition {number} is about")
        if each.access_mode is not None and each.access_mode not in set(AccessMode):
            found.append(f"Choose the way of access that condition {number} is about")
    return found


def expires_at(proposed_at: datetime) -> datetime:
    """Return when a proposal ends that not everybody has signed."""
    return proposed_at + PROPOSAL_HOLDS


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


@dataclass(frozen=True, slots=True)
class Access:
    """What one class and mode would be after a decision, and why."""

    data_class: int
    access_mode: str
    open: bool
    because: str


def access_after(
    outcome: Outcome,
    conditions: Sequence[Condition],
    *,
    data_classes: Iterable[int],
    access_modes: Iterable[str],
    valid_until: date | None,
) -> tuple[Access, ...]:
    """Return what each class and mode of the engagement would be, as the gate will answer on that day."""
    modes = sorted(access_modes)
    found = []
    for data_class in sorted(data_classes):
        for mode in modes:
            if outcome is Outcome.REJECT:
                found.append(Access(data_class, mode, open=False, because="Not approved"))
                continue
            naming = [each for each in conditions if each.names(data_class, mode)]
            closing = sorted((each for each in naming if each.closes_at is not None), key=lambda each: not each.limit)
            watching = [each for each in naming if each.closes_at is None]
            if closing:
                words = "Not part of this approval" if closing[0].limit else f"Closed until: {closing[0].text}"
                found.append(Access(data_class, mode, open=False, because=words))
                continue
            ends = [each.due_on for each in watching if each.due_on] + ([valid_until] if valid_until else [])
            until = f"Open until {_day(min(ends))}" if ends else "Open"
            asked = [each for each in watching if not each.limit]
            first = min(asked, key=lambda each: each.due_on or date.max, default=None)
            because = f"{until}, unless met before: {first.text}" if first else until
            found.append(Access(data_class, mode, open=True, because=because))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Exposed:
    """What the engagement is, at the moment of the document: the gate's clearance will reach exactly this far."""

    id: UUID
    slug: str
    tier: int
    data_classes: tuple[int, ...]
    access_modes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """The revision that is decided on, with the digests of what was signed and scored."""

    assessment_id: UUID
    revision: int
    tier: int
    attestation_digest: str
    questionnaire_digest: str
    snapshot_id: UUID
    inputs_digest: str
    result_digest: str
    policy_digest: str
    recommendation: Recommendation


@dataclass(frozen=True, slots=True)
class FoundWrong:
    """One finding that the decision makes the vendor's task."""

    number: int
    question_key: str
    severity: str
    what: str
    closes_when: str
    due_on: date | None
    credit: int | None


def decision_value(
    *,
    decision_id: UUID,
    number: int,
    vendor_id: UUID,
    engagement: Exposed,
    judged: Judged,
    proposal: Proposal,
    findings: Collection[FoundWrong],
    signatures: int,
    proposed_by: UUID,
    proposed_at: datetime,
) -> dict[str, Any]:
    """Return the document that all signers sign: what it is about, what was read, what is decided.

    Equal values have equal digests (kernel.canonical), so any change in between shows (S9).
    """
    return {
        "format": FORMAT,
        "decision_id": decision_id,
        "number": number,
        "vendor_id": vendor_id,
        "engagement": engagement,
        "judged": judged,
        "outcome": proposal.outcome,
        "conditions": [each.stored for each in proposal.conditions],
        "valid_until": proposal.valid_until,
        "reason": proposal.reason,
        "letter": proposal.letter,
        "findings": sorted(findings, key=lambda each: each.number),
        "signatures_needed": signatures,
        "proposed_by": proposed_by,
        "proposed_at": proposed_at,
    }

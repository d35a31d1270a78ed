"""What the gate answers: a pure function of stored decisions, pauses, scope, evidence and the clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from portal.evidence.rules import KEPT, NEVER, Reach, Record, reach
from portal.terms import AccessMode, ClearanceAct, DataClass, EvidenceState

APPROVALS: Final = frozenset({ClearanceAct.APPROVE, ClearanceAct.APPROVE_WITH_CONDITIONS})


class Reason(StrEnum):
    """Stable codes; docs/gate.md says what each means and what to do. New ones are only ever added."""

    CLEARED = "cleared"
    CLEARED_WITH_CONDITIONS = "cleared_with_conditions"
    UNKNOWN_VENDOR = "unknown_vendor"
    VENDOR_DISABLED = "vendor_disabled"
    UNKNOWN_DATA_CLASS = "unknown_data_class"
    UNKNOWN_ACCESS_MODE = "unknown_access_mode"
    PURPOSE_MISSING = "purpose_missing"
    PAUSED = "paused"
    PAUSED_EVERYWHERE = "paused_everywhere"
    NOT_ENGAGED = "not_engaged"
    ENGAGEMENT_NOT_STARTED = "engagement_not_started"
    ENGAGEMENT_ENDED = "engagement_ended"
    NOT_DECIDED = "not_decided"
    REJECTED = "rejected"
    REVOKED = "revoked"
    EXPIRED = "expired"
    DATA_CLASS_NOT_COVERED = "data_class_not_covered"
    ACCESS_MODE_NOT_COVERED = "access_mode_not_covered"
    TIER_TOO_LOW = "tier_too_low"
    CONDITION_CLOSES = "condition_closes"
    CONDITION_OVERDUE = "condition_overdue"
    EVIDENCE_EXPIRED = "evidence_expired"
    RISK_ACCEPTED = "risk_accepted"


CLOSES_NAMED: Final = "class"
"""The consequence of a condition that is overdue, unless people decided otherwise: it closes what it names."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What an approval hangs on.

    :param closes_at: the lowest data class that stays closed until the condition is met; None closes nothing before
        the due date.
    :param due_on: after this day an unmet condition has its consequence.
    :param finding: the number of the finding whose proof meets it.
    :param consequence: what follows when it is overdue: "class" closes what it names; anything else closes everything.
    :param data_class: the only class it is about; None for all that ``closes_at`` names.
    :param limit: there is nothing to meet: the approval reaches no further than this, or no longer.
    """

    text: str
    due_on: date | None = None
    closes_at: int | None = None
    access_mode: str | None = None
    met: bool = False
    finding: int | None = None
    consequence: str = CLOSES_NAMED
    data_class: int | None = None
    limit: bool = False

    def names(self, data_class: DataClass, access_mode: AccessMode) -> bool:
        """Whether the condition is about this class and mode."""
        return (
            (self.closes_at is None or data_class >= self.closes_at)
            and self.data_class in {None, data_class}
            and self.access_mode in {None, access_mode}
        )

    def overdue(self, today: date) -> bool:
        """Whether its day is over and it is not met."""
        return not self.met and self.due_on is not None and today > self.due_on

    def denies(self, data_class: DataClass, access_mode: AccessMode, today: date) -> tuple[Reason, ...]:
        """Return why it keeps this class and mode closed on a day; nothing if it does not."""
        if self.met:
            return ()
        named = self.names(data_class, access_mode)
        if self.limit:
            over = Reason.DATA_CLASS_NOT_COVERED if self.closes_at is not None else Reason.EXPIRED
            return (over,) if named and (self.closes_at is not None or self.overdue(today)) else ()
        found = [Reason.CONDITION_CLOSES] if named and self.closes_at is not None else []
        if self.overdue(today) and (named or self.consequence != CLOSES_NAMED):
            found.append(Reason.CONDITION_OVERDUE)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Accepted:
    """That two people live with a finding until a day, the last one. It lifts what its conditions close, no more."""

    finding: int
    until: date


@dataclass(frozen=True, slots=True)
class Detail:
    """What a reason is about: a condition, the finding that it hangs on, and until when its risk is accepted."""

    reason: Reason
    condition: Condition
    accepted_until: date | None = None

    @property
    def finding(self) -> str | None:
        """The finding as people say it."""
        return f"F-{self.condition.finding}" if self.condition.finding is not None else None


@dataclass(frozen=True, slots=True)
class Engagement:
    """What the vendor was engaged for. ``tier`` is today's: it may be stricter than the one that was decided on."""

    id: str
    slug: str
    data_classes: frozenset[int]
    access_modes: frozenset[str]
    starts_on: date
    ends_on: date | None
    tier: int


@dataclass(frozen=True, slots=True)
class Ground:
    """Required evidence that was there when it was decided: one of these kinds, and the last day on which any holds.

    Without a last day it does not lapse; ``NEVER`` for what was rejected or damaged since.
    """

    kinds: tuple[str, ...]
    until: date | None

    def holds(self, day: date) -> bool:
        """Whether it is there on a day."""
        return self.until is None or day <= self.until


@dataclass(frozen=True, slots=True)
class Clearance:
    """The latest step of one engagement."""

    engagement_id: str
    sequence: int
    act: ClearanceAct
    tier: int
    data_classes: frozenset[int]
    access_modes: frozenset[str]
    valid_until: date | None
    conditions: tuple[Condition, ...] = ()
    decision: int | None = None
    grounds: tuple[Ground, ...] = ()

    @property
    def evidence_until(self) -> date | None:
        """The last day on which all the evidence holds that it rests on; None without an end."""
        return earliest(ground.until for ground in self.grounds)

    @property
    def ends_on(self) -> date | None:
        """The last day of the approval: that of the decision, or of the evidence if it ends before."""
        return earliest((self.valid_until, self.evidence_until))


@dataclass(frozen=True, slots=True)
class Pause:
    """A stop in force."""

    everywhere: bool
    since: datetime
    sequence: int


@dataclass(frozen=True, slots=True)
class World:
    """Everything about one vendor that the answer depends on. A vendor that is not known has no world."""

    vendor: str
    disabled: bool
    engagements: tuple[Engagement, ...]
    clearances: tuple[Clearance, ...]
    pauses: tuple[Pause, ...]
    sequence: int
    accepted: tuple[Accepted, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """May this vendor work on this class of data, in this way, for this purpose? As the caller wrote it."""

    vendor: str
    data_class: str
    access_mode: str
    purpose: str
    engagement: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Allow or deny, why, for how long, under which conditions; ``details`` says which condition a reason is about."""

    allow: bool
    reasons: tuple[Reason, ...]
    vendor: str
    sequence: int
    as_of: datetime
    valid_until: datetime | None
    conditions: tuple[Condition, ...] = ()
    engagement: str | None = None
    details: tuple[Detail, ...] = ()


def decide(world: World | None, question: Question, now: datetime) -> Answer:
    """Answer one question at one instant. Anything doubtful is a deny with its reason.

    Several engagements may cover the question; one that allows is enough, for it is what the access is for. When
    none does, the reasons of the one that came closest are given.

    :param world: None for a vendor that nobody knows.
    :param now: aware; the database's clock.
    """
    refused = _refused_before_looking(world, question)
    if refused or world is None:
        sequence = world.sequence if world else 0
        return Answer(False, refused or (Reason.UNKNOWN_VENDOR,), question.vendor, sequence, now, None)
    data_class, access_mode = DataClass[question.data_class], AccessMode(question.access_mode)
    answers = [
        _one(world, engagement, data_class, access_mode, now)
        for engagement in world.engagements
        if question.engagement in {None, engagement.slug, engagement.id}
    ]
    if not answers:
        return Answer(False, (Reason.NOT_ENGAGED,), world.vendor, world.sequence, now, None)
    return max(answers, key=_closeness)


def _refused_before_looking(world: World | None, question: Question) -> tuple[Reason, ...]:
    reasons: list[Reason] = []
    if question.data_class not in DataClass.__members__:
        reasons.append(Reason.UNKNOWN_DATA_CLASS)
    if question.access_mode not in AccessMode.__members__:
        reasons.append(Reason.UNKNOWN_ACCESS_MODE)
    if not question.purpose.strip():
        reasons.append(Reason.PURPOSE_MISSING)
    if world is None:
        return (Reason.UNKNOWN_VENDOR, *reasons)
    if world.disabled:
        reasons.insert(0, Reason.VENDOR_DISABLED)
    if any(pause.everywhere for pause in world.pauses):
        reasons.insert(0, Reason.PAUSED_EVERYWHERE)
    if any(not pause.everywhere for pause in world.pauses):
        reasons.insert(0, Reason.PAUSED)
    return tuple(reasons)


def _one(world: World, engagement: Engagement, data_class: DataClass, mode: AccessMode, now: datetime) -> Answer:
    """Answer for one engagement: every reason to deny is collected, none hides another."""
    today = now.date()
    reasons: list[Reason] = []
    if today < engagement.starts_on:
        reasons.append(Reason.ENGAGEMENT_NOT_STARTED)
    if engagement.ends_on is not None and today > engagement.ends_on:
        reasons.append(Reason.ENGAGEMENT_ENDED)
    if data_class not in engagement.data_classes:
        reasons.append(Reason.DATA_CLASS_NOT_COVERED)
    if mode not in engagement.access_modes:
        reasons.append(Reason.ACCESS_MODE_NOT_COVERED)
    clearance = latest(world.clearances, engagement.id)
    unmet: tuple[Condition, ...] = ()
    details: tuple[Detail, ...] = ()
    if clearance is None:
        reasons.append(Reason.NOT_DECIDED)
    else:
        reasons.extend(_from_clearance(clearance, engagement, data_class, mode, today))
        if clearance.act in APPROVALS:
            unmet = tuple(each for each in clearance.conditions if not each.met)
            details = tuple(_details(unmet, world.accepted, data_class, mode, today))
            reasons.extend(each.reason for each in details if each.accepted_until is None)
    allow = not reasons
    conditions = tuple(each for each in unmet if not each.limit)
    if allow:
        reasons = [Reason.CLEARED_WITH_CONDITIONS if conditions else Reason.CLEARED]
        reasons.extend(each.reason for each in details)
    return Answer(
        allow=allow,
        reasons=tuple(dict.fromkeys(reasons)),
        vendor=world.vendor,
        sequence=world.sequence,
        as_of=now,
        valid_until=_ends(clearance, engagement, unmet, world.accepted, data_class, mode, now) if allow else None,
        conditions=conditions if allow else (),
        engagement=engagement.slug,
        details=details,
    )


def _details(
    conditions: Sequence[Condition],
    accepted: Sequence[Accepted],
    data_class: DataClass,
    mode: AccessMode,
    today: date,
) -> Iterable[Detail]:
    """Yield what each condition keeps closed, or would if its risk were not accepted today."""
    for condition in conditions:
        until = accepted_until(condition, accepted)
        reasons = condition.denies(data_class, mode, today)
        if reasons and until is not None and today <= until:
            yield Detail(Reason.RISK_ACCEPTED, condition, until)
        else:
            for reason in reasons:
                yield Detail(reason, condition)


def accepted_until(condition: Condition, accepted: Iterable[Accepted]) -> date | None:
    """Return the last day on which the risk of a condition's finding is accepted; None if nobody accepted it."""
    if condition.finding is None:
        return None
    return max((each.until for each in accepted if each.finding == condition.finding), default=None)


def _from_clearance(
    clearance: Clearance, engagement: Engagement, data_class: DataClass, mode: AccessMode, today: date
) -> list[Reason]:
    if clearance.act is ClearanceAct.REJECT:
        return [Reason.REJECTED]
    if clearance.act is ClearanceAct.REVOKE:
        return [Reason.REVOKED]
    reasons = []
    if clearance.valid_until is None or today > clearance.valid_until:
        reasons.append(Reason.EXPIRED)
    if engagement.tier < clearance.tier:
        reasons.append(Reason.TIER_TOO_LOW)
    if data_class not in clearance.data_classes:
        reasons.append(Reason.DATA_CLASS_NOT_COVERED)
    if mode not in clearance.access_modes:
        reasons.append(Reason.ACCESS_MODE_NOT_COVERED)
    if not all(ground.holds(today) for ground in clearance.grounds):
        reasons.append(Reason.EVIDENCE_EXPIRED)
    return reasons


def latest(clearances: Sequence[Clearance], engagement_id: str) -> Clearance | None:
    """Return the step of an engagement that counts: the one with the highest sequence."""
    return max(
        (each for each in clearances if each.engagement_id == engagement_id),
        key=lambda each: each.sequence,
        default=None,
    )


def _ends(
    clearance: Clearance | None,
    engagement: Engagement,
    conditions: Sequence[Condition],
    accepted: Sequence[Accepted],
    data_class: DataClass,
    mode: AccessMode,
    now: datetime,
) -> datetime | None:
    """Return the first instant at which this allow would no longer be given if nothing else happened."""
    days = [clearance.ends_on if clearance else None, engagement.ends_on]
    days += [_last_day(each, accepted_until(each, accepted), data_class, mode) for each in conditions]
    first = earliest(days)
    return datetime.combine(first + timedelta(days=1), time.min, tzinfo=now.tzinfo) if first else None


def _last_day(condition: Condition, accepted: date | None, data_class: DataClass, mode: AccessMode) -> date | None:
    """Return the last day on which an unmet condition leaves this class and mode open; None if it always does."""
    named = condition.names(data_class, mode)
    if named and condition.closes_at is not None:
        return accepted
    if condition.due_on is None or not (named or condition.consequence != CLOSES_NAMED):
        return None
    return condition.due_on if accepted is None else max(condition.due_on, accepted)


def counts_until(record: Record, pinned: date | None) -> date | None:
    """Return the last day on which a file counts at the gate; None without an end, ``NEVER`` for no day at all.

    What the vendor does alone never lengthens it. Until ``pinned``, the day that was seen when it was decided, a file
    counts as long as it still reaches so far; further only by what reviewers verified: the file, and every letter
    that carries it.
    """
    if record.state not in KEPT:
        return NEVER
    ends = earliest((pinned, reach(record).valid_until))
    if record.state is not EvidenceState.VERIFIED:
        return ends
    return latest_day((ends, verified_reach(record).valid_until))


def verified_reach(record: Record) -> Reach:
    """Return how far a file reaches with no other letters than those that a reviewer verified."""
    return reach(replace(record, letters=tuple(letter for letter in record.letters if letter.verified)))


def earliest(days: Iterable[date | None]) -> date | None:
    """Return the first of the last days; None if none of them ends."""
    return min((day for day in days if day is not None), default=None)


def latest_day(days: Iterable[date | None]) -> date | None:
    """Return the latest of the last days; None, that is without an end, if one of them has none."""
    known = tuple(days)
    return None if None in known else max((day for day in known if day is not None), default=NEVER)


def _closeness(answer: Answer) -> tuple[bool, int, datetime, str]:
    far = datetime.max.replace(tzinfo=answer.as_of.tzinfo)
    return answer.allow, -len(answer.reasons), answer.valid_until or far, answer.engagement or ""

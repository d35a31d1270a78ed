"""What the gate answers: a pure function of stored decisions, pauses, scope, evidence and the clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from portal.evidence.rules import KEPT, NEVER, Reach, Record, reach
from portal.terms import AccessMode, ClearanceAct, DataClass, EvidenceState


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


@dataclass(frozen=True, slots=True)
class Condition:
    """What an approval hangs on.

    :param closes_at: the lowest data class that stays closed until the condition is met; None closes nothing before
        the due date.
    :param due_on: after this day an unmet condition closes everything it names.
    """

    text: str
    due_on: date | None = None
    closes_at: int | None = None
    access_mode: str | None = None
    met: bool = False

    def names(self, data_class: DataClass, access_mode: AccessMode) -> bool:
        """Whether the condition is about this class and mode."""
        return (self.closes_at is None or data_class >= self.closes_at) and (
            self.access_mode is None or access_mode == self.access_mode
        )


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
    """Allow or deny, why, for how long, under which conditions."""

    allow: bool
    reasons: tuple[Reason, ...]
    vendor: str
    sequence: int
    as_of: datetime
    valid_until: datetime | None
    conditions: tuple[Condition, ...] = ()
    engagement: str | None = None


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
    conditions: tuple[Condition, ...] = ()
    if clearance is None:
        reasons.append(Reason.NOT_DECIDED)
    else:
        reasons.extend(_from_clearance(clearance, engagement, data_class, mode, today))
        conditions = tuple(each for each in clearance.conditions if not each.met)
    allow = not reasons
    if allow:
        reasons = [Reason.CLEARED_WITH_CONDITIONS if conditions else Reason.CLEARED]
    return Answer(
        allow=allow,
        reasons=tuple(dict.fromkeys(reasons)),
        vendor=world.vendor,
        sequence=world.sequence,
        as_of=now,
        valid_until=_ends(clearance, engagement, conditions, data_class, mode, now) if allow else None,
        conditions=conditions if allow else (),
        engagement=engagement.slug,
    )


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
    for condition in clearance.conditions:
        if condition.met or not condition.names(data_class, mode):
            continue
        if condition.closes_at is not None:
            reasons.append(Reason.CONDITION_CLOSES)
        if condition.due_on is not None and today > condition.due_on:
            reasons.append(Reason.CONDITION_OVERDUE)
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
    data_class: DataClass,
    mode: AccessMode,
    now: datetime,
) -> datetime | None:
    """Return the first instant at which this allow would no longer be given if nothing else happened."""
    days = [clearance.ends_on if clearance else None, engagement.ends_on]
    days += [each.due_on for each in conditions if each.names(data_class, mode)]
    first = earliest(days)
    return datetime.combine(first + timedelta(days=1), time.min, tzinfo=now.tzinfo) if first else None


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

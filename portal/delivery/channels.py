"""What a person may choose to hear of, how, and when a digest is due. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from portal.terms import N_, Side

HOUR = 8
"""When a digest leaves unless its reader chose another hour, by the reader's clock."""
MONDAY = 0


class Channel(StrEnum):
    """How a person hears of something."""

    NOW = "now"
    DAILY = "daily"
    WEEKLY = "weekly"
    OFF = "off"


CHANNEL_WORDS = {
    Channel.NOW: N_("At once"),
    Channel.DAILY: N_("In a daily digest"),
    Channel.WEEKLY: N_("In a weekly digest"),
    Channel.OFF: N_("Not at all"),
}


class Group(StrEnum):
    """Mails that are chosen together."""

    WORK = "work"
    DATES = "dates"
    REPLIES = "replies"
    OPENED = "opened"
    MORNING = "morning"
    QUEUE = "queue"
    LEVELS = "levels"
    VENDORS = "vendors"


@dataclass(frozen=True, slots=True)
class Choice:
    """One group as a person chooses: its words, its kinds, and the channels it may take, the usual one first."""

    side: Side
    title: str
    about: str
    kinds: frozenset[str]
    channels: tuple[Channel, ...]

    @property
    def usual(self) -> Channel:
        """How it is told unless somebody chose otherwise."""
        return self.channels[0]


CHOICES: Mapping[Group, Choice] = {
    Group.WORK: Choice(
        Side.VENDOR,
        N_("What is asked of you"),
        N_("Sections, questions, signatures, proof that was read, receipts and decisions."),
        frozenset(
            {
                "section_given",
                "ready_to_sign",
                "receipt",
                "questions",
                "asked_again",
                "more_time_answered",
                "sent_back",
                "decision",
                "proof_accepted",
                "proof_returned",
                "plan_agreed",
                "plan_returned",
                "finding_due_moved",
                "risk_accepted",
                "risk_revoked",
                "second_look_answered",
            }
        ),
        (Channel.NOW, Channel.DAILY),
    ),
    Group.DATES: Choice(
        Side.VENDOR,
        N_("Dates that come near"),
        N_("An assessment or a finding is due; evidence or an approval ends."),
        frozenset({"reminder", "finding_due", "evidence_ends", "approval_ends"}),
        (Channel.NOW, Channel.DAILY),
    ),
    Group.REPLIES: Choice(
        Side.VENDOR,
        N_("Messages in a conversation"),
        N_("The reviewers wrote to you about a question."),
        frozenset({"reply"}),
        (Channel.DAILY, Channel.NOW, Channel.WEEKLY, Channel.OFF),
    ),
    Group.OPENED: Choice(
        Side.VENDOR,
        N_("Who opened your evidence"),
        N_("A summary for vendor admins, in weeks in which somebody opened a file."),
        frozenset({"evidence_opened"}),
        (Channel.WEEKLY, Channel.OFF),
    ),
    Group.MORNING: Choice(
        Side.LAB,
        "Your queue in the morning",
        "What waits for you on a working day, what is late first. Nothing where nothing waits.",
        frozenset({"queue_digest"}),
        (Channel.DAILY, Channel.WEEKLY, Channel.OFF),
    ),
    Group.QUEUE: Choice(
        Side.LAB,
        "What waits in the queue",
        "A vendor signed, asks for more time or for a second look; a contradiction was found.",
        frozenset({"new_submission", "more_time_asked", "second_look_asked", "contradiction_found"}),
        (Channel.NOW, Channel.DAILY),
    ),
    Group.LEVELS: Choice(
        Side.LAB,
        "Time that runs out",
        "A review of yours is about to be over its time, or is.",
        frozenset({"service_level"}),
        (Channel.NOW, Channel.DAILY),
    ),
    Group.VENDORS: Choice(
        Side.LAB,
        "Replies, proof and plans from vendors",
        "A vendor wrote to you about a question, sent proof that a finding is put right, or a plan to do so.",
        frozenset({"reply_received", "proof_received", "plan_received"}),
        (Channel.DAILY, Channel.NOW, Channel.WEEKLY, Channel.OFF),
    ),
}
"""What can be chosen. A kind that is in no group is always told at once: what is urgent, and one's own account."""

_GROUP_OF = {kind: group for group, choice in CHOICES.items() for kind in choice.kinds}


def group_of(kind: str) -> Group | None:
    """Return the group of a kind of mail; None where there is nothing to choose."""
    return _GROUP_OF.get(kind)


def channel_of(group: Group, chosen: Mapping[str, str]) -> Channel:
    """Return how a group is told: as chosen, where that may be chosen, else as usual."""
    choice = CHOICES[group]
    wish = chosen.get(group.value)
    return next((each for each in choice.channels if each.value == wish), choice.usual)


def choices_of(side: Side) -> Mapping[Group, Choice]:
    """Return what a person of a side may choose, in the order of the page."""
    return {group: choice for group, choice in CHOICES.items() if choice.side is side}


def last_cut(now: datetime, zone: tzinfo, hour: int, *, weekly: bool = False) -> datetime:
    """Return the last moment up to now at which a digest was due: each day at this hour of the zone, or each Monday.

    An hour that the clocks skip is the one after it; one that they show twice is the first of the two.
    """
    day = now.astimezone(zone).date()
    while (cut := _at(day, hour, zone)) > now or (weekly and day.weekday() != MONDAY):
        day -= timedelta(days=1)
    return cut


def _at(day: date, hour: int, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=zone).astimezone(UTC)


def is_due(channel: Channel, made_at: datetime, now: datetime, zone: tzinfo, hour: int) -> bool:
    """Return whether something that was kept for a digest belongs into one now."""
    if channel in {Channel.NOW, Channel.OFF}:
        return channel is Channel.NOW
    return made_at <= last_cut(now, zone, hour, weekly=channel is Channel.WEEKLY)

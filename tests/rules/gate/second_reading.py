"""The gate's decision once more, after docs/gate.md: plain loops and dates, nothing of the first is used.

It takes the same stored values and gives back what matters: the word, the set of codes, the end, the engagement's name.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

LETTERS = ["D0", "D1", "D2", "D3", "D4", "D5"]
MODES = ["A1", "A2", "A3", "A4", "A5"]
MIDNIGHT = dt.time(0, 0)


class Said(NamedTuple):
    """What an answer comes down to."""

    decision: str
    reasons: frozenset[str]
    until: dt.datetime | None
    engagement: str | None
    conditions: int
    details: frozenset[tuple[str, str | None, dt.date | None]]


def refused(*codes: str) -> Said:
    return Said("deny", frozenset(codes), None, None, 0, frozenset())


def second_reading(world: Any, question: Any, now: dt.datetime) -> Said:
    """Read docs/gate.md from top to bottom."""
    asked_wrongly = []
    if question.data_class not in LETTERS:
        asked_wrongly.append("unknown_data_class")
    if question.access_mode not in MODES:
        asked_wrongly.append("unknown_access_mode")
    if question.purpose.strip() == "":
        asked_wrongly.append("purpose_missing")
    if world is None:
        return refused("unknown_vendor", *asked_wrongly)
    stopped = ["paused_everywhere" if pause.everywhere else "paused" for pause in world.pauses]
    if world.disabled:
        stopped.append("vendor_disabled")
    if stopped or asked_wrongly:
        return refused(*stopped, *asked_wrongly)

    heard = []
    for engagement in world.engagements:
        named = question.engagement is None or question.engagement in (engagement.slug, engagement.id)
        if named:
            heard.append(about(engagement, world, question, now.date(), now.tzinfo))
    if not heard:
        return refused("not_engaged")
    # One engagement that allows is enough; of several, the one whose access lasts longest, then the last by name.
    allowed = [said for said in heard if said.decision == "allow"]
    if allowed:
        endless = [said for said in allowed if said.until is None]
        if endless:
            return sorted(endless, key=lambda said: str(said.engagement))[-1]
        return sorted(allowed, key=lambda said: (said.until, said.engagement))[-1]
    # Otherwise the one that came closest: the fewest codes.
    fewest = min(len(said.reasons) for said in heard)
    return sorted((said for said in heard if len(said.reasons) == fewest), key=lambda said: str(said.engagement))[-1]


def about(engagement: Any, world: Any, question: Any, today: dt.date, zone: dt.tzinfo | None) -> Said:
    """What is said of one engagement."""
    number, mode = LETTERS.index(question.data_class), question.access_mode
    codes: set[str] = set()
    ends: list[dt.date] = []
    if engagement.starts_on > today:
        codes.add("engagement_not_started")
    if engagement.ends_on is not None:
        ends.append(engagement.ends_on)
        if engagement.ends_on < today:
            codes.add("engagement_ended")
    if number not in engagement.data_classes:
        codes.add("data_class_not_covered")
    if mode not in engagement.access_modes:
        codes.add("access_mode_not_covered")

    step = None
    for each in world.clearances:
        if each.engagement_id == engagement.id and (step is None or each.sequence > step.sequence):
            step = each
    if step is None:
        return Said("deny", frozenset(codes | {"not_decided"}), None, engagement.slug, 0, frozenset())
    act = step.act.value
    if act in ("reject", "revoke"):
        code = "rejected" if act == "reject" else "revoked"
        return Said("deny", frozenset(codes | {code}), None, engagement.slug, 0, frozenset())

    if step.valid_until is None or step.valid_until < today:
        codes.add("expired")
    else:
        ends.append(step.valid_until)
    if engagement.tier < step.tier:
        codes.add("tier_too_low")
    if number not in step.data_classes:
        codes.add("data_class_not_covered")
    if mode not in step.access_modes:
        codes.add("access_mode_not_covered")
    for ground in step.grounds:
        if ground.until is not None:
            ends.append(ground.until)
            if ground.until < today:
                codes.add("evidence_expired")

    open_conditions = 0
    details: set[tuple[str, str | None, dt.date | None]] = set()
    lifted = False
    for condition in step.conditions:
        if condition.met:
            continue
        if not condition.limit:
            open_conditions += 1
        closing, last_day = what_it_closes(condition, number, mode, today)
        accepted = [each.until for each in world.accepted if each.finding == condition.finding]
        lives_until = max(accepted) if accepted and condition.finding is not None else None
        label = None if condition.finding is None else f"F-{condition.finding}"
        if closing and lives_until is not None and lives_until >= today:
            lifted = True
            details.add(("risk_accepted", label, lives_until))
        else:
            codes |= closing
            details |= {(code, label, None) for code in closing}
        if "always" in last_day:
            if lives_until is not None:
                ends.append(lives_until)
        elif last_day:
            (day,) = last_day
            ends.append(max(day, lives_until) if lives_until is not None else day)
    if codes:
        return Said("deny", frozenset(codes), None, engagement.slug, 0, frozenset(details))
    word = "cleared_with_conditions" if open_conditions else "cleared"
    until = dt.datetime.combine(min(ends) + dt.timedelta(days=1), MIDNIGHT, tzinfo=zone) if ends else None
    reasons = frozenset({word, "risk_accepted"} if lifted else {word})
    return Said("allow", reasons, until, engagement.slug, open_conditions, frozenset(details))


def what_it_closes(condition: Any, number: int, mode: str, today: dt.date) -> tuple[set[str], set[Any]]:
    """Return the codes of an unmet condition today, and the last day on which it leaves this open.

    The day is empty if it never closes this, and ``always`` if it closes this from the first day.
    """
    about_it = True
    if condition.closes_at is not None and number < condition.closes_at:
        about_it = False
    if condition.data_class is not None and condition.data_class != number:
        about_it = False
    if condition.access_mode is not None and condition.access_mode != mode:
        about_it = False
    late = condition.due_on is not None and condition.due_on < today

    if condition.limit:
        # The approval reaches no further than this, or no longer.
        if not about_it:
            return set(), ({condition.due_on} if condition.consequence != "class" and condition.due_on else set())
        if condition.closes_at is not None:
            return {"data_class_not_covered"}, {"always"}
        return ({"expired"} if late else set()), ({condition.due_on} if condition.due_on else set())

    closing: set[str] = set()
    if about_it and condition.closes_at is not None:
        closing.add("condition_closes")
    if late and (about_it or condition.consequence != "class"):
        closing.add("condition_overdue")
    if about_it and condition.closes_at is not None:
        return closing, {"always"}
    if condition.due_on is not None and (about_it or condition.consequence != "class"):
        return closing, {condition.due_on}
    return closing, set()

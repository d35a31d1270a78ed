"""Why the gate answers as it does: its arithmetic for one class and mode, step by step, with what each step rests on.

The steps are not a second set of rules. Whether one of them holds is asked of the gate's own function, on the world
with nothing else in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import Enum, auto

from flask import url_for

from portal.evidence import rules as evidence
from portal.gate.rules import Answer, Clearance, Condition, Engagement, Question, Reason, World, decide, latest
from portal.gate.tracing import Traces
from portal.gate.words import REASON_WORDS
from portal.sites.shared.ui import day
from portal.terms import ACCESS_MODE_WORDS, DATA_CLASS_WORDS, AccessMode, ClearanceAct, DataClass

ACT_WORDS = {
    ClearanceAct.APPROVE: "approved",
    ClearanceAct.APPROVE_WITH_CONDITIONS: "approved with conditions",
    ClearanceAct.REJECT: "not approved",
    ClearanceAct.REVOKE: "approval revoked",
}
_CONDITIONS = frozenset({Reason.CONDITION_CLOSES, Reason.CONDITION_OVERDUE})


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words, and where they lead; no link for what the reader's role does not open."""

    words: str
    href: str = ""


class Kind(Enum):
    """What a step looks at."""

    LIST = auto()
    PAUSE = auto()
    TIME = auto()
    SCOPE = auto()
    DECIDED = auto()
    RUNS = auto()
    COVERS = auto()
    TIER = auto()
    EVIDENCE = auto()
    CONDITION = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the arithmetic: what is asked, what was found, whether it holds."""

    kind: Kind
    asked: str
    found: tuple[Piece, ...]
    holds: bool
    until: date | None = None
    short: str = ""
    """How it is said in a table when it fails."""


@dataclass(frozen=True, slots=True)
class Part:
    """The arithmetic for one engagement, as if nothing were paused. ``chosen``: it gave the answer."""

    engagement: str
    project: str
    allow: bool
    steps: tuple[Step, ...]
    chosen: bool


@dataclass(frozen=True, slots=True)
class Why:
    """The whole of it: the answer, what is asked first, and each engagement."""

    answer: Answer
    first: tuple[Step, ...]
    parts: tuple[Part, ...]

    @property
    def chosen(self) -> Part | None:
        """The engagement that gave the answer; None where none was looked at."""
        return next((each for each in self.parts if each.chosen), None)

    @property
    def failed(self) -> tuple[Step, ...]:
        """What does not hold, as far as the answer hangs on it."""
        first = tuple(each for each in self.first if not each.holds)
        chosen = self.chosen
        return first or (tuple(each for each in chosen.steps if not each.holds) if chosen else ())


@dataclass(frozen=True, slots=True)
class Links:
    """What the reader may open."""

    slug: str
    decisions: bool
    files: bool


def explain(
    world: World, question: Question, now: datetime, traces: Traces, projects: dict[str, str], links: Links
) -> Why:
    """Return the arithmetic of one answer at one moment."""
    answer = decide(world, question, now)
    calm = replace(world, pauses=(), disabled=False)
    engagements = [
        each for each in world.engagements if question.engagement is None or question.engagement in {each.slug, each.id}
    ]
    parts = []
    for each in engagements:
        alone = replace(calm, engagements=(each,))
        given = decide(alone, question, now)
        steps = _steps(alone, each, question, now, given, traces, links)
        parts.append((each, given, steps))
    chosen = decide(calm, question, now).engagement
    return Why(
        answer,
        _first(world, links),
        tuple(
            Part(each.slug, projects.get(each.id, each.slug), given.allow, steps, chosen=each.slug == chosen)
            for each, given, steps in parts
        ),
    )


def _first(world: World, links: Links) -> tuple[Step, ...]:
    here = any(not each.everywhere for each in world.pauses)
    everywhere = any(each.everywhere for each in world.pauses)
    if here:
        found = Piece("Paused", url_for("lab_pause.resume_page", slug=links.slug))
    else:
        found = Piece("Every vendor is paused") if everywhere else Piece("No pause")
    return (
        Step(
            Kind.LIST,
            "Is the vendor on the list?",
            (Piece("Switched off" if world.disabled else "Yes"),),
            not world.disabled,
        ),
        Step(Kind.PAUSE, "Is access paused?", (found,), not world.pauses, short=found.words),
    )


def _steps(
    alone: World,
    engagement: Engagement,
    question: Question,
    now: datetime,
    given: Answer,
    traces: Traces,
    links: Links,
) -> tuple[Step, ...]:
    reasons = set(given.reasons)
    data, mode = DataClass[question.data_class], AccessMode(question.access_mode)
    span = f"{day(engagement.starts_on)} to {day(engagement.ends_on) if engagement.ends_on else 'no end'}"
    in_time = not reasons & {Reason.ENGAGEMENT_NOT_STARTED, Reason.ENGAGEMENT_ENDED}
    steps = [
        Step(
            Kind.TIME,
            "Does the engagement run?",
            (Piece(span),),
            in_time,
            engagement.ends_on,
            f"The engagement runs {span}",
        ),
        Step(
            Kind.SCOPE,
            "Is it engaged for this class and mode?",
            (Piece(_reach(engagement.data_classes, engagement.access_modes)),),
            data in engagement.data_classes and mode in engagement.access_modes,
            short="Not engaged for it",
        ),
    ]
    clearance = latest(alone.clearances, engagement.id)
    if clearance is None:
        return (*steps, Step(Kind.DECIDED, "What was decided?", (Piece("Nobody has decided yet"),), holds=False))
    decided = _decided(clearance, traces, links)
    approved = clearance.act not in {ClearanceAct.REJECT, ClearanceAct.REVOKE}
    steps.append(
        Step(
            Kind.DECIDED,
            "What was decided?",
            (decided, Piece(ACT_WORDS[clearance.act])),
            approved,
            short=f"{decided.words}: {ACT_WORDS[clearance.act]}",
        )
    )
    if not approved:
        return tuple(steps)
    last = clearance.valid_until
    ended = now.date() > last if last else False
    steps += [
        Step(
            Kind.RUNS,
            "Does the approval still run?",
            (Piece(f"until {day(last)}" if last else "no end"),),
            not ended,
            last,
            f"{decided.words} ended on {day(last)}" if last else "",
        ),
        Step(
            Kind.COVERS,
            "Does it cover this class and mode?",
            (Piece(_reach(clearance.data_classes, clearance.access_modes)),),
            data in clearance.data_classes and mode in clearance.access_modes,
            short=f"{decided.words} does not cover it",
        ),
        Step(
            Kind.TIER,
            "Was it decided for a tier as strict as today's?",
            (Piece(f"decided for tier {clearance.tier}, tier {engagement.tier} now"),),
            Reason.TIER_TOO_LOW not in reasons,
            short=f"{decided.words} was for tier {clearance.tier}, it is tier {engagement.tier} now",
        ),
    ]
    steps += [_ground(clearance, number, now.date(), traces, links) for number in range(len(clearance.grounds))]
    steps += [
        _condition(alone, clearance, each, question, now, given, traces, links)
        for each in clearance.conditions
        if each.names(data, mode) or not _alone(alone, clearance, each, question, now)
    ]
    return tuple(steps)


def _reach(classes: frozenset[int], modes: frozenset[str]) -> str:
    return f"{', '.join(f'D{each}' for each in sorted(classes))}; {', '.join(sorted(modes))}"


def _decided(clearance: Clearance, traces: Traces, links: Links) -> Piece:
    trace = traces.decisions.get(clearance.sequence)
    if trace is None:
        return Piece(f"Step {clearance.sequence}")
    href = url_for("lab_decision.show", decision_id=trace.id) if links.decisions else ""
    return Piece(f"Decision D-{trace.number}", href)


def _ground(clearance: Clearance, number: int, today: date, traces: Traces, links: Links) -> Step:
    ground = clearance.grounds[number]
    kinds = " or ".join(evidence.KINDS[each].title if each in evidence.KINDS else each for each in ground.kinds)
    trace = traces.files.get((clearance.sequence, ground.kinds))
    named = kinds if trace is None else evidence.KINDS[trace.kind].title if trace.kind in evidence.KINDS else kinds
    href = url_for("lab_evidence.show", evidence_id=trace.id) if trace is not None and links.files else ""
    holds = ground.holds(today)
    if ground.until is None:
        words = "no end"
    else:
        words = "counts no more" if ground.until == evidence.NEVER else f"until {day(ground.until)}"
    ended = "counts no more" if ground.until == evidence.NEVER or ground.until is None else f"ended {day(ground.until)}"
    return Step(
        Kind.EVIDENCE,
        f"Is the evidence there that it rests on: {kinds}?",
        (Piece(named, href), Piece(words)),
        holds,
        ground.until if ground.until != evidence.NEVER else None,
        f"{named} {ended}",
    )


def _alone(alone: World, clearance: Clearance, condition: Condition, question: Question, now: datetime) -> bool:
    """Return whether a condition lets this pass, with nothing else looked at."""
    only = replace(clearance, conditions=(condition,))
    return not set(decide(replace(alone, clearances=(only,)), question, now).reasons) & _CONDITIONS


def _condition(
    alone: World,
    clearance: Clearance,
    condition: Condition,
    question: Question,
    now: datetime,
    given: Answer,
    traces: Traces,
    links: Links,
) -> Step:
    holds = _alone(alone, clearance, condition, question, now)
    finding_id = traces.findings.get(condition.finding) if condition.finding is not None else None
    named = f"F-{condition.finding}" if condition.finding is not None else "Condition"
    href = url_for("lab_findings.show", finding_id=finding_id) if finding_id is not None and links.decisions else ""
    due = condition.due_on
    overdue = due is not None and now.date() > due
    accepted = next((each.accepted_until for each in given.details if each.condition == condition), None)
    if condition.met:
        state = "met"
    elif holds and accepted is not None:
        state = f"open, its risk is accepted until {day(accepted)}"
    elif overdue and due:
        state = f"open, was due {day(due)}"
    else:
        state = f"open, due {day(due)}" if due else "open"
    if not holds:
        said = f"{named} is overdue" if overdue else f"{named} is open" + (f", due {day(due)}" if due else "")
        if condition.finding is None:
            said = f"{condition.text}: " + ("overdue" if overdue else "open")
    else:
        said = f"{named} {state}"
    return Step(
        Kind.CONDITION,
        "Does a condition stand in the way?",
        (Piece(named, href), Piece(condition.text), Piece(state)),
        holds,
        None if condition.met else accepted if accepted is not None and (due is None or accepted > due) else due,
        said,
    )


WARN_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Told:
    """One answer as a table says it."""

    allow: bool
    label: str
    tone: str
    icon: str
    because: tuple[Piece, ...]
    until: date | None
    until_words: str


def told(why: Why, now: datetime) -> Told:
    """Return an answer with what it hangs on: the decision, and what ends it first; or what stands in the way."""
    answer = why.answer
    if not answer.allow:
        failed = why.failed
        pieces = [Piece(each.short or each.found[0].words, _link(each)) for each in failed[:2]]
        if len(failed) > 2:
            pieces.append(Piece(f"{len(failed) - 2} more"))
        if not pieces:
            pieces = [Piece(REASON_WORDS[answer.reasons[0]])]
        closing = [each for each in failed if each.kind is Kind.CONDITION]
        opens = f"{closing[0].found[0].words} closed" if len(failed) == len(closing) == 1 else ""
        return Told(False, "Deny", "t-bad", "ban", tuple(pieces), None, opens)
    chosen = why.chosen
    steps = chosen.steps if chosen else ()
    decided = next((each.found[0] for each in steps if each.kind is Kind.DECIDED), Piece("Approved"))
    last = (answer.valid_until - timedelta(microseconds=1)).date() if answer.valid_until else None
    pieces = [decided]
    ends = next((each for each in steps if last is not None and each.until == last and _cause(each)), None)
    left = (last - now.date()).days if last else None
    soon = left is not None and left <= WARN_WITHIN.days
    if ends is not None:
        pieces.append(Piece(_ends(ends, left), _link(ends)))
    elif any(each.kind is Kind.CONDITION for each in steps):
        pieces.append(Piece("conditions met"))
    label, tone = ("Allow, ends soon", "t-warn") if soon else ("Allow", "t-ok")
    return Told(True, label, tone, "check", tuple(pieces), last, "" if last else "no end")


def _cause(step: Step) -> bool:
    return step.kind in {Kind.EVIDENCE, Kind.CONDITION, Kind.TIME}


def _ends(step: Step, left: int | None) -> str:
    if step.kind is Kind.CONDITION:
        return step.short or f"{step.found[0].words} due {day(step.until)}"
    name = step.found[0].words if step.kind is Kind.EVIDENCE else "the engagement"
    return (
        f"{name} ends in {left} {'day' if left == 1 else 'days'}"
        if left is not None and left <= 90
        else f"{name} ends first"
    )


def _link(step: Step) -> str:
    return next((each.href for each in step.found if each.href), "")


def class_words(data_class: str) -> str:
    """Return a data class in words."""
    return str(DATA_CLASS_WORDS[DataClass[data_class]])


def mode_words(access_mode: str) -> str:
    """Return an access mode in words."""
    return str(ACCESS_MODE_WORDS[AccessMode(access_mode)])


def questions_of(world: World) -> Sequence[Question]:
    """Return what can be asked within what the vendor is engaged for, the most sensitive class first."""
    pairs = {(data, mode) for each in world.engagements for data in each.data_classes for mode in each.access_modes}
    return [
        Question(world.vendor, DataClass(data).name, mode, "overview")
        for data, mode in sorted(pairs, key=lambda each: (-each[0], each[1]))
        if mode in AccessMode.__members__
    ]

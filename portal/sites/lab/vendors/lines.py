"""What the vendor pages say of the gate, of assessments and of a vendor's people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from portal.assessments.queries import AssessmentLine
from portal.assessments.rules import MOVABLE
from portal.gate.rules import Answer, Question, World, decide
from portal.identity.queries import InvitationLine, Person
from portal.questionnaires.queries import VersionLine
from portal.sites.shared.invited import Trail
from portal.terms import (
    ROLE_WORDS,
    AssessmentState,
)
from portal.vendors.service import Engagement


@dataclass(frozen=True, slots=True)
class GateState:
    """The gate in one tag: the word decides tone and icon, the label may say more."""

    word: str
    label: str


def gate_state(world: World | None, answers: Sequence[tuple[str, str, Answer]]) -> GateState:
    """Return what the gate says of a vendor today, over everything it is engaged for."""
    if world is not None and world.pauses:
        return GateState("Paused", "Paused")
    if not answers:
        return GateState("Not asked", "Nothing to ask")
    allowed = [answer for _, _, answer in answers if answer.allow]
    if len(allowed) == len(answers):
        conditional = any(answer.conditions for answer in allowed)
        return GateState(
            "Approved with conditions" if conditional else "Allow", "Allow, conditions" if conditional else "Allow"
        )
    if allowed:
        return GateState("Approved with conditions", f"Allow {len(allowed)} of {len(answers)}")
    return GateState("Deny", "Deny")


def newer_versions(asked: Iterable[AssessmentLine], published: Iterable[VersionLine]) -> dict[UUID, int]:
    """Return the newest version that an assessment could move to, for those that nobody signed and that are behind."""
    known = {each.id: each for each in published}
    newest: dict[str, int] = {}
    for each in known.values():
        newest[each.slug] = max(each.version, newest.get(each.slug, 0))
    return {
        row.id: newest[version.slug]
        for row in asked
        if row.state in MOVABLE
        and (version := known.get(row.questionnaire_id)) is not None
        and version.version < newest[version.slug]
    }


STATE_TAGS: Mapping[AssessmentState, tuple[str, str, str]] = {
    AssessmentState.DRAFT: ("Not started", "", "circle-dashed"),
    AssessmentState.IN_PROGRESS: ("In progress", "t-info", "circle-dot"),
    AssessmentState.SUBMITTED: ("Submitted", "t-info", "signature"),
    AssessmentState.IN_REVIEW: ("In review", "t-info", "circle-dot"),
    AssessmentState.CHANGES_REQUESTED: ("With vendor", "t-ask", "hourglass"),
    AssessmentState.RECOMMENDED: ("To decide", "t-warn", "signature"),
    AssessmentState.DECIDED: ("Decided", "t-plain", "badge-check"),
    AssessmentState.CANCELLED: ("Cancelled", "t-plain t-off", "ban"),
    AssessmentState.WITHDRAWN: ("Withdrawn", "t-plain t-off", "ban"),
}


def state_tag(line: AssessmentLine, today: date) -> tuple[str, str, str]:
    """Return label, tone and icon of an assessment's state; what is owed past its day is overdue."""
    if line.overdue(today):
        return ("Overdue", "t-bad", "clock")
    return STATE_TAGS[line.state]


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person of the vendor, and how the invitation stands that is on its way to them."""

    full_name: str
    email: str
    roles: str
    word: str
    last_sign_in_at: datetime | None
    invitation: InvitationLine | None
    trail: Trail | None


def person_rows(
    people: Iterable[Person], newest: Mapping[UUID, InvitationLine], trails: Mapping[UUID, Trail]
) -> list[PersonRow]:
    """Return a vendor's people by name, each who has not come with the newest invitation and where it stands."""
    return [_person_row(person, newest.get(person.id), trails) for person in people]


def _person_row(person: Person, invitation: InvitationLine | None, trails: Mapping[UUID, Trail]) -> PersonRow:
    away = person.enrolled_at is None and person.deactivated_at is None
    roles = person.roles or frozenset(invitation.roles if invitation and away else ())
    trail = trails.get(invitation.id) if invitation is not None and away else None
    return PersonRow(
        full_name=person.full_name,
        email=person.email,
        roles=", ".join(ROLE_WORDS[role] for role in ROLE_WORDS if role in roles),
        word=trail.word if trail else person.state,
        last_sign_in_at=person.last_sign_in_at,
        invitation=invitation if trail else None,
        trail=trail,
    )


def touch_state(world: World | None, engagement: Engagement, now: datetime) -> tuple[str, str]:
    """Return whether an engagement is open at the gate, as a status word and its label: all, some or none of it."""
    if world is None or engagement.starts_on > now.date():
        return ("Cannot start yet", "Starts later")
    answers = [
        decide(world, Question(world.vendor, f"D{data}", mode, "overview", engagement.slug), now).allow
        for data in engagement.data_classes
        for mode in engagement.access_modes
    ]
    if all(answers):
        return ("Open", "Open")
    return ("Approved with conditions", "Partly open") if any(answers) else ("Closed", "Closed")


def next_steps(
    engagements: Sequence[Engagement], people: Sequence[object], asked: Sequence[AssessmentLine]
) -> list[tuple[str, str, str]]:
    """Return what a new vendor still needs before it can answer: (title, words, state); nothing once it has all."""
    done = (bool(engagements), bool(people), bool(asked))
    if all(done):
        return []
    titles = (
        ("Engage it for a project", "The facts give the inherent risk and the tier"),
        ("Invite its vendor admin", "They divide the work and confirm the scoping"),
        ("Request an assessment", "The lab's scoping facts are filled in from the engagement"),
    )
    first = done.index(False)
    return [
        (title, words, "done" if done[number] else "now" if number == first else "")
        for number, (title, words) in enumerate(titles)
    ]

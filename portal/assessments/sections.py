"""Who answers which section."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal import policy
from portal.assessments.facts import SectionAssigned, SectionDueChanged, SectionUnassigned
from portal.assessments.models import Assessment, SectionAssignment
from portal.assessments.rules import SectionScope, is_final, not_now, scope_of_section
from portal.identity import service as identity
from portal.identity.facts import PersonDeactivated, PersonEnrolled, PersonHandedOver
from portal.identity.models import Invitation, UserAccount
from portal.kernel.actor import ActorKind
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.swap import swap
from portal.kernel.words import said
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.terms import N_

NOT_ALL_YOURS = said(
    "You see the sections that were given to you. A vendor admin or a signatory of your team sees everything"
)
CHOOSE = said("Choose somebody of your team")
LEFT = N_("%(name)s was switched off meanwhile. Choose somebody else")
NOT_YOURS = said("This section was not given to you. A vendor admin of your team can give it to you")


@dataclass(frozen=True, slots=True)
class Given:
    """A section that a person has: since when, from whom, and until when they are to answer it."""

    section: str
    user_id: UUID
    due_on: date | None
    given_by: UUID | None
    given_at: datetime


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A section that nobody has any more because its person left."""

    section: str
    user_id: UUID
    since: datetime


def assign_section(tx: Tx, *, assessment: Assessment, section: str, user_id: UUID, due_on: date | None = None) -> None:
    """Give a section to a person of the vendor; giving it twice is giving it once. Any number of people may have one.

    A respondent who was given a section sees and answers what was given, until an admin says otherwise.

    :raises Forbidden: if the actor may not divide the work.
    :raises NotFound: if the questionnaire has no such section.
    :raises Refused: if the person is not of this vendor, or left.
    :raises Conflict: if the assessment is over.
    """
    assign_sections(tx, assessment=assessment, sections=[section], user_id=user_id, due_on=due_on)


def assign_sections(
    tx: Tx, *, assessment: Assessment, sections: Collection[str], user_id: UUID, due_on: date | None = None
) -> tuple[str, ...]:
    """Give several sections to a person in one act, as assign_section does; return those they did not have.

    :raises Refused: also for a day before today.
    """
    policy.check(tx.actor, Action.SECTION_ASSIGN, assessment)
    if is_final(assessment.state):
        raise Conflict(not_now(assessment.state), current={"state": assessment.state.value})
    known = [each.key for each in questionnaires.compiled(tx, assessment.questionnaire_id).sections]
    if not set(sections) <= set(known):
        raise NotFound
    _check_due(tx, due_on)
    # Held until the end: who is switched off at this moment is switched off after it, and the section with them.
    person = sa.select(UserAccount).where(UserAccount.id == user_id, UserAccount.vendor_id == assessment.vendor_id)
    user = get_one(tx, person.with_for_update())
    if user is None:
        raise Refused(problems={"user_id": [CHOOSE]})
    if user.deactivated_at is not None:
        raise Refused(problems={"user_id": [said(LEFT, name=user.full_name)]})
    wanted = [each for each in known if each in sections]
    return tuple(each for each in wanted if _give(tx, assessment, each, user_id, due_on, given_by=tx.actor.id))


def _check_due(tx: Tx, due_on: date | None) -> None:
    if due_on is not None and due_on < tx.now.date():
        raise Refused(problems={"due_on": [said("Choose a day from today on")]})


def _give(
    tx: Tx, assessment: Assessment, section: str, user_id: UUID, due_on: date | None, *, given_by: UUID | None
) -> bool:
    statement = (
        postgresql.insert(SectionAssignment)
        .values(
            id=tx.new_id(),
            vendor_id=assessment.vendor_id,
            assessment_id=assessment.id,
            section=section,
            user_id=user_id,
            assigned_by=given_by,
            assigned_at=tx.now,
            due_on=due_on,
        )
        .on_conflict_do_nothing()
        .returning(SectionAssignment.id)
    )
    if tx.session.execute(statement).first() is None:
        return False
    identity.keep_to_given(tx, user_id=user_id)
    tx.record(
        SectionAssigned(
            assessment_id=assessment.id,
            vendor_id=assessment.vendor_id,
            section=section,
            user_id=user_id,
            due_on=due_on,
        )
    )
    return True


def change_due(tx: Tx, *, assessment: Assessment, section: str, user_id: UUID, due_on: date | None) -> None:
    """Give a person another day to answer their section by; None: the day of the whole assessment.

    :raises Forbidden: if the actor may not divide the work.
    :raises Refused: for a day before today.
    :raises NotFound: if the person does not have the section.
    :raises Conflict: if the assessment is over.
    """
    policy.check(tx.actor, Action.SECTION_ASSIGN, assessment)
    if is_final(assessment.state):
        raise Conflict(not_now(assessment.state), current={"state": assessment.state.value})
    _check_due(tx, due_on)
    live = _live(assessment).where(SectionAssignment.section == section, SectionAssignment.user_id == user_id)
    row = get_one(tx, live.with_for_update())
    if row is None:
        raise NotFound
    if row.due_on == due_on:
        return
    row.due_on = due_on
    tx.record(
        SectionDueChanged(
            assessment_id=assessment.id,
            vendor_id=assessment.vendor_id,
            section=section,
            user_id=user_id,
            due_on=due_on,
        )
    )


def unassign_section(tx: Tx, *, assessment: Assessment, section: str, user_id: UUID) -> None:
    """Take a section back from a person; what they answered stays.

    :raises Forbidden: if the actor may not divide the work.
    :raises NotFound: if the person does not have the section.
    """
    policy.check(tx.actor, Action.SECTION_ASSIGN, assessment)
    live = _live(assessment).where(SectionAssignment.section == section, SectionAssignment.user_id == user_id)
    row = get_one(tx, live)
    if row is None or not swap(tx, row, expect={"ended_at": None}, change={"ended_at": tx.now}):
        raise NotFound
    tx.record(
        SectionUnassigned(assessment_id=assessment.id, vendor_id=assessment.vendor_id, section=section, user_id=user_id)
    )


def end_of_person(tx: Tx, fact: PersonDeactivated) -> None:
    """Take all sections from a person who was switched off: nobody has them now, and the answers stay."""
    mine = sa.select(SectionAssignment).where(
        SectionAssignment.user_id == fact.user_id, SectionAssignment.ended_at.is_(None)
    )
    ordered = mine.order_by(SectionAssignment.assigned_at, SectionAssignment.id).with_for_update()
    for row in tx.session.execute(ordered).scalars().all():
        row.ended_at = tx.now
        tx.record(
            SectionUnassigned(
                assessment_id=row.assessment_id, vendor_id=row.vendor_id, section=row.section, user_id=row.user_id
            )
        )


def follow_hand_over(tx: Tx, fact: PersonHandedOver) -> None:
    """Give the sections of a person who hands over to whoever takes over, with the days they are due."""
    mine = sa.select(SectionAssignment).where(
        SectionAssignment.user_id == fact.user_id, SectionAssignment.ended_at.is_(None)
    )
    ordered = mine.order_by(SectionAssignment.assigned_at, SectionAssignment.id)
    for row in tx.session.execute(ordered).scalars().all():
        assessment = tx.session.get_one(Assessment, row.assessment_id)
        if not is_final(assessment.state):
            _give(tx, assessment, row.section, fact.to_user_id, row.due_on, given_by=tx.actor.id)


def given_of(tx: Tx, assessment: Assessment) -> list[Given]:
    """Return who has which section until when, in the order it was given."""
    statement = _live(assessment).order_by(SectionAssignment.assigned_at, SectionAssignment.id)
    return [
        Given(row.section, row.user_id, row.due_on, row.assigned_by, row.assigned_at)
        for row in tx.session.execute(statement).scalars()
    ]


def left_behind(tx: Tx, assessment: Assessment) -> Sequence[LeftBehind]:
    """Return the sections that nobody has since the person who had them was switched off."""
    held = assignees(tx, assessment)
    statement = (
        sa.select(SectionAssignment.section, SectionAssignment.user_id, SectionAssignment.ended_at)
        .join(UserAccount, UserAccount.id == SectionAssignment.user_id)
        .where(
            SectionAssignment.assessment_id == assessment.id,
            SectionAssignment.ended_at == UserAccount.deactivated_at,
        )
        .order_by(SectionAssignment.section, SectionAssignment.ended_at.desc(), SectionAssignment.id)
    )
    found: dict[str, LeftBehind] = {}
    for section, user_id, ended_at in tx.session.execute(statement):
        if section not in held and ended_at is not None:
            found.setdefault(section, LeftBehind(section, user_id, ended_at))
    return tuple(found.values())


def assignees(tx: Tx, assessment: Assessment) -> dict[str, list[UUID]]:
    """Return who has each section that somebody has, in the order it was given."""
    found: dict[str, list[UUID]] = {}
    for section, user_id in tx.session.execute(_assignees(), {"of": assessment.id}):
        found.setdefault(section, []).append(user_id)
    return found


@cache
def _assignees() -> sa.Select[str, UUID]:
    return (
        sa.select(SectionAssignment.section, SectionAssignment.user_id)
        .where(SectionAssignment.assessment_id == sa.bindparam("of"), SectionAssignment.ended_at.is_(None))
        .order_by(SectionAssignment.assigned_at, SectionAssignment.id)
    )


def section_scope(tx: Tx, assessment: Assessment, section: str) -> SectionScope:
    """Return the section as the policy asks for it (``policy.check(actor, ANSWER_WRITE, scope)``)."""
    return scope_of_section(assessment.vendor_id, section, assignees(tx, assessment).get(section, []))


def check_seen(tx: Tx, assessment: Assessment, section: str) -> None:
    """Refuse who sees only the sections given to them, and not this one.

    :raises NotFound: if the actor may not know of the assessment.
    :raises Forbidden: if it may, and the section is not theirs, with who can give it.
    """
    if tx.actor.kind is ActorKind.SYSTEM:
        return
    scope = section_scope(tx, assessment, section)
    if not policy.sees(tx.actor, scope):
        raise NotFound
    if not policy.may(tx.actor, Action.SECTION_READ, scope):
        raise Forbidden(NOT_YOURS)


def unseen_sections(tx: Tx, assessment: Assessment) -> frozenset[str]:
    """Return the sections whose answers the actor does not see: none for most, all but the given for some."""
    if not policy.keeps_to_given(tx.actor):
        return frozenset()
    given = assignees(tx, assessment)
    every = questionnaires.compiled(tx, assessment.questionnaire_id).sections
    return frozenset(each.key for each in every if tx.actor.id not in given.get(each.key, ()))


def sections_of(tx: Tx, assessment: Assessment, user_id: UUID) -> list[str]:
    """Return the sections that a person was given."""
    return [section for section, people in assignees(tx, assessment).items() if user_id in people]


def give_invited_sections(tx: Tx, fact: PersonEnrolled) -> None:
    """Give a person who came by invitation the sections that the invitation named, as far as they are still open."""
    invitation = tx.session.get(Invitation, fact.invitation_id)
    if invitation is None or invitation.assessment_id is None or not invitation.sections:
        return
    assessment = tx.session.get(Assessment, invitation.assessment_id)
    if assessment is None or assessment.vendor_id != fact.vendor_id or is_final(assessment.state):
        return
    known = {each.key for each in questionnaires.compiled(tx, assessment.questionnaire_id).sections}
    for section in invitation.sections:
        if section in known:
            _give(tx, assessment, section, fact.user_id, invitation.due_on, given_by=invitation.invited_by)


def _live(assessment: Assessment) -> sa.Select[SectionAssignment]:
    return sa.select(SectionAssignment).where(
        SectionAssignment.assessment_id == assessment.id, SectionAssignment.ended_at.is_(None)
    )

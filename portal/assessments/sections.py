"""Who answers which section."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal import policy
from portal.assessments.facts import SectionAssigned, SectionUnassigned
from portal.assessments.models import Assessment, SectionAssignment
from portal.assessments.rules import SectionScope, is_final, not_now, scope_of_section
from portal.identity.facts import PersonEnrolled
from portal.identity.models import Invitation, UserAccount
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.swap import swap
from portal.policy import Action
from portal.questionnaires import service as questionnaires


def assign_section(tx: Tx, *, assessment: Assessment, section: str, user_id: UUID, due_on: date | None = None) -> None:
    """Give a section to a person of the vendor; giving it twice is giving it once. Any number of people may have one.

    :raises Forbidden: if the actor may not divide the work.
    :raises NotFound: if the questionnaire has no such section.
    :raises Refused: if the person is not of this vendor, or left.
    :raises Conflict: if the assessment is over.
    """
    policy.check(tx.actor, Action.SECTION_ASSIGN, assessment)
    if is_final(assessment.state):
        raise Conflict(not_now(assessment.state), current={"state": assessment.state.value})
    if all(each.key != section for each in questionnaires.compiled(tx, assessment.questionnaire_id).sections):
        raise NotFound
    person = sa.select(UserAccount.id).where(
        UserAccount.id == user_id,
        UserAccount.vendor_id == assessment.vendor_id,
        UserAccount.deactivated_at.is_(None),
    )
    if get_one(tx, person) is None:
        raise Refused(problems={"user_id": ["Choose somebody of your team"]})
    _give(tx, assessment, section, user_id, due_on, given_by=tx.actor.id)


def _give(
    tx: Tx, assessment: Assessment, section: str, user_id: UUID, due_on: date | None, *, given_by: UUID | None
) -> None:
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
    if tx.session.execute(statement).first() is not None:
        tx.record(
            SectionAssigned(
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


def assignees(tx: Tx, assessment: Assessment) -> dict[str, list[UUID]]:
    """Return who has each section that somebody has, in the order it was given."""
    statement = _live(assessment).order_by(SectionAssignment.assigned_at, SectionAssignment.id)
    found: dict[str, list[UUID]] = {}
    for row in tx.session.execute(statement).scalars():
        found.setdefault(row.section, []).append(row.user_id)
    return found


def section_scope(tx: Tx, assessment: Assessment, section: str) -> SectionScope:
    """Return the section as the policy asks for it (``policy.check(actor, ANSWER_WRITE, scope)``)."""
    return scope_of_section(assessment.vendor_id, section, assignees(tx, assessment).get(section, []))


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
            _give(tx, assessment, section, fact.user_id, None, given_by=invitation.invited_by)


def _live(assessment: Assessment) -> sa.Select[SectionAssignment]:
    return sa.select(SectionAssignment).where(
        SectionAssignment.assessment_id == assessment.id, SectionAssignment.ended_at.is_(None)
    )

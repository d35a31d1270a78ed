"""The commands of this room in one place: asking a vendor to attest, and telling it the outcome, are made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

from portal import policy
from portal.assessments import facts, queries, rules
from portal.assessments.models import AccessCard, Assessment, PublishedOutcome, PublishedStanding
from portal.assessments.moves import (
    cancel,
    decide,
    recommend,
    reopened,
    request_changes,
    return_to_review,
    submit,
    take_into_review,
    touch,
    withdraw,
)
from portal.assessments.pinning import end_sections, pin, restate
from portal.assessments.queries import (
    AssessmentLine,
    CardLine,
    OutcomeLine,
    most_pressing,
    of_vendor,
    owed,
)
from portal.assessments.rules import next_revision
from portal.assessments.scoping import (
    ScopingLine,
    carry_facts,
    confirm_fact,
    facts_of,
    facts_on,
    fill_from_engagement,
    scoping_and_facts,
    scoping_of,
    state_fact,
    stated_by,
    stated_by_engagement,
)
from portal.assessments.sections import (
    NOT_ALL_YOURS,
    Given,
    LeftBehind,
    assign_section,
    assign_sections,
    assignees,
    change_due,
    check_seen,
    end_of_person,
    follow_hand_over,
    give_invited_sections,
    given_of,
    left_behind,
    section_scope,
    sections_of,
    unassign_section,
    unseen_sections,
)
from portal.kernel.canonical import plain
from portal.kernel.database import constraint_of
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx, get_one
from portal.policy import Action
from portal.questionnaires.models import QuestionnaireVersion
from portal.vendors.checks import line
from portal.vendors.models import Engagement, Vendor

__all__ = [
    "AssessmentLine",
    "CardLine",
    "Given",
    "LeftBehind",
    "OutcomeLine",
    "ScopingLine",
    "assign_section",
    "assign_sections",
    "assignees",
    "cancel",
    "cards_of",
    "carry_facts",
    "change_due",
    "check_seen",
    "confirm_fact",
    "current_of",
    "decide",
    "end_of_person",
    "end_sections",
    "facts_of",
    "facts_on",
    "follow_hand_over",
    "get",
    "give_invited_sections",
    "given_of",
    "left_behind",
    "most_pressing",
    "next_revision",
    "of_vendor",
    "outcome",
    "outcomes_of",
    "owed",
    "pin",
    "publish_card",
    "publish_outcome",
    "publish_standing",
    "recommend",
    "reopened",
    "request",
    "request_changes",
    "restate",
    "return_to_review",
    "scoping_and_facts",
    "scoping_of",
    "section_scope",
    "sections_of",
    "standing_of",
    "state_fact",
    "stated_by",
    "stated_by_engagement",
    "submit",
    "take_into_review",
    "touch",
    "unassign_section",
    "unseen_sections",
    "withdraw",
]


def get(tx: Tx, assessment_id: UUID, action: Action) -> Assessment:
    """Return an assessment that the actor may do this to.

    :raises NotFound: if there is none, or the actor may not know of it.
    :raises Forbidden: if the actor may not do this.
    :raises StepUpRequired: if only the fresh factor is missing.
    """
    row = tx.session.get(Assessment, assessment_id)
    if row is None:
        raise NotFound
    if action is Action.ASSESSMENT_WHOLE and policy.keeps_to_given(tx.actor) and policy.sees(tx.actor, row):
        raise Forbidden(NOT_ALL_YOURS)
    policy.check(tx.actor, action, row)
    return row


def request(
    tx: Tx,
    *,
    vendor: Vendor,
    engagement: Engagement,
    questionnaire_version: QuestionnaireVersion,
    due_on: date,
    title: str | None = None,
    row_version: int | None = None,
) -> Assessment:
    """Ask a vendor to attest for an engagement, on a pinned version, in the engagement's tier, by a day.

    The lab's scoping facts are filled from the engagement.

    :param row_version: the engagement's, as the asker saw it: its tier decides what is asked.

    :raises Forbidden: if the actor may not ask.
    :raises Conflict: if the vendor is switched off, the engagement is over, or changed, or the same is asked already.
    :raises Refused: with the problems of due_on and title.
    """
    policy.check(tx.actor, Action.ASSESSMENT_CREATE, vendor)
    today = tx.now.date()
    if engagement.vendor_id != vendor.id:
        raise NotFound
    if vendor.disabled_at is not None:
        raise Conflict(f"{vendor.name} is switched off. Switch it on before you ask it anything.")
    if engagement.ends_on is not None and engagement.ends_on < today:
        raise Conflict(f"{engagement.project} has ended. Extend the engagement before you ask about it.")
    if row_version is not None and row_version != engagement.row_version:
        raise Conflict(
            f"{engagement.project} changed since you opened this page; it is in tier {engagement.tier} now.",
            current={"row_version": engagement.row_version, "tier": engagement.tier},
        )
    words = line(title) or questionnaire_version.title
    problems: dict[str, list[str]] = {}
    if due_on < today:
        problems["due_on"] = ["The due date must be today or later"]
    elif due_on - today > rules.LONGEST_NOTICE:
        problems["due_on"] = ["The due date must be within two years"]
    if len(words) > rules.MAX_TITLE:
        problems["title"] = [f"Shorten the title to {rules.MAX_TITLE} characters; this has {len(words):,}"]
    if problems:
        raise Refused(problems=problems)
    assessment = Assessment(
        id=tx.new_id(),
        vendor_id=vendor.id,
        engagement_id=engagement.id,
        questionnaire_id=questionnaire_version.id,
        questionnaire_slug=questionnaire_version.slug,
        title=words,
        tier=engagement.tier,
        due_on=due_on,
        requested_by=tx.actor.id,
        requested_at=tx.now,
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(assessment)
            tx.session.flush()
    except IntegrityError as failure:
        if constraint_of(failure) != "uq_assessment_open":
            raise
        raise Conflict(
            f"{vendor.name} is asked this already for {engagement.project}. Cancel the open assessment, or wait for it."
        ) from None
    fill_from_engagement(tx, assessment=assessment, engagement=engagement)
    tx.record(
        facts.AssessmentRequested(
            assessment_id=assessment.id,
            vendor_id=vendor.id,
            engagement_id=engagement.id,
            questionnaire_id=questionnaire_version.id,
            questionnaire_digest=questionnaire_version.digest,
            tier=assessment.tier,
            due_on=due_on,
        )
    )
    return assessment


def current_of(tx: Tx, vendor_id: UUID) -> Assessment | None:
    """Return the vendor's most pressing assessment: the open one due first, else the newest."""
    line = queries.most_pressing(tx, [vendor_id]).get(vendor_id)
    return None if line is None else tx.session.get(Assessment, line.id)


# What the vendor is told: values published down from the rooms above.


def publish_outcome(tx: Tx, *, assessment: Assessment, number: int, body: Mapping[str, Any]) -> PublishedOutcome:
    """Tell the vendor the outcome of the signed revision; each revision has one.

    :raises Conflict: if the vendor was told already.
    """
    row = PublishedOutcome(
        id=tx.new_id(),
        vendor_id=assessment.vendor_id,
        assessment_id=assessment.id,
        revision=assessment.revision,
        number=number,
        body=plain(dict(body)),
        published_at=tx.now,
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(row)
            tx.session.flush()
    except IntegrityError as failure:
        if constraint_of(failure) != "uq_published_outcome_assessment_id_revision":
            raise
        raise Conflict("The vendor was told the outcome of this revision already.") from None
    tx.record(
        facts.OutcomePublished(
            outcome_id=row.id,
            assessment_id=assessment.id,
            vendor_id=assessment.vendor_id,
            revision=assessment.revision,
            number=number,
        )
    )
    return row


def outcomes_of(tx: Tx, vendor_id: UUID) -> Sequence[OutcomeLine]:
    """Return what a vendor was told, the newest first."""
    return queries.outcomes_of_vendor(tx, vendor_id)


def outcome(tx: Tx, outcome_id: UUID, action: Action = Action.OUTCOME_READ) -> OutcomeLine:
    """Return one outcome that the actor may read; refusals as ``get``."""
    found = queries.outcome_line(tx, outcome_id)
    if found is None:
        raise NotFound
    policy.check(tx.actor, action, found)
    return found


def publish_standing(tx: Tx, *, outcome: OutcomeLine, body: Mapping[str, Any]) -> bool:
    """Show the vendor how an outcome stands now, in place of what it showed before; return whether that is news."""
    content = plain(dict(body))
    if queries.standing_body(tx, outcome.id) == content:
        return False
    said = {"body": content, "published_at": tx.now}
    tx.session.execute(
        postgresql.insert(PublishedStanding)
        .values(outcome_id=outcome.id, vendor_id=outcome.vendor_id, assessment_id=outcome.assessment_id, **said)
        .on_conflict_do_update(index_elements=[PublishedStanding.outcome_id], set_=said)
    )
    return True


def standing_of(tx: Tx, outcome: OutcomeLine) -> dict[str, Any]:
    """Return how an outcome stands since; empty if nothing was said of it yet. The caller holds the outcome."""
    return queries.standing_body(tx, outcome.id)


def publish_card(tx: Tx, *, vendor_id: UUID, engagement_id: UUID, body: Mapping[str, Any]) -> None:
    """Show the vendor what the gate says of an engagement, in place of what it showed before."""
    card = get_one(
        tx, sa.select(AccessCard.engagement_id).where(AccessCard.engagement_id == engagement_id).with_for_update()
    )
    content = {"body": plain(dict(body)), "published_at": tx.now}
    if card is not None:
        tx.session.execute(
            sa.update(AccessCard).where(AccessCard.engagement_id == engagement_id).values(**content),
            execution_options={"synchronize_session": "fetch"},
        )
        return
    tx.session.execute(
        postgresql.insert(AccessCard)
        .values(engagement_id=engagement_id, vendor_id=vendor_id, **content)
        .on_conflict_do_update(index_elements=[AccessCard.engagement_id], set_=content)
    )


def cards_of(tx: Tx, vendor_id: UUID) -> Sequence[CardLine]:
    """Return what the gate last said of each engagement of a vendor; dates in it lapse when they are read."""
    return queries.cards(tx, vendor_id)

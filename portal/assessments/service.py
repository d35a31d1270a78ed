"""Asking a vendor to attest, moving an assessment through its states, and telling the vendor the outcome."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

from portal import policy
from portal.assessments import facts, queries, rules
from portal.assessments.models import AccessCard, Assessment, PublishedOutcome, ReopenedQuestion
from portal.assessments.queries import (
    AssessmentLine,
    CardLine,
    OutcomeLine,
    most_pressing,
    of_vendor,
    owed,
)
from portal.assessments.rules import Move, next_revision
from portal.assessments.scoping import (
    ScopingLine,
    confirm_fact,
    facts_of,
    fill_from_engagement,
    scoping_of,
    state_fact,
    stated_by,
)
from portal.assessments.sections import assign_section, assignees, section_scope, sections_of, unassign_section
from portal.kernel.canonical import plain
from portal.kernel.database import constraint_of
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Fact, Tx, get_one
from portal.kernel.swap import swap
from portal.policy import Action
from portal.questionnaires.models import QuestionnaireVersion
from portal.terms import AssessmentState
from portal.vendors.checks import line
from portal.vendors.models import Engagement, Vendor

__all__ = [
    "AssessmentLine",
    "CardLine",
    "OutcomeLine",
    "ScopingLine",
    "assign_section",
    "assignees",
    "cancel",
    "cards_of",
    "confirm_fact",
    "current_of",
    "decide",
    "facts_of",
    "get",
    "most_pressing",
    "next_revision",
    "of_vendor",
    "outcome",
    "outcomes_of",
    "owed",
    "publish_card",
    "publish_outcome",
    "recommend",
    "reopened",
    "request",
    "request_changes",
    "return_to_review",
    "scoping_of",
    "section_scope",
    "sections_of",
    "state_fact",
    "stated_by",
    "submit",
    "take_into_review",
    "touch",
    "unassign_section",
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
) -> Assessment:
    """Ask a vendor to attest for an engagement, on a pinned version, in the engagement's tier, by a day.

    The lab's scoping facts are filled from the engagement.

    :raises Forbidden: if the actor may not ask.
    :raises Conflict: if the vendor is switched off, the engagement is over, or the same is asked already.
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


# Moves. Each names what it expects, wins or loses in one statement, and records one fact.


def touch(tx: Tx, *, assessment: Assessment) -> None:
    """Note the vendor's first touch. An assessment that is already being answered is left as it is.

    :raises Conflict: if it cannot be answered now.
    """
    if rules.is_answerable(assessment.state) and assessment.state is not AssessmentState.DRAFT:
        return
    begun = facts.AssessmentBegun(assessment_id=assessment.id, vendor_id=assessment.vendor_id)
    try:
        _move(tx, assessment, Move.TOUCH, begun, change={"first_touched_at": tx.now})
    except Conflict:
        # A colleague's first answer came in the same moment: it is begun, and that is all we wanted.
        if not rules.is_answerable(assessment.state):
            raise


def submit(tx: Tx, *, assessment: Assessment, revision: int, row_version: int | None = None) -> None:
    """Take a signed revision in. The caller signed it in this transaction.

    :param revision: the revision that was signed; it must be ``next_revision``.
    :raises Conflict: if it is not the moment, or somebody changed the assessment since ``row_version``.
    """
    before = assessment.state
    if revision != rules.next_revision(before, assessment.revision):
        raise Conflict(rules.not_now(before), current=_standing(assessment))
    change = {"revision": revision, "submitted_at": tx.now}
    expect = {"state": before, "revision": assessment.revision}
    fact = facts.AssessmentSubmitted(assessment_id=assessment.id, vendor_id=assessment.vendor_id, revision=revision)
    _move(tx, assessment, Move.SUBMIT, fact, change=change, expect=expect, row_version=row_version)


def take_into_review(tx: Tx, *, assessment: Assessment, row_version: int | None = None) -> None:
    """Begin the review of the signed revision.

    :raises Conflict: if it is not submitted.
    """
    _move(tx, assessment, Move.TAKE_INTO_REVIEW, _of_revision(facts.ReviewBegun, assessment), row_version=row_version)


def request_changes(tx: Tx, *, assessment: Assessment, keys: Collection[str], row_version: int | None = None) -> None:
    """Send named questions back; only these may change in the next revision.

    :raises Refused: if no question is named.
    :raises Conflict: if it is not in review.
    """
    asked = tuple(sorted(set(keys)))
    if not asked:
        raise Refused("Ask about at least one question before you send it back.")
    fact = facts.ChangesRequested(
        assessment_id=assessment.id, vendor_id=assessment.vendor_id, revision=assessment.revision, keys=asked
    )
    _move(tx, assessment, Move.REQUEST_CHANGES, fact, row_version=row_version)
    tx.session.add_all(
        ReopenedQuestion(
            assessment_id=assessment.id,
            revision=assessment.revision,
            question_key=key,
            vendor_id=assessment.vendor_id,
            asked_by=tx.actor.id,
            asked_at=tx.now,
        )
        for key in asked
    )
    tx.session.flush()


def reopened(tx: Tx, assessment: Assessment) -> frozenset[str] | None:
    """Return the keys that may change now: None for all of them, an empty set for none."""
    if not rules.is_answerable(assessment.state):
        return frozenset()
    if assessment.state is not AssessmentState.CHANGES_REQUESTED:
        return None
    statement = sa.select(ReopenedQuestion.question_key).where(
        ReopenedQuestion.assessment_id == assessment.id, ReopenedQuestion.revision == assessment.revision
    )
    return frozenset(tx.session.execute(statement).scalars())


def recommend(tx: Tx, *, assessment: Assessment, row_version: int | None = None) -> None:
    """Put the reviewed revision before those who decide.

    :raises Conflict: if it is not in review.
    """
    fact = _of_revision(facts.AssessmentRecommended, assessment)
    _move(tx, assessment, Move.RECOMMEND, fact, row_version=row_version)


def return_to_review(tx: Tx, *, assessment: Assessment, reason: str, row_version: int | None = None) -> None:
    """Send a recommendation back to the reviewer.

    :raises Refused: without a reason.
    :raises Conflict: if it waits for no decision.
    """
    fact = facts.RecommendationReturned(
        assessment_id=assessment.id,
        vendor_id=assessment.vendor_id,
        revision=assessment.revision,
        reason=_reason(reason, "Say what the reviewer should look at again"),
    )
    _move(tx, assessment, Move.RETURN_TO_REVIEW, fact, row_version=row_version)


def decide(tx: Tx, *, assessment: Assessment, row_version: int | None = None) -> None:
    """Close the assessment with the decision that was signed in this transaction.

    :raises Conflict: if it waits for no decision.
    """
    fact = _of_revision(facts.AssessmentDecided, assessment)
    _move(tx, assessment, Move.DECIDE, fact, change={"decided_at": tx.now}, row_version=row_version)


def cancel(tx: Tx, *, assessment: Assessment, reason: str, row_version: int | None = None) -> None:
    """Stop asking, before anything was signed or while questions are back with the vendor.

    :raises Forbidden: if the actor may not.
    :raises Refused: without a reason.
    :raises Conflict: if it is too late, or somebody changed it since ``row_version``.
    """
    policy.check(tx.actor, Action.ASSESSMENT_CANCEL, assessment)
    why = _reason(reason, "Say why you cancel it. The vendor reads this")
    fact = facts.AssessmentCancelled(assessment_id=assessment.id, vendor_id=assessment.vendor_id, reason=why)
    _move(tx, assessment, Move.CANCEL, fact, change={"reason": why}, row_version=row_version)


def withdraw(tx: Tx, *, assessment: Assessment, reason: str, row_version: int | None = None) -> None:
    """Take a signed revision back, as the vendor, while nothing is decided.

    :raises Forbidden: if the actor may not.
    :raises Refused: without a reason.
    :raises Conflict: if it is too late, or somebody changed it since ``row_version``.
    """
    policy.check(tx.actor, Action.ATTESTATION_WITHDRAW, assessment)
    why = _reason(reason, "Say why you withdraw it. The reviewer reads this")
    fact = facts.AssessmentWithdrawn(
        assessment_id=assessment.id, vendor_id=assessment.vendor_id, revision=assessment.revision, reason=why
    )
    _move(tx, assessment, Move.WITHDRAW, fact, change={"reason": why}, row_version=row_version)


def _move(
    tx: Tx,
    assessment: Assessment,
    move: Move,
    fact: Fact,
    *,
    change: Mapping[str, Any] | None = None,
    expect: Mapping[str, Any] | None = None,
    row_version: int | None = None,
) -> None:
    way = rules.MOVES[move]
    expected: dict[str, Any] = {"state": sorted(way.starts), **(expect or {})}
    if not rules.may_move(assessment.state, move):
        raise Conflict(rules.not_now(assessment.state), current=_standing(assessment))
    if row_version is not None:
        expected["row_version"] = row_version
    changed = {"state": way.ends, "row_version": Assessment.__table__.c.row_version + 1, **(change or {})}
    if swap(tx, assessment, expect=expected, change=changed):
        tx.record(fact)
        return
    if rules.may_move(assessment.state, move):
        raise Conflict(
            "Somebody changed this assessment since you opened it. Look at it again, then repeat what you did.",
            current=_standing(assessment),
        )
    raise Conflict(rules.not_now(assessment.state), current=_standing(assessment))


def _standing(assessment: Assessment) -> dict[str, object]:
    return {
        "state": assessment.state.value,
        "revision": assessment.revision,
        "row_version": assessment.row_version,
    }


def _of_revision(kind: Callable[..., Fact], assessment: Assessment) -> Fact:
    return kind(assessment_id=assessment.id, vendor_id=assessment.vendor_id, revision=assessment.revision)


def _reason(text: str, missing: str) -> str:
    reason = line(text)
    if not reason:
        raise Refused(problems={"reason": [missing]})
    if len(reason) > rules.MAX_REASON:
        raise Refused(
            problems={"reason": [f"Shorten the reason to {rules.MAX_REASON:,} characters; this has {len(reason):,}"]}
        )
    return reason


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

"""The conversation about a question or a scoping fact, which both sides see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import queries, rules
from portal.attestations.facts import MessagePosted
from portal.attestations.models import Message
from portal.attestations.queries import MessageLine
from portal.attestations.standing import not_now, question_of
from portal.kernel.errors import Conflict
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.terms import AssessmentState, Side

OVER = frozenset({AssessmentState.CANCELLED, AssessmentState.WITHDRAWN})
"""Where nobody reads any more. A decided assessment can still be asked about."""


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation, for the policy: whose vendor it is, and who reviews it."""

    vendor_id: UUID
    reviewer_id: UUID | None


def messages_of(tx: Tx, assessment: Assessment, question_key: str | None = None) -> dict[str, tuple[MessageLine, ...]]:
    """Return each conversation of the assessment, or the one about a question, the oldest message first."""
    found: dict[str, list[MessageLine]] = {}
    for line in queries.messages(tx, assessment.id, question_key=question_key):
        found.setdefault(line.question_key, []).append(line)
    return {key: tuple(lines) for key, lines in found.items()}


def thread(tx: Tx, assessment: Assessment, question_key: str) -> Sequence[MessageLine]:
    """Return one conversation, the oldest message first."""
    return queries.messages(tx, assessment.id, question_key=question_key)


def post_message(
    tx: Tx,
    *,
    assessment: Assessment,
    question_key: str,
    body: str,
    reviewer_id: UUID | None = None,
    asks: bool = True,
) -> MessageLine:
    """Write in the conversation about a question or a scoping fact. The writer's name is kept with the words.

    :param question_key: the key of the question, or of the scoping fact.
    :param reviewer_id: who reviews the assessment, as the room above knows it; that reviewer may write too.
    :param asks: whether the lab waits for an answer: nothing is signed before there is one. A vendor's message asks
        nothing of itself.
    :raises NotFound: if the assessment asks no such thing.
    :raises Forbidden: if the actor may not write here.
    :raises Refused: with the problem of body.
    :raises Conflict: if the assessment was cancelled or withdrawn.
    """
    asked = questionnaires.compiled(tx, assessment.questionnaire_id)
    if all(fact.key != question_key for fact in asked.scoping):
        question = question_of(asked, assessment, question_key)
        assessments.check_seen(tx, assessment, question.section)
    policy.check(tx.actor, Action.MESSAGE_SHARED, Thread(assessment.vendor_id, reviewer_id))
    text = rules.tidy_message(body)
    if assessment.state in OVER:
        raise Conflict(not_now(assessment), current={"state": assessment.state.value})
    row = Message(
        id=tx.new_id(),
        vendor_id=assessment.vendor_id,
        assessment_id=assessment.id,
        question_key=question_key,
        side=Side.VENDOR if tx.actor.is_vendor else Side.LAB,
        author_id=tx.actor.id,
        author_name=tx.actor.name,
        body=text,
        sent_at=tx.now,
        asks=asks and not tx.actor.is_vendor,
    )
    tx.session.add(row)
    tx.session.flush()
    tx.record(
        MessagePosted(
            message_id=row.id,
            assessment_id=assessment.id,
            vendor_id=assessment.vendor_id,
            question_key=question_key,
            side=row.side,
        )
    )
    return MessageLine(row.id, question_key, row.side, row.author_id, row.author_name, text, row.sent_at, row.asks)

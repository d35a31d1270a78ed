"""Answering: one question at a time, never over somebody else's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import queries, rules
from portal.attestations.confirming import hold_carried, settle_answered
from portal.attestations.facts import AnswerSaved
from portal.attestations.models import Answer, AnswerEdit, Attestation, AttestedAnswer
from portal.attestations.queries import AnswerLine, EditLine
from portal.attestations.standing import check_open, hold, question_of
from portal.kernel.canonical import digest
from portal.kernel.errors import Conflict, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import rules as questions
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Question, Questionnaire, QuestionState

Raw = Mapping[str, str | Sequence[str]]


def answers_of(tx: Tx, assessment: Assessment) -> dict[str, AnswerLine]:
    """Return the answers as they stand, by question, also of questions that are hidden now."""
    return queries.answers(tx, assessment.id)


def history(tx: Tx, assessment: Assessment, question_key: str) -> Sequence[EditLine]:
    """Return every earlier text of an answer with who wrote it, the newest first (at most 100)."""
    return queries.edits(tx, assessment.id, question_key)


def offered(tx: Tx, assessment: Assessment, question: Question) -> frozenset[str]:
    """Return the keys that a question with ``options_from`` takes: what this vendor signed an answer to before."""
    if not question.options_from:
        return frozenset()
    statement = (
        sa.select(AttestedAnswer.question_key)
        .join(Attestation, Attestation.id == AttestedAnswer.attestation_id)
        .where(
            AttestedAnswer.vendor_id == assessment.vendor_id,
            Attestation.assessment_id != assessment.id,
            AttestedAnswer.state.in_([QuestionState.ANSWERED.value, QuestionState.NA_CLAIMED.value]),
        )
        .distinct()
    )
    return frozenset(tx.session.execute(statement).scalars())


def save_answer(
    tx: Tx,
    *,
    assessment: Assessment,
    question_key: str,
    raw: Raw,
    version: int,
    questionnaire: Questionnaire | None = None,
) -> AnswerLine:
    """Write the answer to one question. An empty form blanks it; what it said before stays in its history.

    Writing what is there already changes nothing and is no new version, so a repeated write is one write.

    :param raw: the form fields that ``questionnaires.rules.parse_answer`` reads; a draft may be incomplete.
    :param version: the version that the writer saw, 0 if there was no answer.
    :param questionnaire: the assessment's own, if the caller has it at hand.
    :raises NotFound: if the assessment does not ask this question.
    :raises Forbidden: if the section was given to others.
    :raises Refused: with the problems of the fields.
    :raises Conflict: if it cannot be answered now, or somebody was faster: then ``current`` holds ``theirs``
        (their AnswerLine), its ``version`` and ``by``, and nothing was written.
    """
    pinned = assessment.questionnaire_id
    asked = questionnaire or questionnaires.compiled(tx, pinned)
    question = question_of(asked, assessment, question_key)
    policy.check(tx.actor, Action.ANSWER_WRITE, assessments.section_scope(tx, assessment, question.section))
    answer = questions.parse_answer(question, raw, draft=True, offered=offered(tx, assessment, question))
    if isinstance(answer, questions.Problems):
        raise Refused(problems={field: [message] for field, message in answer.by_field().items()})
    content = questions.to_json(answer)
    lines = queries.answers(tx, assessment.id)
    theirs = lines.get(question_key)
    if (questions.to_json(theirs.answer) if theirs else {}) == content:
        _begin(tx, assessment, question, pinned)
        return theirs or AnswerLine(question_key, answer, 0, None, "", None)
    if (theirs.version if theirs else 0) != version:
        raise _late(question, theirs)
    _check_visible(tx, assessment, asked, question, lines)
    _begin(tx, assessment, question, pinned, writes=True)
    waited = hold_carried(tx, assessment.id, question_key)
    if not _write(tx, assessment, question_key, answer, version):
        raise _late(question, queries.answers(tx, assessment.id, question_key=question_key).get(question_key))
    tx.session.add(
        AnswerEdit(
            id=tx.new_id(),
            vendor_id=assessment.vendor_id,
            assessment_id=assessment.id,
            question_key=question_key,
            version=version + 1,
            content=content,
            edited_by=tx.actor.id,
            edited_at=tx.now,
        )
    )
    tx.session.flush()
    if waited:
        settle_answered(tx, assessment.id, question_key)
    tx.record(
        AnswerSaved(
            assessment_id=assessment.id,
            vendor_id=assessment.vendor_id,
            question_key=question_key,
            version=version + 1,
            digest=digest(content),
        )
    )
    return AnswerLine(question_key, answer, version + 1, tx.actor.id, tx.actor.name, tx.now)


def _begin(tx: Tx, assessment: Assessment, question: Question, pinned: UUID, *, writes: bool = False) -> None:
    """Hold the assessment in a state in which this question can be answered; the first write begins it.

    The first touch moves the row, so it comes before the shared lock: two who both held that could not move.
    """
    if writes:
        assessments.touch(tx, assessment=assessment)
    hold(tx, assessment, pinned=pinned)
    check_open(tx, assessment, question)


def _check_visible(
    tx: Tx, assessment: Assessment, asked: Questionnaire, question: Question, lines: Mapping[str, AnswerLine]
) -> None:
    facts = assessments.facts_of(tx, assessment)
    answers = rules.said(
        {key: line.answer for key, line in lines.items()}, rules.waiting_answers(queries.waiting(tx, assessment.id))
    )
    if questions.state_of(asked, assessment.tier, facts, answers)[question.key] in rules.UNSEEN:
        raise Conflict(
            f"“{question.label}” does not apply any more, because another answer changed. Nothing was saved.",
            current={"state": assessment.state.value},
        )


def _write(tx: Tx, assessment: Assessment, key: str, answer: questions.Answer, version: int) -> bool:
    """Write over the version that was seen, or for the first time; return whether nobody was faster."""
    told: dict[str, Any] = {
        **queries.columns_of(answer),
        "version": version + 1,
        "updated_by": tx.actor.id,
        "updated_at": tx.now,
    }
    statement: sa.sql.dml.ReturningInsert[Any] | sa.sql.dml.ReturningUpdate[Any]
    if version == 0:
        statement = (
            postgresql.insert(Answer)
            .values(assessment_id=assessment.id, question_key=key, vendor_id=assessment.vendor_id, **told)
            .on_conflict_do_nothing()
            .returning(Answer.version)
        )
    else:
        statement = (
            sa.update(Answer)
            .where(Answer.assessment_id == assessment.id, Answer.question_key == key, Answer.version == version)
            .values(**told)
            .returning(Answer.version)
        )
    return tx.session.execute(statement, execution_options={"synchronize_session": False}).first() is not None


def _late(question: Question, theirs: AnswerLine | None) -> Conflict:
    by = theirs.by if theirs and theirs.by else "Somebody"
    return Conflict(
        f"{by} changed the answer to “{question.label}” since you opened it. Yours is kept here, not saved.",
        current={"theirs": theirs, "version": theirs.version if theirs else 0, "by": by},
    )

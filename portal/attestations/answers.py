"""Answering: one question at a time, never over somebody else's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from portal.attestations.queries import AnswerLine
from portal.attestations.standing import check_open, hold, question_of
from portal.kernel.canonical import digest
from portal.kernel.errors import Conflict, Refused
from portal.kernel.ledger import Tx
from portal.kernel.words import said
from portal.policy import Action
from portal.questionnaires import rules as questions
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Question, Questionnaire, QuestionState
from portal.terms import Written

Raw = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Turn:
    """Which open page sends a write, and its how-manieth write of this answer it is.

    A page whose acknowledgement was lost writes over its own words without asking itself; a write that was held up
    on the way never comes over a later one of the same page.
    """

    page: UUID
    number: int


@dataclass(frozen=True, slots=True)
class Origin:
    """How a version came about, and where from."""

    how: Written = Written.TYPED
    restored_version: int | None = None
    turn: Turn | None = None


def answers_of(tx: Tx, assessment: Assessment) -> dict[str, AnswerLine]:
    """Return the answers as they stand, by question, also of questions that are hidden now."""
    return queries.answers(tx, assessment.id)


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
    turn: Turn | None = None,
    now: rules.Standing | None = None,
    lines: Mapping[str, AnswerLine] | None = None,
) -> AnswerLine:
    """Write the answer to one question. An empty form blanks it; what it said before stays in its history.

    Writing what is there already changes nothing and is no new version, so a repeated write is one write.

    :param raw: the form fields that ``questionnaires.rules.parse_answer`` reads; a draft may be incomplete.
    :param version: the version that the writer saw, 0 if there was no answer.
    :param questionnaire: the assessment's own, if the caller has it at hand.
    :param turn: the page that writes; what this page itself wrote after ``version`` is no colleague's word.
    :param now: how the answers stand, with ``lines``, if the caller has just read them in this transaction.
    :raises NotFound: if the assessment does not ask this question.
    :raises Forbidden: if the section was given to others.
    :raises Refused: with the problems of the fields.
    :raises Conflict: if it cannot be answered now, or somebody was faster: then ``current`` holds ``theirs``
        (their AnswerLine), its ``version`` and ``by``, and nothing was written.
    """
    asked = questionnaire or questionnaires.compiled(tx, assessment.questionnaire_id)
    question = question_of(asked, assessment, question_key)
    policy.check(tx.actor, Action.ANSWER_WRITE, assessments.section_scope(tx, assessment, question.section))
    answer = questions.parse_answer(question, raw, draft=True, offered=offered(tx, assessment, question))
    if isinstance(answer, questions.Problems):
        raise Refused(problems={field: [message] for field, message in answer.by_field().items()})
    there = queries.answers(tx, assessment.id) if lines is None else lines
    return write_version(
        tx, assessment, asked, question, answer, version=version, there=there, origin=Origin(turn=turn), now=now
    )


def write_version(
    tx: Tx,
    assessment: Assessment,
    asked: Questionnaire,
    question: Question,
    answer: questions.Answer,
    *,
    version: int,
    there: Mapping[str, AnswerLine],
    origin: Origin,
    now: rules.Standing | None = None,
) -> AnswerLine:
    """Write an answer that was read and allowed, as the next version of its history; see ``save_answer``.

    :raises Conflict: as ``save_answer`` does.
    """
    pinned, key = assessment.questionnaire_id, question.key
    content = questions.to_json(answer)
    theirs = there.get(key)
    if (questions.to_json(theirs.answer) if theirs else {}) == content:
        _begin(tx, assessment, question, pinned)
        return theirs or AnswerLine(key, answer, 0, None, "", None)
    if (theirs.version if theirs else 0) != version:
        if theirs is None or not _own_words(tx, assessment, key, version, theirs, origin.turn):
            raise _late(question, theirs)
        version = theirs.version
    _check_visible(tx, assessment, asked, question, there, now)
    _begin(tx, assessment, question, pinned, writes=True)
    waited = hold_carried(tx, assessment.id, key)
    if not _write(tx, assessment, key, answer, version):
        raise _late(question, queries.answers(tx, assessment.id, question_key=key).get(key))
    tx.session.add(
        AnswerEdit(
            id=tx.new_id(),
            vendor_id=assessment.vendor_id,
            assessment_id=assessment.id,
            question_key=key,
            version=version + 1,
            content=content,
            edited_by=tx.actor.id,
            edited_at=tx.now,
            how=origin.how,
            restored_version=origin.restored_version,
            page=origin.turn.page if origin.turn else None,
            turn=origin.turn.number if origin.turn else None,
        )
    )
    tx.session.flush()
    if waited:
        settle_answered(tx, assessment.id, key)
    tx.record(
        AnswerSaved(
            assessment_id=assessment.id,
            vendor_id=assessment.vendor_id,
            question_key=key,
            version=version + 1,
            digest=digest(content),
        )
    )
    return AnswerLine(key, answer, version + 1, tx.actor.id, tx.actor.name, tx.now)


def _own_words(tx: Tx, assessment: Assessment, key: str, version: int, theirs: AnswerLine, turn: Turn | None) -> bool:
    """Whether everything after the version that was seen is this page's own, and all of it from before this turn."""
    if turn is None or not 0 <= version < theirs.version or theirs.updated_by != tx.actor.id:
        return False
    statement = sa.select(AnswerEdit.page, AnswerEdit.turn).where(
        AnswerEdit.assessment_id == assessment.id, AnswerEdit.question_key == key, AnswerEdit.version > version
    )
    return all(
        page == turn.page and number is not None and number < turn.number
        for page, number in tx.session.execute(statement)
    )


def _begin(tx: Tx, assessment: Assessment, question: Question, pinned: UUID, *, writes: bool = False) -> None:
    """Hold the assessment in a state in which this question can be answered; the first write begins it.

    The first touch moves the row, so it comes before the shared lock: two who both held that could not move.
    """
    if writes:
        assessments.touch(tx, assessment=assessment)
    hold(tx, assessment, pinned=pinned)
    check_open(tx, assessment, question)


def _check_visible(
    tx: Tx,
    assessment: Assessment,
    asked: Questionnaire,
    question: Question,
    lines: Mapping[str, AnswerLine],
    now: rules.Standing | None,
) -> None:
    if now is not None:
        facts, waiting = now.facts, now.carried
    else:
        facts = assessments.facts_of(tx, assessment)
        waiting = rules.waiting_answers(queries.waiting(tx, assessment.id))
    answers = rules.said({key: line.answer for key, line in lines.items()}, waiting)
    if questions.state_of(asked, assessment.tier, facts, answers)[question.key] in rules.UNSEEN:
        raise Conflict(
            said(
                "“%(label)s” does not apply any more, because another answer changed. Nothing was saved.",
                label=question.label,
            ),
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
        said(
            "%(name)s changed the answer to “%(label)s” since you opened it. Yours is kept here, not saved.",
            name=by,
            label=question.label,
        ),
        current={"theirs": theirs, "version": theirs.version if theirs else 0, "by": by},
    )

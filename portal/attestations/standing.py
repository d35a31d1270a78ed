"""The answers of one assessment as they stand: loaded once, judged by the rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from uuid import UUID

import sqlalchemy as sa

from portal.assessments import rules as assessment_rules
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import queries, rules
from portal.attestations.models import Attestation, AttestedAnswer
from portal.attestations.queries import AnswerLine, CitationLine
from portal.attestations.rules import Standing
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.ledger import Tx, get_one
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Facts, Owner, Question, Questionnaire, QuestionState, with_files


def standing(
    tx: Tx,
    assessment: Assessment,
    questionnaire: Questionnaire | None = None,
    facts: Facts | None = None,
    *,
    lines: Mapping[str, AnswerLine] | None = None,
    files: Mapping[str, Sequence[CitationLine]] | None = None,
) -> Standing:
    """Return everything about the answers as they stand now.

    A caller that has the assessment's questionnaire, facts, answers or citations at hand may give them.
    """
    answers = queries.answers(tx, assessment.id) if lines is None else lines
    cited: dict[str, tuple[rules.Cited, ...]] = {}
    named = queries.citations(tx, assessment.id) if files is None else chain.from_iterable(files.values())
    for each in named:
        cited[each.question_key] = (*cited.get(each.question_key, ()), rules.Cited(each.file_name, each.use))
    usable = {key: sum(each.use is not rules.Use.REFUSED for each in those) for key, those in cited.items()}
    asked = questionnaire or questionnaires.compiled(tx, assessment.questionnaire_id)
    reopened = assessments.reopened(tx, assessment)
    scoping, stated = assessments.scoping_and_facts(tx, assessment)
    return Standing(
        questionnaire=asked,
        tier=assessment.tier,
        facts=facts or stated,
        answers=with_files(asked, {key: line.answer for key, line in answers.items()}, usable),
        citations=cited,
        unsettled=tuple(
            rules.Unsettled(each.key, each.label, each.stated, each.owner is Owner.LAB)
            for each in scoping
            if each.waits_for_vendor
        ),
        asked=queries.unanswered(tx, assessment.id),
        reopened=reopened,
        signed={} if reopened is None else signed_states(tx, assessment.id),
        carried=rules.waiting_answers(queries.waiting(tx, assessment.id)),
    )


def standing_after(before: Standing, line: AnswerLine, *, written: bool) -> Standing:
    """Return how the answers stand once one of them was saved, without asking anybody again.

    :param written: whether it is a new version, which settles an earlier answer that waited.
    """
    key, asked = line.question_key, before.questionnaire
    usable = {key: sum(each.use is not rules.Use.REFUSED for each in before.citations.get(key, ()))}
    answer = with_files(asked, {key: line.answer}, usable)
    carried = {each: earlier for each, earlier in before.carried.items() if not written or each != key}
    return replace(before, answers={**before.answers, **answer}, carried=carried)


def progress(
    tx: Tx, assessment: Assessment, questionnaire: Questionnaire | None = None, facts: Facts | None = None
) -> tuple[rules.SectionProgress, ...]:
    """Return how far each section is that has any question for this vendor, in order."""
    return rules.progress(standing(tx, assessment, questionnaire, facts))


def blockers(
    tx: Tx, assessment: Assessment, questionnaire: Questionnaire | None = None, facts: Facts | None = None
) -> tuple[rules.Blocker, ...]:
    """Return what stands between the vendor and its signature; nothing if it can sign."""
    return rules.blockers(standing(tx, assessment, questionnaire, facts))


def latest(tx: Tx, assessment_id: UUID) -> Attestation | None:
    """Return what was signed last for an assessment."""
    statement = (
        sa.select(Attestation)
        .where(Attestation.assessment_id == assessment_id)
        .order_by(Attestation.revision.desc())
        .limit(1)
    )
    return get_one(tx, statement)


def signed_states(tx: Tx, assessment_id: UUID) -> dict[str, QuestionState]:
    """Return the state of every question in what was signed last; nothing before the first signature."""
    signed = latest(tx, assessment_id)
    if signed is None:
        return {}
    statement = sa.select(AttestedAnswer.question_key, AttestedAnswer.state).where(
        AttestedAnswer.attestation_id == signed.id
    )
    return {key: QuestionState(state) for key, state in tx.session.execute(statement)}


def question_of(questionnaire: Questionnaire, assessment: Assessment, key: str) -> Question:
    """Return a question that an assessment can ask.

    :raises NotFound: if its questionnaire does not ask it, or not in its tier.
    """
    if key not in questionnaire or assessment.tier not in questionnaire.question(key).tiers:
        raise NotFound
    return questionnaire.question(key)


def hold(tx: Tx, assessment: Assessment, *, pinned: UUID) -> None:
    """Keep the assessment in its state until this transaction ends, and read that state anew.

    The lock is shared: colleagues answer side by side, while a signature, a cancellation and any other move waits
    for the answers that are under way, and an answer that comes later finds the assessment moved.

    :param pinned: the version that the caller reads the questions from.
    :raises Conflict: if the assessment moved to another version meanwhile.
    """
    tx.session.refresh(assessment, with_for_update={"read": True})
    if assessment.questionnaire_id != pinned:
        raise Conflict(assessment_rules.MOVED, current={"state": assessment.state.value})


def check_open(tx: Tx, assessment: Assessment, question: Question) -> None:
    """Refuse a change of a question that is not open now. Call it after ``hold``.

    :raises Conflict: if the assessment cannot be answered now, or the question did not come back.
    """
    reopened = assessments.reopened(tx, assessment)
    if reopened is not None and not reopened:
        raise Conflict(not_now(assessment), current={"state": assessment.state.value})
    if reopened is not None and not rules.may_change(question.key, reopened, signed_states(tx, assessment.id)):
        raise Conflict(
            f"“{question.label}” did not come back to you, so it stays as it was signed. "
            "If it has changed, say so in its conversation.",
            current={"state": assessment.state.value},
        )


def not_now(assessment: Assessment) -> str:
    """Return the refusal of a change at a moment when the assessment cannot be answered."""
    return assessment_rules.not_now(assessment.state)

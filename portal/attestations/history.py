"""Every version of an answer: who wrote it, when, how it came about; and any of them brought back as a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import queries, rules
from portal.attestations.answers import Origin, offered, write_version
from portal.attestations.models import AnswerEdit
from portal.attestations.queries import AnswerLine, EditLine
from portal.attestations.standing import question_of
from portal.kernel.errors import NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.words import said
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import from_json
from portal.terms import Written


def history(
    tx: Tx, assessment: Assessment, question_key: str, *, before: int | None = None, limit: int = 100
) -> Sequence[EditLine]:
    """Return the versions of an answer with who wrote them, the newest first.

    :param before: only those before this version, to read on.
    """
    return queries.edits(tx, assessment.id, question_key, before=before, limit=limit)


def restore(tx: Tx, *, assessment: Assessment, question_key: str, to: int, version: int) -> AnswerLine:
    """Write what an earlier version said as the newest one. Nothing of the history is taken away by it.

    Restoring what is there already changes nothing.

    :param to: the version to bring back.
    :param version: the version that the writer saw.
    :raises NotFound: if the assessment asks no such question, or there is no such version.
    :raises Forbidden: if the section was given to others.
    :raises Refused: if the question changed since, so that the earlier answer does not fit it.
    :raises Conflict: if it cannot be answered now, or somebody was faster, as for ``save_answer``.
    """
    asked = questionnaires.compiled(tx, assessment.questionnaire_id)
    question = question_of(asked, assessment, question_key)
    policy.check(tx.actor, Action.ANSWER_WRITE, assessments.section_scope(tx, assessment, question.section))
    statement = sa.select(AnswerEdit.content).where(
        AnswerEdit.assessment_id == assessment.id,
        AnswerEdit.question_key == question_key,
        AnswerEdit.version == to,
    )
    content = tx.session.execute(statement).scalar_one_or_none()
    if content is None:
        raise NotFound
    answer = from_json(content)
    if not rules.fits(question, content, offered=offered(tx, assessment, question)):
        raise Refused(said("The question changed since. Read what this version said, and answer it anew"))
    there: Mapping[str, AnswerLine] = queries.answers(tx, assessment.id)
    origin = Origin(Written.RESTORED, restored_version=to)
    return write_version(tx, assessment, asked, question, answer, version=version, there=there, origin=origin)

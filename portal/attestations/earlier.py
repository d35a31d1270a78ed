"""What a vendor signed before, newest first: the one way to read it for whoever asks again or thinks of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from portal.assessments.models import Assessment
from portal.attestations import rules
from portal.attestations.models import Attestation, AttestedAnswer, AttestedScoping
from portal.attestations.rules import Earlier, Fated
from portal.kernel.ledger import Tx
from portal.questionnaires import service as questionnaires
from portal.questionnaires.models import QuestionnaireVersion
from portal.questionnaires.rules import Owner, Question, Questionnaire, QuestionState
from portal.terms import AssessmentState

_SAID: Final = (QuestionState.ANSWERED.value, QuestionState.NA_CLAIMED.value)


def signed_answers(statement: sa.Select[Any]) -> sa.Select[Any]:
    """Read from the answers that were given under a signature; a withdrawn assessment gives nothing."""
    return _signed(statement, AttestedAnswer).where(AttestedAnswer.state.in_(_SAID))


def signed_facts(statement: sa.Select[Any], asked: Questionnaire) -> sa.Select[Any]:
    """Read from the signed scoping facts that are the vendor's own to state in a version."""
    own = [fact.key for fact in asked.scoping if fact.owner is Owner.VENDOR]
    return _signed(statement, AttestedScoping).where(AttestedScoping.key.in_(own))


def _signed(statement: sa.Select[Any], part: type[AttestedAnswer] | type[AttestedScoping]) -> sa.Select[Any]:
    return (
        statement.select_from(part)
        .join(Attestation, Attestation.id == part.attestation_id)
        .join(Assessment, Assessment.id == Attestation.assessment_id)
        .join(QuestionnaireVersion, QuestionnaireVersion.digest == Attestation.questionnaire_digest)
        .where(Assessment.state != AssessmentState.WITHDRAWN)
    )


def newest(engagement: Any) -> tuple[sa.ColumnElement[Any], ...]:
    """Order by the same engagement first, then by what was signed last; the engagement is an id or a column."""
    return (
        (Assessment.engagement_id == engagement).desc(),
        Attestation.signed_at.desc(),
        Attestation.revision.desc(),
        Attestation.id.desc(),
    )


class Fates:
    """Tells of earlier answers what becomes of them in one version."""

    def __init__(self, tx: Tx, asked: Questionnaire) -> None:
        """Ask for this version, published or not."""
        self._tx = tx
        self._asked = asked
        self._related: dict[UUID, bool] = {}

    def of(self, version_id: UUID, key: str, content: Mapping[str, Any]) -> tuple[Question, Fated] | None:
        """Return the question as it was asked then and the fate of its answer.

        None where that version has no question in common with this one: what was said to it stays where it is.
        """
        version = questionnaires.compiled(self._tx, version_id)
        if version_id not in self._related:
            self._related[version_id] = rules.related(version, self._asked)
        if not self._related[version_id]:
            return None
        then = version.question(key)
        new = self._asked.question(key) if key in self._asked else None
        return then, rules.fate_of(Earlier(key, then, content), new)

    def same_fact(self, version_id: UUID, key: str) -> bool:
        """Whether a scoping fact that was stated to a version still asks for the same."""
        return rules.same_fact(questionnaires.compiled(self._tx, version_id).fact(key), self._asked.fact(key))

"""What a renewal on a version that nobody published yet would carry, for every vendor at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import aliased

from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import rules
from portal.attestations.models import Attestation, AttestedAnswer, AttestedScoping
from portal.attestations.rules import Carried, Earlier, Plan
from portal.kernel.ledger import Tx
from portal.questionnaires import rules as questions
from portal.questionnaires import service as questionnaires
from portal.questionnaires.models import QuestionnaireVersion
from portal.questionnaires.rules import Facts, Owner, Questionnaire, QuestionState
from portal.terms import AssessmentState
from portal.vendors.models import Engagement

_SAID = (QuestionState.ANSWERED.value, QuestionState.NA_CLAIMED.value)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One renewal as it would begin: what it asks, and what is known of the vendor for it."""

    tier: int
    facts: Facts
    carried: Mapping[str, Carried]
    plan: Plan


def foreseen(tx: Tx, *, engagement_ids: Collection[UUID], questionnaire: Questionnaire) -> dict[UUID, Foreseen]:
    """Return for each engagement what ``plan_for`` says of its renewal, in a number of statements that stays the same.

    The version need not be published. Tests hold this against ``plan_for`` and against the vendor's own page.
    """
    statement = sa.select(Engagement).where(Engagement.id.in_(list(engagement_ids))).order_by(Engagement.id)
    engagements = tx.session.execute(statement).scalars().all()
    answers = _answers(tx, engagement_ids, questionnaire)
    stated = _stated(tx, engagement_ids, questionnaire)
    found = {}
    for engagement in engagements:
        carried = answers.get(engagement.id, {})
        known = {**stated.get(engagement.id, {}), **assessments.stated_by_engagement(questionnaire, engagement)}
        facts = questions.facts_from(known, questionnaire)
        plan = rules.plan(questionnaire, engagement.tier, facts, carried)
        found[engagement.id] = Foreseen(engagement.tier, facts, carried, plan)
    return found


def _answers(tx: Tx, engagement_ids: Collection[UUID], asked: Questionnaire) -> dict[UUID, dict[str, Carried]]:
    """Return, by engagement and key, the answer that comes over and its fate."""
    target = aliased(Engagement)
    statement = (
        sa.select(target.id, AttestedAnswer.question_key, AttestedAnswer.content, QuestionnaireVersion.id)
        .select_from(AttestedAnswer)
        .join(Attestation, Attestation.id == AttestedAnswer.attestation_id)
        .join(Assessment, Assessment.id == Attestation.assessment_id)
        .join(QuestionnaireVersion, QuestionnaireVersion.digest == Attestation.questionnaire_digest)
        .join(target, target.vendor_id == Attestation.vendor_id)
        .where(
            target.id.in_(list(engagement_ids)),
            Assessment.state != AssessmentState.WITHDRAWN,
            AttestedAnswer.state.in_(_SAID),
        )
        .ext(postgresql.distinct_on(target.id, AttestedAnswer.question_key))
        .order_by(target.id, AttestedAnswer.question_key, *_newest(target))
    )
    found: dict[UUID, dict[str, Carried]] = {}
    related: dict[UUID, bool] = {}
    for engagement_id, key, content, version_id in tx.session.execute(statement):
        version = questionnaires.compiled(tx, version_id)
        if not related.setdefault(version_id, rules.related(version, asked)):
            continue
        then = version.question(key)
        fated = rules.fate_of(Earlier(key, then, content), asked.question(key) if key in asked else None)
        found.setdefault(engagement_id, {})[key] = Carried(fated.fate, content)
    return found


def _stated(tx: Tx, engagement_ids: Collection[UUID], asked: Questionnaire) -> dict[UUID, dict[str, Mapping[str, Any]]]:
    """Return, by engagement, the vendor's own scoping facts as it signed them last, if they still ask for the same."""
    target = aliased(Engagement)
    statement = (
        sa.select(target.id, AttestedScoping.key, AttestedScoping.value, QuestionnaireVersion.id)
        .select_from(AttestedScoping)
        .join(Attestation, Attestation.id == AttestedScoping.attestation_id)
        .join(Assessment, Assessment.id == Attestation.assessment_id)
        .join(QuestionnaireVersion, QuestionnaireVersion.digest == Attestation.questionnaire_digest)
        .join(target, target.vendor_id == Attestation.vendor_id)
        .where(
            target.id.in_(list(engagement_ids)),
            Assessment.state != AssessmentState.WITHDRAWN,
            AttestedScoping.key.in_([each.key for each in asked.scoping if each.owner is Owner.VENDOR]),
        )
        .ext(postgresql.distinct_on(target.id, AttestedScoping.key))
        .order_by(target.id, AttestedScoping.key, *_newest(target))
    )
    found: dict[UUID, dict[str, Mapping[str, Any]]] = {}
    for engagement_id, key, value, version_id in tx.session.execute(statement):
        if rules.same_fact(questionnaires.compiled(tx, version_id).fact(key), asked.fact(key)):
            found.setdefault(engagement_id, {})[key] = value
    return found


def _newest(target: type[Engagement]) -> tuple[sa.ColumnElement[Any], ...]:
    """Order as ``carry`` does: the same engagement first, then what was signed last."""
    return (
        (Assessment.engagement_id == target.id).desc(),
        Attestation.signed_at.desc(),
        Attestation.revision.desc(),
        Attestation.id.desc(),
    )

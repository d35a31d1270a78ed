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
from portal.attestations import rules
from portal.attestations.earlier import Fates, newest, signed_answers, signed_facts
from portal.attestations.models import Attestation, AttestedAnswer, AttestedScoping
from portal.attestations.rules import Carried, Plan
from portal.kernel.ledger import Tx
from portal.questionnaires import rules as questions
from portal.questionnaires.models import QuestionnaireVersion
from portal.questionnaires.rules import Facts, Questionnaire
from portal.vendors.models import Engagement


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One renewal as it would begin: what it asks, and what is known of the vendor for it."""

    tier: int
    facts: Facts
    carried: Mapping[str, Carried]
    plan: Plan


def foreseen(tx: Tx, *, engagement_ids: Collection[UUID], questionnaire: Questionnaire) -> dict[UUID, Foreseen]:
    """Return for each engagement what its renewal would carry, in a number of statements that stays the same.

    The version need not be published. Tests hold this against the vendor's own page once it is asked.
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
        signed_answers(
            sa.select(target.id, AttestedAnswer.question_key, AttestedAnswer.content, QuestionnaireVersion.id)
        )
        .join(target, target.vendor_id == Attestation.vendor_id)
        .where(target.id.in_(list(engagement_ids)))
        .ext(postgresql.distinct_on(target.id, AttestedAnswer.question_key))
        .order_by(target.id, AttestedAnswer.question_key, *newest(target.id))
    )
    found: dict[UUID, dict[str, Carried]] = {}
    fates = Fates(tx, asked)
    for engagement_id, key, content, version_id in tx.session.execute(statement):
        if told := fates.of(version_id, key, content):
            found.setdefault(engagement_id, {})[key] = Carried(told[1].fate, content)
    return found


def _stated(tx: Tx, engagement_ids: Collection[UUID], asked: Questionnaire) -> dict[UUID, dict[str, Mapping[str, Any]]]:
    """Return, by engagement, the vendor's own scoping facts as it signed them last, if they still ask for the same."""
    target = aliased(Engagement)
    statement = (
        signed_facts(sa.select(target.id, AttestedScoping.key, AttestedScoping.value, QuestionnaireVersion.id), asked)
        .join(target, target.vendor_id == Attestation.vendor_id)
        .where(target.id.in_(list(engagement_ids)))
        .ext(postgresql.distinct_on(target.id, AttestedScoping.key))
        .order_by(target.id, AttestedScoping.key, *newest(target.id))
    )
    found: dict[UUID, dict[str, Mapping[str, Any]]] = {}
    fates = Fates(tx, asked)
    for engagement_id, key, value, version_id in tx.session.execute(statement):
        if fates.same_fact(version_id, key):
            found.setdefault(engagement_id, {})[key] = value
    return found

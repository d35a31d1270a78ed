"""Moving a running assessment to a newer version: what is pinned, what is still stated, whose the sections are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from portal.assessments import rules
from portal.assessments.facts import SectionUnassigned
from portal.assessments.models import Assessment, ScopingFact, SectionAssignment
from portal.assessments.scoping import stated_by_engagement
from portal.kernel.errors import Conflict
from portal.kernel.ledger import Tx
from portal.kernel.swap import swap
from portal.questionnaires import service as questionnaires
from portal.questionnaires.models import QuestionnaireVersion
from portal.questionnaires.rules import Owner
from portal.terms import Side
from portal.vendors.models import Engagement

_UNSTATED: dict[str, Any] = {"value": None, "details": {}}


def pin(tx: Tx, *, assessment: Assessment, version: QuestionnaireVersion, row_version: int) -> None:
    """Pin an unsigned assessment to another version of its questionnaire.

    :raises Conflict: if it is too late, or somebody changed it since ``row_version``.
    """
    expect = {
        "state": sorted(rules.MOVABLE),
        "questionnaire_id": assessment.questionnaire_id,
        "questionnaire_slug": version.slug,
        "row_version": row_version,
    }
    change = {"questionnaire_id": version.id, "row_version": Assessment.__table__.c.row_version + 1}
    if not swap(tx, assessment, expect=expect, change=change):
        raise Conflict(
            "Somebody changed this assessment since you opened it. Look at it again, then move it.",
            current={"state": assessment.state.value, "row_version": assessment.row_version},
        )


def restate(tx: Tx, *, assessment: Assessment, keep: Collection[str]) -> dict[str, Any]:
    """Bring the scoping facts to the pinned version; return what those said that ask for something else now.

    The lab's are stated anew from the engagement; the vendor's are to be stated again.

    :param keep: the facts that ask for the same as before.
    """
    asked = questionnaires.compiled(tx, assessment.questionnaire_id)
    known = stated_by_engagement(asked, tx.session.get_one(Engagement, assessment.engagement_id))
    statement = sa.select(ScopingFact).where(ScopingFact.assessment_id == assessment.id)
    rows = {row.key: row for row in tx.session.execute(statement).scalars()}
    said: dict[str, Any] = {}
    for fact in asked.scoping:
        row = rows.get(fact.key)
        value = known.get(fact.key, _UNSTATED)
        side = Side.VENDOR if fact.owner is Owner.VENDOR else Side.LAB
        if row is None and fact.key in known:
            tx.session.add(
                ScopingFact(
                    assessment_id=assessment.id,
                    key=fact.key,
                    vendor_id=assessment.vendor_id,
                    value=value,
                    stated_side=side,
                    stated_by=tx.actor.id,
                    stated_at=tx.now,
                )
            )
        elif row is not None and fact.key not in keep:
            said[fact.key] = row.value
            told = {"value": value, "stated_side": side, "stated_by": tx.actor.id, "stated_at": tx.now}
            unconfirmed = {"confirmed_by": None, "confirmed_at": None, "carried_from": None}
            change = {**told, **unconfirmed, "version": row.version + 1}
            swap(tx, row, expect={"version": row.version}, change=change)
    tx.session.flush()
    return said


def end_sections(tx: Tx, *, assessment: Assessment) -> tuple[str, ...]:
    """Take back the sections that the pinned version does not have; return them. Their answers are kept."""
    there = [section.key for section in questionnaires.compiled(tx, assessment.questionnaire_id).sections]
    ended = (
        sa.update(SectionAssignment)
        .where(
            SectionAssignment.assessment_id == assessment.id,
            SectionAssignment.ended_at.is_(None),
            SectionAssignment.section.not_in(there),
        )
        .values(ended_at=tx.now)
        .returning(SectionAssignment.section, SectionAssignment.user_id)
        .execution_options(synchronize_session="fetch")
    )
    gone = sorted((section, user_id) for section, user_id in tx.session.execute(ended))
    for section, user_id in gone:
        tx.record(SectionUnassigned(assessment.id, assessment.vendor_id, section, user_id))
    return tuple(dict.fromkeys(section for section, _ in gone))

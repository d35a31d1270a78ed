"""Answering a wish for a second look: by a person who took no part, with words; the old decision is never edited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations.models import Citation
from portal.findings.facts import SecondLookDecided
from portal.findings.models import Finding, Remedy, SecondLook
from portal.findings.second_look import MAX_REASON, SecondLookLine, line_of
from portal.identity import queries as people
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.swap import swap
from portal.policy import Action
from portal.questionnaires.models import QuestionnaireVersion
from portal.reviews import duties, rules
from portal.reviews.models import Decision, DecisionSignature
from portal.reviews.rules import Bar, Duty
from portal.terms import FINAL_STATES, DecisionState, Role, SecondAnswer
from portal.vendors.models import Engagement, Vendor

_ANSWERING = frozenset({Role.REVIEWER, Role.LEAD_APPROVER})
ANEW_DAYS = timedelta(days=14)
"""How long the vendor has to sign what is decided anew: most of it only to be confirmed."""


@dataclass(frozen=True, slots=True)
class AppealLine:
    """A second look as the lab lists it. ``bars`` says why the actor does not answer it, as a clause."""

    look: SecondLookLine
    vendor_id: UUID
    vendor: str
    vendor_slug: str
    title: str
    number: int
    decision_id: UUID
    bars: str


def get(tx: Tx, second_look_id: UUID, action: Action = Action.REVIEW_READ) -> SecondLook:
    """Return a second look, for the lab.

    :raises NotFound: if there is none, or the actor may not know of it.
    :raises Forbidden: if the actor may not do this.
    """
    row = tx.session.get(SecondLook, second_look_id)
    if row is None or tx.actor.is_vendor:
        raise NotFound
    policy.check(tx.actor, action, row)
    return row


def appeals(tx: Tx, *, limit: int = 200) -> Sequence[AppealLine]:
    """Return what was asked for, the unanswered first by the day they are due.

    :raises Forbidden: if the actor reads no reviews.
    """
    policy.check_ever(tx.actor, Action.REVIEW_READ)
    statement = (
        sa.select(SecondLook, Vendor, Assessment, Decision)
        .join(Vendor, Vendor.id == SecondLook.vendor_id)
        .join(Assessment, Assessment.id == SecondLook.assessment_id)
        .join(
            Decision,
            sa.and_(
                Decision.assessment_id == SecondLook.assessment_id,
                Decision.revision == SecondLook.revision,
                Decision.state == DecisionState.CONFIRMED,
            ),
        )
        .order_by(SecondLook.answer.is_not(None), SecondLook.due_on, SecondLook.asked_at.desc(), SecondLook.id)
        .limit(limit)
    )
    return [
        AppealLine(
            line_of(look),
            vendor.id,
            vendor.name,
            vendor.slug,
            assessment.title,
            decision.number,
            decision.id,
            rules.sentence(bars_of(tx, look)) if look.answer is None else "",
        )
        for look, vendor, assessment, decision in tx.session.execute(statement)
    ]


@cache
def number_waiting() -> sa.Select[int]:
    """Count the second looks that wait for an answer."""
    return sa.select(sa.func.count()).select_from(SecondLook).where(SecondLook.answer.is_(None))


def bars_of(tx: Tx, look: SecondLook) -> tuple[Bar, ...]:
    """Return why the actor does not answer it; nothing if they may: they took no part, and nothing ties them to it.

    Whoever reviewed any revision, judged an answer, a file or a proof in it, proposed or signed it took part.

    :raises Forbidden: for anybody but a person of the lab.
    """
    vendor = tx.session.get_one(Vendor, look.vendor_id)
    me = duties.actor_as_candidate(tx, vendor)
    found = list(rules.bars_to_review(me, vendor.name, vendor.mail_domains))
    parts = _parts_of(tx, look)
    found.extend(Bar(Duty.REVIEWER, words) for words, people in parts if me.id in people)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Answerer:
    """Somebody whose role answers second looks. ``bars`` says why they do not answer this one, as a clause."""

    name: str
    bars: str


def answerers(tx: Tx, look: SecondLook) -> Sequence[Answerer]:
    """Return who could answer a second look, and who could not and why, by name: those who may come first."""
    vendor = tx.session.get_one(Vendor, look.vendor_id)
    parts = _parts_of(tx, look)
    found = []
    for person in people.lab_people(tx, active_only=True):
        if not person.roles & _ANSWERING:
            continue
        bars = list(rules.bars_to_review(duties.candidate(tx, person, vendor), vendor.name, vendor.mail_domains))
        bars.extend(Bar(Duty.REVIEWER, words) for words, took_part in parts if person.id in took_part)
        found.append(Answerer(person.full_name, rules.sentence(bars)))
    return sorted(found, key=lambda each: (bool(each.bars), each.name))


def people_of(tx: Tx, look: SecondLook) -> frozenset[UUID]:
    """Return everybody who took part in what a second look is about."""
    return frozenset().union(*(people for _, people in _parts_of(tx, look)))


def _parts_of(tx: Tx, look: SecondLook) -> tuple[tuple[str, frozenset[UUID]], ...]:
    judges = duties.judges_of(tx, look.assessment_id).values()
    decided = sa.select(Decision.id).where(Decision.assessment_id == look.assessment_id)
    proposers = sa.select(Decision.proposed_by).where(Decision.assessment_id == look.assessment_id)
    signers = sa.select(DecisionSignature.signer_id).where(DecisionSignature.decision_id.in_(decided))
    files = sa.select(Citation.judged_by).where(
        Citation.assessment_id == look.assessment_id, Citation.judged_by.is_not(None)
    )
    flagged = sa.select(Finding.opened_by).where(Finding.assessment_id == look.assessment_id)
    proofs = (
        sa.select(Remedy.by)
        .join(Finding, Finding.id == Remedy.finding_id)
        .where(Finding.assessment_id == look.assessment_id, Remedy.act.in_(["returned", "verified"]))
    )
    read = tx.session.execute
    return (
        ("reviewed this", frozenset().union(*judges)),
        ("proposed this decision", frozenset(read(proposers).scalars())),
        ("signed this decision", frozenset(read(signers).scalars())),
        ("judged a file or an answer in it", _some(read(files).scalars()) | _some(read(flagged).scalars())),
        ("judged a proof in it", _some(read(proofs).scalars())),
    )


def _some(ids: Iterable[UUID | None]) -> frozenset[UUID]:
    return frozenset(each for each in ids if each is not None)


def answer(
    tx: Tx, *, look: SecondLook, said: SecondAnswer, words: str, row_version: int, due_on: date | None = None
) -> None:
    """Answer a second look: the decision holds, or it is decided anew.

    A decision is never edited. Anew means that the vendor is asked again on the same questions, with its answers laid
    beside them to be confirmed; until that is decided the gate goes on as it is.

    :raises Forbidden: for anybody who took part, or is tied to the vendor.
    :raises Refused: with the problem of words.
    :raises Conflict: if it is answered already, or changed since the page was opened.
    """
    policy.check(tx.actor, Action.SECOND_LOOK_ANSWER, look)
    if bars := bars_of(tx, look):
        raise Forbidden(f"{tx.actor.name} {rules.sentence(bars)}. Somebody who took no part answers.")
    text = words.strip()
    if not text:
        raise Refused(problems={"words": ["Say why, for the vendor to read"]})
    if len(text) > MAX_REASON:
        raise Refused(problems={"words": [f"Keep it under {MAX_REASON:,} characters; this is {len(text):,}"]})
    tx.session.refresh(look, with_for_update=True)
    if look.answer is not None or look.row_version != row_version:
        raise _answered(look)
    anew_id = _ask_anew(tx, look, due_on) if said is SecondAnswer.ANEW else None
    change = {
        "answer": said,
        "words": text,
        "answered_by": tx.actor.id,
        "answered_by_name": tx.actor.name,
        "answered_at": tx.now,
        "anew_id": anew_id,
        "row_version": row_version + 1,
    }
    if not swap(tx, look, expect={"row_version": row_version, "answer": None}, change=change):
        raise _answered(look)
    tx.record(
        SecondLookDecided(
            look.id, look.vendor_id, look.assessment_id, look.revision, look.outcome_id, said.value, anew_id
        )
    )


def _ask_anew(tx: Tx, look: SecondLook, due_on: date | None) -> UUID:
    """Ask the vendor again, or find the assessment in which it is being asked already."""
    assessment = tx.session.get_one(Assessment, look.assessment_id)
    running = tx.session.execute(
        sa.select(Assessment.id).where(
            Assessment.vendor_id == assessment.vendor_id,
            Assessment.engagement_id == assessment.engagement_id,
            Assessment.questionnaire_slug == assessment.questionnaire_slug,
            Assessment.state.not_in(list(FINAL_STATES)),
        )
    ).scalar_one_or_none()
    if running is not None:
        return running
    return assessments.request(
        tx,
        vendor=tx.session.get_one(Vendor, assessment.vendor_id),
        engagement=tx.session.get_one(Engagement, assessment.engagement_id),
        questionnaire_version=tx.session.get_one(QuestionnaireVersion, assessment.questionnaire_id),
        due_on=due_on or (tx.now + ANEW_DAYS).date(),
        title=assessment.title,
    ).id


def _answered(look: SecondLook) -> Conflict:
    who = f"{look.answered_by_name} answered this already." if look.answer else "This changed since you opened it."
    return Conflict(f"{who} Nothing was changed.", current={"row_version": look.row_version})

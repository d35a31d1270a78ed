"""What separation of duties needs to know of people and cases, read from stored rows; and declared conflicts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.assessments.models import Assessment
from portal.identity import queries as people
from portal.identity.models import Invitation
from portal.identity.queries import Person
from portal.kernel.actor import ActorKind
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.swap import swap
from portal.policy import Action
from portal.questionnaires.models import QuestionnaireVersion
from portal.reviews import rules
from portal.reviews.facts import ConflictDeclared, ConflictEnded
from portal.reviews.models import AnswerVerdict, ConflictOfInterest, Decision, DecisionSignature, Review
from portal.reviews.rules import Bar, Candidate, Case
from portal.terms import Outcome, Role, Side
from portal.vendors.checks import line
from portal.vendors.models import Vendor

MAX_REASON = 1_000


@dataclass(frozen=True, slots=True)
class Signer:
    """A person who might sign, and why not; ``bars`` is empty for one who may."""

    id: UUID
    name: str
    title: str
    bars: tuple[Bar, ...]

    @property
    def eligible(self) -> bool:
        """Whether the person may sign."""
        return not self.bars


def candidate(tx: Tx, person: Person, vendor: Vendor) -> Candidate:
    """Return a person of the lab as the rules see them now: by stored roles, not by what a session remembers."""
    belonged = tx.session.execute(
        sa.select(sa.exists().where(Invitation.email == person.email, Invitation.vendor_id == vendor.id))
    ).scalar_one()
    conflicts = tx.session.execute(
        sa.select(ConflictOfInterest.reason)
        .where(
            ConflictOfInterest.user_id == person.id,
            ConflictOfInterest.vendor_id == vendor.id,
            ConflictOfInterest.ended_at.is_(None),
        )
        .order_by(ConflictOfInterest.declared_at, ConflictOfInterest.id)
    ).scalars()
    return Candidate(
        id=person.id,
        name=person.full_name,
        email=person.email,
        roles=person.roles,
        is_active=person.is_active,
        is_person=person.side is Side.LAB,
        belonged=belonged or person.vendor_id == vendor.id,
        conflicts=tuple(conflicts),
        made_approver_by=people.granters_of(tx, person.id, Role.LEAD_APPROVER, since=tx.now - rules.ROLE_SETTLES),
    )


def actor_as_candidate(tx: Tx, vendor: Vendor) -> Candidate:
    """Return the one who acts, as the rules see them now.

    :raises Forbidden: for anybody but a person of the lab (S8).
    """
    if tx.actor.kind is not ActorKind.PERSON or tx.actor.id is None or not tx.actor.is_lab:
        raise Forbidden("Only a person of the lab does this.")
    try:
        return candidate(tx, people.person(tx, tx.actor.id), vendor)
    except NotFound:
        raise Forbidden("Only a person of the lab does this.") from None


def judges_of(tx: Tx, assessment_id: UUID) -> dict[int, frozenset[UUID]]:
    """Return who judged which revision of an assessment: its reviewer, and everybody who gave a verdict on it."""
    found: dict[int, set[UUID]] = {}
    reviewers = sa.select(Review.revision, Review.reviewer_id).where(
        Review.assessment_id == assessment_id, Review.reviewer_id.is_not(None)
    )
    verdicts = (
        sa.select(Review.revision, AnswerVerdict.given_by)
        .join(Review, Review.id == AnswerVerdict.review_id)
        .where(Review.assessment_id == assessment_id, AnswerVerdict.carried_from.is_(None))
        .distinct()
    )
    for revision, person_id in (*tx.session.execute(reviewers), *tx.session.execute(verdicts)):
        found.setdefault(revision, set()).add(person_id)
    return {revision: frozenset(ids) for revision, ids in found.items()}


def case_of(
    tx: Tx,
    *,
    assessment: Assessment,
    review: Review,
    vendor: Vendor,
    outcome: Outcome,
    exception: bool,
    needed: int,
    decision: Decision | None = None,
    but: Collection[UUID] = (),
) -> Case:
    """Return what is to be decided, as separation of duties sees it.

    :param but: signers to leave out, to look at their own signature again (S7).
    """
    version = tx.session.execute(
        sa.select(QuestionnaireVersion.published_by, QuestionnaireVersion.published_at).where(
            QuestionnaireVersion.id == assessment.questionnaire_id
        )
    ).one()
    signed: tuple[Candidate, ...] = ()
    if decision is not None:
        known = people.people(tx, [each for each in signers_of(tx, decision.id) if each not in but])
        signed = tuple(candidate(tx, known[each], vendor) for each in sorted(known))
    return Case(
        vendor=vendor.name,
        domains=tuple(vendor.mail_domains),
        tier=assessment.tier,
        revision=review.revision,
        assigned=review.reviewer_id,
        judges=judges_of(tx, assessment.id),
        now=tx.now,
        authored=(rules.Authored("the questionnaire", version.published_by, version.published_at),),
        outcome=outcome,
        exception=exception,
        needed=needed,
        proposer=decision.proposed_by if decision is not None else None,
        signed=signed,
    )


def signers_of(tx: Tx, decision_id: UUID) -> list[UUID]:
    """Return who signed a decision, in the order of their signatures."""
    statement = (
        sa.select(DecisionSignature.signer_id)
        .where(DecisionSignature.decision_id == decision_id)
        .order_by(DecisionSignature.signed_at, DecisionSignature.signer_id)
    )
    return list(tx.session.execute(statement).scalars())


def signers(tx: Tx, *, case: Case, vendor: Vendor) -> list[Signer]:
    """Return everybody of the lab who could be asked to sign, the eligible first, with the reasons of the others."""
    asked = [
        each
        for each in people.lab_people(tx, active_only=True)
        if Role.LEAD_APPROVER in each.roles or (Role.REVIEWER in each.roles and each.id == case.assigned)
    ]
    found = [
        Signer(each.id, each.full_name, each.title, rules.bars_to_sign(candidate(tx, each, vendor), case))
        for each in asked
    ]
    return sorted(found, key=lambda each: bool(each.bars))


def refuse_interest(name: str, bars: Iterable[Bar], then: str) -> None:
    """Refuse with the reasons in words.

    :raises Forbidden: if there is any.
    """
    if found := tuple(bars):
        raise Forbidden(f"{name} {rules.sentence(found)}. {then}")


# Declared conflicts of interest.


@dataclass(frozen=True, slots=True)
class ConflictLine:
    """One declared conflict, for the pages of vendors and people."""

    id: UUID
    user_id: UUID
    person: str
    vendor_id: UUID
    vendor: str
    reason: str
    declared_by: UUID
    declared_at: datetime
    ended_at: datetime | None


def conflicts(tx: Tx, *, vendor_id: UUID | None = None, user_id: UUID | None = None) -> Sequence[ConflictLine]:
    """Return declared conflicts of interest, of one vendor or one person if given; those in force first."""
    policy.check_ever(tx.actor, Action.CONFLICT_DECLARE)
    statement = (
        sa.select(ConflictOfInterest, Vendor.name)
        .join(Vendor, Vendor.id == ConflictOfInterest.vendor_id)
        .order_by(ConflictOfInterest.ended_at.is_not(None), ConflictOfInterest.declared_at.desc())
        .limit(500)
    )
    if vendor_id is not None:
        statement = statement.where(ConflictOfInterest.vendor_id == vendor_id)
    if user_id is not None:
        statement = statement.where(ConflictOfInterest.user_id == user_id)
    rows = tx.session.execute(statement).all()
    names = people.people(tx, [row.user_id for row, _ in rows])
    return [
        ConflictLine(
            row.id,
            row.user_id,
            names[row.user_id].full_name if row.user_id in names else "",
            row.vendor_id,
            vendor,
            row.reason,
            row.declared_by,
            row.declared_at,
            row.ended_at,
        )
        for row, vendor in rows
    ]


def declare_conflict(tx: Tx, *, vendor: Vendor, reason: str, user_id: UUID | None = None) -> ConflictOfInterest:
    """Say that a person of the lab is to keep away from a vendor: oneself, or as an admin somebody else.

    :raises Forbidden: for somebody else, if the actor is no admin.
    :raises Refused: without a reason, or if the person is not of the lab.
    """
    policy.check(tx.actor, Action.CONFLICT_DECLARE, vendor)
    whom = user_id or tx.actor.id
    if whom is None or (whom != tx.actor.id and Role.PROGRAM_ADMIN not in tx.actor.roles):
        raise Forbidden("You declare your own conflicts. A program admin declares those of others.")
    if tx.actor.id is None:
        raise Forbidden("A person declares this.")
    words = line(reason)
    problems: dict[str, list[str]] = {}
    if not words:
        problems["reason"] = ["Say what ties the person to the vendor, for example: worked there until March"]
    elif len(words) > MAX_REASON:
        problems["reason"] = [f"Shorten the reason to {MAX_REASON:,} characters; this has {len(words):,}"]
    found = people.people(tx, [whom]).get(whom)
    if found is None or found.side is not Side.LAB:
        problems["user_id"] = ["Choose somebody of the lab"]
    if problems:
        raise Refused(problems=problems)
    row = ConflictOfInterest(
        id=tx.new_id(),
        user_id=whom,
        vendor_id=vendor.id,
        reason=words,
        declared_by=tx.actor.id,
        declared_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    tx.record(ConflictDeclared(row.id, row.user_id, row.vendor_id))
    return row


def end_conflict(tx: Tx, *, conflict_id: UUID) -> None:
    """Say that a declared conflict is over. An admin does, and never for themselves.

    :raises NotFound: if there is none.
    :raises Forbidden: for anybody else.
    :raises Conflict: if it ended already.
    """
    row = tx.session.get(ConflictOfInterest, conflict_id)
    if row is None:
        raise NotFound
    policy.check(tx.actor, Action.CONFLICT_DECLARE, row)
    if Role.PROGRAM_ADMIN not in tx.actor.roles or tx.actor.id == row.user_id:
        raise Forbidden("A program admin ends a conflict of interest, and not their own.")
    if not swap(tx, row, expect={"ended_at": None}, change={"ended_at": tx.now}):
        raise Conflict("This conflict of interest ended already.")
    tx.record(ConflictEnded(row.id, row.user_id, row.vendor_id))

"""What separation of duties needs to know of people and cases, read from stored rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.assessments.models import Assessment
from portal.identity import queries as people
from portal.identity.models import Invitation, UserAccount
from portal.identity.queries import Person
from portal.kernel.actor import Actor, ActorKind
from portal.kernel.errors import Forbidden, NotFound
from portal.kernel.ledger import Tx
from portal.questionnaires import queries as questionnaires
from portal.questionnaires.models import QuestionnaireVersion
from portal.reviews import rules
from portal.reviews.models import AnswerVerdict, ConflictOfInterest, Decision, DecisionSignature, Review
from portal.reviews.policies import ACCEPTANCE
from portal.reviews.rules import Bar, Candidate, Case
from portal.rulebook import service as rulebook
from portal.scoring.policies import SCORING
from portal.terms import Outcome, Role, Side
from portal.vendors.models import Vendor


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


def candidate(tx: Tx, person: Person, vendor: Vendor, *, hold: bool = False) -> Candidate:
    """Return a person of the lab as the rules see them now: by stored roles, not by what a session remembers.

    :param hold: keep their roles and conflicts of interest as they are until the transaction ends. Ask for it before
        anything else is locked: whoever declares a conflict or takes a role holds the person first, too.
    """
    if hold:
        tx.session.execute(sa.select(UserAccount.id).where(UserAccount.id == person.id).with_for_update(read=True))
        person = people.person(tx, person.id)
    return candidates(tx, [person], vendor)[person.id]


def candidates(tx: Tx, persons: Collection[Person], vendor: Vendor) -> dict[UUID, Candidate]:
    """Return people of the lab as the rules see them now, by id: four statements, however many there are."""
    ids = [each.id for each in persons]
    earlier: dict[UUID, list[str]] = {each: [] for each in ids}
    for user_id, address in tx.session.execute(
        sa.select(Invitation.user_id, Invitation.was_email)
        .where(Invitation.purpose == "address", Invitation.user_id.in_(ids), Invitation.redeemed_at.is_not(None))
        .order_by(Invitation.was_email)
    ):
        if user_id is not None and address:
            earlier[user_id].append(address)
    addresses = {each.email for each in persons}.union(*earlier.values())
    invited = tx.session.execute(
        sa.select(Invitation.user_id, Invitation.email).where(
            Invitation.vendor_id == vendor.id,
            sa.or_(Invitation.email.in_(addresses), Invitation.user_id.in_(ids)),
        )
    ).all()
    belonged = {each for row in invited for each in (row.user_id, row.email)}
    conflicts: dict[UUID, list[str]] = {each: [] for each in ids}
    for user_id, reason in tx.session.execute(
        sa.select(ConflictOfInterest.user_id, ConflictOfInterest.reason)
        .where(
            ConflictOfInterest.user_id.in_(ids),
            ConflictOfInterest.vendor_id == vendor.id,
            ConflictOfInterest.ended_at.is_(None),
        )
        .order_by(ConflictOfInterest.declared_at, ConflictOfInterest.id)
    ):
        conflicts[user_id].append(reason)
    granters = people.granters_of(tx, ids, Role.LEAD_APPROVER, since=tx.now - rules.ROLE_SETTLES)
    return {
        each.id: Candidate(
            id=each.id,
            name=each.full_name,
            email=each.email,
            earlier=tuple(earlier[each.id]),
            roles=each.roles,
            is_active=each.is_active,
            is_person=each.side is Side.LAB,
            belonged=not belonged.isdisjoint((each.id, each.email, *earlier[each.id])) or each.vendor_id == vendor.id,
            conflicts=tuple(conflicts[each.id]),
            made_approver_by=granters.get(each.id, frozenset()),
        )
        for each in persons
    }


def actor_as_candidate(tx: Tx, vendor: Vendor, *, hold: bool = False) -> Candidate:
    """Return the one who acts, as the rules see them now; held as they are if asked for (see ``candidate``).

    :raises Forbidden: for anybody but a person of the lab (S8).
    """
    if tx.actor.kind is not ActorKind.PERSON or tx.actor.id is None or not tx.actor.is_lab:
        raise Forbidden("Only a person of the lab does this.")
    try:
        return candidate(tx, people.person(tx, tx.actor.id), vendor, hold=hold)
    except NotFound:
        raise Forbidden("Only a person of the lab does this.") from None


def bars_for(tx: Tx, actor: Actor, vendor: Vendor) -> tuple[Bar, ...]:
    """Return what ties a person of the lab to a vendor, declared or derived (S3); nothing for everybody else."""
    person = people.people(tx, [actor.id]).get(actor.id) if actor.id is not None and actor.is_lab else None
    if person is None:
        return ()
    return rules.interests(candidate(tx, person, vendor), vendor.name, vendor.mail_domains)


def refuse_tied(tx: Tx, vendor: Vendor, then: str) -> None:
    """Refuse the actor if they are tied to a vendor, and keep it so until the transaction ends (S3).

    :raises Forbidden: with the reasons in words.
    """
    me = actor_as_candidate(tx, vendor, hold=True)
    refuse_interest(me.name, rules.interests(me, vendor.name, vendor.mail_domains), then)


def hold_lead(tx: Tx) -> None:
    """Refuse the actor if the stored roles make them no lead approver, and keep those until the transaction ends (S7).

    What a request remembers of its person may be older than the role that was taken away.

    :raises Forbidden: if they are not, or do not work here any more.
    """
    me = tx.actor.id
    tx.session.execute(sa.select(UserAccount.id).where(UserAccount.id == me).with_for_update(read=True))
    person = people.people(tx, [me]).get(me) if me is not None else None
    if person is None or not person.is_active or Role.LEAD_APPROVER not in person.roles:
        raise Forbidden("Only a lead approver does this.")


def refuse_second(tx: Tx, first: UUID) -> None:
    """Refuse the actor as the second of two where one of them made the other a lead approver within a day (S6).

    :raises Forbidden: with the reason in words.
    """
    me = tx.actor.id
    made = people.granters_of(
        tx, [each for each in (me, first) if each], Role.LEAD_APPROVER, since=tx.now - rules.ROLE_SETTLES
    )
    if me is not None and (first in made.get(me, ()) or me in made.get(first, ())):
        raise Forbidden(
            "One of you made the other a lead approver less than 24 hours ago. Another lead approver does this."
        )


def judges_of(tx: Tx, assessment_id: UUID) -> dict[int, frozenset[UUID]]:
    """Return who judged which revision of an assessment: its reviewer, and everybody who gave a verdict on it."""
    found: dict[int, set[UUID]] = {}
    reviewers = sa.select(Review.revision, Review.reviewer_id).where(
        Review.assessment_id == assessment_id, Review.reviewer_id.is_not(None)
    )
    verdicts = (
        sa.select(Review.revision, AnswerVerdict.given_by)
        .join(Review, Review.id == AnswerVerdict.review_id)
        .where(
            Review.assessment_id == assessment_id,
            AnswerVerdict.carried_from.is_(None),
            AnswerVerdict.given_by.is_not(None),
        )
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
        as_seen = candidates(tx, known.values(), vendor) if known else {}
        signed = tuple(as_seen[each] for each in sorted(known))
    return Case(
        vendor=vendor.name,
        domains=tuple(vendor.mail_domains),
        tier=assessment.tier,
        revision=review.revision,
        assigned=review.reviewer_id,
        judges=judges_of(tx, assessment.id),
        now=tx.now,
        authored=(
            *_authored(tx, assessment, version.published_by, version.published_at),
            *_authored_policy(tx),
        ),
        outcome=outcome,
        exception=exception,
        needed=needed,
        proposer=decision.proposed_by if decision is not None else None,
        signed=signed,
    )


def _authored_policy(tx: Tx) -> tuple[rules.Authored, ...]:
    """Return who last changed the policies that a score comes from: who wrote each, and put it into force (S5)."""
    found: list[rules.Authored] = []
    for what, kind in (("the scoring policy", SCORING), ("the rules that accept answers", ACCEPTANCE)):
        policy = rulebook.current(tx, kind)
        if policy.published_at is not None:
            found += [rules.Authored(what, each, policy.published_at) for each in rulebook.authors(tx, policy)]
    return tuple(found)


def _authored(tx: Tx, assessment: Assessment, by: UUID | None, at: datetime) -> tuple[rules.Authored, ...]:
    """Return everybody who put their name under what the answers were asked and weighed by, with when (S5)."""
    published = [rules.Authored("the questionnaire", by, at)]
    published += [
        rules.Authored("the questionnaire", each.signed_by, at)
        for each in questionnaires.signatures_of_version(tx, assessment.questionnaire_id)
        if each.signed_by != by
    ]
    return tuple(published)


def signers_of(tx: Tx, decision_id: UUID) -> list[UUID]:
    """Return who signed a decision, in the order of their signatures."""
    statement = (
        sa.select(DecisionSignature.signer_id)
        .where(DecisionSignature.decision_id == decision_id)
        .order_by(DecisionSignature.signed_at, DecisionSignature.signer_id)
    )
    return list(tx.session.execute(statement).scalars())


def could_sign(tx: Tx, *, case: Case, vendor: Vendor) -> list[tuple[Person, Candidate]]:
    """Return everybody of the lab who could be asked to sign, and each as the rules see them."""
    asked = [
        each
        for each in people.lab_people(tx, active_only=True)
        if Role.LEAD_APPROVER in each.roles or (Role.REVIEWER in each.roles and each.id == case.assigned)
    ]
    as_seen = candidates(tx, asked, vendor) if asked else {}
    return [(each, as_seen[each.id]) for each in asked]


def signers(among: Iterable[tuple[Person, Candidate]], case: Case) -> list[Signer]:
    """Return who may sign, the eligible first, with the reasons of the others.

    :param among: those of ``could_sign``.
    """
    found = [Signer(each.id, each.full_name, each.title, rules.bars_to_sign(seen, case)) for each, seen in among]
    return sorted(found, key=lambda each: bool(each.bars))


def refuse_interest(name: str, bars: Iterable[Bar], then: str) -> None:
    """Refuse with the reasons in words.

    :raises Forbidden: if there is any.
    """
    if found := tuple(bars):
        raise Forbidden(f"{name} {rules.sentence(found)}. {then}")

"""What can be decided now and by whom: the pages of a decision, of what waits for a signature, and the counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.assessments.models import Assessment
from portal.identity import queries as people
from portal.kernel.errors import Forbidden, NotFound
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.reviews import documents, drafting, duties, escalating, queries, reviewing, rules
from portal.reviews.drafting import DraftLine
from portal.reviews.duties import Signer
from portal.reviews.escalating import EscalationLine
from portal.reviews.models import Decision, Review
from portal.reviews.reviewing import Live
from portal.reviews.rules import Bar, Candidate, Case, Difference, View, Wanted
from portal.terms import DecisionState, Outcome
from portal.vendors.models import Engagement, Vendor


@dataclass(frozen=True, slots=True)
class Outlook:
    """What can be decided now: the score, every outcome with what it takes, what blocks, and who could sign it."""

    live: Live
    choices: tuple[rules.Choice, ...]
    blockers: tuple[str, ...]
    signers: tuple[Signer, ...]
    seconds: tuple[Signer, ...]
    proposed: Decision | None
    basis: dict[str, Any]
    draft: DraftLine | None
    draft_version: int
    escalation: EscalationLine | None
    could_be_asked: tuple[Signer, ...]

    @property
    def since_draft(self) -> tuple[Difference, ...]:
        """What changed since the reader saved a draft."""
        return rules.differences(self.draft.basis, self.basis) if self.draft is not None else ()


def outlook(tx: Tx, *, review: Review, outcome: Outcome | None = None, live: Live | None = None) -> Outlook:
    """Return what can be decided on a review, for its page.

    :param outcome: for which to say who could sign; else the suggested one, or an approval.
    :param live: the score as it stands now, if the caller has it at hand.
    :raises Forbidden: if the actor may not read reviews.
    """
    policy.check(tx.actor, Action.REVIEW_READ, review)
    assessment = tx.session.get_one(Assessment, review.assessment_id)
    engagement = tx.session.get_one(Engagement, assessment.engagement_id)
    live = live or reviewing.score_now(tx, review)
    choices = rules.options(live.recommendation, tier=assessment.tier, today=tx.now.date())
    waiting = documents.proposed_for(tx, assessment.id)
    if waiting is not None and tx.now >= rules.expires_at(waiting.proposed_at):
        waiting = None
    suggested = next((each.outcome for each in choices if each.suggested), Outcome.APPROVE)
    asked = waiting.outcome if waiting is not None else outcome or suggested
    choice = next(each for each in choices if each.outcome is asked)
    vendor = reviewing.vendor_of(tx, review)
    case = duties.case_of(
        tx,
        assessment=assessment,
        review=review,
        vendor=vendor,
        outcome=asked,
        exception=choice.exception,
        needed=waiting.signatures_needed if waiting is not None else choice.signatures,
        decision=waiting,
    )
    among = duties.could_sign(tx, case=case, vendor=vendor)
    return Outlook(
        live=live,
        choices=choices,
        blockers=tuple(documents.blockers(tx, review, assessment, engagement, asked)),
        signers=tuple(duties.signers(among, case)),
        seconds=_seconds(tx, case, vendor, among),
        proposed=waiting,
        basis=documents.basis(tx, review=review, assessment=assessment, engagement=engagement, live=live),
        draft=drafting.draft_of(tx, review),
        draft_version=drafting.draft_version(tx, review),
        escalation=escalating.last_escalation(tx, review.id),
        could_be_asked=tuple(escalating.could_be_asked(tx, review)),
    )


def _seconds(
    tx: Tx, case: Case, vendor: Vendor, among: Sequence[tuple[people.Person, Candidate]]
) -> tuple[Signer, ...]:
    """Return who could sign after the actor proposed: the others, as they stand beside the actor's own signature."""
    me = next((seen for _, seen in among if seen.id == tx.actor.id), None)
    if me is None and tx.actor.is_lab and tx.actor.id:
        me = duties.candidate(tx, people.person(tx, tx.actor.id), vendor)
    if me is not None and case.proposer is None:
        signs = not rules.bars_to_sign(me, case)
        case = replace(case, proposer=me.id, signed=(me,) if signs and case.needed > 1 else ())
    return tuple(each for each in duties.signers(among, case) if me is None or each.id != me.id)


def ineligible(tx: Tx, *, assessment: Assessment, user_id: UUID, outcome: Outcome = Outcome.APPROVE) -> tuple[Bar, ...]:
    """Return why a person may not sign a decision on the newest revision (S1 to S8); nothing if they may.

    :raises NotFound: if nothing was signed yet, or there is no such person.
    """
    review = reviewing.latest(tx, assessment.id)
    if review is None:
        raise NotFound
    vendor = reviewing.vendor_of(tx, review)
    waiting = documents.proposed_for(tx, assessment.id)
    recommendation = waiting.recommendation if waiting is not None else reviewing.score_now(tx, review).recommendation
    asked = waiting.outcome if waiting is not None else outcome
    case = documents.case(tx, review, assessment, outcome=asked, recommendation=recommendation, decision=waiting)
    return rules.bars_to_sign(duties.candidate(tx, people.person(tx, user_id), vendor), case)


@dataclass(frozen=True, slots=True)
class ProposedLine:
    """A decision that waits for signatures. ``bars``: why the actor does not sign it; empty if they may."""

    id: UUID
    number: int
    review_id: UUID
    assessment_id: UUID
    vendor: str
    vendor_slug: str
    title: str
    tier: int
    outcome: Outcome
    valid_until: date | None
    proposed_by: UUID
    proposer: str
    proposed_at: datetime
    signed: tuple[str, ...]
    needed: int
    bars: tuple[Bar, ...]
    ends_at: datetime
    asked: str = ""
    asked_id: UUID | None = None


def proposed(tx: Tx) -> Sequence[ProposedLine]:
    """Return every decision that waits for a signature, the oldest first, with why the actor may not sign it.

    :raises Forbidden: if the actor may not read reviews.
    """
    policy.check_ever(tx.actor, Action.REVIEW_READ)
    statement = (
        sa.select(Decision, Review, Assessment, Vendor)
        .join(Assessment, Assessment.id == Decision.assessment_id)
        .join(Review, sa.and_(Review.assessment_id == Assessment.id, Review.revision == Decision.revision))
        .join(Vendor, Vendor.id == Decision.vendor_id)
        .where(Decision.state == DecisionState.PROPOSED, Decision.proposed_at > tx.now - rules.PROPOSAL_HOLDS)
        .order_by(Decision.proposed_at, Decision.id)
        .limit(200)
    )
    found = []
    for decision, review, assessment, vendor in tx.session.execute(statement):
        signed_by = duties.signers_of(tx, decision.id)
        names = people.people(tx, [decision.proposed_by, decision.asked_id, *signed_by])
        asked = names.get(decision.asked_id) if decision.asked_id is not None else None
        found.append(
            ProposedLine(
                id=decision.id,
                number=decision.number,
                review_id=review.id,
                assessment_id=assessment.id,
                vendor=vendor.name,
                vendor_slug=vendor.slug,
                title=assessment.title,
                tier=decision.tier,
                outcome=decision.outcome,
                valid_until=decision.valid_until,
                proposed_by=decision.proposed_by,
                proposer=names[decision.proposed_by].full_name if decision.proposed_by in names else "",
                proposed_at=decision.proposed_at,
                signed=tuple(names[each].full_name for each in signed_by if each in names),
                needed=decision.signatures_needed,
                bars=_bars_of_actor(tx, decision, review, assessment, vendor),
                ends_at=rules.expires_at(decision.proposed_at),
                asked=asked.full_name if asked is not None else "",
                asked_id=decision.asked_id,
            )
        )
    return found


def to_cosign(tx: Tx) -> Sequence[ProposedLine]:
    """Return the proposed decisions that the actor may sign, the oldest first."""
    return (
        [each for each in proposed(tx) if not each.bars] if policy.may_ever(tx.actor, Action.DECISION_CONFIRM) else []
    )


def _bars_of_actor(
    tx: Tx, decision: Decision, review: Review, assessment: Assessment, vendor: Vendor
) -> tuple[Bar, ...]:
    try:
        me = duties.actor_as_candidate(tx, vendor)
    except Forbidden as refusal:
        return (Bar(rules.Duty.MACHINE, refusal.message),)
    case = documents.case_of_decision(tx, review, assessment, decision)
    return rules.bars_to_sign(me, case)


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers beside the navigation: what is the lab's turn, one's own part of it, what waits for one's name."""

    queue: int = 0
    mine: int = 0
    to_cosign: int = 0


def counts(tx: Tx) -> Counts:
    """Return the numbers beside the navigation; zeros for who reads no reviews."""
    if not policy.may_ever(tx.actor, Action.REVIEW_READ):
        return Counts()
    (every, mine), _ = queries.count(tx, [Wanted(), Wanted(view=View.MINE)])
    return Counts(queue=every.number, mine=mine.number, to_cosign=len(to_cosign(tx)))

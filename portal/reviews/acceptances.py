"""Living with a finding for a while: one proposes, a second confirms the same document, then it counts to its last day.

It lifts what the finding keeps closed at the gate, and nothing else: the finding stays open, and so does its score.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal import policy
from portal.assessments.models import Assessment
from portal.findings.facts import RemedyVerified, RiskAccepted, RiskProposalFell, RiskProposed, RiskRevoked
from portal.findings.models import Finding, RiskAcceptance
from portal.identity import queries as identity
from portal.identity.facts import PersonDeactivated, RoleRevoked
from portal.kernel.canonical import canonical_bytes
from portal.kernel.canonical import digest as digest_of
from portal.kernel.database import constraint_of
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.swap import swap
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.reviews import duties, reviewing, rules
from portal.reviews.models import Decision
from portal.reviews.rules import Bar, Candidate
from portal.reviews.rules import risks as risk_rules
from portal.terms import AcceptanceState, DecisionState, FindingState, Role, Side
from portal.vendors.models import Vendor

ELSE = "Somebody else confirms this."
OVER = {
    AcceptanceState.PROPOSED: "This proposal changed since you opened the page. Look at it again.",
    AcceptanceState.CONFIRMED: "This is confirmed already. Nothing was changed.",
    AcceptanceState.FALLEN: "This proposal was taken back. Nothing was changed.",
    AcceptanceState.REVOKED: "This was revoked already. Nothing was changed.",
}


def get(tx: Tx, finding: Finding, acceptance_id: UUID, action: Action) -> RiskAcceptance:
    """Return the acceptance of a finding's risk that the actor may do this to.

    :raises NotFound: if there is none, it is of another finding, or the actor may not know of it.
    :raises Forbidden: if the actor may not do this.
    :raises StepUpRequired: if only the fresh factor is missing.
    """
    row = tx.session.get(RiskAcceptance, acceptance_id)
    if row is None or row.finding_id != finding.id or tx.actor.is_vendor:
        raise NotFound
    policy.check(tx.actor, action, row)
    return row


def is_knock_out(tx: Tx, finding: Finding) -> bool:
    """Whether a finding is about a question that sinks a vendor of its tier."""
    assessment = tx.session.get_one(Assessment, finding.assessment_id)
    asked = questionnaires.compiled(tx, assessment.questionnaire_id)
    return asked.question(finding.question_key).is_knock_out_in(assessment.tier)


@dataclass(frozen=True, slots=True)
class Prospect:
    """Whether the actor can propose to accept a finding's risk now, and until when at most."""

    why_not: str
    knock_out: bool
    latest: date


def prospect(tx: Tx, finding: Finding) -> Prospect:
    """Return what proposing would take, for the finding's page."""
    knock_out = is_knock_out(tx, finding)
    why = ""
    if not policy.may_ever(tx.actor, Action.RISK_PROPOSE):
        why = "Your role reads findings. A reviewer or a lead approver proposes to accept a risk."
    elif bars := _bars(tx, finding, duties.actor_as_candidate(tx, _vendor(tx, finding))):
        why = f"{tx.actor.name} {rules.sentence(bars)}. Somebody else proposes it."
    return Prospect(why, knock_out, risk_rules.latest_until(tx.now.date(), knock_out=knock_out))


def why_not_confirm(tx: Tx, finding: Finding, acceptance_id: UUID) -> str:
    """Return why the actor does not confirm a proposal, as a sentence; empty if nothing bars it."""
    if not policy.may_ever(tx.actor, Action.RISK_CONFIRM):
        return "A lead approver confirms it."
    acceptance = tx.session.get_one(RiskAcceptance, acceptance_id)
    me = duties.actor_as_candidate(tx, _vendor(tx, finding))
    bars = _bars(tx, finding, me, proposer=_proposer(tx, acceptance, finding))
    return f"{me.name} {rules.sentence(bars)}. {ELSE}" if bars else ""


def who_confirm(tx: Tx, finding: Finding, acceptance: RiskAcceptance) -> Sequence[UUID]:
    """Return the lead approvers whom nothing bars from confirming a proposal."""
    vendor, proposer = _vendor(tx, finding), _proposer(tx, acceptance, finding)
    return [
        each.id
        for each in identity.lab_people(tx, active_only=True)
        if Role.LEAD_APPROVER in each.roles
        and not _bars(tx, finding, duties.candidate(tx, each, vendor), proposer=proposer)
    ]


def conditions_of(tx: Tx, finding: Finding) -> tuple[rules.Condition, ...]:
    """Return the conditions of the confirmed decision that name a finding: what accepting its risk can open."""
    stored = tx.session.execute(
        sa.select(Decision.conditions)
        .where(Decision.assessment_id == finding.assessment_id, Decision.state == DecisionState.CONFIRMED)
        .order_by(Decision.revision.desc())
        .limit(1)
    ).scalar_one_or_none()
    return tuple(each for each in map(rules.condition_of, stored or ()) if each.finding == finding.number)


def propose(
    tx: Tx, *, finding: Finding, reason: str, owner_id: UUID | None, until: date | None, row_version: int
) -> RiskAcceptance:
    """Write down that the lab lives with an open finding until a day: the first of two signatures.

    :param owner_id: the lab's person who answers for the risk.
    :param row_version: of the finding, as the page showed it.
    :raises Forbidden: if the actor may not propose it, with the reasons in words (S1 to S3).
    :raises Refused: with the problems of reason, owner and until.
    :raises Conflict: if the finding is not open or changed, or a proposal waits already.
    """
    policy.check(tx.actor, Action.RISK_PROPOSE, finding)
    me = _hold(tx, finding)
    if bars := _bars(tx, finding, me):
        raise Forbidden(f"{me.name} {rules.sentence(bars)}. Somebody else proposes it.")
    if finding.state is not FindingState.OPEN or finding.row_version != row_version:
        raise _finding_changed(finding)
    knock_out = is_knock_out(tx, finding)
    words = reason.strip()
    problems = risk_rules.problems_of(words, until, tx.now.date(), knock_out=knock_out)
    owner = identity.people(tx, [owner_id]).get(owner_id) if owner_id is not None else None
    if owner is None or not owner.is_active or owner.side is not Side.LAB:
        problems["owner"] = ["Choose who at the lab answers for the risk"]
    if problems or until is None or owner is None or me.id is None:
        raise Refused(problems=problems)
    acceptance_id = tx.new_id()
    document = _document(
        tx,
        finding,
        acceptance_id=acceptance_id,
        knock_out=knock_out,
        reason=words,
        owner_id=owner.id,
        until=until,
        proposed_by=me.id,
        proposed_at=tx.now,
    )
    row = RiskAcceptance(
        id=acceptance_id,
        vendor_id=finding.vendor_id,
        finding_id=finding.id,
        knock_out=knock_out,
        reason=words,
        owner_id=owner.id,
        until=until,
        document=document.decode(),
        digest=digest_of(json.loads(document)),
        proposed_by=me.id,
        proposed_at=tx.now,
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(row)
            tx.session.flush()
    except IntegrityError as failure:
        if constraint_of(failure) != "uq_risk_acceptance_one_proposed":
            raise
        raise Conflict(
            f"It is proposed already to accept the risk of F-{finding.number}. Confirm that, or have it taken back.",
            current={"state": "proposed"},
        ) from None
    tx.record(RiskProposed(row.id, row.vendor_id, row.finding_id, finding.number, row.until, row.owner_id, row.digest))
    return row


def confirm(tx: Tx, *, acceptance: RiskAcceptance, digest_seen: str) -> None:
    """Confirm a proposal, as the second of two people: from the commit on it counts.

    :param digest_seen: the fingerprint of the document that the page showed (S9).
    :raises Forbidden: if the actor may not confirm it, with the reasons in words (S1 to S6).
    :raises Conflict: if it was confirmed or taken back, its day is over, or anything changed since it was proposed.
    """
    policy.check(tx.actor, Action.RISK_CONFIRM, acceptance)
    finding = tx.session.get_one(Finding, acceptance.finding_id)
    me = _hold(tx, finding)
    tx.session.refresh(acceptance, with_for_update=True)
    proposer = _proposer(tx, acceptance, finding)
    if bars := _bars(tx, finding, me, proposer=proposer):
        raise Forbidden(f"{me.name} {rules.sentence(bars)}. {ELSE}")
    if acceptance.state is not AcceptanceState.PROPOSED or acceptance.digest != digest_seen:
        raise _changed(acceptance)
    if bars := _bars(tx, finding, proposer):
        raise Conflict(
            f"{proposer.name} proposed this and {rules.sentence(bars)}. Have it taken back and propose it again.",
            current={"state": acceptance.state.value},
        )
    if finding.state is not FindingState.OPEN:
        raise _finding_changed(finding)
    if acceptance.until < tx.now.date():
        raise Conflict("Its last day is over. Have it taken back and propose it again.")
    _check_unchanged(tx, acceptance, finding)
    change = {
        "state": AcceptanceState.CONFIRMED,
        "confirmed_by": me.id,
        "confirmed_at": tx.now,
        "row_version": acceptance.row_version + 1,
    }
    if not swap(tx, acceptance, expect={"state": AcceptanceState.PROPOSED, "digest": digest_seen}, change=change):
        raise _changed(acceptance)
    tx.record(
        RiskAccepted(
            acceptance.id,
            acceptance.vendor_id,
            finding.id,
            finding.assessment_id,
            finding.number,
            acceptance.until,
            acceptance.digest,
        )
    )


def take_back(tx: Tx, *, acceptance: RiskAcceptance, why: str = "") -> None:
    """Let a proposal fall: as the one who made it, or with a reason as somebody who could confirm it.

    :raises Forbidden: for anybody else.
    :raises Refused: without a reason, for who did not propose it.
    :raises Conflict: if it was confirmed or taken back.
    """
    policy.check(tx.actor, Action.FINDING_FOLLOW, acceptance)
    finding = tx.session.get_one(Finding, acceptance.finding_id)
    words = why.strip()
    if tx.actor.id is None or acceptance.proposed_by != tx.actor.id:
        me = duties.actor_as_candidate(tx, _vendor(tx, finding))
        if bars := _bars(tx, finding, me, proposer=_proposer(tx, acceptance, finding)):
            raise Forbidden(f"{me.name} {rules.sentence(bars)}. Who could confirm it can decline it.")
        if not words:
            raise Refused(problems={"why": ["Say why you do not confirm it. The one who proposed it reads this"]})
    if len(words) > risk_rules.MAX_REASON:
        raise Refused(problems={"why": [f"Keep it under {risk_rules.MAX_REASON:,} characters"]})
    _fall(tx, acceptance, finding.number, words or "taken back by the one who proposed it", tx.actor.id)


def revoke(tx: Tx, *, acceptance: RiskAcceptance, why: str, row_version: int) -> None:
    """Live with a finding no more, before its day is over. One person is enough: it closes, and opens nothing.

    :raises Forbidden: if the actor may not, or is tied to the vendor (S3).
    :raises Refused: without a reason.
    :raises Conflict: if it does not count any more, or changed since the page was opened.
    """
    policy.check(tx.actor, Action.RISK_REVOKE, acceptance)
    finding = tx.session.get_one(Finding, acceptance.finding_id)
    duties.refuse_tied(tx, _vendor(tx, finding), "Somebody else revokes it.")
    words = why.strip()
    if not words:
        raise Refused(problems={"why": ["Say why the lab does not live with it any more"]})
    if len(words) > risk_rules.MAX_REASON:
        raise Refused(problems={"why": [f"Keep it under {risk_rules.MAX_REASON:,} characters"]})
    _revoke(tx, acceptance, finding, words, row_version)


def end_with_finding(tx: Tx, fact: RemedyVerified) -> None:
    """RemedyVerified: a finding that is closed leaves no risk to accept. If it opens again, it blocks again."""
    finding = tx.session.get_one(Finding, fact.finding_id)
    for row in _live(tx, RiskAcceptance.finding_id == fact.finding_id):
        if row.state is AcceptanceState.PROPOSED:
            _fall(tx, row, finding.number, "the finding was closed by proof", None)
        else:
            _revoke(tx, row, finding, "The finding was closed by proof.", row.row_version)


def void_of_person(tx: Tx, fact: RoleRevoked | PersonDeactivated) -> None:
    """RoleRevoked, PersonDeactivated: what the person proposed and nobody confirmed yet falls (S7)."""
    if fact.vendor_id is not None:
        return
    proposed = (RiskAcceptance.state == AcceptanceState.PROPOSED, RiskAcceptance.proposed_by == fact.user_id)
    for row in _live(tx, *proposed):
        number = tx.session.get_one(Finding, row.finding_id).number
        _fall(tx, row, number, "the person behind it lost the role", None)


def _live(tx: Tx, *where: sa.ColumnElement[bool]) -> Sequence[RiskAcceptance]:
    statement = (
        sa.select(RiskAcceptance)
        .where(RiskAcceptance.state.in_([AcceptanceState.PROPOSED, AcceptanceState.CONFIRMED]), *where)
        .order_by(RiskAcceptance.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return tx.session.execute(statement).scalars().all()


def _fall(tx: Tx, acceptance: RiskAcceptance, number: int, because: str, by: UUID | None) -> None:
    change = {
        "state": AcceptanceState.FALLEN,
        "ended_by": by,
        "ended_at": tx.now,
        "ended_why": because,
        "row_version": acceptance.row_version + 1,
    }
    if not swap(tx, acceptance, expect={"state": AcceptanceState.PROPOSED}, change=change):
        raise _changed(acceptance)
    tx.record(RiskProposalFell(acceptance.id, acceptance.vendor_id, acceptance.finding_id, number, because))


def _revoke(tx: Tx, acceptance: RiskAcceptance, finding: Finding, why: str, row_version: int) -> None:
    if tx.actor.id is None:
        raise Forbidden("A person must do this.")
    change = {
        "state": AcceptanceState.REVOKED,
        "ended_by": tx.actor.id,
        "ended_at": tx.now,
        "ended_why": why,
        "row_version": row_version + 1,
    }
    expect = {"state": AcceptanceState.CONFIRMED, "row_version": row_version}
    if not swap(tx, acceptance, expect=expect, change=change):
        raise _changed(acceptance)
    tx.record(RiskRevoked(acceptance.id, acceptance.vendor_id, finding.id, finding.assessment_id, finding.number))


def _hold(tx: Tx, finding: Finding) -> Candidate:
    """Lock what an acceptance is about, in the order of everybody else: person, assessment, finding."""
    me = duties.actor_as_candidate(tx, _vendor(tx, finding), hold=True)
    review = reviewing.latest(tx, finding.assessment_id)
    if review is not None:
        reviewing.hold(tx, review)
    tx.session.refresh(finding, with_for_update=True)
    return me


def _bars(tx: Tx, finding: Finding, person: Candidate, *, proposer: Candidate | None = None) -> tuple[Bar, ...]:
    vendor = _vendor(tx, finding)
    assessment = tx.session.get_one(Assessment, finding.assessment_id)
    judges: frozenset[UUID] = frozenset().union(*duties.judges_of(tx, finding.assessment_id).values())
    return risk_rules.bars_to_accept(
        person,
        vendor=vendor.name,
        domains=vendor.mail_domains,
        tier=assessment.tier,
        judges=judges,
        proposer=proposer,
    )


def _proposer(tx: Tx, acceptance: RiskAcceptance, finding: Finding) -> Candidate:
    return duties.candidate(tx, identity.person(tx, acceptance.proposed_by), _vendor(tx, finding))


def _vendor(tx: Tx, finding: Finding) -> Vendor:
    return tx.session.get_one(Vendor, finding.vendor_id)


def _document(
    tx: Tx,
    finding: Finding,
    *,
    acceptance_id: UUID,
    knock_out: bool,
    reason: str,
    owner_id: UUID,
    until: date,
    proposed_by: UUID,
    proposed_at: datetime,
) -> bytes:
    """Return the canonical bytes of what both sign, as the stored rows make it now."""
    return canonical_bytes(
        {
            "format": risk_rules.FORMAT,
            "id": acceptance_id,
            "vendor_id": finding.vendor_id,
            "finding": {
                "id": finding.id,
                "number": finding.number,
                "assessment_id": finding.assessment_id,
                "question_key": finding.question_key,
                "severity": finding.severity,
                "what": finding.what,
                "closes_when": finding.closes_when,
                "due_on": finding.due_on,
                "blocks": finding.blocks,
            },
            "opens": [each.stored for each in conditions_of(tx, finding)],
            "knock_out": knock_out,
            "reason": reason,
            "owner_id": owner_id,
            "until": until,
            "proposed_by": proposed_by,
            "proposed_at": proposed_at,
        }
    )


def _check_unchanged(tx: Tx, acceptance: RiskAcceptance, finding: Finding) -> None:
    again = _document(
        tx,
        finding,
        acceptance_id=acceptance.id,
        knock_out=is_knock_out(tx, finding),
        reason=acceptance.reason,
        owner_id=acceptance.owner_id,
        until=acceptance.until,
        proposed_by=acceptance.proposed_by,
        proposed_at=acceptance.proposed_at,
    )
    changed = risk_rules.changed_parts(json.loads(acceptance.document), json.loads(again))
    if changed:
        raise Conflict(
            f"Since this was proposed, {' and '.join(changed)} changed. Nothing was signed. "
            "Have it taken back and propose it again.",
            current={"changed": list(changed)},
        )


def _changed(acceptance: RiskAcceptance) -> Conflict:
    return Conflict(
        OVER[acceptance.state], current={"state": acceptance.state.value, "row_version": acceptance.row_version}
    )


def _finding_changed(finding: Finding) -> Conflict:
    name = f"F-{finding.number}"
    words = (
        f"{name} changed since you opened the page. Look at it again, then repeat what you did."
        if finding.state is FindingState.OPEN
        else f"{name} is not open. There is no risk to accept."
    )
    return Conflict(words, current={"state": finding.state.value, "row_version": finding.row_version})


def owners(tx: Tx) -> Sequence[identity.Person]:
    """Return who at the lab can answer for a risk."""
    return identity.lab_people(tx, active_only=True)

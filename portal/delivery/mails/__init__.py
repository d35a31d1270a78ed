"""Every kind of mail: the fields it needs, and a pure function from them to what it says. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.delivery.mails import (
    access,
    address,
    alerts,
    dates,
    deciding,
    ends,
    findings,
    lab,
    people,
    queue,
    signing,
    talk,
    work,
)
from portal.delivery.rules import Frame, Parts


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of mail. ``fields`` is the struct that its stored context must fit."""

    fields: type[Any]
    write: Callable[[Any, Frame], Parts]


KINDS: Mapping[str, Kind] = {
    "invitation": Kind(people.Invitation, people.invitation),
    "invitation_ending": Kind(people.InvitationEnding, people.invitation_ending),
    "password_reset": Kind(people.PasswordReset, people.password_reset),
    "new_sign_in": Kind(people.NewSignIn, people.new_sign_in),
    "invited_elsewhere": Kind(address.InvitedElsewhere, address.invited_elsewhere),
    "address_confirm": Kind(address.AddressConfirm, address.address_confirm),
    "address_moved": Kind(address.AddressMoved, address.address_moved),
    "role_changed": Kind(people.RoleChanged, people.role_changed),
    "account_changed": Kind(people.AccountChanged, people.account_changed),
    "everything_taken": Kind(people.EverythingTaken, people.everything_taken),
    "section_given": Kind(work.SectionGiven, work.section_given),
    "ready_to_sign": Kind(work.ReadyToSign, work.ready_to_sign),
    "sent_back": Kind(signing.SentBack, signing.sent_back),
    "receipt": Kind(work.Receipt, work.receipt),
    "questions": Kind(work.Questions, work.questions),
    "asked_again": Kind(work.AskedAgain, work.asked_again),
    "reminder": Kind(work.Reminder, work.reminder),
    "more_time_answered": Kind(dates.MoreTimeAnswered, dates.more_time_answered),
    "decision": Kind(work.Decision, work.decision),
    "finding_due": Kind(ends.FindingDue, ends.finding_due),
    "proof_accepted": Kind(ends.ProofJudged, ends.proof_accepted),
    "proof_returned": Kind(ends.ProofJudged, ends.proof_returned),
    "plan_agreed": Kind(findings.Agreed, findings.plan_agreed),
    "plan_returned": Kind(findings.Agreed, findings.plan_returned),
    "finding_due_moved": Kind(findings.DueMoved, findings.finding_due_moved),
    "risk_accepted": Kind(findings.RiskAccepted, findings.risk_accepted),
    "risk_revoked": Kind(findings.RiskRevoked, findings.risk_revoked),
    "second_look_answered": Kind(ends.SecondLookAnswered, ends.second_look_answered),
    "evidence_ends": Kind(ends.EvidenceEnds, ends.evidence_ends),
    "approval_ends": Kind(ends.ApprovalEnds, ends.approval_ends),
    "reply": Kind(talk.Reply, talk.reply),
    "evidence_opened": Kind(talk.EvidenceOpened, talk.evidence_opened),
    "digest": Kind(talk.Digest, talk.digest),
    "incident_questions": Kind(access.IncidentQuestions, access.incident_questions),
    "access_paused": Kind(access.AccessPaused, access.access_paused),
    "access_restored": Kind(access.AccessRestored, access.access_restored),
    "approval_revoked": Kind(access.ApprovalRevoked, access.approval_revoked),
    "more_time_asked": Kind(dates.MoreTimeAsked, dates.more_time_asked),
    "new_submission": Kind(lab.NewSubmission, lab.new_submission),
    "reply_received": Kind(lab.ReplyReceived, lab.reply_received),
    "cosign": Kind(lab.CoSign, lab.cosign),
    "proposal_fell": Kind(deciding.ProposalFell, deciding.proposal_fell),
    "proposal_ending": Kind(deciding.ProposalEnding, deciding.proposal_ending),
    "second_wanted": Kind(deciding.SecondWanted, deciding.second_wanted),
    "review_escalated": Kind(deciding.Escalated, deciding.escalated),
    "handed_back": Kind(deciding.HandedBack, deciding.handed_back),
    "proof_received": Kind(lab.ProofReceived, lab.proof_received),
    "plan_received": Kind(findings.PlanReceived, findings.plan_received),
    "risk_proposed": Kind(findings.RiskProposed, findings.risk_proposed),
    "second_look_asked": Kind(lab.SecondLookAsked, lab.second_look_asked),
    "evidence_lapsed": Kind(lab.EvidenceLapsed, lab.evidence_lapsed),
    "queue_digest": Kind(queue.QueueDigest, queue.queue_digest),
    "service_level": Kind(queue.ServiceLevel, queue.service_level),
    "contradiction_found": Kind(queue.ContradictionFound, queue.contradiction_found),
    "evidence_alert": Kind(alerts.EvidenceAlert, alerts.evidence_alert),
    "key_failing": Kind(alerts.KeyFailing, alerts.key_failing),
    "chain_broken": Kind(alerts.ChainBroken, alerts.chain_broken),
}

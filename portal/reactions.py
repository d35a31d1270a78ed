"""What follows from what: the whole causal map on one page.

A reaction runs in the transaction that recorded the fact, before it commits; what it refuses, the whole act refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from portal.assessments import facts as assessment_facts
from portal.assessments import service as assessments
from portal.assessments.tiers import tier_follows
from portal.attestations import facts as attestation_facts
from portal.attestations import library
from portal.attestations import service as attestations
from portal.delivery import follow
from portal.evidence import dating, likeness, reading, retaining
from portal.evidence import facts as evidence_facts
from portal.exchange import everything
from portal.exchange import facts as exchange_facts
from portal.findings import facts as finding_facts
from portal.findings import remedies as proofs
from portal.gate import accepted, grounds, remedied, revoking
from portal.gate import facts as gate_facts
from portal.gate import service as gate
from portal.gate.decided import clear_decided
from portal.identity import facts as identity_facts
from portal.kernel.ledger import Fact, Tx
from portal.reviews import acceptances, accepting, checking, escalating, placing, remedies, searching, standing, waits
from portal.reviews import facts as review_facts
from portal.reviews import service as reviews
from portal.rulebook import facts as rulebook_facts
from portal.scoring import facts as score_facts
from portal.vendors import facts as vendor_facts

Reaction = Callable[[Tx, Any], None]

CAUSES: Mapping[type[Fact], Sequence[Reaction]] = {
    # what the gate says is shown on the vendor's own pages
    gate_facts.ClearanceRecorded: (gate.publish_cards, revoking.fall_of_step),
    gate_facts.ApprovalRevoked: (follow.mail_approval_revoked,),
    # two people are needed, and one has spoken: the others who could hear of it
    gate_facts.RevokeAsked: (follow.mail_second_wanted,),
    gate_facts.ResumeAsked: (follow.mail_second_wanted,),
    gate_facts.EvidenceReachChanged: (gate.publish_reach,),
    gate_facts.AcceptedRiskFollowed: (gate.publish_cards,),
    gate_facts.VendorPaused: (gate.publish_cards, follow.mail_paused),
    gate_facts.VendorResumed: (gate.publish_cards, follow.mail_resumed),
    gate_facts.EveryVendorPaused: (gate.publish_all_cards, follow.mail_paused),
    gate_facts.EveryVendorResumed: (gate.publish_all_cards, follow.mail_resumed),
    # a file that leaves the library leaves the answers that nobody signed; one that was signed with stays
    evidence_facts.EvidenceRemoved: (
        proofs.keep_proof,
        attestations.release_file,
        grounds.follow,
        standing.follow_file,
    ),
    # a newer file takes the older one's place in the answers that are still open; its text is read soon
    evidence_facts.EvidenceAttached: (library.replace_file, reading.ask, grounds.follow, standing.follow_file),
    # a report that was read is compared with every other, and with what is claimed, for the lab's eyes
    evidence_facts.EvidenceRead: (likeness.ask, checking.follow, follow.mail_contradictions),
    # what was relied on is kept: here by a job that locks it in the store, below for what was signed with
    evidence_facts.EvidenceVerified: (retaining.keep_verified, grounds.follow, standing.follow_file),
    # who comes by invitation finds the sections that it named
    identity_facts.PersonEnrolled: (assessments.give_invited_sections,),
    # whoever takes over has the sections too; of who leaves, nobody has them, and the answers stay
    identity_facts.PersonHandedOver: (assessments.follow_hand_over,),
    # what the vendor signed before is laid beside what it is asked now, to be confirmed or answered again
    assessment_facts.AssessmentRequested: (attestations.carry_over,),
    # more people, a wider workforce or other devices make the work riskier: the stricter tier's questions are asked
    assessment_facts.ScopingFactStated: (tier_follows,),
    assessment_facts.ScopingFactConfirmed: (tier_follows,),
    # an approval holds as long as the evidence that it rests on
    evidence_facts.EvidenceDescribed: (grounds.follow, standing.follow_file),
    # the lab counts a kind of evidence for another time: its files have other last days, and what rests on them follows
    rulebook_facts.PolicyPublished: (dating.redate,),
    evidence_facts.EvidenceRedated: (grounds.follow, standing.follow_file),
    # what a file proved, it proves no more: the finding that it closed is open again, and what that had opened shuts
    evidence_facts.EvidenceRejected: (remedies.undo_of_file, grounds.follow, standing.follow_file),
    evidence_facts.EvidenceIntegrityFailed: (
        remedies.undo_of_file,
        grounds.follow,
        standing.follow_file,
        follow.mail_alert,
    ),
    evidence_facts.EvidenceInfected: (remedies.undo_of_file, grounds.follow, standing.follow_file, follow.mail_alert),
    evidence_facts.EvidenceRefused: (remedies.undo_of_file,),
    # one who opens more than one person does is looked at
    evidence_facts.OpeningsLimited: (follow.mail_alert,),
    attestation_facts.CitationChecked: (grounds.follow, standing.follow_file),
    # proof closes a finding: the condition that named it is met at the gate, and the vendor sees how it stands
    finding_facts.RemedySent: (standing.follow_remedy, follow.mail_proof),
    finding_facts.RemedyReturned: (standing.follow_remedy, follow.mail_proof_answer),
    finding_facts.RemedyVerified: (
        acceptances.end_with_finding,
        remedied.follow_remedy,
        standing.follow_remedy,
        follow.mail_proof_answer,
    ),
    finding_facts.RemedyUndone: (remedied.follow_remedy, standing.follow_remedy, follow.mail_proof_answer),
    # what was said about a finding is shown on the vendor's page; the gate keeps what was decided
    finding_facts.PlanSent: (standing.follow_remedy, follow.mail_plan),
    finding_facts.PlanAgreed: (standing.follow_remedy, follow.mail_plan_agreed),
    finding_facts.PlanReturned: (standing.follow_remedy, follow.mail_plan_returned),
    finding_facts.FindingDueMoved: (standing.follow_remedy, follow.mail_due_moved),
    finding_facts.FindingOwnerNamed: (standing.follow_remedy,),
    # a risk that two people accept lifts what its finding keeps closed, until its day, and no score
    finding_facts.RiskProposed: (follow.mail_risk_proposed,),
    finding_facts.RiskAccepted: (accepted.follow_risk, standing.follow_remedy, follow.mail_risk_accepted),
    finding_facts.RiskRevoked: (accepted.follow_risk, standing.follow_remedy, follow.mail_risk_revoked),
    # a second look changes nothing by being asked for
    finding_facts.SecondLookAsked: (follow.mail_second_look,),
    finding_facts.SecondLookDecided: (follow.mail_second_answer,),
    # whoever takes a review reads what changed; what a rule accepts is accepted soon, and in nobody's name
    review_facts.ReviewClaimed: (accepting.ask,),
    review_facts.ReviewAssigned: (accepting.ask,),
    # what people decided becomes the gate's truth
    review_facts.DecisionConfirmed: (clear_decided, waits.publish_waits, escalating.end_decided),
    # what is escalated waits for named people, until it is decided or there is nothing to decide
    review_facts.ReviewEscalated: (follow.mail_escalated,),
    review_facts.EscalationEnded: (follow.mail_handed_back,),
    review_facts.ReviewReturned: (escalating.end_over,),
    # who keeps away from a vendor lets its reviews go, and what they signed half falls
    review_facts.ConflictDeclared: (reviews.void_of_conflict, revoking.fall_of_conflict),
    # what was signed is reviewed, with a score; what was withdrawn is not any more
    assessment_facts.AssessmentWithdrawn: (reviews.end_withdrawn, escalating.end_over),
    # what people are told by mail: each of these only writes a job
    identity_facts.PersonInvited: (follow.mail_link,),
    identity_facts.AddressAsked: (follow.mail_address_asked,),
    identity_facts.AddressChanged: (follow.mail_address_changed,),
    identity_facts.SignedIn: (follow.mail_sign_in,),
    identity_facts.PasswordChanged: (follow.mail_password,),
    identity_facts.RecoveryCodesRenewed: (follow.mail_recovery_codes,),
    identity_facts.PasskeyAdded: (follow.mail_passkey_added,),
    identity_facts.PasskeyRemoved: (follow.mail_passkey_removed,),
    exchange_facts.EverythingTaken: (everything.tell_admins,),
    identity_facts.RoleGranted: (follow.mail_role,),
    identity_facts.RoleRevoked: (
        reviews.void_of_person,
        acceptances.void_of_person,
        revoking.fall_of_person,
        follow.mail_role,
    ),
    identity_facts.PersonDeactivated: (
        assessments.end_of_person,
        reviews.void_of_person,
        acceptances.void_of_person,
        revoking.fall_of_person,
        follow.mail_deactivated,
    ),
    assessment_facts.SectionAssigned: (follow.mail_section,),
    assessment_facts.ChangesRequested: (follow.mail_questions,),
    assessment_facts.MoreTimeAsked: (follow.mail_more_time_asked,),
    assessment_facts.MoreTimeAgreed: (follow.mail_more_time_answered,),
    assessment_facts.MoreTimeDeclined: (follow.mail_more_time_answered,),
    assessment_facts.OutcomePublished: (
        standing.publish_first,
        follow.mail_outcome,
    ),
    attestation_facts.AttestationSigned: (
        reviews.open_review,
        checking.count_signed,
        follow.mail_contradictions,
        follow.mail_receipt,
        retaining.keep_signed,
    ),
    attestation_facts.AnswersSentBack: (follow.mail_sent_back,),
    attestation_facts.SignatureAsked: (follow.mail_signature,),
    attestation_facts.AnswersCarried: (follow.mail_asked_again,),
    attestation_facts.AssessmentMigrated: (follow.mail_asked_again,),
    attestation_facts.MessagePosted: (follow.mail_reply,),
    review_facts.DecisionProposed: (follow.mail_cosign,),
    review_facts.DecisionDeclined: (follow.mail_declined,),
    review_facts.DecisionVoided: (follow.mail_declined,),
}

# whatever moves a review, or changes what stands out of it, puts it into the lists of the queue where it belongs now
MOVES: Sequence[type[Fact]] = (
    review_facts.ReviewOpened,
    review_facts.ReviewClaimed,
    review_facts.ReviewAssigned,
    review_facts.ReviewReleased,
    review_facts.ReviewSnoozed,
    review_facts.SnoozeEnded,
    review_facts.QuestionsReturned,
    review_facts.ReviewRecommended,
    review_facts.ReviewReturned,
    review_facts.ReviewEnded,
    review_facts.DecisionProposed,
    review_facts.DecisionConfirmed,
    review_facts.DecisionWithdrawn,
    review_facts.DecisionDeclined,
    review_facts.DecisionVoided,
    review_facts.ReviewEscalated,
    review_facts.EscalationEnded,
    score_facts.ScoreComputed,
    finding_facts.FindingDrafted,
    finding_facts.FindingChanged,
    finding_facts.FindingDropped,
    finding_facts.FindingsShared,
    finding_facts.RemedyVerified,
    finding_facts.RemedyUndone,
    vendor_facts.EngagementChanged,
    assessment_facts.AssessmentTierRaised,
    assessment_facts.AssessmentCancelled,
    assessment_facts.AssessmentWithdrawn,
    assessment_facts.AssessmentDecided,
)

# what an answer is held against changed: how many contradictions there are is counted anew
HELD_AGAINST: Sequence[type[Fact]] = (
    evidence_facts.EvidenceDescribed,
    evidence_facts.EvidenceRejected,
    evidence_facts.EvidenceRemoved,
    evidence_facts.ReportEntered,
    evidence_facts.ReportCorrected,
    evidence_facts.CriteriaNamed,
    evidence_facts.ExceptionAssessed,
    vendor_facts.EngagementChanged,
)

# what is said somewhere is found by its words
SAID: Mapping[type[Fact], Reaction] = {
    vendor_facts.VendorAdded: searching.keep_vendor,
    finding_facts.FindingDrafted: searching.keep_finding,
    finding_facts.FindingChanged: searching.keep_finding,
    attestation_facts.AttestationSigned: searching.keep_answers,
    evidence_facts.EvidenceAttached: searching.keep_evidence,
    evidence_facts.EvidenceDescribed: searching.keep_evidence,
    evidence_facts.EvidenceRead: searching.keep_pages,
}


def _all() -> dict[type[Fact], tuple[Reaction, ...]]:
    """Return every fact with all that follows: the queue last, for it shows what the others made."""
    counted: Mapping[type[Fact], Sequence[Reaction]] = {review_facts.ReviewOpened: (placing.count_changes,)}
    queue: Mapping[type[Fact], Sequence[Reaction]] = dict.fromkeys(MOVES, (placing.follow,))
    held: Mapping[type[Fact], Sequence[Reaction]] = dict.fromkeys(HELD_AGAINST, (checking.follow,))
    said: Mapping[type[Fact], Sequence[Reaction]] = {fact: (reaction,) for fact, reaction in SAID.items()}
    found: dict[type[Fact], tuple[Reaction, ...]] = {}
    for part in (CAUSES, counted, held, said, queue):
        for fact, reactions in part.items():
            found[fact] = (*found.get(fact, ()), *reactions)
    return found


REACTIONS: Mapping[type[Fact], Sequence[Reaction]] = _all()

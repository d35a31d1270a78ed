"""Reactions that end in a mail: each only writes a job, in the transaction of the fact; the job finds the people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from portal.delivery.service import enqueue
from portal.kernel.ledger import Tx

NOTIFY_INVITED = "notify_invited"
NOTIFY_VENDOR = "notify_vendor"
NOTIFY_REVIEWERS = "notify_reviewers"
NOTIFY_ACCESS = "notify_access"
NOTIFY_REVOKED = "notify_revoked"
NOTIFY_SECOND = "notify_second"
NOTIFY_PERSON = "notify_person"
NOTIFY_SIGN_IN = "notify_sign_in"
NOTIFY_ALERT = "notify_alert"
NOTIFY_ADDRESS = "notify_address"
NOTIFY_FOUND = "notify_found"
NOTIFY_FINDING = "notify_finding"
"""The jobs of portal/jobs/notify.py and access.py, by name: they stand above every room."""

RECOVERY_CODE = "recovery_code"
DIGEST = timedelta(minutes=10)
"""Replies within this time make one mail."""


def mail_link(tx: Tx, fact: Any) -> None:
    """PersonInvited: the link goes to its address."""
    enqueue(tx, NOTIFY_INVITED, invitation_id=fact.invitation_id, generation=fact.generation)


def mail_address_asked(tx: Tx, fact: Any) -> None:
    """AddressAsked: a link goes to the new address."""
    enqueue(tx, NOTIFY_ADDRESS, invitation_id=fact.invitation_id, changed=False)


def mail_address_changed(tx: Tx, fact: Any) -> None:
    """AddressChanged: the earlier address hears of it."""
    enqueue(tx, NOTIFY_ADDRESS, invitation_id=fact.invitation_id, changed=True)


def mail_section(tx: Tx, fact: Any) -> None:
    """SectionAssigned: the person hears of it."""
    args = {"assessment_id": fact.assessment_id, "section": fact.section, "user_id": fact.user_id}
    enqueue(tx, NOTIFY_VENDOR, what="section_given", **args)


def mail_sent_back(tx: Tx, fact: Any) -> None:
    """AnswersSentBack: those whose answers came back hear of it."""
    for person in fact.people:
        enqueue(
            tx,
            NOTIFY_VENDOR,
            what="sent_back",
            assessment_id=fact.assessment_id,
            user_id=person,
            subject_id=fact.act_id,
        )


def mail_signature(tx: Tx, fact: Any) -> None:
    """SignatureAsked: the signatories hear that it is theirs to read and sign."""
    enqueue(tx, NOTIFY_VENDOR, what="ready_to_sign", assessment_id=fact.assessment_id, subject_id=fact.request_id)


def mail_receipt(tx: Tx, fact: Any) -> None:
    """AttestationSigned: the vendor keeps a receipt, the reviewers hear of it."""
    enqueue(
        tx,
        NOTIFY_VENDOR,
        what="receipt",
        assessment_id=fact.assessment_id,
        subject_id=fact.attestation_id,
    )
    enqueue(tx, NOTIFY_REVIEWERS, what="new_submission", assessment_id=fact.assessment_id)


def mail_questions(tx: Tx, fact: Any) -> None:
    """ChangesRequested: one mail for all questions of the review."""
    enqueue(tx, NOTIFY_VENDOR, what="questions", assessment_id=fact.assessment_id)


def mail_more_time_asked(tx: Tx, fact: Any) -> None:
    """MoreTimeAsked: who asked the vendor hears that it needs longer."""
    enqueue(tx, NOTIFY_REVIEWERS, what="more_time_asked", assessment_id=fact.assessment_id, seed=f":{fact.request_id}")


def mail_more_time_answered(tx: Tx, fact: Any) -> None:
    """MoreTimeAgreed, MoreTimeDeclined: the vendor hears by when it is due now."""
    enqueue(
        tx,
        NOTIFY_VENDOR,
        what="more_time_answered",
        assessment_id=fact.assessment_id,
        subject_id=fact.request_id,
    )


def mail_asked_again(tx: Tx, fact: Any) -> None:
    """AnswersCarried, AssessmentMigrated: the vendor hears what it can confirm and what it has to answer."""
    moved = hasattr(fact, "to_digest")
    enqueue(
        tx,
        NOTIFY_VENDOR,
        what="moved" if moved else "asked_again",
        assessment_id=fact.assessment_id,
        subject_id=getattr(fact, "to_questionnaire_id", None),
    )


def mail_outcome(tx: Tx, fact: Any) -> None:
    """OutcomePublished: the vendor hears that there is a decision."""
    enqueue(tx, NOTIFY_VENDOR, what="decision", assessment_id=fact.assessment_id, subject_id=fact.outcome_id)


def mail_proof(tx: Tx, fact: Any) -> None:
    """RemedySent: whoever reviewed it hears that there is proof to look at, once for all within ten minutes."""
    enqueue(
        tx,
        NOTIFY_REVIEWERS,
        once=f"proof:{fact.assessment_id}",
        at=tx.now + DIGEST,
        what="proof_received",
        assessment_id=fact.assessment_id,
        seed=f":{tx.now.isoformat()}",
    )


def mail_proof_answer(tx: Tx, fact: Any) -> None:
    """RemedyVerified, RemedyReturned, RemedyUndone: the vendor hears what became of its proof."""
    what = "proof_accepted" if hasattr(fact, "credit") else "proof_returned"
    enqueue(tx, NOTIFY_VENDOR, what=what, assessment_id=fact.assessment_id, subject_id=fact.remedy_id)


def mail_plan(tx: Tx, fact: Any) -> None:
    """PlanSent: who follows the finding hears that there is a plan, once for all within ten minutes."""
    _finding(tx, fact, "plan_received", fact.step_id, once=f"plan:{fact.assessment_id}", at=tx.now + DIGEST)


def mail_plan_agreed(tx: Tx, fact: Any) -> None:
    """PlanAgreed: who sees to the finding hears of it."""
    _finding(tx, fact, "plan_agreed", fact.step_id)


def mail_plan_returned(tx: Tx, fact: Any) -> None:
    """PlanReturned: who sees to the finding hears that another plan is asked for."""
    _finding(tx, fact, "plan_returned", fact.step_id)


def mail_due_moved(tx: Tx, fact: Any) -> None:
    """FindingDueMoved: who sees to the finding hears by when it is due now."""
    _finding(tx, fact, "finding_due_moved", fact.step_id)


def mail_risk_proposed(tx: Tx, fact: Any) -> None:
    """RiskProposed: who may confirm it hears of it."""
    _finding(tx, fact, "risk_proposed", fact.acceptance_id)


def mail_risk_accepted(tx: Tx, fact: Any) -> None:
    """RiskAccepted: the vendor hears that the finding keeps nothing closed for a while."""
    _finding(tx, fact, "risk_accepted", fact.acceptance_id)


def mail_risk_revoked(tx: Tx, fact: Any) -> None:
    """RiskRevoked: the vendor hears that what the finding kept closed is closed again."""
    _finding(tx, fact, "risk_revoked", fact.acceptance_id)


def _finding(tx: Tx, fact: Any, what: str, subject_id: UUID, **when: Any) -> None:
    enqueue(tx, NOTIFY_FINDING, what=what, finding_id=fact.finding_id, subject_id=subject_id, **when)


def mail_second_look(tx: Tx, fact: Any) -> None:
    """SecondLookAsked: the lead approvers and reviewers who took no part hear of it."""
    enqueue(
        tx,
        NOTIFY_REVIEWERS,
        what="second_look_asked",
        assessment_id=fact.assessment_id,
        seed=f":{fact.second_look_id}",
    )


def mail_second_answer(tx: Tx, fact: Any) -> None:
    """SecondLookDecided: the vendor hears that its second look is answered."""
    enqueue(
        tx,
        NOTIFY_VENDOR,
        what="second_look_answered",
        assessment_id=fact.assessment_id,
        subject_id=fact.second_look_id,
    )


def mail_cosign(tx: Tx, fact: Any) -> None:
    """DecisionProposed: who may confirm it hears of it."""
    enqueue(tx, NOTIFY_REVIEWERS, what="cosign", assessment_id=fact.assessment_id)


def mail_declined(tx: Tx, fact: Any) -> None:
    """DecisionDeclined, DecisionVoided: who proposed it hears that it fell, and why."""
    enqueue(tx, NOTIFY_REVIEWERS, what="proposal_fell", assessment_id=fact.assessment_id, seed=f":{fact.decision_id}")


def mail_escalated(tx: Tx, fact: Any) -> None:
    """ReviewEscalated: the lead approvers whom it was put before hear of it."""
    enqueue(
        tx, NOTIFY_REVIEWERS, what="review_escalated", assessment_id=fact.assessment_id, seed=f":{fact.escalation_id}"
    )


def mail_handed_back(tx: Tx, fact: Any) -> None:
    """EscalationEnded: who raised it hears of the answer, if it was handed back."""
    if fact.how == "handed_back":
        enqueue(
            tx, NOTIFY_REVIEWERS, what="handed_back", assessment_id=fact.assessment_id, seed=f":{fact.escalation_id}"
        )


def mail_reply(tx: Tx, fact: Any) -> None:
    """MessagePosted: the other side hears of it, once for all that is written within ten minutes."""
    by_vendor = tx.actor.vendor_id is not None
    enqueue(
        tx,
        NOTIFY_REVIEWERS if by_vendor else NOTIFY_VENDOR,
        once=f"{'reply' if by_vendor else 'answer'}:{fact.assessment_id}",
        at=tx.now + DIGEST,
        what="reply_received" if by_vendor else "reply",
        assessment_id=fact.assessment_id,
        seed=f":{tx.now.isoformat()}",
    )


def mail_contradictions(tx: Tx, fact: Any) -> None:
    """AttestationSigned, EvidenceRead: whose review it is hears what a machine points at, once it was all looked at."""
    enqueue(tx, NOTIFY_FOUND, once=f"found:{fact.vendor_id}", at=tx.now + DIGEST, vendor_id=fact.vendor_id)


def mail_alert(tx: Tx, fact: Any) -> None:
    """EvidenceIntegrityFailed, EvidenceInfected, OpeningsLimited: the program admins hear of it at once."""
    found = {name: getattr(fact, name) for name in ("person_id", "files", "pages") if hasattr(fact, name)}
    enqueue(tx, NOTIFY_ALERT, evidence_id=fact.evidence_id, when=tx.now, **found)


def mail_paused(tx: Tx, fact: Any) -> None:
    """VendorPaused, EveryVendorPaused: the people who work on it stop."""
    _access(tx, fact, "access_paused")


def mail_resumed(tx: Tx, fact: Any) -> None:
    """VendorResumed, EveryVendorResumed: the people who work on it may go on."""
    _access(tx, fact, "access_restored")


def mail_approval_revoked(tx: Tx, fact: Any) -> None:
    """ApprovalRevoked: the people who work on it stop."""
    enqueue(tx, NOTIFY_REVOKED, revocation_id=fact.revocation_id, since=tx.now)


def mail_second_wanted(tx: Tx, fact: Any) -> None:
    """RevokeAsked, ResumeAsked: the lead approvers who did not ask hear that a second of them is wanted."""
    if fact.vendor_id is not None:
        revokes = hasattr(fact, "revocation_id")
        about_id = fact.revocation_id if revokes else fact.pause_id
        enqueue(tx, NOTIFY_SECOND, vendor_id=fact.vendor_id, about_id=about_id, revokes=revokes, since=tx.now)


def _access(tx: Tx, fact: Any, what: str) -> None:
    vendor_id = getattr(fact, "vendor_id", None)
    enqueue(tx, NOTIFY_ACCESS, what=what, pause_id=fact.pause_id, since=tx.now, vendor_id=vendor_id)


def mail_role(tx: Tx, fact: Any) -> None:
    """RoleGranted, RoleRevoked: the person hears what they may do now."""
    _person(tx, fact, "role_changed", {"changed_by": tx.actor.name if tx.actor.id is not None else ""})


def mail_deactivated(tx: Tx, fact: Any) -> None:
    """PersonDeactivated: the person hears of it."""
    _person(tx, fact, "account_changed", {"change": "deactivated"})


def mail_password(tx: Tx, fact: Any) -> None:
    """PasswordChanged: the person hears of it."""
    _person(tx, fact, "account_changed", {"change": "password"})


def mail_recovery_codes(tx: Tx, fact: Any) -> None:
    """RecoveryCodesRenewed: the person hears of it."""
    _person(tx, fact, "account_changed", {"change": "recovery_codes"})


def mail_passkey_added(tx: Tx, fact: Any) -> None:
    """PasskeyAdded: the person hears of it."""
    _person(tx, fact, "account_changed", {"change": "passkey_added"})


def mail_passkey_removed(tx: Tx, fact: Any) -> None:
    """PasskeyRemoved: the person hears of it, unless it went with the account, which is said already."""
    if fact.reason == "own":
        _person(tx, fact, "account_changed", {"change": "passkey_removed"})


def mail_sign_in(tx: Tx, fact: Any) -> None:
    """SignedIn: the person hears of a browser that was not seen before, and of a recovery code used."""
    if fact.factor == RECOVERY_CODE:
        _person(tx, fact, "account_changed", {"change": "recovery_code_used"})
    enqueue(tx, NOTIFY_SIGN_IN, session_id=fact.session_id)


def _person(tx: Tx, fact: Any, kind: str, about: dict[str, str]) -> None:
    enqueue(
        tx,
        NOTIFY_PERSON,
        user_id=fact.user_id,
        kind=kind,
        context={"at": tx.now, **about},
        seed=tx.now.isoformat(),
    )

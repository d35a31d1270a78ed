"""What each kind of mail is called on the mail page."""

from __future__ import annotations

from collections.abc import Mapping

KINDS: Mapping[str, str] = {
    "invitation": "Invitation",
    "invitation_ending": "Invitation about to end",
    "password_reset": "New password",
    "new_sign_in": "New sign-in",
    "role_changed": "Role changed",
    "account_changed": "Account changed",
    "everything_taken": "Everything taken out",
    "section_given": "Section given",
    "ready_to_sign": "Ready for a signature",
    "sent_back": "Answers sent back by a signatory",
    "receipt": "Receipt of a signature",
    "questions": "Questions of a review",
    "asked_again": "Asked again",
    "reminder": "Reminder of a date",
    "more_time_answered": "Answer to a wish for more time",
    "decision": "Decision",
    "finding_due": "Finding due",
    "proof_accepted": "Proof accepted",
    "proof_returned": "Proof sent back",
    "evidence_ends": "Evidence about to end",
    "approval_ends": "Approval about to end",
    "second_look_answered": "Second look answered",
    "reply": "Messages to a vendor",
    "evidence_opened": "Who opened evidence, weekly",
    "digest": "Digest",
    "incident_questions": "Questions about an incident",
    "access_paused": "Access paused",
    "access_restored": "Access restored",
    "more_time_asked": "Wish for more time",
    "new_submission": "Signed assessment",
    "reply_received": "Message from a vendor",
    "proof_received": "Proof for a finding",
    "second_look_asked": "Second look asked for",
    "cosign": "Decision to co-sign",
    "evidence_lapsed": "Lapsed evidence",
    "evidence_alert": "Alarm about evidence",
}

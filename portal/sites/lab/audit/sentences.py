"""Each event as a sentence: who did what, to whom. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.audit.queries import EventLine

PHRASES: Mapping[str, tuple[str, str]] = {
    # what the lab asks
    "vendor_added": ("building-2", "added {vendor}"),
    "vendor_engaged": ("building-2", "engaged {vendor} for data classes {data_classes}, tier {tier}"),
    "engagement_changed": ("building-2", "changed an engagement of {vendor}: {changed}; tier {tier}"),
    "tier_raised": ("gauge", "raised an engagement of {vendor} from tier {from_tier} to {to_tier}: {reason}"),
    "assessment_requested": ("inbox", "asked {vendor} to attest by {due_on}, tier {tier}"),
    "assessment_cancelled": ("ban", "no longer asks {vendor} to attest: {reason}"),
    "more_time_asked": ("clock", "asked for more time for {vendor}, until {wished_on} and not {due_on}: {reason}"),
    "more_time_agreed": ("calendar-clock", "gave {vendor} more time: due on {due_on}, not {was_due_on}"),
    "more_time_declined": ("ban", "gave {vendor} no more time: {reason}"),
    # what the vendor says
    "assessment_begun": ("circle-dot", "began the assessment of {vendor}"),
    "scoping_fact_stated": ("list-filter", "stated {key} of {vendor}"),
    "scoping_fact_confirmed": ("check", "confirmed {key} of {vendor}"),
    "section_assigned": ("users", "gave the section {section} to {user}"),
    "section_due_changed": ("calendar-clock", "asked {user} to answer the section {section} by {due_on}"),
    "section_unassigned": ("users", "took the section {section} back from {user}"),
    "answer_saved": ("file-text", "answered {question_key} (version {version}) for {vendor}"),
    "answers_carried": (
        "history",
        "laid earlier answers of {vendor} beside its new assessment: {to_confirm} to confirm, {re_attest} to answer "
        "again, {archived} not asked any more",
    ),
    "answers_imported": ("upload", "brought answers of {vendor} back in a file ({what}): {taken} taken, {left} left"),
    "answers_confirmed": ("check", "confirmed earlier answers for {vendor}: {keys}"),
    "assessment_migrated": (
        "git-compare-arrows",
        "moved the assessment of {vendor} from version {from_version} to {to_version}: {kept} answers kept, "
        "{re_attest} to answer again, {archived} not asked any more",
    ),
    "evidence_cited": ("paperclip", "attached a file to {question_key} for {vendor}"),
    "citation_removed": ("paperclip", "took a file from {question_key} for {vendor}"),
    "citation_checked": (
        "file-check",
        "found that a newer revision of the file proves {question_key} of {vendor} as well",
    ),
    "message_posted": ("message-square", "wrote to both sides about {question_key} of {vendor}"),
    "attestation_signed": ("signature", "signed revision {revision} of the answers of {vendor}"),
    "attestation_printed": ("file-text", "printed revision {revision} of the signed answers of {vendor}"),
    "answers_sent_back": (
        "undo-2",
        "sent answers of {vendor} back before signing (answers: {question_keys}; sections: {sections})",
    ),
    "sent_back_settled": ("check", "settled a note that came back for {vendor}"),
    "signature_asked": ("signature", "asked for a signature for {vendor}"),
    "assessment_submitted": ("signature", "handed in revision {revision} for {vendor}"),
    "assessment_withdrawn": ("undo-2", "took revision {revision} of {vendor} back: {reason}"),
    "external_set_imported": ("history", "brought in answers of {vendor} from elsewhere ({answers} answers)"),
    "external_set_confirmed": ("check", "said that answers of {vendor} from elsewhere are to {framework} {version}"),
    "external_set_withdrawn": ("undo-2", "withdrew answers of {vendor} from elsewhere"),
    "answers_exported": ("download", "took answers of {vendor} out, as {what}"),
    "answer_pack_read": ("upload", "read an answer pack for {vendor}"),
    "answer_pack_taken": ("file-text", "took {answers} answers of {vendor} from an answer pack"),
    # evidence
    "evidence_reserved": ("upload", "began to upload a file ({kind}) for {vendor}"),
    "evidence_received": ("upload", "uploaded a file for {vendor}"),
    "evidence_attached": ("file-check", "took a file of {vendor} into its library"),
    "evidence_read": ("file-text", "read the text of a file of {vendor}: {state}"),
    "evidence_infected": ("shield-alert", "found malware in a file of {vendor}"),
    "evidence_scanned": ("shield-check", "scanned a file of {vendor}"),
    "evidence_refused": ("file-x", "refused a file of {vendor}: {reason}"),
    "evidence_described": ("file-text", "described a file of {vendor}"),
    "evidence_opened": ("eye", "opened a file of {vendor} ({look})"),
    "openings_limited": ("shield-alert", "was given no more files: {files} files and {pages} pages within the hour"),
    "evidence_taken_up": ("circle-dot", "began to check a file of {vendor}"),
    "report_entered": (
        "file-text",
        "entered what a report of {vendor} holds: {exceptions} exceptions, {carve_outs} organisations, "
        "{controls} user controls",
    ),
    "report_corrected": (
        "file-text",
        "corrected what was entered of a report of {vendor}: {exceptions} exceptions, {carve_outs} organisations, "
        "{controls} user controls",
    ),
    "criteria_named": ("flag", "named the criteria that a report of {vendor} is qualified on: {criteria}"),
    "exception_assessed": ("check", "assessed the exception in {control} of {vendor}, acceptable: {acceptable}"),
    "user_control_assigned": ("users", "planned a user control of {vendor}: owner {owner}, due {due_on}"),
    "user_control_settled": ("list-checks", "set a user control of {vendor} to {state}"),
    "evidence_verified": ("shield-check", "verified a file of {vendor}"),
    "evidence_rejected": ("file-x", "rejected a file of {vendor}"),
    "evidence_removed": ("trash-2", "took a file out of the library of {vendor}"),
    "evidence_retained": ("lock", "keeps a file of {vendor} until {until}"),
    "likeness_found": ("copy", "found two reports of two vendors alike"),
    "firm_checked": ("search", "looked up the audit firm {name} in {source}"),
    "evidence_integrity_failed": ("shield-alert", "found other bytes than were signed in a file of {vendor}"),
    # the review
    "review_opened": ("inbox", "put revision {revision} of {vendor} into the queue"),
    "review_claimed": ("list-checks", "claimed the review of {vendor}"),
    "review_assigned": ("users", "gave the review of {vendor} to {reviewer}"),
    "review_begun": ("circle-dot", "took revision {revision} of {vendor} into review"),
    "review_released": ("inbox", "put the review of {vendor} back into the queue"),
    "review_ended": ("undo-2", "ended the review of revision {revision}, which {vendor} took back"),
    "answer_judged": ("check", "judged {question_key} of {vendor}: {verdict}"),
    "answers_accepted": ("check", "accepted answers of {vendor} in one act: {keys}"),
    "accepted_together_undone": ("undo-2", "took back what one act accepted of {vendor}: {keys}"),
    "answers_accepted_by_rule": (
        "badge-check",
        "accepted answers of {vendor} by rule {rule} of version {policy_version}: {keys}",
    ),
    "verdict_taken_back": ("undo-2", "took the verdict {was} on {question_key} of {vendor} back"),
    "citation_judged": ("file-check", "judged the file under {question_key} of {vendor}: {acceptance}"),
    "note_written": ("lock", "wrote an internal note on {vendor}"),
    "questions_returned": ("message-circle-question-mark", "returned questions of {vendor}: {keys}"),
    "changes_requested": ("message-circle-question-mark", "sent questions back to {vendor}: {keys}"),
    "finding_drafted": ("flag", "drafted finding F-{number} on {question_key} of {vendor}, {severity}"),
    "finding_changed": ("flag", "changed a finding draft on {vendor}, {severity}"),
    "finding_dropped": ("flag", "dropped a finding draft on {vendor}"),
    "findings_shared": ("flag", "shared the findings of revision {revision} with {vendor}"),
    "remedy_sent": ("upload", "sent proof for F-{number} of {vendor}"),
    "remedy_returned": ("undo-2", "returned the proof for F-{number} of {vendor}"),
    "remedy_verified": ("shield-check", "verified the proof for F-{number} of {vendor} and closed it: {credit} points"),
    "plan_sent": ("file-text", "sent a plan for F-{number} of {vendor}, done by {by_day}"),
    "plan_agreed": ("check", "agreed to the plan for F-{number} of {vendor}"),
    "plan_returned": ("undo-2", "returned the plan for F-{number} of {vendor}"),
    "finding_due_moved": ("calendar-clock", "moved the due date of F-{number} of {vendor} to {due_on}"),
    "finding_owner_named": ("users", "said who sees to F-{number} at {vendor}"),
    "finding_follower_named": ("users", "gave F-{number} of {vendor} to {user} to follow"),
    "risk_proposed": ("signature", "proposed to accept the risk of F-{number} of {vendor} until {until}"),
    "risk_accepted": ("signature", "confirmed that the risk of F-{number} of {vendor} is accepted until {until}"),
    "risk_proposal_fell": ("undo-2", "let the proposal to accept the risk of F-{number} of {vendor} fall: {because}"),
    "risk_revoked": ("ban", "revoked the acceptance of the risk of F-{number} of {vendor}"),
    "accepted_risk_followed": ("shield-check", "let the gate follow the accepted risk of F-{finding} of {vendor}"),
    "remedy_undone": ("flag", "opened F-{number} of {vendor} again: its proof counts no more"),
    "second_look_asked": ("refresh-cw", "asked for a second look at the decision on revision {revision} of {vendor}"),
    "second_look_decided": (
        "badge-check",
        "answered the second look of {vendor} at the decision on revision {revision}: {answer}",
    ),
    "score_computed": ("gauge", "scored {vendor} ({cause})"),
    "assessment_recommended": ("badge-check", "recommended a decision on revision {revision} of {vendor}"),
    "review_recommended": ("badge-check", "finished the review of {vendor}: {recommendation}"),
    "review_returned": ("undo-2", "sent the review of {vendor} back to its reviewer"),
    "recommendation_returned": ("undo-2", "returned the recommendation on {vendor}: {reason}"),
    "service_level_near": ("clock", "found that most of the time for the review of {vendor} is used; due {due_at}"),
    "service_level_passed": ("clock", "found the review of {vendor} over its time; it was due {due_at}"),
    # the decision
    "decision_proposed": ("signature", "proposed decision D-{number} on {vendor}: {outcome}"),
    "decision_signed": ("signature", "signed a decision on {vendor}"),
    "decision_confirmed": ("badge-check", "made decision D-{number} on {vendor} final: {outcome}"),
    "decision_withdrawn": ("undo-2", "took a proposed decision on {vendor} back"),
    "decision_voided": ("ban", "voided a proposed decision on {vendor}: {because}"),
    "decision_sealed": ("fingerprint", "sealed the record of a decision on {vendor}"),
    "review_escalated": ("flag", "put a review of {vendor} before lead approvers, for an answer by {due_on}"),
    "escalation_ended": ("undo-2", "ended the escalation of a review of {vendor}: {how}"),
    "decision_declined": ("ban", "declined to sign a decision on {vendor}"),
    "assessment_decided": ("badge-check", "closed the assessment of {vendor} with the decision"),
    "outcome_published": ("mail", "told {vendor} the outcome D-{number}"),
    "conflict_declared": ("shield-alert", "declared a conflict of interest of {user} with {vendor}"),
    "conflict_ended": ("shield-check", "ended a conflict of interest of {user} with {vendor}"),
    # the gate
    "clearance_recorded": ("lock-open", "changed what the gate says of {vendor}: {act}, sequence {sequence}"),
    "evidence_reach_changed": (
        "calendar-clock",
        "changed until when the evidence of {vendor} holds its approval: {until}, sequence {sequence}",
    ),
    "vendor_paused": ("circle-pause", "paused {vendor}, sequence {sequence}"),
    "every_vendor_paused": ("circle-pause", "paused every vendor"),
    "resume_asked": ("play", "asked to end a pause of {vendor}"),
    "resume_fell": ("ban", "let the wish to end a pause of {vendor} fall: {because}"),
    "revoke_asked": ("lock", "asked to revoke an approval of {vendor}"),
    "revoke_taken_back": ("undo-2", "took back the wish to revoke an approval of {vendor}"),
    "revoke_fell": ("ban", "let the wish to revoke an approval of {vendor} fall: {because}"),
    "approval_revoked": ("lock", "revoked an approval of {vendor}"),
    "access_sealed": ("fingerprint", "sealed a record of the access of {vendor}: {kind}"),
    "vendor_resumed": ("play", "ended the pause of {vendor}, sequence {sequence}"),
    "every_vendor_resumed": ("play", "ended the pause of every vendor"),
    # people
    "person_invited": ("mail", "invited somebody to {side}"),
    "invitation_withdrawn": ("mail", "withdrew an invitation"),
    "person_enrolled": ("user-plus", "joined {side}"),
    "signed_in": ("key-round", "signed in"),
    "sign_in_refused": ("key-round", "was refused at sign-in: {reason}"),
    "access_refused": ("lock", "was refused: {method} {endpoint}, {status}"),
    "signed_out": ("log-out", "signed out"),
    "sessions_ended": ("log-out", "ended {count} sessions of {user}: {reason}"),
    "stepped_up": ("fingerprint", "confirmed with a second factor"),
    "step_up_refused": ("fingerprint", "gave a wrong second factor"),
    "password_reset_asked": ("key-round", "asked for a new password"),
    "review_snoozed": ("clock", "set the review of {vendor} aside until {until}"),
    "snooze_ended": ("clock", "brought the review of {vendor} back before its time"),
    "view_saved": ("list-filter", "gave a view of the queue a name"),
    "view_removed": ("list-filter", "removed a view of the queue"),
    "keys_switched": ("settings", "chose whether single keys act: {on}"),
    "reading_changed": ("settings", "reads in {language} and the time zone {timezone} from now on"),
    "password_changed": ("key-round", "changed the password of {user}"),
    "recovery_codes_renewed": ("key-round", "made new recovery codes"),
    "passkey_added": ("fingerprint", "added a passkey, key {key_digest}"),
    "passkey_removed": ("fingerprint", "removed a passkey of {user}: {reason}"),
    "factors_reset": ("key-round", "reset the second factor of {user}"),
    "role_asked": ("users", "asked for {user} to become {role}"),
    "role_request_withdrawn": ("users", "withdrew the request for {user} to become {role}"),
    "role_granted": ("users", "gave {user} the role {role}"),
    "role_revoked": ("users", "took the role {role} from {user}"),
    "person_deactivated": ("user-x", "switched {user} off"),
    "reach_changed": ("eye", "changed which sections {user} sees, the given ones only: {given_only}"),
    "person_renamed": ("users", "changed the name or title of {user}"),
    "address_asked": ("mail", "asked for another address of {user}"),
    "address_changed": ("mail", "confirmed another address of {user}"),
    "invitation_opened": ("mail", "saw an invitation opened"),
    "person_handed_over": ("users", "handed the work of {user} to {to_user}"),
    "service_client_created": ("webhook", "created a service client with {scopes}"),
    "service_client_disabled": ("webhook", "switched a service client off"),
    "everything_taken": ("download", "took everything that {vendor} entered out"),
    # questionnaires
    "questionnaire_drafted": ("file-text", "began a draft of questionnaire {slug} version {version}"),
    "draft_edited": ("file-text", "edited the draft of questionnaire {slug} version {version}"),
    "change_decided": (
        "git-compare-arrows",
        "decided on {key}, {part}, in the draft of {slug} version {version}: {claim}",
    ),
    "draft_signed": ("signature", "signed the draft of questionnaire {slug} version {version} for publication"),
    "draft_discarded": ("trash-2", "discarded the draft of questionnaire {slug} version {version}"),
    "evidence_redated": (
        "file-clock",
        "counts a file of {vendor} until {valid_until}, by version {version} of the scoring policy",
    ),
    "policy_drafted": ("file-text", "began version {version} of the {kind} policy"),
    "policy_draft_edited": ("file-text", "edited the draft of the {kind} policy, version {version}"),
    "policy_draft_moved": ("file-text", "put the draft of the {kind} policy behind a newer one, as version {version}"),
    "policy_draft_signed": ("signature", "signed version {version} of the {kind} policy for publication"),
    "policy_draft_discarded": ("trash-2", "discarded the draft of the {kind} policy, version {version}"),
    "policy_published": ("shield-check", "put version {version} of the {kind} policy into force"),
    "questionnaire_published": ("git-compare-arrows", "published questionnaire {slug} version {version}"),
    # the machine
    "mail_sent": ("mail", "sent a mail ({kind})"),
    "mail_parked": ("mail", "gave up on a mail ({kind}): {reason}"),
    "mail_bounced": ("mail", "was told that a mail did not arrive ({kind}): {reason}"),
    "mail_chosen": ("mail", "chose what to hear of by mail: {channels}"),
    "mail_unsubscribed": ("mail", "ended mails to {user} by the link in a digest: {groups}"),
    "mail_dropped": ("mail", "dropped a mail ({kind}): {reason}"),
    "job_parked": ("server", "gave up on the job {name}: {reason}"),
}
"""What each fact says after the name of who acted, with its icon. A fact that is missing here is said by its name."""

BY_ITSELF = frozenset(
    {
        "score_computed",
        "review_opened",
        "clearance_recorded",
        "evidence_reach_changed",
        "evidence_redated",
        "outcome_published",
        "review_ended",
        "answers_carried",
    }
)
"""What follows from somebody's act, in its transaction, and is Gatehouse's own doing."""

ABOUT_ONESELF = frozenset(
    {"signed_in", "sign_in_refused", "signed_out", "person_enrolled", "stepped_up", "access_refused"}
)

_PEOPLE = {"user_id": "user", "to_user_id": "to_user", "reviewer_id": "reviewer", "owner_id": "owner"}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One row of the page."""

    line: EventLine
    icon: str
    who: str
    did: str
    vendor: str


def label_of(fact: str) -> str:
    """Return the fact's own name in words, for the filter: vendor_paused is "Vendor paused"."""
    return fact.replace("_", " ").capitalize()


def people_in(line: EventLine) -> set[UUID]:
    """Return the people an event names, so that their names are fetched once."""
    found = {line.actor_id} if line.actor_id and line.actor_kind == "person" else set()
    for key in _PEOPLE:
        if value := line.payload.get(key):
            found.add(UUID(str(value)))
    return found


def sentence_of(line: EventLine, names: Mapping[UUID, str], vendors: Mapping[UUID, str]) -> Sentence:
    """Return an event as a sentence. What is not known is called unknown, never left out."""
    vendor = vendors.get(line.vendor_id, "") if line.vendor_id else ""
    icon, phrase = PHRASES.get(line.fact, ("info", label_of(line.fact).lower() + (" for {vendor}" if vendor else "")))
    words: defaultdict[str, str] = defaultdict(lambda: "unknown")
    for key, value in line.payload.items():
        words[key] = _plain(value)
        if key in _PEOPLE and value:
            words[_PEOPLE[key]] = names.get(UUID(str(value)), "somebody")
    words["vendor"] = vendor or "every vendor"
    words["side"] = vendor or "the lab"
    if "data_classes" in line.payload:
        words["data_classes"] = ", ".join(f"D{each}" for each in line.payload["data_classes"])
    return Sentence(line=line, icon=icon, who=who_of(line, names), did=phrase.format_map(words), vendor=vendor)


def who_of(line: EventLine, names: Mapping[UUID, str]) -> str:
    """Return who acted: a person by name, a service client or the system by its label."""
    if line.fact in BY_ITSELF:
        return "Gatehouse"
    if line.actor_kind == "person":
        return names.get(line.actor_id, "Somebody") if line.actor_id else "Somebody not signed in"
    if line.actor_kind == "client":
        return f"Service client {line.actor_label}"
    # Who comes in is not signed in yet: the event names them as the one it is about.
    about = line.payload.get("user_id") if line.fact in ABOUT_ONESELF else None
    return names.get(UUID(str(about)), "Somebody") if about else "Gatehouse"


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(each) for each in value) or "none"
    if value is None or value == "":
        return "unknown"
    return (
        str(value).replace("_", " ") if isinstance(value, str) and value.islower() and "." not in value else str(value)
    )

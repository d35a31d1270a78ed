"""The vocabulary: one word per thing, the same in code, URL, page and table. Pure."""

from enum import IntEnum, StrEnum

LANGUAGES = {"en": "English", "de": "Deutsch"}
"""The languages that the contractor's pages and mails speak, each by its own name."""


def N_(text: str) -> str:
    """Mark a word of a table as one to be translated where it is shown; it is returned as it is."""
    return text


class Side(StrEnum):
    """Which side of the table a person sits on; nobody sits on both."""

    VENDOR = "vendor"
    LAB = "lab"


class Role(StrEnum):
    """What a person may be. No role implies another."""

    RESPONDENT = "respondent"
    VENDOR_ADMIN = "vendor_admin"
    SIGNATORY = "signatory"
    REVIEWER = "reviewer"
    LEAD_APPROVER = "lead_approver"
    PROGRAM_ADMIN = "program_admin"
    AUDITOR = "auditor"


VENDOR_ROLES = frozenset({Role.RESPONDENT, Role.VENDOR_ADMIN, Role.SIGNATORY})
LAB_ROLES = frozenset({Role.REVIEWER, Role.LEAD_APPROVER, Role.PROGRAM_ADMIN, Role.AUDITOR})

ROLE_WORDS = {
    Role.RESPONDENT: N_("Respondent"),
    Role.VENDOR_ADMIN: N_("Vendor admin"),
    Role.SIGNATORY: N_("Signatory"),
    Role.REVIEWER: N_("Reviewer"),
    Role.LEAD_APPROVER: N_("Lead approver"),
    Role.PROGRAM_ADMIN: N_("Program admin"),
    Role.AUDITOR: N_("Auditor"),
}


def side_of(role: Role) -> Side:
    """Return the side a role belongs to."""
    return Side.VENDOR if role in VENDOR_ROLES else Side.LAB


class Scope(StrEnum):
    """What a service client may do."""

    GATE_READ = "gate:read"


class DataClass(IntEnum):
    """How sensitive a class of our data is, from public to crown jewels (catalogue 4.1)."""

    D0 = 0
    D1 = 1
    D2 = 2
    D3 = 3
    D4 = 4
    D5 = 5


DATA_CLASS_WORDS = {
    DataClass.D0: N_("Public or invented"),
    DataClass.D1: N_("Public, our identity hidden"),
    DataClass.D2: N_("Internal"),
    DataClass.D3: N_("Confidential"),
    DataClass.D4: N_("Restricted"),
    DataClass.D5: N_("Crown jewels"),
}


class AccessMode(StrEnum):
    """How a vendor reaches our data (catalogue 4.1)."""

    A1 = "A1"
    A2 = "A2"
    A3 = "A3"
    A4 = "A4"
    A5 = "A5"


ACCESS_MODE_WORDS = {
    AccessMode.A1: N_("Supplies data only"),
    AccessMode.A2: N_("Works inside our environment, no copy"),
    AccessMode.A3: N_("Holds copies on its own platform"),
    AccessMode.A4: N_("Calls our models with credentials"),
    AccessMode.A5: N_("Has identities inside our network"),
}


class Service(StrEnum):
    """What a vendor does for the lab (scoping fact scp.services)."""

    LABELLING = "labelling"
    PREFERENCE = "preference"
    EXPERT = "expert"
    SYNTHETIC = "synthetic"
    EVAL = "eval"
    REDTEAM = "redteam"
    COLLECTION = "collection"


SERVICE_WORDS = {
    Service.LABELLING: N_("Labelling"),
    Service.PREFERENCE: N_("Preference data"),
    Service.EXPERT: N_("Expert tasks"),
    Service.SYNTHETIC: N_("Synthetic data"),
    Service.EVAL: N_("Evaluation"),
    Service.REDTEAM: N_("Red-teaming"),
    Service.COLLECTION: N_("Data collection"),
}


class AssessmentState(StrEnum):
    """Where the work of one assessment stands (security.md, state machines)."""

    DRAFT = "draft"
    IN_PROGRESS = "in_progress"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    CHANGES_REQUESTED = "changes_requested"
    RECOMMENDED = "recommended"
    DECIDED = "decided"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


class MoreTimeState(StrEnum):
    """What became of a vendor's request for more time."""

    OPEN = "open"
    AGREED = "agreed"
    DECLINED = "declined"


FINAL_STATES = frozenset({AssessmentState.DECIDED, AssessmentState.CANCELLED, AssessmentState.WITHDRAWN})
ANSWERABLE_STATES = frozenset({AssessmentState.DRAFT, AssessmentState.IN_PROGRESS, AssessmentState.CHANGES_REQUESTED})

ASSESSMENT_STATE_WORDS = {
    AssessmentState.DRAFT: N_("Not started"),
    AssessmentState.IN_PROGRESS: N_("In progress"),
    AssessmentState.SUBMITTED: N_("Submitted"),
    AssessmentState.IN_REVIEW: N_("In review"),
    AssessmentState.CHANGES_REQUESTED: N_("With vendor"),
    AssessmentState.RECOMMENDED: N_("To decide"),
    AssessmentState.DECIDED: N_("Decided"),
    AssessmentState.CANCELLED: N_("Cancelled"),
    AssessmentState.WITHDRAWN: N_("Withdrawn"),
}


class EvidenceState(StrEnum):
    """How far a file has come, from a reserved place to a judged document."""

    RESERVED = "reserved"
    RECEIVED = "received"
    ATTACHED = "attached"
    VERIFIED = "verified"
    REJECTED = "rejected"
    REFUSED = "refused"
    INTEGRITY_FAILURE = "integrity_failure"


class ScanState(StrEnum):
    """What the malware scanner said of a file; 'not scanned' is said, never hidden."""

    PENDING = "pending"
    CLEAN = "clean"
    NOT_SCANNED = "not_scanned"
    INFECTED = "infected"


class ReadingState(StrEnum):
    """What became of reading the text of a file; a scan is read to the end and has none."""

    WAITING = "waiting"
    READ = "read"
    NO_TEXT = "no_text"
    FAILED = "failed"


class CarveMethod(StrEnum):
    """How a report treats an organisation that the system leans on: its controls left out, or audited too."""

    CARVE_OUT = "carve_out"
    INCLUSIVE = "inclusive"


class UserControlState(StrEnum):
    """How far the lab has come with a control that a report leaves to its users."""

    OPEN = "open"
    DONE = "done"
    NOT_NEEDED = "not_needed"


class Look(StrEnum):
    """What somebody was given of a file: its own bytes, the picture of a page, cells, words, or what a search found."""

    ORIGINAL = "original"
    PAGE = "page"
    TABLE = "table"
    TEXT = "text"
    SEARCH = "search"


class Acceptance(StrEnum):
    """Whether a reviewer lets one citation prove one answer."""

    UNJUDGED = "unjudged"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Settled(StrEnum):
    """How an earlier answer that was carried over was dealt with: taken as it was, or answered anew."""

    CONFIRMED = "confirmed"
    ANSWERED = "answered"


class Written(StrEnum):
    """How a version of an answer came about."""

    TYPED = "typed"
    CONFIRMED = "confirmed"
    RESTORED = "restored"


class Verdict(StrEnum):
    """What a reviewer says of one answer."""

    ACCEPT = "accept"
    FLAG = "flag"
    ASK = "ask"


class Severity(StrEnum):
    """How bad a finding is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class FindingState(StrEnum):
    """Where a finding stands; a draft is the reviewer's own."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class RemedyAct(StrEnum):
    """One step of closing a finding by proof: open, proof sent, then closed or returned, and so on until it is closed.

    ``undone``: the proof that closed it counts no more, and the finding is open again.
    """

    SENT = "sent"
    RETURNED = "returned"
    VERIFIED = "verified"
    UNDONE = "undone"


class FindingAct(StrEnum):
    """What is said and agreed about a finding beside its proof: the plan, the day, and who sees to it."""

    PLAN_SENT = "plan_sent"
    PLAN_AGREED = "plan_agreed"
    PLAN_RETURNED = "plan_returned"
    DUE_MOVED = "due_moved"
    OWNER_NAMED = "owner_named"
    FOLLOWER_NAMED = "follower_named"


class PlanState(StrEnum):
    """Where the vendor's plan for a finding stands."""

    SENT = "sent"
    AGREED = "agreed"
    RETURNED = "returned"


class AcceptanceState(StrEnum):
    """Where the acceptance of a risk stands. One that is confirmed ends by the clock, or when it is revoked."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    FALLEN = "fallen"
    REVOKED = "revoked"


class SecondAnswer(StrEnum):
    """What somebody who took no part in a decision says of it after a second look."""

    UPHELD = "upheld"
    ANEW = "anew"


class EscalationEnd(StrEnum):
    """How it ended that a review was put before lead approvers; ``over``: there is nothing to decide any more."""

    DECIDED = "decided"
    HANDED_BACK = "handed_back"
    TAKEN_BACK = "taken_back"
    OVER = "over"


class Recommendation(StrEnum):
    """What the policy suggests (scoring.md); people decide."""

    INCOMPLETE = "incomplete"
    REJECT = "reject"
    HOLD = "hold"
    CONDITIONAL = "conditional"
    APPROVE = "approve"


class Outcome(StrEnum):
    """What people decided."""

    APPROVE = "approve"
    APPROVE_WITH_CONDITIONS = "approve_with_conditions"
    REJECT = "reject"


OUTCOME_WORDS = {
    Outcome.APPROVE: N_("Approved"),
    Outcome.APPROVE_WITH_CONDITIONS: N_("Approved with conditions"),
    Outcome.REJECT: N_("Not approved"),
}


class DecisionState(StrEnum):
    """A decision counts once everybody who must sign has signed the same digest."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    VOIDED = "voided"


class DraftState(StrEnum):
    """A draft of a questionnaire is worked on until two people publish it, or somebody gives it up."""

    OPEN = "open"
    PUBLISHED = "published"
    DISCARDED = "discarded"


class ClearanceAct(StrEnum):
    """One step of the gate's append-only truth about a vendor's engagement."""

    APPROVE = "approve"
    APPROVE_WITH_CONDITIONS = "approve_with_conditions"
    REJECT = "reject"
    REVOKE = "revoke"


class RevocationEnd(StrEnum):
    """How it ended that somebody asked to take an approval back."""

    CONFIRMED = "confirmed"
    TAKEN_BACK = "taken_back"
    OVER = "over"


class AccessKind(StrEnum):
    """What a sealed record of a vendor's access is about."""

    PAUSED = "paused"
    RESUMED = "resumed"
    REVOKED = "revoked"


class MailState(StrEnum):
    """Where a mail stands on its way out."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"

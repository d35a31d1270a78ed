"""What happens to reviews, decisions and conflicts of interest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from portal.kernel.ledger import Fact


@dataclass(frozen=True, slots=True)
class ReviewOpened(Fact):
    """A signed revision waits to be judged. ``carried``: verdicts of the revision before that still hold."""

    review_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    revision: int
    attestation_digest: str
    snapshot_id: UUID
    due_at: datetime
    carried: int


@dataclass(frozen=True, slots=True)
class ReviewClaimed(Fact):
    """A person took a review."""

    review_id: UUID
    vendor_id: UUID
    reviewer_id: UUID
    attestation_digest: str


@dataclass(frozen=True, slots=True)
class ReviewAssigned(Fact):
    """A review was given to a person by another."""

    review_id: UUID
    vendor_id: UUID
    reviewer_id: UUID
    was: UUID | None


@dataclass(frozen=True, slots=True)
class ReviewReleased(Fact):
    """A review waits for somebody again."""

    review_id: UUID
    vendor_id: UUID
    was: UUID


@dataclass(frozen=True, slots=True)
class AnswerJudged(Fact):
    """A reviewer judged an answer. The words are kept with the verdict."""

    review_id: UUID
    vendor_id: UUID
    question_key: str
    verdict: str
    version: int
    finding_id: UUID | None


@dataclass(frozen=True, slots=True)
class VerdictTakenBack(Fact):
    """A verdict that nobody else had seen was taken back."""

    review_id: UUID
    vendor_id: UUID
    question_key: str
    was: str
    version: int


@dataclass(frozen=True, slots=True)
class AnswersAccepted(Fact):
    """A reviewer accepted several answers in one act."""

    review_id: UUID
    vendor_id: UUID
    act_id: UUID
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AcceptedTogetherUndone(Fact):
    """What was accepted in one act was taken back in one; ``keys``: the answers that still stood as accepted by it."""

    review_id: UUID
    vendor_id: UUID
    act_id: UUID
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnswersAcceptedByRule(Fact):
    """A rule accepted unchanged answers; no person did. ``policy_digest`` is the document that the rule stands in."""

    review_id: UUID
    vendor_id: UUID
    rule: str
    policy_version: int
    policy_digest: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CitationJudged(Fact):
    """A reviewer let a file prove an answer, or did not."""

    citation_id: UUID
    vendor_id: UUID
    review_id: UUID
    question_key: str
    evidence_id: UUID
    acceptance: str


@dataclass(frozen=True, slots=True)
class NoteWritten(Fact):
    """A note was written that only the lab sees; its words are not in here."""

    note_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    question_key: str


@dataclass(frozen=True, slots=True)
class QuestionsReturned(Fact):
    """A reviewer sent questions back; the review of this revision is over."""

    review_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    revision: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReviewRecommended(Fact):
    """A reviewer finished: everything is judged, and the score suggests an outcome."""

    review_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    revision: int
    recommendation: str
    snapshot_id: UUID


@dataclass(frozen=True, slots=True)
class ReviewReturned(Fact):
    """A lead approver sent a finished review back to its reviewer."""

    review_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    revision: int


@dataclass(frozen=True, slots=True)
class ReviewEnded(Fact):
    """A review ended without a decision, because the vendor withdrew what it was about."""

    review_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    revision: int


@dataclass(frozen=True, slots=True)
class ReviewEscalated(Fact):
    """A finished review was put before lead approvers, with a day by which an answer is needed."""

    escalation_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    review_id: UUID
    to: tuple[UUID, ...]
    due_on: date


@dataclass(frozen=True, slots=True)
class EscalationEnded(Fact):
    """It waits for nobody any more; ``how``: decided, handed_back, taken_back, or over."""

    escalation_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    review_id: UUID
    how: str


@dataclass(frozen=True, slots=True)
class DecisionSealed(Fact):
    """The record of a decision was signed with a key of the house; ``digest`` is that of the envelope."""

    decision_id: UUID
    vendor_id: UUID
    digest: str


@dataclass(frozen=True, slots=True)
class DecisionProposed(Fact):
    """A decision was written down; ``digest`` is the fingerprint of what its signers sign."""

    decision_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    number: int
    outcome: str
    digest: str
    signatures_needed: int


@dataclass(frozen=True, slots=True)
class DecisionSigned(Fact):
    """A person signed a decision with a fresh factor."""

    decision_id: UUID
    vendor_id: UUID
    signer_id: UUID
    digest: str
    factor: str


@dataclass(frozen=True, slots=True)
class DecisionConfirmed(Fact):
    """Everybody needed has signed the same digest: it is decided."""

    decision_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    engagement_id: UUID
    revision: int
    number: int
    outcome: str
    tier: int
    valid_until: date | None
    digest: str
    signed_by: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class DecisionWithdrawn(Fact):
    """A proposal was taken back by who made it."""

    decision_id: UUID
    vendor_id: UUID
    assessment_id: UUID


@dataclass(frozen=True, slots=True)
class DecisionDeclined(Fact):
    """Who was to confirm a proposal did not; the reason is kept as an internal note."""

    decision_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    declined_by: UUID


@dataclass(frozen=True, slots=True)
class DecisionVoided(Fact):
    """A proposal fell because a person behind it lost the role, or the review was reopened."""

    decision_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    because: str


@dataclass(frozen=True, slots=True)
class ConflictDeclared(Fact):
    """A person of the lab does not judge a vendor from now on."""

    conflict_id: UUID
    user_id: UUID
    vendor_id: UUID


@dataclass(frozen=True, slots=True)
class ConflictEnded(Fact):
    """A declared conflict of interest no longer holds."""

    conflict_id: UUID
    user_id: UUID
    vendor_id: UUID


@dataclass(frozen=True, slots=True)
class ReviewSnoozed(Fact):
    """A review was set aside until a moment; the reason is kept with the row."""

    snooze_id: UUID
    review_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    until: datetime


@dataclass(frozen=True, slots=True)
class SnoozeEnded(Fact):
    """A review that was set aside is back before its time."""

    snooze_id: UUID
    review_id: UUID
    vendor_id: UUID
    assessment_id: UUID


@dataclass(frozen=True, slots=True)
class ViewSaved(Fact):
    """A person gave a list of the queue a name."""

    view_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class ViewRemoved(Fact):
    """A person gave up a list that they had named."""

    view_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class ServiceLevelNear(Fact):
    """Most of a review's time is used, and it is not finished."""

    review_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ServiceLevelPassed(Fact):
    """A review's time is over, and it is not finished."""

    review_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    due_at: datetime

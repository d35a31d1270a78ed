"""What happens to assessments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from portal.kernel.ledger import Fact


@dataclass(frozen=True, slots=True)
class AssessmentRequested(Fact):
    """We asked a vendor to attest: which version, for which engagement and tier, by when."""

    assessment_id: UUID
    vendor_id: UUID
    engagement_id: UUID
    questionnaire_id: UUID
    questionnaire_digest: str
    tier: int
    due_on: date


@dataclass(frozen=True, slots=True)
class ScopingFactStated(Fact):
    """A scoping fact was stated, or stated anew."""

    assessment_id: UUID
    vendor_id: UUID
    key: str
    version: int


@dataclass(frozen=True, slots=True)
class ScopingFactConfirmed(Fact):
    """The vendor confirmed what the lab had stated."""

    assessment_id: UUID
    vendor_id: UUID
    key: str
    version: int


@dataclass(frozen=True, slots=True)
class SectionAssigned(Fact):
    """A section was given to a person."""

    assessment_id: UUID
    vendor_id: UUID
    section: str
    user_id: UUID
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class SectionUnassigned(Fact):
    """A section was taken back from a person."""

    assessment_id: UUID
    vendor_id: UUID
    section: str
    user_id: UUID


@dataclass(frozen=True, slots=True)
class SectionDueChanged(Fact):
    """A person has another day to answer their section by; None: the day of the whole assessment."""

    assessment_id: UUID
    vendor_id: UUID
    section: str
    user_id: UUID
    due_on: date | None


@dataclass(frozen=True, slots=True)
class AssessmentBegun(Fact):
    """The vendor touched the assessment for the first time."""

    assessment_id: UUID
    vendor_id: UUID


@dataclass(frozen=True, slots=True)
class AssessmentSubmitted(Fact):
    """A revision was signed and is waiting for a reviewer."""

    assessment_id: UUID
    vendor_id: UUID
    revision: int


@dataclass(frozen=True, slots=True)
class ReviewBegun(Fact):
    """A reviewer took the signed revision into review."""

    assessment_id: UUID
    vendor_id: UUID
    revision: int


@dataclass(frozen=True, slots=True)
class ChangesRequested(Fact):
    """Named questions went back to the vendor; the rest of the revision stands."""

    assessment_id: UUID
    vendor_id: UUID
    revision: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssessmentRecommended(Fact):
    """The reviewer is done and recommends a decision."""

    assessment_id: UUID
    vendor_id: UUID
    revision: int


@dataclass(frozen=True, slots=True)
class RecommendationReturned(Fact):
    """A lead sent the recommendation back into review."""

    assessment_id: UUID
    vendor_id: UUID
    revision: int
    reason: str


@dataclass(frozen=True, slots=True)
class AssessmentDecided(Fact):
    """People decided on the signed revision."""

    assessment_id: UUID
    vendor_id: UUID
    revision: int


@dataclass(frozen=True, slots=True)
class AssessmentCancelled(Fact):
    """The lab no longer asks."""

    assessment_id: UUID
    vendor_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class AssessmentWithdrawn(Fact):
    """The vendor took a signed revision back before it was decided."""

    assessment_id: UUID
    vendor_id: UUID
    revision: int
    reason: str


@dataclass(frozen=True, slots=True)
class OutcomePublished(Fact):
    """The vendor was told its outcome."""

    outcome_id: UUID
    assessment_id: UUID
    vendor_id: UUID
    revision: int
    number: int


@dataclass(frozen=True, slots=True)
class AssessmentTierRaised(Fact):
    """What the vendor stated made the engagement riskier, so the stricter tier's questions are asked."""

    assessment_id: UUID
    vendor_id: UUID
    from_tier: int
    to_tier: int


@dataclass(frozen=True, slots=True)
class MoreTimeAsked(Fact):
    """The vendor asked for a later due date, and said why."""

    request_id: UUID
    assessment_id: UUID
    vendor_id: UUID
    due_on: date
    wished_on: date
    reason: str


@dataclass(frozen=True, slots=True)
class MoreTimeAgreed(Fact):
    """The lab moved the due date of an assessment because the vendor asked."""

    request_id: UUID
    assessment_id: UUID
    vendor_id: UUID
    was_due_on: date
    due_on: date


@dataclass(frozen=True, slots=True)
class MoreTimeDeclined(Fact):
    """The lab left the due date as it is, and said why."""

    request_id: UUID
    assessment_id: UUID
    vendor_id: UUID
    due_on: date
    reason: str

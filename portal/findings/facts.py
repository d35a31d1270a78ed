"""What happens to findings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from portal.kernel.ledger import Fact


@dataclass(frozen=True, slots=True)
class FindingDrafted(Fact):
    """A reviewer wrote down what is wrong; the vendor does not see it yet. A credit replaces the answer's."""

    finding_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    question_key: str
    number: int
    severity: str
    credit: int | None


@dataclass(frozen=True, slots=True)
class FindingChanged(Fact):
    """A draft was written anew."""

    finding_id: UUID
    vendor_id: UUID
    severity: str
    credit: int | None


@dataclass(frozen=True, slots=True)
class FindingDropped(Fact):
    """A draft was given up before anybody else saw it."""

    finding_id: UUID
    vendor_id: UUID


@dataclass(frozen=True, slots=True)
class FindingsShared(Fact):
    """The findings of a revision became the vendor's tasks."""

    assessment_id: UUID
    vendor_id: UUID
    revision: int
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RemedySent(Fact):
    """A vendor sent proof that a finding is put right."""

    finding_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    number: int
    remedy_id: UUID
    evidence_id: UUID


@dataclass(frozen=True, slots=True)
class RemedyReturned(Fact):
    """A reviewer looked at the proof and asks for more; the words are with the step."""

    finding_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    number: int
    remedy_id: UUID
    evidence_id: UUID


@dataclass(frozen=True, slots=True)
class RemedyVerified(Fact):
    """A reviewer found the proof good; the answer is worth ``credit`` from now on."""

    finding_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    number: int
    remedy_id: UUID
    evidence_id: UUID
    credit: int


@dataclass(frozen=True, slots=True)
class RemedyUndone(Fact):
    """The file that closed a finding counts no more, so the finding is open again."""

    finding_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    number: int
    remedy_id: UUID
    evidence_id: UUID


@dataclass(frozen=True, slots=True)
class PlanSent(Fact):
    """A vendor said what it will do about a finding, and by when; the words are with the step."""

    finding_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    number: int
    step_id: UUID
    by_day: date


@dataclass(frozen=True, slots=True)
class PlanAgreed(Fact):
    """A reviewer agreed to the vendor's plan. The due date is what it was."""

    finding_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    number: int
    step_id: UUID


@dataclass(frozen=True, slots=True)
class PlanReturned(Fact):
    """A reviewer asks for another plan; the words are with the step."""

    finding_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    number: int
    step_id: UUID


@dataclass(frozen=True, slots=True)
class FindingDueMoved(Fact):
    """The lab gave a finding another due date; the reason is with the step. The gate keeps what was decided."""

    finding_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    number: int
    step_id: UUID
    due_on: date
    was_due_on: date | None


@dataclass(frozen=True, slots=True)
class FindingOwnerNamed(Fact):
    """It was said who sees to a finding at the vendor; nobody for None."""

    finding_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    number: int
    user_id: UUID | None


@dataclass(frozen=True, slots=True)
class FindingFollowerNamed(Fact):
    """It was said who follows a finding at the lab."""

    finding_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    number: int
    user_id: UUID


@dataclass(frozen=True, slots=True)
class RiskProposed(Fact):
    """The first of two people wrote down that the lab lives with a finding until a day."""

    acceptance_id: UUID
    vendor_id: UUID
    finding_id: UUID
    number: int
    until: date
    owner_id: UUID
    digest: str


@dataclass(frozen=True, slots=True)
class RiskAccepted(Fact):
    """The second of two people confirmed it: what the finding keeps closed is open until the day is over."""

    acceptance_id: UUID
    vendor_id: UUID
    finding_id: UUID
    assessment_id: UUID
    number: int
    until: date
    digest: str


@dataclass(frozen=True, slots=True)
class RiskProposalFell(Fact):
    """A proposal to accept a risk was taken back, declined, or lost its ground before it was confirmed."""

    acceptance_id: UUID
    vendor_id: UUID
    finding_id: UUID
    number: int
    because: str


@dataclass(frozen=True, slots=True)
class RiskRevoked(Fact):
    """The lab lives with a finding no more, before the day was over; what it keeps closed is closed again."""

    acceptance_id: UUID
    vendor_id: UUID
    finding_id: UUID
    assessment_id: UUID
    number: int


@dataclass(frozen=True, slots=True)
class SecondLookAsked(Fact):
    """A vendor asked for a second look at a decision; its reason is with the row."""

    second_look_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    revision: int
    outcome_id: UUID


@dataclass(frozen=True, slots=True)
class SecondLookDecided(Fact):
    """Somebody who took no part answered: the decision holds, or it is decided anew in another assessment."""

    second_look_id: UUID
    vendor_id: UUID
    assessment_id: UUID
    revision: int
    outcome_id: UUID
    answer: str
    anew_id: UUID | None

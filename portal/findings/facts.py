"""What happens to findings."""

from __future__ import annotations

from dataclasses import dataclass
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

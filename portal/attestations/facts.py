"""What happens to answers, citations, conversations and signatures."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from portal.evidence import facts as evidence_facts
from portal.kernel.ledger import Fact
from portal.terms import Side


@dataclass(frozen=True, slots=True)
class AnswerSaved(Fact):
    """An answer was written. Its text is kept with the answer; here is only its SHA-256."""

    assessment_id: UUID
    vendor_id: UUID
    question_key: str
    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class EvidenceCited(Fact):
    """A file was attached to an answer."""

    citation_id: UUID
    assessment_id: UUID
    vendor_id: UUID
    question_key: str
    evidence_id: UUID


@dataclass(frozen=True, slots=True)
class CitationRemoved(Fact):
    """A file was taken from an answer; it stays in the library, and in what was signed with it."""

    citation_id: UUID
    assessment_id: UUID
    vendor_id: UUID
    question_key: str
    evidence_id: UUID


@dataclass(frozen=True, slots=True)
class CitationChecked(Fact):
    """A reviewer found that a newer revision of a file proves the same answer as the one that was signed with."""

    citation_id: UUID
    assessment_id: UUID
    vendor_id: UUID
    question_key: str
    cited_id: UUID
    evidence_id: UUID


@dataclass(frozen=True, slots=True)
class MessagePosted(Fact):
    """Somebody wrote in the conversation about a question. ``side`` is the writer's."""

    message_id: UUID
    assessment_id: UUID
    vendor_id: UUID
    question_key: str
    side: Side


@dataclass(frozen=True, slots=True)
class AttestationSigned(Fact):
    """A person signed a revision for the vendor; ``digest`` is the fingerprint of what was frozen."""

    attestation_id: UUID
    assessment_id: UUID
    vendor_id: UUID
    revision: int
    digest: str


@dataclass(frozen=True, slots=True)
class AttestationPrinted(Fact):
    """What was signed was given out as a PDF for the first time; everybody gets the bytes with this SHA-256."""

    attestation_id: UUID
    assessment_id: UUID
    vendor_id: UUID
    revision: int
    sha256: str


@dataclass(frozen=True, slots=True)
class AnswersSentBack(Fact):
    """Who signs sent answers back with notes before signing; ``people`` are told. The notes stay with the answers."""

    act_id: UUID
    assessment_id: UUID
    vendor_id: UUID
    question_keys: tuple[str, ...]
    sections: tuple[str, ...]
    people: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class SentBackSettled(Fact):
    """A note that came back was dealt with."""

    note_id: UUID
    assessment_id: UUID
    vendor_id: UUID


@dataclass(frozen=True, slots=True)
class SignatureAsked(Fact):
    """A colleague asked the signatories to read and sign; ``people`` are told."""

    request_id: UUID
    assessment_id: UUID
    vendor_id: UUID
    people: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class AnswersCarried(Fact):
    """Earlier answers were laid beside a new assessment; each waits for a person, or is kept for reading only."""

    assessment_id: UUID
    vendor_id: UUID
    to_confirm: int
    re_attest: int
    archived: int


@dataclass(frozen=True, slots=True)
class AnswersConfirmed(Fact):
    """A person confirmed earlier answers as they were; each of them is also an answer that was saved."""

    assessment_id: UUID
    vendor_id: UUID
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssessmentMigrated(Fact):
    """A running assessment moved to a newer version; answers whose claim changed are asked again."""

    assessment_id: UUID
    vendor_id: UUID
    from_questionnaire_id: UUID
    to_questionnaire_id: UUID
    from_digest: str
    to_digest: str
    from_version: int
    to_version: int
    kept: int
    re_attest: int
    archived: int


WorthChanged = (
    evidence_facts.EvidenceAttached
    | evidence_facts.EvidenceDescribed
    | evidence_facts.EvidenceRedated
    | evidence_facts.EvidenceVerified
    | evidence_facts.EvidenceRejected
    | evidence_facts.EvidenceRemoved
    | evidence_facts.EvidenceIntegrityFailed
    | evidence_facts.EvidenceInfected
    | CitationChecked
)
"""After any of these a file may prove more or less than before."""

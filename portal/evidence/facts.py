"""What happens to evidence."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from portal.kernel.ledger import Fact
from portal.terms import ReadingState, ScanState, Side


@dataclass(frozen=True, slots=True)
class EvidenceReserved(Fact):
    """A place for a file was reserved; the file was announced with this length and fingerprint."""

    evidence_id: UUID
    vendor_id: UUID
    kind: str
    size: int
    sha256: str
    supersedes_id: UUID | None


@dataclass(frozen=True, slots=True)
class EvidenceReceived(Fact):
    """The bytes arrived and are the announced ones; they are not checked yet."""

    evidence_id: UUID
    vendor_id: UUID
    version_id: str
    sha256: str


@dataclass(frozen=True, slots=True)
class EvidenceAttached(Fact):
    """A file passed its checks and can be used."""

    evidence_id: UUID
    vendor_id: UUID
    version_id: str
    sha256: str
    scan: ScanState
    supersedes_id: UUID | None


@dataclass(frozen=True, slots=True)
class EvidenceRefused(Fact):
    """A file was not kept."""

    evidence_id: UUID
    vendor_id: UUID
    reason: str
    scan: ScanState


@dataclass(frozen=True, slots=True)
class EvidenceDescribed(Fact):
    """What is known of a file was changed: its kind, its title, its dates."""

    evidence_id: UUID
    vendor_id: UUID
    kind: str
    digest: str
    valid_until: str | None


@dataclass(frozen=True, slots=True)
class EvidenceOpened(Fact):
    """Somebody was given the bytes of a file, or a picture of one page."""

    evidence_id: UUID
    vendor_id: UUID
    opening_id: UUID
    side: Side
    page: int | None


@dataclass(frozen=True, slots=True)
class EvidenceVerified(Fact):
    """A reviewer found that a file is what it says it is."""

    evidence_id: UUID
    vendor_id: UUID
    sha256: str


@dataclass(frozen=True, slots=True)
class EvidenceRejected(Fact):
    """A reviewer found that a file proves nothing, or not what it says."""

    evidence_id: UUID
    vendor_id: UUID
    sha256: str


@dataclass(frozen=True, slots=True)
class EvidenceRemoved(Fact):
    """A file was taken from the library before anybody signed with it."""

    evidence_id: UUID
    vendor_id: UUID


@dataclass(frozen=True, slots=True)
class EvidenceRetained(Fact):
    """A file that was relied on is kept until a day; ``locked``: the store itself refuses to remove it before."""

    evidence_id: UUID
    vendor_id: UUID
    until: str
    locked: bool


@dataclass(frozen=True, slots=True)
class EvidenceIntegrityFailed(Fact):
    """The stored bytes are no longer those of the fingerprint; nobody was given them."""

    evidence_id: UUID
    vendor_id: UUID
    expected_sha256: str


@dataclass(frozen=True, slots=True)
class EvidenceRead(Fact):
    """The text of a file was read, or it turned out that it cannot be."""

    evidence_id: UUID
    vendor_id: UUID
    state: ReadingState
    pages: int

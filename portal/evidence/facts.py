"""What happens to evidence."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from portal.kernel.ledger import Fact
from portal.terms import Look, ReadingState, ScanState, Side, UserControlState


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
class EvidenceScanned(Fact):
    """A file that was taken in without a scanner was scanned since."""

    evidence_id: UUID
    vendor_id: UUID
    scan: ScanState


@dataclass(frozen=True, slots=True)
class EvidenceInfected(Fact):
    """Malware was found in a file of the library; it can be opened no more and proves nothing."""

    evidence_id: UUID
    vendor_id: UUID


@dataclass(frozen=True, slots=True)
class EvidenceDescribed(Fact):
    """What is known of a file was changed: its kind, its title, its dates."""

    evidence_id: UUID
    vendor_id: UUID
    kind: str
    digest: str
    valid_until: str | None


@dataclass(frozen=True, slots=True)
class EvidenceRedated(Fact):
    """The lab counts a kind of evidence for another time since: the last day of a file is another."""

    evidence_id: UUID
    vendor_id: UUID
    version: int
    valid_until: str | None


@dataclass(frozen=True, slots=True)
class EvidenceOpened(Fact):
    """Somebody was given the bytes of a file, a picture of one page, or something else of what it says."""

    evidence_id: UUID
    vendor_id: UUID
    opening_id: UUID
    side: Side
    page: int | None
    look: Look


@dataclass(frozen=True, slots=True)
class OpeningsLimited(Fact):
    """Somebody of the lab opened as many files or pages within the hour as one person may, and was given no more."""

    evidence_id: UUID
    person_id: UUID
    files: int
    pages: int


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


@dataclass(frozen=True, slots=True)
class EvidenceTakenUp(Fact):
    """A reviewer began to check a file."""

    evidence_id: UUID
    vendor_id: UUID


@dataclass(frozen=True, slots=True)
class ReportEntered(Fact):
    """The vendor entered what stands inside a report: so many exceptions, organisations and controls."""

    evidence_id: UUID
    vendor_id: UUID
    exceptions: int
    carve_outs: int
    controls: int
    digest: str


@dataclass(frozen=True, slots=True)
class ReportCorrected(Fact):
    """A reviewer corrected what was entered of a report."""

    evidence_id: UUID
    vendor_id: UUID
    exceptions: int
    carve_outs: int
    controls: int
    digest: str


@dataclass(frozen=True, slots=True)
class CriteriaNamed(Fact):
    """A reviewer named the criteria that an opinion is qualified on."""

    evidence_id: UUID
    vendor_id: UUID
    criteria: str


@dataclass(frozen=True, slots=True)
class ExceptionAssessed(Fact):
    """A reviewer said whether an exception of a report is acceptable to the lab."""

    exception_id: UUID
    evidence_id: UUID
    vendor_id: UUID
    control: str
    acceptable: bool


@dataclass(frozen=True, slots=True)
class UserControlAssigned(Fact):
    """A control that a report leaves to the lab was given to somebody, or to nobody, by a day."""

    control_id: UUID
    evidence_id: UUID
    vendor_id: UUID
    owner_id: UUID | None
    due_on: str | None


@dataclass(frozen=True, slots=True)
class UserControlSettled(Fact):
    """A control that a report leaves to the lab is in place, is not needed, or is open again."""

    control_id: UUID
    evidence_id: UUID
    vendor_id: UUID
    state: UserControlState


@dataclass(frozen=True, slots=True)
class LikenessFound(Fact):
    """Two reports of two vendors share much. It names no vendor, so that it stands in no vendor's part of the trail."""

    evidence_id: UUID
    other_id: UUID
    share: int


@dataclass(frozen=True, slots=True)
class FirmChecked(Fact):
    """A reviewer looked an audit firm up in a public register."""

    check_id: UUID
    name: str
    outcome: str
    source: str

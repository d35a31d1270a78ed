"""What happens to answers on their way in and out."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from portal.kernel.ledger import Fact


@dataclass(frozen=True, slots=True)
class ExternalSetImported(Fact):
    """A vendor brought in answers that it gave elsewhere. They suggest; nothing was answered by it."""

    set_id: UUID
    vendor_id: UUID
    family: str
    sha256: str
    answers: int


@dataclass(frozen=True, slots=True)
class ExternalSetConfirmed(Fact):
    """A person said which version of a catalogue an external set answers."""

    set_id: UUID
    vendor_id: UUID
    framework: str
    version: str


@dataclass(frozen=True, slots=True)
class ExternalSetWithdrawn(Fact):
    """An external set suggests nothing any more. Its rows are kept."""

    set_id: UUID
    vendor_id: UUID


@dataclass(frozen=True, slots=True)
class AnswersExported(Fact):
    """Answers left as a file. ``what`` names the format, ``digest`` is the SHA-256 of the content."""

    assessment_id: UUID
    vendor_id: UUID
    what: str
    digest: str


@dataclass(frozen=True, slots=True)
class AnswerPackRead(Fact):
    """An answer pack was read for an assessment and waits. ``seal`` says whose signature it carries."""

    pack_id: UUID
    assessment_id: UUID
    vendor_id: UUID
    sha256: str
    seal: str


@dataclass(frozen=True, slots=True)
class AnswerPackTaken(Fact):
    """Answers of a pack were taken into an assessment, each by a write of its own; ``answers`` says how many."""

    pack_id: UUID
    assessment_id: UUID
    vendor_id: UUID
    answers: int


@dataclass(frozen=True, slots=True)
class AnswersImported(Fact):
    """Answers came back in a file, each by a write of its own. ``digest`` is the SHA-256 of the file.

    ``taken`` were written, ``kept`` were changed online only or were kept by choice, ``left`` could not be taken.
    """

    import_id: UUID
    assessment_id: UUID
    vendor_id: UUID
    what: str
    digest: str
    taken: int
    kept: int
    left: int
    files: int


@dataclass(frozen=True, slots=True)
class EverythingTaken(Fact):
    """A person took all that their vendor entered out, with or without its files; the vendor's admins hear of it."""

    export_id: UUID
    vendor_id: UUID
    user_id: UUID
    with_files: bool

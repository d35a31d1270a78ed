"""What happens to questionnaires."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from portal.kernel.ledger import Fact


@dataclass(frozen=True, slots=True)
class QuestionnairePublished(Fact):
    """A version became askable; its bytes are kept and never change."""

    questionnaire_id: UUID
    slug: str
    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class QuestionnaireDrafted(Fact):
    """Somebody began a draft, from a file, a published version or another system's questions."""

    draft_id: UUID
    slug: str
    version: int
    digest: str
    origin: str


@dataclass(frozen=True, slots=True)
class DraftEdited(Fact):
    """The text of a draft became another; who had signed the earlier one has not signed this one."""

    draft_id: UUID
    slug: str
    version: int
    was: str
    digest: str


@dataclass(frozen=True, slots=True)
class ChangeDecided(Fact):
    """The author said what a change does to the claim: the same, another, or given up on purpose."""

    draft_id: UUID
    slug: str
    version: int
    key: str
    part: str
    claim: str
    of: str
    digest: str


@dataclass(frozen=True, slots=True)
class DraftSigned(Fact):
    """A person signed the text of a draft, to publish it."""

    draft_id: UUID
    slug: str
    version: int
    digest: str
    signed_by: UUID


@dataclass(frozen=True, slots=True)
class DraftDiscarded(Fact):
    """A draft was given up; its text is kept."""

    draft_id: UUID
    slug: str
    version: int

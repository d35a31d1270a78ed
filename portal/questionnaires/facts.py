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

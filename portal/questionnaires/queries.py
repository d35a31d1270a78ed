"""Published questionnaire versions as pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.kernel.ledger import Tx
from portal.questionnaires.models import QuestionnaireVersion


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One published version, without its source."""

    id: UUID
    slug: str
    version: int
    title: str
    digest: str
    published_by: UUID | None
    published_at: datetime

    @property
    def name(self) -> str:
        """What people call it: ai-contractor v1."""
        return f"{self.slug} v{self.version}"


_LINE = (
    QuestionnaireVersion.id,
    QuestionnaireVersion.slug,
    QuestionnaireVersion.version,
    QuestionnaireVersion.title,
    QuestionnaireVersion.digest,
    QuestionnaireVersion.published_by,
    QuestionnaireVersion.published_at,
)


def versions(tx: Tx) -> Sequence[VersionLine]:
    """Return every published version: by slug, the newest version first."""
    statement = sa.select(*_LINE).order_by(QuestionnaireVersion.slug, QuestionnaireVersion.version.desc()).limit(500)
    return [VersionLine(*row) for row in tx.session.execute(statement)]


def version_named(tx: Tx, slug: str, version: int) -> VersionLine | None:
    """Return one version by its name, if it is published."""
    statement = sa.select(*_LINE).where(QuestionnaireVersion.slug == slug, QuestionnaireVersion.version == version)
    row = tx.session.execute(statement).one_or_none()
    return None if row is None else VersionLine(*row)


def version_of(tx: Tx, questionnaire_id: UUID) -> VersionLine | None:
    """Return one version by its id, if there is one."""
    row = tx.session.execute(sa.select(*_LINE).where(QuestionnaireVersion.id == questionnaire_id)).one_or_none()
    return None if row is None else VersionLine(*row)

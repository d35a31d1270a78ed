"""Published questionnaire versions: what the file was, byte by byte, for ever."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Base


class QuestionnaireVersion(Base, kw_only=True):
    """A published version. The database refuses UPDATE and DELETE."""

    __tablename__ = "questionnaire_version"
    __table_args__ = (
        sa.UniqueConstraint("slug", "version"),
        sa.CheckConstraint("version > 0", name="counted_from_one"),
        sa.CheckConstraint("digest = encode(sha256(source), 'hex')", name="digest_of_source"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str]
    version: Mapped[int]
    title: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    source: Mapped[bytes]
    published_by: Mapped[UUID | None]
    published_at: Mapped[datetime]

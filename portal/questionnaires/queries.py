"""Published questionnaire versions, drafts and signatures as pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal.identity.models import UserAccount
from portal.identity.publishers import may_publish
from portal.kernel.ledger import Tx
from portal.questionnaires.models import QuestionnaireDraft, QuestionnaireSignature, QuestionnaireVersion
from portal.terms import DraftState


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


def newest(tx: Tx, slug: str) -> VersionLine | None:
    """Return the newest published version of a questionnaire, if there is one."""
    return newest_before(tx, slug, None)


def newest_before(tx: Tx, slug: str, version: int | None) -> VersionLine | None:
    """Return the newest published version below a version (of all, without one), if there is one."""
    statement = sa.select(*_LINE).where(QuestionnaireVersion.slug == slug)
    if version is not None:
        statement = statement.where(QuestionnaireVersion.version < version)
    row = tx.session.execute(statement.order_by(QuestionnaireVersion.version.desc()).limit(1)).one_or_none()
    return None if row is None else VersionLine(*row)


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """Who signed which text, and whether the signature counts today."""

    digest: str
    signed_by: UUID
    name: str
    signed_at: datetime
    counts: bool


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One draft of the list, without its text."""

    id: UUID
    slug: str
    version: int
    title: str
    digest: str
    origin: str
    state: DraftState
    created_by: str
    created_at: datetime
    updated_by: str
    updated_at: datetime
    signatures: int

    @property
    def name(self) -> str:
        """What people call it: ai-contractor v2."""
        return f"{self.slug} v{self.version}"


def signatures(tx: Tx, draft_id: UUID, digest: str | None = None) -> Sequence[SignatureLine]:
    """Return who signed a draft, the first signature first; with a digest, only who signed that text."""
    signed = QuestionnaireSignature
    statement = (
        sa.select(signed.digest, signed.signed_by, signed.signed_name, signed.signed_at, may_publish(signed.signed_by))
        .where(signed.draft_id == draft_id, *([signed.digest == digest] if digest else []))
        .order_by(signed.signed_at, signed.signed_by)
        .limit(100)
    )
    return [SignatureLine(*row) for row in tx.session.execute(statement)]


def signatures_of_version(tx: Tx, questionnaire_id: UUID) -> Sequence[SignatureLine]:
    """Return the signatures that published a version, the first first; none if the installation loaded it."""
    signed = QuestionnaireSignature
    statement = (
        sa.select(signed.digest, signed.signed_by, signed.signed_name, signed.signed_at, sa.true())
        .join(QuestionnaireDraft, QuestionnaireDraft.id == signed.draft_id)
        .where(QuestionnaireDraft.published_id == questionnaire_id, signed.digest == QuestionnaireDraft.digest)
        .order_by(signed.signed_at, signed.signed_by)
    )
    return [SignatureLine(*row) for row in tx.session.execute(statement)]


def drafts(tx: Tx, *, states: Sequence[DraftState] = (DraftState.OPEN,), limit: int = 100) -> Sequence[DraftLine]:
    """Return the drafts in these states, the one touched last first."""
    draft, signed = QuestionnaireDraft, QuestionnaireSignature
    creator, editor = aliased(UserAccount), aliased(UserAccount)
    counted = (
        sa.select(sa.func.count())
        .where(signed.draft_id == draft.id, signed.digest == draft.digest, may_publish(signed.signed_by))
        .correlate(draft)
        .scalar_subquery()
    )
    statement = (
        sa.select(
            draft.id,
            draft.slug,
            draft.version,
            draft.title,
            draft.digest,
            draft.origin,
            draft.state,
            sa.func.coalesce(creator.full_name, "Gatehouse"),
            draft.created_at,
            sa.func.coalesce(editor.full_name, "Gatehouse"),
            draft.updated_at,
            counted,
        )
        .outerjoin(creator, creator.id == draft.created_by)
        .outerjoin(editor, editor.id == draft.updated_by)
        .where(draft.state.in_(list(states)))
        .order_by(draft.updated_at.desc(), draft.id)
        .limit(limit)
    )
    return [DraftLine(*row) for row in tx.session.execute(statement)]  # type: ignore[call-arg] # eleven are typed as ten

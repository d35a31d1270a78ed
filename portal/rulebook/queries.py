"""Policies in force, earlier ones, drafts and signatures as pages and rooms use them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import aliased

from portal.identity.models import UserAccount
from portal.identity.publishers import may_publish
from portal.kernel.ledger import Tx
from portal.rulebook.models import PolicyDraft, PolicySignature, PolicyVersion
from portal.rulebook.rules import Kind, digest_of
from portal.terms import DraftState

_MEMO = "policies in force"


@dataclass(frozen=True, slots=True)
class Published:
    """A version of a policy. Version 1 is the program's own: nobody published it, and it has no day.

    ``written_by``: who gave it its text; ``published_by``: whose signature was the last.
    """

    kind: str
    version: int
    digest: str
    text: str
    published_at: datetime | None = None
    written_by: UUID | None = None
    published_by: UUID | None = None


def first(kind: Kind) -> Published:
    """Return the built-in version 1 of a kind."""
    return Published(kind.name, 1, digest_of(kind.first), kind.first)


def current(tx: Tx, kind: Kind) -> Published:
    """Return the version in force; a transaction asks once."""
    return newest(tx, kind.name) or first(kind)


def newest(tx: Tx, kind: str) -> Published | None:
    """Return the newest published version of a kind by its name, None while its version 1 is in force."""
    known: dict[str, Published] | None = tx.session.info.get(_MEMO)
    if known is None:
        known = {row.kind: Published(*row) for row in tx.session.execute(_newest_of_all())}
        tx.session.info[_MEMO] = known
    return known.get(kind)


@cache
def _newest_of_all() -> sa.Select[str, int, str, str, datetime, UUID, UUID]:
    """All kinds at once: there are a few, and a page asks for several."""
    newest = _versions().ext(postgresql.distinct_on(PolicyVersion.kind))
    return newest.order_by(PolicyVersion.kind, PolicyVersion.version.desc())


def text_of(tx: Tx, kind: str, number: int) -> str | None:
    """Return the text of a published version of a kind by its name; None for the built-in one."""
    statement = sa.select(PolicyVersion.text).where(PolicyVersion.kind == kind, PolicyVersion.version == number)
    return tx.session.execute(statement).scalar_one_or_none()


def forget(tx: Tx) -> None:
    """Ask again what is in force, after it may have changed."""
    tx.session.info.pop(_MEMO, None)


def history(tx: Tx, kind: Kind, *, limit: int = 200) -> Sequence[Published]:
    """Return every version of a kind, the newest first; the built-in one is the last."""
    statement = _versions().where(PolicyVersion.kind == kind.name).order_by(PolicyVersion.version.desc()).limit(limit)
    return [*(Published(*row) for row in tx.session.execute(statement)), first(kind)]


def version(tx: Tx, kind: Kind, number: int) -> Published | None:
    """Return one version of a kind, if there is one."""
    if number == 1:
        return first(kind)
    row = tx.session.execute(
        _versions().where(PolicyVersion.kind == kind.name, PolicyVersion.version == number)
    ).one_or_none()
    return None if row is None else Published(*row)


def _versions() -> sa.Select[str, int, str, str, datetime, UUID, UUID]:
    return sa.select(
        PolicyVersion.kind,
        PolicyVersion.version,
        PolicyVersion.digest,
        PolicyVersion.text,
        PolicyVersion.published_at,
        PolicyVersion.written_by,
        PolicyVersion.published_by,
    )


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """Who signed a text, and whether the signature counts today."""

    signed_by: UUID
    name: str
    signed_at: datetime
    counts: bool


def signatures(tx: Tx, draft: PolicyDraft) -> Sequence[SignatureLine]:
    """Return who signed the text of a draft as it stands, the first signature first."""
    signed = PolicySignature
    statement = (
        sa.select(signed.signed_by, signed.signed_name, signed.signed_at, may_publish(signed.signed_by))
        .where(signed.draft_id == draft.id, signed.version == draft.version, signed.digest == draft.digest)
        .order_by(signed.signed_at, signed.signed_by)
        .limit(100)
    )
    return [SignatureLine(*row) for row in tx.session.execute(statement)]


def signers(tx: Tx, kind: Kind) -> dict[int, tuple[str, ...]]:
    """Return the names of those who published each version of a kind, in the order of their signatures."""
    statement = (
        sa.select(PolicyVersion.version, PolicySignature.signed_name)
        .join(PolicyDraft, PolicyDraft.published_id == PolicyVersion.id)
        .join(
            PolicySignature,
            sa.and_(
                PolicySignature.draft_id == PolicyDraft.id,
                PolicySignature.version == PolicyVersion.version,
                PolicySignature.digest == PolicyVersion.digest,
            ),
        )
        .where(PolicyVersion.kind == kind.name)
        .order_by(PolicyVersion.version, PolicySignature.signed_at, PolicySignature.signed_by)
    )
    found: dict[int, tuple[str, ...]] = {}
    for number, name in tx.session.execute(statement):
        found[number] = (*found.get(number, ()), name)
    return found


def authors(tx: Tx, published: Published) -> tuple[UUID, ...]:
    """Return who gave a version its text and who signed it, each once; nobody for the built-in one."""
    if published.written_by is None:
        return ()
    statement = (
        sa.select(PolicySignature.signed_by)
        .join(PolicyDraft, PolicyDraft.id == PolicySignature.draft_id)
        .join(PolicyVersion, PolicyVersion.id == PolicyDraft.published_id)
        .where(
            PolicyVersion.kind == published.kind,
            PolicyVersion.version == published.version,
            PolicySignature.version == PolicyVersion.version,
            PolicySignature.digest == PolicyVersion.digest,
        )
        .order_by(PolicySignature.signed_at, PolicySignature.signed_by)
    )
    return tuple(dict.fromkeys((published.written_by, *tx.session.execute(statement).scalars())))


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One open draft of a list, without its text."""

    id: UUID
    kind: str
    version: int
    updated_by: str
    updated_at: datetime
    signatures: int


def drafts(tx: Tx, kinds: Collection[str], *, limit: int = 100) -> Sequence[DraftLine]:
    """Return the open drafts of these kinds, the one touched last first."""
    draft, signed, editor = PolicyDraft, PolicySignature, aliased(UserAccount)
    counted = (
        sa.select(sa.func.count())
        .where(
            signed.draft_id == draft.id,
            signed.version == draft.version,
            signed.digest == draft.digest,
            may_publish(signed.signed_by),
        )
        .correlate(draft)
        .scalar_subquery()
    )
    statement = (
        sa.select(draft.id, draft.kind, draft.version, editor.full_name, draft.updated_at, counted)
        .join(editor, editor.id == draft.updated_by)
        .where(draft.kind.in_(list(kinds)), draft.state == DraftState.OPEN)
        .order_by(draft.updated_at.desc(), draft.id)
        .limit(limit)
    )
    return [DraftLine(*row) for row in tx.session.execute(statement)]

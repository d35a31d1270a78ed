"""Drafts of policies: begun, edited, and put into force by two people who sign the same text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal import policy
from portal.identity.models import UserAccount
from portal.identity.publishers import SIGNATURES_NEEDED, hold_publishers
from portal.kernel.actor import ActorKind
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.swap import swap
from portal.policy import Action
from portal.rulebook import queries
from portal.rulebook.facts import (
    PolicyDraftDiscarded,
    PolicyDrafted,
    PolicyDraftEdited,
    PolicyDraftMoved,
    PolicyDraftSigned,
    PolicyPublished,
)
from portal.rulebook.models import PolicyDraft, PolicySignature, PolicyVersion
from portal.rulebook.queries import Published, SignatureLine, authors, current, history, newest
from portal.rulebook.rules import MAX_TEXT, Kind, digest_of
from portal.terms import DraftState

__all__ = [
    "SIGNATURES_NEEDED",
    "Draft",
    "Kind",
    "Published",
    "Readiness",
    "authors",
    "create_draft",
    "current",
    "discard_draft",
    "edit_draft",
    "get_draft",
    "history",
    "move_draft",
    "newest",
    "readiness",
    "sign_draft",
]

Draft = PolicyDraft

OVER: Final = {
    DraftState.PUBLISHED: "This draft is published. A published version never changes: begin the next version",
    DraftState.DISCARDED: "This draft was discarded. Begin another one",
}


@dataclass(frozen=True, slots=True)
class Readiness:
    """How far a draft is from being in force: what it is compared with, what is wrong with it, and who signed it.

    ``overtaken``: another version was published since it was begun.
    """

    before: Published
    problems: tuple[str, ...]
    signatures: tuple[SignatureLine, ...]
    overtaken: bool

    @property
    def counting(self) -> tuple[SignatureLine, ...]:
        """The signatures on this very text by people who may still give one."""
        return tuple(line for line in self.signatures if line.counts)

    @property
    def is_ready(self) -> bool:
        """Whether it may be signed."""
        return not self.problems and not self.overtaken


def create_draft(tx: Tx, *, kind: Kind, text: str | None = None) -> PolicyDraft:
    """Begin the next version of a policy, with the text in force unless another is given.

    The same text as an open draft's gives that draft, so that two people can begin it.

    :raises Refused: if there is no text or too much of it; ``problems["text"]``.
    """
    policy.check(tx.actor, Action.POLICY_DRAFT, None)
    person_id = _person(tx)
    before = current(tx, kind)
    text = before.text if text is None else _clean(text)
    digest = digest_of(text)
    if found := _open_with(tx, kind.name, digest):
        return found
    row = PolicyDraft(
        id=tx.new_id(),
        kind=kind.name,
        version=before.version + 1,
        text=text,
        digest=digest,
        created_by=person_id,
        created_at=tx.now,
        updated_by=person_id,
        updated_at=tx.now,
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(row)
            tx.session.flush()
    except IntegrityError:
        if rival := _open_with(tx, kind.name, digest):
            return rival
        raise
    tx.record(PolicyDrafted(row.id, row.kind, row.version, digest))
    return row


def get_draft(tx: Tx, draft_id: UUID, action: Action) -> PolicyDraft:
    """Return a draft for an act.

    :raises NotFound: if there is none.
    :raises Forbidden: if the actor may not do this.
    """
    draft = tx.session.get(PolicyDraft, draft_id)
    if draft is None:
        raise NotFound
    policy.check(tx.actor, action, draft)
    return draft


def readiness(tx: Tx, draft: PolicyDraft, kind: Kind) -> Readiness:
    """Return how far a draft is from being in force; of one that is, what it was compared with."""
    before = queries.version(tx, kind, draft.version - 1) or current(tx, kind)
    problems = list(kind.check(draft.text))
    if not problems and kind.against is not None:
        problems += kind.against(tx, draft.text)
    if draft.text == before.text:
        problems.append(f"It says exactly what version {before.version} says. Change it, or discard the draft")
    overtaken = draft.state is DraftState.OPEN and current(tx, kind).version >= draft.version
    return Readiness(before, tuple(problems), tuple(queries.signatures(tx, draft)), overtaken)


def edit_draft(tx: Tx, *, draft: PolicyDraft, text: str, row_version: int) -> None:
    """Give a draft another text; what is wrong with it is said and kept. Signatures on the earlier text are none on it.

    :raises Refused: if there is no text or too much of it; ``problems["text"]``.
    :raises Conflict: if it was edited meanwhile, published or discarded.
    """
    policy.check(tx.actor, Action.POLICY_DRAFT, draft)
    _check_open(draft)
    text = _clean(text)
    was, digest = draft.digest, digest_of(text)
    if digest == was:
        return
    if _open_with(tx, draft.kind, digest):
        raise Conflict("Another open draft has exactly this text. Go on with that one, or discard it first.")
    _change(tx, draft, row_version, text=text, digest=digest, updated_by=_person(tx), updated_at=tx.now)
    tx.record(PolicyDraftEdited(draft.id, draft.kind, draft.version, was, digest))


def move_draft(tx: Tx, *, draft: PolicyDraft, kind: Kind, row_version: int) -> None:
    """Put a draft behind the version that was published since it was begun. Its text stays; signatures are void.

    :raises Conflict: if it was edited meanwhile, published or discarded.
    """
    policy.check(tx.actor, Action.POLICY_DRAFT, draft)
    _check_open(draft)
    was, following = draft.version, current(tx, kind).version + 1
    if was == following:
        return
    _change(tx, draft, row_version, version=following, updated_by=_person(tx), updated_at=tx.now)
    tx.record(PolicyDraftMoved(draft.id, draft.kind, was, following))


def discard_draft(tx: Tx, *, draft: PolicyDraft, row_version: int) -> None:
    """Give a draft up; its text and its signatures are kept.

    :raises Conflict: if it was edited meanwhile, published or discarded.
    """
    policy.check(tx.actor, Action.POLICY_DRAFT, draft)
    _change(tx, draft, row_version, state=DraftState.DISCARDED)
    tx.record(PolicyDraftDiscarded(draft.id, draft.kind, draft.version))


def sign_draft(tx: Tx, *, draft: PolicyDraft, kind: Kind, digest_seen: str, row_version: int) -> PolicyVersion | None:
    """Sign the text that was shown; with the second person's signature on the same text it is in force.

    A signature counts while its person may publish: whoever lost the role has not signed (S7). Signing what is in
    force already gives the version.

    :returns: the published version, or None while another person has to sign.
    :raises Forbidden: for anybody but a lead approver or a program admin.
    :raises Conflict: if the text is another than the one shown, or the actor signed it already.
    :raises Refused: while there are problems.
    """
    policy.check(tx.actor, Action.POLICY_PUBLISH, draft)
    person_id = _person(tx)
    # The kind first, then the draft: the same order for everybody, and what is checked below stays true.
    tx.session.execute(
        sa.text("SELECT pg_advisory_xact_lock(hashtextextended('policy_version:' || :kind, 0))"), {"kind": kind.name}
    )
    queries.forget(tx)
    tx.session.refresh(draft, with_for_update=True)
    if draft.state is DraftState.PUBLISHED and draft.published_id and draft.digest == digest_seen:
        return tx.session.get_one(PolicyVersion, draft.published_id)
    _check_open(draft)
    if draft.digest != digest_seen or draft.row_version != row_version:
        raise Conflict("The draft was edited since you read it. Read it again before you sign.", current=_now(draft))
    state = readiness(tx, draft, kind)
    if state.overtaken:
        raise Conflict(
            f"Version {current(tx, kind).version} was published meanwhile. Compare the draft with it before you sign.",
            current=_now(draft),
        )
    if state.problems:
        raise Refused("\n".join(f"{each}." for each in state.problems))
    eligible = hold_publishers(tx, {person_id, *(line.signed_by for line in state.signatures)})
    if person_id not in eligible:
        raise Forbidden("Your role does not allow this.")
    _sign(tx, draft, person_id, state.signatures)
    signed_by = {person_id, *(line.signed_by for line in state.signatures)} & eligible
    if len(signed_by) < SIGNATURES_NEEDED:
        return None
    return _publish(tx, draft, person_id, state.before)


def _sign(tx: Tx, draft: PolicyDraft, person_id: UUID, signatures: Sequence[SignatureLine]) -> None:
    if any(line.signed_by == person_id for line in signatures):
        raise Conflict("You signed this text already. Another person signs it to publish it.", current=_now(draft))
    tx.session.add(
        PolicySignature(
            draft_id=draft.id,
            version=draft.version,
            digest=draft.digest,
            signed_by=person_id,
            signed_name=tx.actor.name,
            signed_at=tx.now,
        )
    )
    tx.session.flush()
    tx.record(PolicyDraftSigned(draft.id, draft.kind, draft.version, draft.digest, person_id))


def _publish(tx: Tx, draft: PolicyDraft, person_id: UUID, before: Published) -> PolicyVersion:
    row = PolicyVersion(
        id=tx.new_id(),
        kind=draft.kind,
        version=draft.version,
        text=draft.text,
        digest=draft.digest,
        written_by=draft.updated_by,
        published_by=person_id,
        published_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    _change(tx, draft, draft.row_version, state=DraftState.PUBLISHED, published_id=row.id)
    queries.forget(tx)
    tx.record(PolicyPublished(row.id, row.kind, row.version, before.digest, row.digest))
    return row


def _person(tx: Tx) -> UUID:
    if tx.actor.kind is not ActorKind.PERSON or tx.actor.id is None:
        raise Forbidden("Only a person of the lab writes or signs a policy.")
    return tx.actor.id


def _change(tx: Tx, draft: PolicyDraft, row_version: int, **change: object) -> None:
    expect = {"row_version": row_version, "state": DraftState.OPEN}
    if not swap(tx, draft, expect=expect, change={**change, "row_version": row_version + 1}):
        _check_open(draft)
        who = get_one(tx, sa.select(UserAccount.full_name).where(UserAccount.id == draft.updated_by)) or "Somebody"
        raise Conflict(f"{who} edited this draft meanwhile. Nothing of yours was saved over it.", current=_now(draft))


def _check_open(draft: PolicyDraft) -> None:
    if draft.state is not DraftState.OPEN:
        raise Conflict(f"{OVER[draft.state]}.", current=_now(draft))


def _clean(text: str) -> str:
    """Return the text with the line ends of a file.

    :raises Refused: if there is none, or too much.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    if not lines.strip():
        raise Refused(problems={"text": ["Write the policy, or discard the draft"]})
    if "\x00" in lines:
        raise Refused(problems={"text": ["The text holds a character that no text has (NUL). Take it out"]})
    if len(lines.encode()) > MAX_TEXT:
        raise Refused(problems={"text": [f"The text must be smaller than {MAX_TEXT // 1000} kB"]})
    return lines if lines.endswith("\n") else lines + "\n"


def _open_with(tx: Tx, kind: str, digest: str) -> PolicyDraft | None:
    return get_one(
        tx,
        sa.select(PolicyDraft).where(
            PolicyDraft.kind == kind, PolicyDraft.digest == digest, PolicyDraft.state == DraftState.OPEN
        ),
    )


def _now(draft: PolicyDraft) -> dict[str, object]:
    return {"state": draft.state.value, "digest": draft.digest, "row_version": draft.row_version}

"""Drafts of questionnaire versions: begun, edited, decided change by change, and published by two people."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from portal.questionnaires import queries, versions
from portal.questionnaires.facts import (
    ChangeDecided,
    DraftDiscarded,
    DraftEdited,
    DraftSigned,
    QuestionnaireDrafted,
)
from portal.questionnaires.models import QuestionnaireDraft, QuestionnaireSignature, QuestionnaireVersion
from portal.questionnaires.readiness import Readiness, compile_source, readiness
from portal.questionnaires.rules import Changes, Claim, Decision, DefinitionError, Questionnaire, meaning
from portal.questionnaires.rules.diff import Change
from portal.terms import DraftState

MAX_SOURCE: Final = 1_000_000
MAX_NOTES: Final = 500
MAX_NOTE: Final = 1_000
OVER: Final = {
    DraftState.PUBLISHED: "This draft is published. A published version never changes: start the next version",
    DraftState.DISCARDED: "This draft was discarded. Start another one",
}


def create_draft(tx: Tx, *, source: bytes, origin: str, name: str, notes: Sequence[str] = ()) -> QuestionnaireDraft:
    """Begin a draft. The same text as an open draft's gives that draft, so that two people can begin it.

    :param origin: where the text is from: file, edit, import:vsaq …
    :param name: what problems call the file.
    :param notes: what an importer has to say about its work.
    :raises Refused: if it does not compile; ``problems["source"]`` has every file, line and column.
    """
    policy.check(tx.actor, Action.QUESTIONNAIRE_DRAFT, None)
    _check_size(source)
    digest = hashlib.sha256(source).hexdigest()
    if found := _open_with(tx, digest):
        return found
    questionnaire = compile_source(source, name)
    row = QuestionnaireDraft(
        id=tx.new_id(),
        slug=questionnaire.slug,
        version=questionnaire.version,
        title=questionnaire.title,
        source=source,
        digest=digest,
        origin=origin,
        notes=[note[:MAX_NOTE] for note in notes[:MAX_NOTES]],
        created_by=tx.actor.id,
        created_at=tx.now,
        updated_by=tx.actor.id,
        updated_at=tx.now,
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(row)
            tx.session.flush()
    except IntegrityError:
        if rival := _open_with(tx, digest):
            return rival
        raise
    tx.record(QuestionnaireDrafted(row.id, row.slug, row.version, digest, origin))
    return row


def draft_from(tx: Tx, *, questionnaire_id: UUID) -> QuestionnaireDraft:
    """Begin the next version of a published one: its text, with the next number and nothing decided.

    :raises NotFound: if there is no such version.
    """
    row = versions.get(tx, questionnaire_id)
    newest = queries.newest(tx, row.slug) or row
    with _editing():
        source = meaning.with_version(versions.source_of(tx, questionnaire_id), newest.version + 1)
        source = meaning.with_decisions(source, Changes(since=newest.version, decisions=()))
    return create_draft(tx, source=source, origin=f"version:{row.version}", name=f"{row.slug} v{newest.version + 1}")


def get_draft(tx: Tx, draft_id: UUID, action: Action) -> QuestionnaireDraft:
    """Return a draft for an act.

    :raises NotFound: if there is none.
    :raises Forbidden: if the actor may not do this.
    """
    draft = tx.session.get(QuestionnaireDraft, draft_id)
    if draft is None:
        raise NotFound
    policy.check(tx.actor, action, draft)
    return draft


def edit_draft(tx: Tx, *, draft: QuestionnaireDraft, source: bytes, row_version: int) -> None:
    """Give a draft another text. Signatures on the earlier text are none on this one.

    :raises Refused: if it does not compile, or is another questionnaire's.
    :raises Conflict: if it was edited meanwhile, published or discarded.
    """
    policy.check(tx.actor, Action.QUESTIONNAIRE_DRAFT, draft)
    _check_size(source)
    _rewrite(tx, draft, source, row_version)


def decide_change(
    tx: Tx,
    *,
    draft: QuestionnaireDraft,
    key: str,
    part: str,
    of: str,
    claim: Claim,
    note: str,
    row_version: int,
) -> None:
    """Write the author's word on one change into the draft, and give the question the revision that follows from it.

    :raises Refused: if the word does not fit the change; ``problems["note"]`` or ``problems["claim"]``.
    :raises Conflict: if the change is not there any more, or the draft was edited meanwhile.
    """
    policy.check(tx.actor, Action.QUESTIONNAIRE_DRAFT, draft)
    _check_open(draft)
    state = readiness(tx, draft)
    change = next((each for each in state.to_decide if (each.key, each.part) == (key, part)), None)
    if change is None or change.of != of:
        raise Conflict("This change was edited meanwhile. Read it again before you decide.", current=_current(draft))
    decision = Decision(key, part, claim, change.of, " ".join(note.split()))
    if problems := meaning.refusals(change, decision):
        raise Refused(problems=problems)
    _decide(tx, draft, state, [(change, decision)], row_version)


def accept_proposals(tx: Tx, *, draft: QuestionnaireDraft, row_version: int) -> int:
    """Call every undecided change the same claim where that is proposed; return how many there were.

    The text then also says which version it is compared with, though no change may need a decision.

    :raises Conflict: if the draft was edited meanwhile, published or discarded.
    """
    policy.check(tx.actor, Action.QUESTIONNAIRE_DRAFT, draft)
    _check_open(draft)
    state = readiness(tx, draft)
    accepted = [
        (change, Decision(change.key, change.part, Claim.SAME, change.of, "")) for change in presentation(state)
    ]
    if accepted or state.lacks_block:
        _decide(tx, draft, state, accepted, row_version)
    return len(accepted)


def presentation(state: Readiness) -> tuple[Change, ...]:
    """Return the undecided changes that are proposed as the same claim; none of them is weighty."""
    left = {(each.change.key, each.change.part) for each in state.undecided}
    return tuple(
        change
        for change in state.to_decide
        if change.proposal is Claim.SAME and not change.weighty and (change.key, change.part) in left
    )


def discard_draft(tx: Tx, *, draft: QuestionnaireDraft, row_version: int) -> None:
    """Give a draft up; its text and its signatures are kept.

    :raises Conflict: if it was edited meanwhile, published or discarded.
    """
    policy.check(tx.actor, Action.QUESTIONNAIRE_DRAFT, draft)
    _change(tx, draft, row_version, state=DraftState.DISCARDED)
    tx.record(DraftDiscarded(draft.id, draft.slug, draft.version))


def sign_draft(tx: Tx, *, draft: QuestionnaireDraft, digest_seen: str, row_version: int) -> QuestionnaireVersion | None:
    """Sign the text that was shown; with the second person's signature on the same text it is published.

    A signature counts while its person may publish: whoever lost the role has not signed (S7). Signing what is
    published already gives the version.

    :returns: the published version, or None while another person has to sign.
    :raises Forbidden: for anybody but a lead approver or a program admin.
    :raises Conflict: if the text is another than the one shown, or the actor signed it already.
    :raises Refused: while there are problems or undecided changes.
    """
    policy.check(tx.actor, Action.QUESTIONNAIRE_PUBLISH, draft)
    if tx.actor.kind is not ActorKind.PERSON or tx.actor.id is None:
        raise Forbidden("Only a person of the lab signs a questionnaire.")
    # The shelf first, then the draft: the same order for everybody, and what is checked below stays true.
    versions.hold_shelf(tx)
    tx.session.refresh(draft, with_for_update=True)
    if draft.state is DraftState.PUBLISHED and draft.published_id and draft.digest == digest_seen:
        return versions.get(tx, draft.published_id)
    _check_open(draft)
    if draft.digest != digest_seen or draft.row_version != row_version:
        raise Conflict(
            "The draft was edited since you read it. Read it again before you sign.", current=_current(draft)
        )
    state = readiness(tx, draft)
    if not state.is_ready:
        raise Refused("\n".join(map(str, state.problems)))
    eligible = hold_publishers(tx, {tx.actor.id, *(line.signed_by for line in state.signatures)})
    if tx.actor.id not in eligible:
        raise Forbidden("Your role does not allow this.")
    _sign(tx, draft, tx.actor.id, state)
    signed_by = {tx.actor.id, *(line.signed_by for line in state.signatures)} & eligible
    if len(signed_by) < SIGNATURES_NEEDED:
        return None
    version = versions.store(tx, questionnaire=state.questionnaire, source=bytes(draft.source))
    _change(tx, draft, draft.row_version, state=DraftState.PUBLISHED, published_id=version.id)
    return version


def _sign(tx: Tx, draft: QuestionnaireDraft, person_id: UUID, state: Readiness) -> None:
    if any(line.signed_by == person_id for line in state.signatures):
        raise Conflict("You signed this text already. Another person signs it to publish it.", current=_current(draft))
    tx.session.add(
        QuestionnaireSignature(
            draft_id=draft.id, digest=draft.digest, signed_by=person_id, signed_name=tx.actor.name, signed_at=tx.now
        )
    )
    tx.session.flush()
    tx.record(DraftSigned(draft.id, draft.slug, draft.version, draft.digest, person_id))


def _decide(
    tx: Tx,
    draft: QuestionnaireDraft,
    state: Readiness,
    decided: Sequence[tuple[Change, Decision]],
    row_version: int,
) -> None:
    """Write decisions into the text, in the order of the changes; what decides nothing any more is left out."""
    if state.before is None or state.previous is None:
        raise Conflict("There is no earlier version to compare this draft with.", current=_current(draft))
    earlier = state.questionnaire.changes.decisions if state.questionnaire.changes else ()
    known = {(each.key, each.part): each for each in earlier}
    known |= {(each.key, each.part): each for _, each in decided}
    kept = [known[each.key, each.part] for each in state.to_decide if (each.key, each.part) in known]
    source = bytes(draft.source)
    with _editing():
        for key in dict.fromkeys(change.key for change, _ in decided):
            if key in state.before and key in state.questionnaire:
                changed = any(each.key == key and each.claim is Claim.CHANGED for each in kept)
                source = _with_revision(source, key, state.before, state.questionnaire, changed=changed)
        source = meaning.with_decisions(source, Changes(since=state.previous.version, decisions=tuple(kept)))
    _rewrite(tx, draft, source, row_version, is_edit=False)
    for change, each in decided:
        tx.record(
            ChangeDecided(
                draft.id, draft.slug, draft.version, each.key, each.part, each.claim.value, change.of, draft.digest
            )
        )


@contextmanager
def _editing() -> Iterator[None]:
    """Refuse an edit that a file's way of writing does not take, such as one in braces."""
    try:
        yield
    except DefinitionError as failure:
        raise Refused(problems={"source": [problem.message for problem in failure.problems]}) from failure


def _with_revision(source: bytes, key: str, before: Questionnaire, now: Questionnaire, *, changed: bool) -> bytes:
    """Return the text with the revision that follows: one more than before for a changed claim, else the same."""
    old, new = before.question(key).revision, now.question(key).revision
    wanted = max(old + 1, new) if changed else old
    return source if wanted == new else meaning.with_revision(source, key, wanted)


def _rewrite(tx: Tx, draft: QuestionnaireDraft, source: bytes, row_version: int, *, is_edit: bool = True) -> None:
    _check_open(draft)
    questionnaire = compile_source(source, f"{draft.slug}/v{draft.version}.yaml")
    if questionnaire.slug != draft.slug:
        words = f"This draft is of “{draft.slug}”. Start another draft for “{questionnaire.slug}”"
        raise Refused(problems={"source": [words]})
    was, digest = draft.digest, questionnaire.digest
    if digest == was:
        return
    if _open_with(tx, digest):
        raise Conflict("Another open draft has exactly this text. Go on with that one, or discard it first.")
    _change(
        tx,
        draft,
        row_version,
        source=source,
        digest=digest,
        version=questionnaire.version,
        title=questionnaire.title,
        updated_by=tx.actor.id,
        updated_at=tx.now,
    )
    if is_edit:
        tx.record(DraftEdited(draft.id, draft.slug, draft.version, was, digest))


def _change(tx: Tx, draft: QuestionnaireDraft, row_version: int, **change: object) -> None:
    expect = {"row_version": row_version, "state": DraftState.OPEN}
    if not swap(tx, draft, expect=expect, change={**change, "row_version": row_version + 1}):
        _check_open(draft)
        who = get_one(tx, sa.select(UserAccount.full_name).where(UserAccount.id == draft.updated_by)) or "Somebody"
        raise Conflict(
            f"{who} edited this draft meanwhile. Nothing of yours was saved over it.", current=_current(draft)
        )


def _check_open(draft: QuestionnaireDraft) -> None:
    if draft.state is not DraftState.OPEN:
        raise Conflict(f"{OVER[draft.state]}.", current=_current(draft))


def _check_size(source: bytes) -> None:
    if not source.strip():
        raise Refused(problems={"source": ["The file is empty"]})
    if len(source) > MAX_SOURCE:
        raise Refused(problems={"source": [f"The text must be smaller than 1 MB; this one has {len(source):,} bytes"]})


def _open_with(tx: Tx, digest: str) -> QuestionnaireDraft | None:
    return get_one(
        tx,
        sa.select(QuestionnaireDraft).where(
            QuestionnaireDraft.digest == digest, QuestionnaireDraft.state == DraftState.OPEN
        ),
    )


def _current(draft: QuestionnaireDraft) -> dict[str, object]:
    return {"state": draft.state.value, "digest": draft.digest, "row_version": draft.row_version}

"""What somebody has typed of a decision and not proposed yet: one draft for each review and person, their own alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from portal import policy
from portal.kernel.errors import Conflict, Forbidden, Refused
from portal.kernel.ledger import Tx
from portal.kernel.swap import swap
from portal.policy import Action
from portal.reviews.models import DecisionDraft, Review

MAX_DRAFT: Final = 100_000
ELSEWHERE = "You saved this draft again since you opened this page, in another window. Nothing was overwritten."


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One's own draft: the fields as typed, what the page showed then, and when it was saved."""

    body: dict[str, str]
    basis: dict[str, Any]
    saved_at: datetime
    row_version: int


def draft_of(tx: Tx, review: Review) -> DraftLine | None:
    """Return the actor's own draft of a decision on this review, if there is one."""
    row = _row(tx, review)
    if row is None or row.saved_at is None:
        return None
    return DraftLine({name: str(value) for name, value in row.body.items()}, row.basis, row.saved_at, row.row_version)


def draft_version(tx: Tx, review: Review) -> int:
    """Return the version of the actor's draft that a page is made from; 0 if there never was one."""
    row = _row(tx, review)
    return row.row_version if row is not None else 0


def save_draft(
    tx: Tx, *, review: Review, body: Mapping[str, str], basis: Mapping[str, Any], row_version: int
) -> DraftLine:
    """Keep what was typed, over the version that was seen; return the draft. Nobody else sees it.

    :param basis: what the page showed (``documents.basis``), to say later what changed since.
    :raises Forbidden: if the actor prepares no decision on this review.
    :raises Refused: if it is too long.
    :raises Conflict: if it was saved elsewhere since.
    """
    policy.check(tx.actor, Action.DECISION_PREPARE, review)
    if tx.actor.id is None:
        raise Forbidden("A person does this.")
    if len(json.dumps([dict(body), dict(basis)])) > MAX_DRAFT:
        raise Refused("This is too long to keep as a draft. Shorten the reason, the letter or the conditions.")
    row = _row(tx, review)
    change: dict[str, Any] = {"body": dict(body), "basis": dict(basis), "saved_at": tx.now}
    if row is None:
        if row_version:
            raise Conflict(ELSEWHERE)
        row = DecisionDraft(review_id=review.id, person_id=tx.actor.id, vendor_id=review.vendor_id, **change)
        try:
            with tx.session.begin_nested():
                tx.session.add(row)
                tx.session.flush()
        except IntegrityError:
            raise Conflict(ELSEWHERE) from None
    elif not swap(tx, row, expect={"row_version": row_version}, change={**change, "row_version": row_version + 1}):
        raise Conflict(ELSEWHERE, current={"row_version": row.row_version})
    return DraftLine(dict(body), dict(basis), tx.now, row.row_version)


def drop_draft(tx: Tx, review: Review) -> None:
    """Throw the actor's own draft away; nothing happens if there is none."""
    row = _row(tx, review)
    if row is not None and row.saved_at is not None:
        change: dict[str, Any] = {"body": {}, "basis": {}, "saved_at": None, "row_version": row.row_version + 1}
        swap(tx, row, expect={"row_version": row.row_version}, change=change)


def _row(tx: Tx, review: Review) -> DecisionDraft | None:
    mine: UUID | None = tx.actor.id
    return tx.session.get(DecisionDraft, (review.id, mine), populate_existing=True) if mine is not None else None

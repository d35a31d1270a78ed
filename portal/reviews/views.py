"""Lists of the queue that a person gave a name: each is a link, kept as the part of the address that asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.identity.models import UserAccount
from portal.kernel.errors import Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.reviews.facts import ViewRemoved, ViewSaved
from portal.reviews.models import SavedView
from portal.reviews.rules import Wanted

MOST: Final = 12
LONGEST: Final = 40


@dataclass(frozen=True, slots=True)
class ViewLine:
    """A list that the actor named."""

    id: UUID
    name: str
    wanted: Wanted


def own_views(tx: Tx) -> Sequence[ViewLine]:
    """Return the lists that the actor named, the oldest first."""
    statement = (
        sa.select(SavedView.id, SavedView.name, SavedView.query)
        .where(SavedView.user_id == tx.actor.id, SavedView.removed_at.is_(None))
        .order_by(SavedView.saved_at, SavedView.id)
        .limit(MOST)
    )
    return [
        ViewLine(row.id, row.name, Wanted.read(dict(parse_qsl(row.query)))) for row in tx.session.execute(statement)
    ]


def save_view(tx: Tx, *, name: str, wanted: Wanted) -> UUID:
    """Give a list a name; return its id.

    :raises Forbidden: if the actor reads no reviews.
    :raises Refused: with problems at name.
    """
    policy.check(tx.actor, Action.VIEW_KEEP, None)
    if tx.actor.id is None:
        raise Forbidden("A person must do this.")
    words = " ".join(name.split())
    # One at a time for each person, so that the names are counted and compared while nobody else adds one.
    tx.session.execute(sa.select(UserAccount.id).where(UserAccount.id == tx.actor.id).with_for_update())
    others = own_views(tx)
    problem = ""
    if not words:
        problem = "Enter a name, for example Tier 1 renewals"
    elif len(words) > LONGEST:
        problem = f"Use at most {LONGEST} characters"
    elif words.lower() in {each.name.lower() for each in others}:
        problem = f"You have a view named {words} already. Choose another name, or remove that one"
    elif len(others) >= MOST:
        problem = f"You have {MOST} views. Remove one first"
    if problem:
        raise Refused(problems={"name": [problem]})
    row = SavedView(id=tx.new_id(), user_id=tx.actor.id, name=words, query=urlencode(wanted.written()), saved_at=tx.now)
    tx.session.add(row)
    tx.session.flush()
    tx.record(ViewSaved(row.id, tx.actor.id))
    return row.id


def remove_view(tx: Tx, *, view_id: UUID) -> str:
    """Give up a list that the actor named; return its name.

    :raises NotFound: if the actor has none of this id.
    """
    policy.check(tx.actor, Action.VIEW_KEEP, None)
    statement = (
        sa.update(SavedView)
        .where(SavedView.id == view_id, SavedView.user_id == tx.actor.id, SavedView.removed_at.is_(None))
        .values(removed_at=tx.now)
        .returning(SavedView.name)
    )
    name = tx.session.execute(statement).scalar_one_or_none()
    if name is None or tx.actor.id is None:
        raise NotFound
    tx.record(ViewRemoved(view_id, tx.actor.id))
    return str(name)

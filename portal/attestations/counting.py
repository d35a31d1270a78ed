"""How much rests on a file: the answers that it proves now, those nobody judged yet, those to check again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal.attestations.models import Citation
from portal.evidence.models import Evidence
from portal.evidence.rules import KEPT
from portal.kernel.ledger import Tx
from portal.terms import Acceptance

MOST_REVISIONS = 50
"""How far back revisions are followed; a longer chain is no chain of revisions of one document."""


@dataclass(frozen=True, slots=True)
class UseCount:
    """Live citations by what a reviewer has still to say of them.

    ``again``: those of an older revision, where nobody has said yet that this one proves the same.
    """

    answers: int = 0
    unjudged: int = 0
    again: int = 0


def counts_of(tx: Tx, evidence_ids: Collection[UUID]) -> Mapping[UUID, UseCount]:
    """Return the count of each of these files that has any; one statement, however many there are."""
    if not evidence_ids:
        return {}
    return {head: count for head, count in _counted(tx, Evidence.id.in_(list(evidence_ids))) if count != UseCount()}


def to_check_again(tx: Tx, *, limit: int = 500) -> list[UUID]:
    """Return the newest revisions on which a reviewer has still to say whether they prove what the older one did."""
    newer = sa.and_(Evidence.supersedes_id.is_not(None), Evidence.state.in_(KEPT), Evidence.removed_at.is_(None))
    return [head for head, count in _counted(tx, newer) if count.again][:limit]


def _counted(tx: Tx, wanted: sa.ColumnElement[bool]) -> list[tuple[UUID, UseCount]]:
    """Walk from each wanted file back through the revisions it replaced, and count the live citations of all."""
    chain = (
        sa.select(
            Evidence.id.label("head"),
            Evidence.id.label("member"),
            Evidence.supersedes_id.label("older"),
            sa.literal(0).label("steps"),
        )
        .where(wanted)
        .cte("revision", recursive=True)
    )
    older = sa.select(chain.c.head, Evidence.id, Evidence.supersedes_id, chain.c.steps + 1).join(
        chain, Evidence.id == chain.c.older
    )
    chain = chain.union_all(older.where(chain.c.steps < MOST_REVISIONS))
    later = aliased(Evidence)
    newest = ~sa.exists().where(
        later.supersedes_id == chain.c.head,
        later.state.in_(KEPT),
        later.removed_at.is_(None),
    )
    own = sa.or_(chain.c.member == chain.c.head, Citation.checked_evidence_id.is_not_distinct_from(chain.c.head))
    again = sa.and_(~own, newest, Citation.acceptance != Acceptance.REJECTED)
    counts = (
        sa.func.count().filter(own),
        sa.func.count().filter(own, Citation.acceptance == Acceptance.UNJUDGED),
        sa.func.count().filter(again),
    )
    statement = (
        sa.select(chain.c.head, *counts)
        .join(Citation, Citation.evidence_id == chain.c.member)
        .where(Citation.removed_at.is_(None))
        .group_by(chain.c.head)
        .order_by(chain.c.head)
    )
    return [(head, UseCount(*numbers)) for head, *numbers in tx.session.execute(statement)]

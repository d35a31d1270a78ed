"""What was worked out of a vendor's rows, kept for as long as nothing happened to that vendor.

Every change of state leaves an event about its vendor in the transaction that makes it (security.md, the trail's
promise). So the newest event names a state of the vendor's rows: its hash covers every event before it. What was
worked out under one hash is worked out again under no other.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal.audit.models import AuditEvent
from portal.audit.service import name_of_kind
from portal.kernel.ledger import Fact, Tx
from portal.kernel.memo import Memo

T = TypeVar("T")
MOST = 160
"""Results that a process keeps."""

_kept: Memo[Any] = Memo(MOST)


@dataclass(frozen=True, slots=True)
class Keeper:
    """What is known of a vendor as it stood at one moment. ``stamp`` is None where nothing known may be used."""

    vendor_id: UUID
    stamp: bytes | None

    def of(self, name: Hashable, compute: Callable[[], T]) -> T:
        """Return what is known under a name, or compute it now.

        The result must be made of the vendor's rows and of what the name says, and of nothing else: no clock, no
        reader, no row of a session. It is shared, so nobody changes it.
        """
        if self.stamp is None:
            return compute()
        return cast(T, _kept.of((name, self.vendor_id, self.stamp), compute))


def keeper(tx: Tx, vendor_id: UUID, *, but: frozenset[type[Fact]] = frozenset()) -> Keeper:
    """Return what keeps results about a vendor as it stands now. Ask anew after every lock that was waited for.

    The stamp is read before the rows: what is committed in between is in them, and in the next stamp.

    :param but: facts that do not touch what the results are made of. Any other fact about the vendor ends them.
    """
    if any(type(fact) not in but for fact in tx.facts):
        return Keeper(vendor_id, None)  # What this very transaction changed has no event yet.
    found = tx.session.execute(_newest(), {"of": vendor_id, "quiet": _names(but)}).scalar_one_or_none()
    return Keeper(vendor_id, found or b"")


@lru_cache(maxsize=32)
def _names(but: frozenset[type[Fact]]) -> list[str]:
    return sorted(map(name_of_kind, but))


@lru_cache(maxsize=1)
def _newest() -> sa.Select[bytes]:
    quiet = sa.bindparam("quiet", type_=postgresql.ARRAY(sa.Text))
    return (
        sa.select(AuditEvent.hash)
        .where(AuditEvent.vendor_id == sa.bindparam("of"), AuditEvent.fact != sa.all_(quiet))
        .order_by(AuditEvent.seq.desc())
        .limit(1)
    )

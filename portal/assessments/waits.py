"""How long the lab usually takes, as it was published down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal.assessments.models import UsualWait
from portal.kernel.ledger import Tx


@dataclass(frozen=True, slots=True)
class WaitLine:
    """The usual wait in working days from a signature on. ``begun`` is None where too few were claimed in time."""

    cases: int
    begun: int | None
    decided: int
    most: int
    published_at: datetime


def publish(tx: Tx, *, cases: int, begun: int | None, decided: int, most: int) -> None:
    """Say how long it usually takes, in place of what was said before."""
    content = {"cases": cases, "begun": begun, "decided": decided, "most": most, "published_at": tx.now}
    tx.session.execute(
        postgresql.insert(UsualWait)
        .values(id=1, **content)
        .on_conflict_do_update(index_elements=[UsualWait.id], set_=content)
    )


def usual_wait(tx: Tx) -> WaitLine | None:
    """Return what is usual; None while too little was decided to say so."""
    columns = (UsualWait.cases, UsualWait.begun, UsualWait.decided, UsualWait.most, UsualWait.published_at)
    row = tx.session.execute(sa.select(*columns)).one_or_none()
    return None if row is None else WaitLine(*row)


def before_working_days(end: date, days: int) -> date:
    """Return the last day from which so many working days remain until another, that day among them."""
    day = end
    while days > 0:
        days -= day.weekday() < 5
        day -= timedelta(days=1)
    return day

"""How often each system asks the gate about each vendor, counted beside the answers and never in their way.

A call is one addition in memory; a thread writes the sums down every few seconds, and what is left when the process
ends. A process that is killed loses the counts of its last seconds, and no answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.util import Finalize
from threading import Event, Lock, Thread
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal.gate.models import GateCall
from portal.gate.rules import Answer, Question, Reason
from portal.kernel.actor import system
from portal.kernel.ledger import Ledger, Tx
from portal.kernel.logging import logger
from portal.terms import AccessMode, DataClass
from portal.vendors.models import Vendor

log = logger(__name__)

EVERY = timedelta(seconds=2)
MOST_KEPT = 20_000
"""How many different sums one process keeps while the database is away; what comes on top is not counted."""
BATCH = 1_000


class Call(NamedTuple):
    """What is counted together."""

    hour: datetime
    client_id: UUID
    vendor: str
    data_class: str
    access_mode: str
    allowed: bool


def call_of(client_id: UUID, question: Question, given: Answer) -> Call | None:
    """Return as what an answer is counted; None about a vendor that the one who asks does not know.

    A class or a mode that there is not is counted under nothing, so that what a caller writes fills no table.
    """
    if Reason.UNKNOWN_VENDOR in given.reasons:
        return None
    return Call(
        given.as_of.astimezone(UTC).replace(minute=0, second=0, microsecond=0),
        client_id,
        given.vendor,
        question.data_class if question.data_class in DataClass.__members__ else "",
        question.access_mode if question.access_mode in AccessMode.__members__ else "",
        given.allow,
    )


class CallCounter:
    """The counts of one process. ``count`` never waits for the database and never fails."""

    def __init__(self, ledger: Ledger, *, every: timedelta = EVERY) -> None:
        self._ledger = ledger
        self._every = every.total_seconds()
        self._counts: Counter[Call] = Counter()
        self._lock = Lock()
        self._writing = Lock()
        self._end = Event()
        self._thread: Thread | None = None
        self._at_end: Finalize | None = None

    def count(self, call: Call | None) -> None:
        """Add one call."""
        if call is None:
            return
        with self._lock:
            if call in self._counts or len(self._counts) < MOST_KEPT:
                self._counts[call] += 1
            if self._thread is None:
                # Begun with the first call: the process that asks is the one that serves, whoever loaded it before.
                self._thread = Thread(target=self._write_on, name="gate-calls", daemon=True)
                self._thread.start()
                # A worker of the web server is a process of multiprocessing's, which passes by atexit and runs these.
                self._at_end = Finalize(None, self.close, exitpriority=10)

    def flush(self) -> int:
        """Write down what was counted, and return how many calls that is; what cannot be written is kept."""
        with self._writing:
            with self._lock:
                taken, self._counts = self._counts, Counter()
            if not taken:
                return 0
            try:
                with self._ledger.begin(system("gate calls")) as tx:
                    add(tx, taken)
            except Exception as failure:
                # Whatever it is: no answer may suffer, and nothing is forgotten.
                with self._lock:
                    self._counts.update(taken)
                log.warning("gate calls not written yet", waiting=len(taken), reason=type(failure).__name__)
                return 0
            return taken.total()

    def close(self) -> None:
        """Write down what is left, and stop."""
        self._end.set()
        self.flush()
        if self._at_end is not None:
            self._at_end.cancel()

    def _write_on(self) -> None:
        while not self._end.wait(self._every):
            self.flush()


def add(tx: Tx, counts: Mapping[Call, int]) -> None:
    """Add counted calls to the stored ones. Always in one order, so that two processes never wait for each other."""
    slugs = {each.vendor for each in counts}
    ids: dict[str, UUID] = {
        row[0]: row[1] for row in tx.session.execute(sa.select(Vendor.slug, Vendor.id).where(Vendor.slug.in_(slugs)))
    }
    rows = sorted(
        (
            {
                "vendor_id": ids[call.vendor],
                "hour": call.hour,
                "client_id": call.client_id,
                "data_class": call.data_class,
                "access_mode": call.access_mode,
                "allowed": call.allowed,
                "calls": number,
            }
            for call, number in counts.items()
            if call.vendor in ids
        ),
        key=lambda row: [str(value) for value in row.values()],
    )
    for start in range(0, len(rows), BATCH):
        statement = postgresql.insert(GateCall).values(rows[start : start + BATCH])
        tx.session.execute(
            statement.on_conflict_do_update(
                index_elements=["vendor_id", "hour", "client_id", "data_class", "access_mode", "allowed"],
                set_={"calls": GateCall.calls + statement.excluded.calls},
            )
        )


@dataclass(frozen=True, slots=True)
class CallLine:
    """How often one system asked about a vendor for one class and mode, and was allowed."""

    client_id: UUID
    data_class: str
    access_mode: str
    calls: int
    allowed: int


def calls(tx: Tx, vendor_id: UUID, since: datetime) -> Sequence[CallLine]:
    """Return the calls about a vendor in the hours that began at a moment or later, most first."""
    number = sa.func.sum(GateCall.calls)
    statement = (
        sa.select(
            GateCall.client_id,
            GateCall.data_class,
            GateCall.access_mode,
            sa.cast(number, sa.BigInteger),
            sa.cast(sa.func.coalesce(number.filter(GateCall.allowed), 0), sa.BigInteger),
        )
        .where(GateCall.vendor_id == vendor_id, GateCall.hour >= since)
        .group_by(GateCall.client_id, GateCall.data_class, GateCall.access_mode)
        .order_by(number.desc(), GateCall.client_id, GateCall.data_class, GateCall.access_mode)
        .limit(1_000)
    )
    return [CallLine(*row) for row in tx.session.execute(statement)]


def last_day(now: datetime) -> datetime:
    """Return the first of the 24 hours that "the last 24 hours" are made of: the one that runs, and 23 before it."""
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)

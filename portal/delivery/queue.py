"""Jobs, written by name into the queue's tables on the transaction's own connection: that is the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from procrastinate import SyncPsycopgConnector, tasks
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.manager import JobManager

from portal.kernel.ledger import Tx

_MANAGER = JobManager(connector=SyncPsycopgConnector())
"""Never opened: it only knows the statements. They run on the connection they are handed."""


def enqueue(tx: Tx, job_name: str, /, *, once: str | None = None, at: datetime | None = None, **args: Any) -> bool:
    """Add a job that exists if and only if this transaction commits. Return whether it was added.

    :param once: no second job with this key while one waits; then nothing is added and False is returned.
    :param at: not before this moment.
    :param args: ids and plain values; UUIDs, dates and enums travel as text.
    """
    tx.session.flush()
    connection = tx.session.connection()
    deferrer = tasks.configure_task(
        name=job_name,
        job_manager=_MANAGER,
        queueing_lock=once,
        schedule_at=at,
        connection=connection.connection.driver_connection,
        task_kwargs=msgspec.to_builtins(args),
    )
    if once is None:
        deferrer.defer()
        return True
    # The connection's own savepoint, not the session's: that one would be set with its next statement only.
    savepoint = connection.begin_nested()
    try:
        deferrer.defer()
    except AlreadyEnqueued:
        savepoint.rollback()
        return False
    savepoint.commit()
    return True

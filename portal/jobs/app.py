"""The queue as a worker sees it: every job of the house, how often it is tried, and where it ends when it fails."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.jobs import Job as QueuedJob

from portal.delivery import rules, service
from portal.jobs import (
    accepting,
    access,
    addresses,
    agreed,
    alerts,
    digests,
    ends,
    found,
    guard,
    keep,
    levels,
    likeness,
    mail,
    mornings,
    notify,
    proposals,
    reading,
    remind,
    upkeep,
    watch,
)
from portal.jobs.tools import House, Job, Pace
from portal.kernel.actor import system
from portal.kernel.logging import logger

log = logger(__name__)

FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(minutes=10)
CONNECTIONS = 6


class BackOff(BaseRetryStrategy):
    """Try a failed job again, later each time, until it was tried often enough (security.md R4)."""

    def __init__(self, *, most: int = rules.MOST_MISHAPS, chance: Callable[[], float] | None = None) -> None:
        """Take how often at most, and the source of chance that spreads retries."""
        self.most = most
        self._chance = chance or secrets.SystemRandom().random

    def get_retry_decision(self, *, exception: BaseException, job: QueuedJob) -> RetryDecision | None:  # noqa: ARG002
        """Return when to try again, None when that was the last try."""
        tries = job.attempts + 1
        if tries >= self.most:
            return None
        wait = rules.wait_before(tries, self._chance, first=FIRST_WAIT, longest=LONGEST_WAIT)
        return RetryDecision(retry_in={"milliseconds": int(wait.total_seconds() * 1000)})


def all_jobs(pace: Pace) -> tuple[Job, ...]:
    """Return every job of the house."""
    given = (
        *mail.JOBS,
        *notify.JOBS,
        *access.JOBS,
        *addresses.JOBS,
        *alerts.JOBS,
        *reading.JOBS,
        *accepting.JOBS,
        *found.JOBS,
        *agreed.JOBS,
    )
    return (
        *given,
        *likeness.jobs(pace),
        *proposals.jobs(pace),
        *remind.jobs(pace),
        *upkeep.jobs(pace),
        *keep.jobs(pace),
        *watch.jobs(pace),
        *ends.jobs(pace),
        *digests.jobs(pace),
        *mornings.jobs(pace),
        *levels.jobs(pace),
        *guard.jobs(pace),
    )


def connection_string(url: str) -> str:
    """Return a database URL as libpq reads it."""
    return sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def build(house: House, *, pace: Pace | None = None, jobs: Iterable[Job] | None = None) -> App:
    """Return the queue on the house's database, with its jobs; not yet connected."""
    pace = pace or Pace()
    app = App(
        connector=PsycopgConnector(
            conninfo=connection_string(house.database_url),
            min_size=1,
            max_size=CONNECTIONS,
            timeout=30.0,
            kwargs={
                "connect_timeout": 5,
                "application_name": "gatehouse-worker",
                "options": "-c statement_timeout=15000 -c lock_timeout=5000 -c timezone=UTC",
            },
        )
    )
    for job in all_jobs(pace) if jobs is None else jobs:
        _register(app, house, job)
    upkeep.register_stalled(app, house, pace, park)
    return app


def _register(app: App, house: House, job: Job) -> None:
    def run(context: JobContext, /, **args: Any) -> None:
        try:
            job.run(house, **args)
        except Exception as failure:
            if job.cron or context.job.attempts + 1 >= rules.MOST_MISHAPS:
                park(app, house, context.job, f"{type(failure).__name__}: {failure}", attempts=context.job.attempts + 1)
            raise

    run.__doc__ = job.run.__doc__
    task: Any = app.task(
        name=job.name,
        # What runs by the clock is not tried again: a second one with its queueing lock may wait already.
        retry=False if job.cron else BackOff(),
        pass_context=True,
        queueing_lock=job.name if job.cron else None,
    )(run)
    app_jobs(app)[job.name] = job
    if job.cron:
        app.periodic(cron=job.cron)(task)


def app_jobs(app: App) -> dict[str, Job]:
    """Return the declared jobs of a queue, by name."""
    known: dict[str, Job] = app.__dict__.setdefault("_gatehouse_jobs", {})
    return known


def park(app: App, house: House, queued: QueuedJob, reason: str, *, attempts: int) -> None:
    """Write down that a job was given up and why, and tell the job's own room."""
    name, args = queued.task_name, dict(queued.task_kwargs)
    log.error("job parked", job=name, job_id=queued.id, attempts=attempts)
    with house.ledger.begin(system(name)) as tx:
        service.park_job(tx, job_id=queued.id or 0, name=name, args=args, attempts=attempts, reason=reason)
    job = app_jobs(app).get(name)
    if job is not None and job.gave_up is not None:
        job.gave_up(house, args, reason)

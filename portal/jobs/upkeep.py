"""Jobs that keep the house: take lost jobs up again, end upload places nobody used, sweep the queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from procrastinate import App
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job as QueuedJob
from procrastinate.jobs import Status

from portal.delivery import rules
from portal.evidence import intake, reading, rescanning
from portal.identity import service as identity
from portal.jobs.tools import House, Job, Pace
from portal.kernel.actor import system
from portal.kernel.logging import logger

log = logger(__name__)

STALLED = "retry_stalled"
SWEEP = "sweep_jobs"
KEEP_HOURS = 24 * 7
DIED = "The worker stopped {times} in the middle of it."

# Jobs that a living worker finished without being able to say so: they would stay in hand for ever.
_OVERDUE = """
SELECT job.id, job.status, job.task_name, job.priority, job.lock, job.queueing_lock, job.args, job.scheduled_at,
       job.queue_name, job.attempts, job.worker_id
FROM procrastinate_jobs job
WHERE job.status = 'doing'
  AND (SELECT max(event.at) FROM procrastinate_events event WHERE event.job_id = job.id AND event.type = 'started')
      < now() - make_interval(secs => %(seconds)s)
"""

Park = Callable[..., None]


def register_stalled(app: App, house: House, pace: Pace, park: Park) -> None:
    """Add the job that takes lost jobs up again: procrastinate finds them, but leaves the doing to us.

    A job whose worker died too often is parked instead: it may be what kills them.
    """

    async def retry_stalled(timestamp: int) -> None:  # noqa: ARG001 - every periodic job is given its moment
        manager = app.job_manager
        lost: dict[int, QueuedJob] = {}
        for job in await _lost(app, pace):
            if job.id is not None:
                lost[job.id] = job
        for job in lost.values():
            tries = job.attempts + 1
            try:
                if tries >= rules.MOST_MISHAPS:
                    reason = DIED.format(times=rules.count(tries, "time"))
                    await asyncio.to_thread(park, app, house, job, reason, attempts=tries)
                    await manager.finish_job(job=job, status=Status.FAILED, delete_job=False)
                else:
                    await manager.retry_job(job=job)
                    log.warning("lost job taken up again", job=job.task_name, job_id=job.id, attempts=tries)
            except UniqueViolation:
                # It runs by the clock, and the next one waits already: that one does the work.
                await manager.finish_job(job=job, status=Status.FAILED, delete_job=False)
            except ConnectorException:
                # Somebody else was faster, here or in another worker: it is not in hand any more.
                log.info("lost job already taken care of", job=job.task_name, job_id=job.id)

    async def sweep_jobs(timestamp: int) -> None:  # noqa: ARG001 - every periodic job is given its moment
        await app.job_manager.delete_old_jobs(nb_hours=KEEP_HOURS, include_cancelled=True, include_aborted=True)

    app.periodic(cron=pace.stalled_cron)(app.task(name=STALLED, queueing_lock=STALLED)(retry_stalled))
    app.periodic(cron=pace.sweep_cron)(app.task(name=SWEEP, queueing_lock=SWEEP)(sweep_jobs))


async def _lost(app: App, pace: Pace) -> Iterable[QueuedJob]:
    dead = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=pace.dead_after)
    rows = await app.connector.execute_query_all_async(_OVERDUE, seconds=pace.longest_job)
    return [*dead, *(QueuedJob.from_row(row) for row in rows)]


def expire_uploads(house: House, *, timestamp: int = 0) -> None:  # noqa: ARG001 - every periodic job is given its moment
    """Let go of places for files that did not come in time, and of what came of them."""
    intake.expire(house.ledger, system("expire_uploads"), store=house.store)


def check_files(house: House, *, timestamp: int = 0) -> None:  # noqa: ARG001 - every periodic job is given its moment
    """Check the files that arrived while the scanner or the store was away (security.md R8)."""
    intake.check_waiting(house.ledger, system("check_files"), store=house.store, scanner_url=house.settings.scanner)


def scan_again(house: House, *, timestamp: int = 0) -> None:  # noqa: ARG001 - every periodic job is given its moment
    """Scan the files that were taken in before there was a scanner."""
    if house.settings.scanner_url:
        url = house.settings.scanner_url
        rescanning.scan_again(house.ledger, system("scan_again"), store=house.store, scanner_url=url)


def read_waiting(house: House, *, timestamp: int = 0) -> None:  # noqa: ARG001 - every periodic job is given its moment
    """Queue the files whose text still waits to be read, because the store was away or nobody could read then."""
    with house.ledger.begin(system("read_waiting")) as tx:
        reading.ask_again(tx)


def sweep_counters(house: House, *, timestamp: int = 0) -> None:  # noqa: ARG001 - every periodic job is given its moment
    """Remove the counters of tries whose windows are long over, and the challenges that nobody could use again."""
    with house.ledger.begin(system("sweep_counters")) as tx:
        identity.purge(tx)
        identity.purge_challenges(tx)


def jobs(pace: Pace) -> tuple[Job, ...]:
    """Return the jobs of this module that run by the clock."""
    return (
        Job("expire_uploads", expire_uploads, cron=pace.expire_cron),
        Job("check_files", check_files, cron=pace.expire_cron),
        Job("scan_again", scan_again, cron=pace.expire_cron),
        Job("read_waiting", read_waiting, cron=pace.expire_cron),
        Job("sweep_counters", sweep_counters, cron=pace.sweep_cron),
    )

"""The worker: takes jobs as they come, stops gracefully, and comes back for what a dead one left behind."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from procrastinate import App

from portal.delivery import transport
from portal.jobs.app import build
from portal.jobs.tools import House, Job, Pace
from portal.kernel.logging import logger

log = logger(__name__)

CONCURRENCY = 4


def run_worker(
    house: House, *, once: bool = False, pace: Pace | None = None, jobs: Iterable[Job] | None = None
) -> bool:
    """Work until SIGTERM or SIGINT; with ``once`` until nothing waits. Return whether it ended as asked.

    The first signal lets jobs in hand finish for ``pace.drain`` seconds. It ends unasked, with False, when the
    database is away for longer than half a minute: whoever started it starts it again.
    """
    pace = pace or Pace()
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    for problem in transport.problems(house.settings.smtp_url, production=house.settings.production):
        log.warning("mail cannot leave", problem=problem)
    app = build(house, pace=pace, jobs=jobs)
    if once:
        app.periodic_registry.periodic_tasks.clear()
    if not once:
        return asyncio.run(_run(app, pace, once=False))
    # In a thread of its own, so that the caller may have an event loop.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, _run(app, pace, once=True)).result()


async def _run(app: App, pace: Pace, *, once: bool) -> bool:
    async with app.open_async():
        work = asyncio.ensure_future(
            app.run_worker_async(
                # One by one, what a job adds is seen before the last look at the queue.
                concurrency=1 if once else CONCURRENCY,
                wait=not once,
                listen_notify=not once,
                fetch_job_polling_interval=pace.poll,
                abort_job_polling_interval=pace.poll,
                update_heartbeat_interval=pace.beat,
                stalled_worker_timeout=pace.dead_after,
                shutdown_graceful_timeout=pace.drain,
                install_signal_handlers=False,
            )
        )
        asked = once
        loop = asyncio.get_running_loop()

        def stop() -> None:
            nonlocal asked
            asked = True
            # A second signal is not ours any more, and ends the process.
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
            work.cancel()

        if not once:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, stop)
        log.info("worker starts")
        try:
            await work
        except asyncio.CancelledError:
            if not asked:
                raise
        except Exception:
            log.exception("worker failed")
            return False
        log.info("worker stopped", asked=asked)
        return asked

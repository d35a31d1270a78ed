"""The jobs that compare reports with every other; what comes of it is portal.evidence.likeness."""

from __future__ import annotations

from uuid import UUID

from portal.evidence import likeness
from portal.jobs.tools import House, Job, Pace
from portal.kernel.actor import system


def compare_file(house: House, *, evidence_id: str) -> None:
    """Compare one file that was read, and look for traces of editing in it."""
    likeness.compare(house.ledger, system(likeness.JOB), store=house.store, evidence_id=UUID(evidence_id))


def compare_waiting(house: House, *, timestamp: int = 0) -> None:  # noqa: ARG001 - every periodic job is given its moment
    """Queue the files that were read and never compared."""
    with house.ledger.begin(system("compare_waiting")) as tx:
        likeness.ask_again(tx)


def jobs(pace: Pace) -> tuple[Job, ...]:
    """Return the jobs of this module."""
    return (Job(likeness.JOB, compare_file), Job("compare_waiting", compare_waiting, cron=pace.expire_cron))

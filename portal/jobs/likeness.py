"""The job that compares a report with every other; what comes of it is portal.evidence.likeness."""

from __future__ import annotations

from uuid import UUID

from portal.evidence import likeness
from portal.jobs.tools import House, Job
from portal.kernel.actor import system


def compare_file(house: House, *, evidence_id: str) -> None:
    """Compare one file that was read, and look for traces of editing in it."""
    likeness.compare(house.ledger, system(likeness.JOB), store=house.store, evidence_id=UUID(evidence_id))


JOBS = (Job(likeness.JOB, compare_file),)

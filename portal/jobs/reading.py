"""The job that reads the text of a file; what comes of it is portal.evidence.reading."""

from __future__ import annotations

from uuid import UUID

from portal.evidence import reading
from portal.jobs.tools import House, Job
from portal.kernel.actor import system


def read_file(house: House, *, evidence_id: str) -> None:
    """Read one file, if it still waits for it."""
    reading.read(house.ledger, system(reading.JOB), store=house.store, evidence_id=UUID(evidence_id))


JOBS = (Job(reading.JOB, read_file),)

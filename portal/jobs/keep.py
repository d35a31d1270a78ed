"""Jobs that keep what was relied on: each file once it is verified or signed with, and by night what was missed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import sqlalchemy as sa

from portal.attestations.models import AttestedCitation
from portal.evidence import retaining
from portal.evidence.files import OPENABLE
from portal.evidence.models import Evidence
from portal.jobs.tools import House, Job, Pace
from portal.kernel.actor import system
from portal.kernel.ledger import Tx
from portal.kernel.objects import StoreUnavailable
from portal.terms import EvidenceState

MOST = 500


def keep_file(house: House, *, evidence_id: str, day: str) -> None:
    """Keep one file for as long as the settings say."""
    _keep(house, UUID(evidence_id), date.fromisoformat(day))


def keep_signed_files(house: House, *, attestation_id: str, day: str) -> None:
    """Keep every file that a revision was signed with."""
    statement = (
        sa.select(AttestedCitation.evidence_id)
        .where(AttestedCitation.attestation_id == UUID(attestation_id))
        .distinct()
        .order_by(AttestedCitation.evidence_id)
    )
    with house.ledger.begin(system(retaining.KEEP_SIGNED)) as tx:
        found = tx.session.execute(statement).scalars().all()
    for evidence_id in found:
        _keep(house, evidence_id, date.fromisoformat(day))


def keep_files(house: House, *, timestamp: int = 0) -> None:  # noqa: ARG001 - every periodic job is given its moment
    """Keep the files that were relied on while the store was away for longer than a job is tried."""
    if house.settings.evidence_retention_days == 0:
        return
    with house.ledger.begin(system("keep_files")) as tx:
        found, today = missed(tx), tx.now.date()
    for evidence_id in found:
        try:
            _keep(house, evidence_id, today)
        except StoreUnavailable:
            # Tomorrow again; the log and the doctor say that the store is away.
            return


def missed(tx: Tx, *, limit: int = MOST) -> Sequence[UUID]:
    """Return the files that were verified or signed with, and that nothing keeps yet."""
    signed = sa.exists().where(AttestedCitation.evidence_id == Evidence.id)
    statement = (
        sa.select(Evidence.id)
        .where(
            Evidence.retained_until.is_(None),
            Evidence.removed_at.is_(None),
            Evidence.state.in_(list(OPENABLE)),
            sa.or_(Evidence.state == EvidenceState.VERIFIED, signed),
        )
        .order_by(Evidence.created_at, Evidence.id)
        .limit(limit)
    )
    return tx.session.execute(statement).scalars().all()


def _keep(house: House, evidence_id: UUID, day: date) -> None:
    retaining.retain(
        house.ledger,
        system(retaining.KEEP_FILE),
        store=house.store,
        evidence_id=evidence_id,
        day=day,
        days=house.settings.evidence_retention_days,
    )


def jobs(pace: Pace) -> tuple[Job, ...]:
    """Return the jobs of this module."""
    return (
        Job(retaining.KEEP_FILE, keep_file),
        Job(retaining.KEEP_SIGNED, keep_signed_files),
        Job("keep_files", keep_files, cron=pace.sweep_cron),
    )

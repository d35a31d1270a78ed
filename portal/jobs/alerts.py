"""The job that tells the program admins what somebody has to look at now (security.md, threats 15 and 17)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from portal.delivery.follow import NOTIFY_ALERT
from portal.evidence.models import Evidence
from portal.jobs import recipients
from portal.jobs.tools import House, Job
from portal.kernel.actor import system
from portal.terms import Role, ScanState
from portal.vendors.models import Vendor


def notify_alert(
    house: House, *, evidence_id: str, when: str, person_id: str | None = None, files: int = 0, pages: int = 0
) -> None:
    """Tell every program admin, once for each event."""
    with house.ledger.begin(system(NOTIFY_ALERT)) as tx:
        row = tx.session.get_one(Evidence, UUID(evidence_id))
        vendor = tx.session.get_one(Vendor, row.vendor_id)
        context = {
            "vendor_name": vendor.name,
            "at": datetime.fromisoformat(when),
            "person_name": recipients.name_of(tx, UUID(person_id)) if person_id else "",
            "files": files,
            "pages": pages,
            "infected": row.scan is ScanState.INFECTED,
        }
        stem = f"evidence_alert:{evidence_id}:{person_id or 'changed'}:{when}"
        recipients.tell(tx, recipients.of_lab(tx, {Role.PROGRAM_ADMIN}), "evidence_alert", context, stem)


JOBS = (Job(NOTIFY_ALERT, notify_alert),)

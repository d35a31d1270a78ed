"""Reports that came in and were read long ago: rows without bytes, so that a store can hold hundreds of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from portal.evidence import likeness
from portal.evidence.models import Evidence, EvidencePageText, EvidenceReading
from portal.terms import EvidenceState, ReadingState, ScanState
from portal.wiring import House
from tests.factories.identity import FACTORY
from tests.factories.reports import Report
from tests.factories.vendors import make_vendor


def stored(house: House, reports: Sequence[Report], vendor_ids: Sequence[UUID] = ()) -> list[UUID]:
    """The reports, read and sketched, spread over vendors that have files here."""
    with house.ledger.begin(FACTORY) as tx:
        owners = list(vendor_ids) or [make_vendor(tx, f"Vendor number {n}").id for n in range(12)]
        rows = []
        for number, report in enumerate(reports):
            evidence_id, vendor_id = tx.new_id(), owners[number % len(owners)]
            tx.session.add(
                Evidence(
                    id=evidence_id,
                    vendor_id=vendor_id,
                    kind="SOC2",
                    title="SOC 2 report",
                    file_name=f"report-{number}.pdf",
                    bucket="none",
                    object_key=f"none/{evidence_id}",
                    version_id="1",
                    sha256="0" * 64,
                    size=1,
                    mime="application/pdf",
                    page_count=len(report.text_pages),
                    details={"auditor": report.truth["auditor"]},
                    state=EvidenceState.ATTACHED,
                    scan=ScanState.CLEAN,
                    uploaded_by=evidence_id,
                    created_at=tx.now,
                    received_at=tx.now,
                    expires_at=tx.now + timedelta(hours=1),
                )
            )
            rows.append((evidence_id, vendor_id, report))
        tx.session.flush()
        for evidence_id, vendor_id, report in rows:
            tx.session.add(
                EvidenceReading(
                    evidence_id=evidence_id,
                    vendor_id=vendor_id,
                    state=ReadingState.READ,
                    pages=len(report.text_pages),
                    characters=sum(map(len, report.text_pages)),
                    asked_at=tx.now,
                    read_at=tx.now,
                )
            )
        tx.session.flush()
        for evidence_id, vendor_id, report in rows:
            tx.session.add_all(
                EvidencePageText(evidence_id=evidence_id, page=page, vendor_id=vendor_id, text=text)
                for page, text in enumerate(report.text_pages, 1)
            )
        tx.session.flush()
        ids = [evidence_id for evidence_id, _vendor_id, _report in rows]
        likeness.sketch(tx, ids)
    return ids

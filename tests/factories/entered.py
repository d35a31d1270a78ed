"""A SOC 2 report as its vendor described it, with an exception, an organisation and a control that is left to us."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from portal.evidence import report_lines, service
from portal.policy import Action
from portal.wiring import House
from tests.factories.evidence import make_evidence
from tests.factories.identity import Person

REPORT: Mapping[str, str] = {
    "detail-report_type": "type2",
    "detail-period_start": "2025-10-01",
    "detail-period_end": "2026-09-30",
    "detail-opinion": "qualified",
    "detail-auditor": "Merrow & Pike",
    "detail-exceptions_listed": "some",
    "detail-exceptions": "2",
    "detail-exception_rows-0-control": "LA-4",
    "detail-exception_rows-0-text": "Two leavers kept access",
    "detail-exception_rows-0-response": "Both accounts are closed",
    "detail-carve_out_rows-0-organisation": "Harrow Cloud",
    "detail-carve_out_rows-0-purpose": "hosting",
    "detail-carve_out_rows-0-method": "carve_out",
    "detail-user_control_rows-0-text": "Review the accounts of your own staff",
}


def make_report(house: House, who: Person, **changed: str) -> UUID:
    """Return the id of a report; ``changed`` gives cells and fields by their names without the beginning."""
    paper = make_evidence(house, who, name="soc2-report.pdf", kind="SOC2", details={})
    raw = {**REPORT, **{f"detail-{name}": value for name, value in changed.items()}}
    with house.ledger.begin(who.actor) as tx:
        row = service.get(tx, paper.id, Action.EVIDENCE_UPLOAD)
        service.describe(tx, evidence=row, kind="SOC2", title="", raw=raw, row_version=row.row_version)
    return paper.id


def rows_of(house: House, who: Person, evidence_id: UUID) -> report_lines.ReportLines:
    """Return what was entered of it."""
    with house.ledger.begin(who.actor) as tx:
        return report_lines.entered(tx, evidence_id)

"""What the page of a file says of what stands inside it, on both sites: a report's rows, a certificate's gaps."""

from __future__ import annotations

from portal.attestations.deletions import against_register
from portal.evidence import report_lines
from portal.evidence.queries import LibraryLine
from portal.evidence.rules import exception_count, mismatch
from portal.kernel.ledger import Tx
from portal.sites.shared.evidence_form import numbers_of


def shared_panel(tx: Tx, line: LibraryLine) -> dict[str, object]:
    """Return what both sites show: the report as it was entered, and the certificate beside the register."""
    found: dict[str, object] = {"report": None, "deletion": None, "is_deletion": line.kind == "DEL"}
    if line.kind == "SOC2":
        report = report_lines.entered(tx, line.id)
        count = exception_count(line.details)
        found |= {
            "report": report,
            "exception_count": count,
            "exceptions_differ": mismatch(line.details, len(report.exceptions)),
            "question_words": numbers_of(tx, line.vendor_id).named,
        }
    if line.kind == "DEL":
        found["deletion"] = against_register(tx, line.vendor_id, line.details)
    return found

"""What was signed as a download, for both sites."""

from __future__ import annotations

from uuid import UUID

from flask import Response

from portal.attestations import service as attestations
from portal.kernel.sniff import display_name
from portal.sites.shared.evidence import disposition
from portal.sites.shared.language import _
from portal.sites.shared.pages import actor, house, ledger


def signed_pdf(attestation_id: UUID) -> Response:
    """Return the answer that gives a signed revision as a PDF; the lab is called what it is called today."""
    printed = attestations.print_signed(ledger(), actor(), attestation_id, lab_name=house().settings.lab_name)
    name = _("Signed answers, revision %(number)s", number=printed.revision)
    answer = Response(printed.pdf, content_type="application/pdf")
    answer.headers["Content-Disposition"] = disposition(display_name(f"{name} {printed.digest[:8]}.pdf"))
    return answer

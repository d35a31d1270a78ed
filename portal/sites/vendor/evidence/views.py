"""The evidence library: what there is, until when it holds, who opened it; describe, replace, remove, get it back."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.attestations.library import uses_of
from portal.evidence import openings, queries, rules, service, viewing
from portal.evidence.queries import LibraryLine
from portal.identity import queries as people
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.sites.shared import does, house, ledger, page
from portal.sites.shared.evidence import SCAN_WORDS, as_attachment, described, tag_of
from portal.sites.shared.lane import through_store
from portal.sites.shared.language import _
from portal.sites.shared.pages import actor, begin
from portal.sites.vendor.evidence import describing, structure, uses
from portal.sites.vendor.evidence.pages import library_page
from portal.terms import EvidenceState, Role

bp = Blueprint("vendor_evidence", __name__)

PANELS: tuple[Callable[[Tx, LibraryLine], dict[str, object]], ...] = (uses.panel, structure.panel)
"""What the includes of a file's page show; each module brings the values of its own include."""


@bp.get("/evidence")
@does(Action.EVIDENCE_READ)
def library() -> ResponseReturnValue:
    """Show the library; with ``assessment`` and ``question`` the upload goes to that answer too."""
    return library_page()


@bp.get("/evidence/<uuid:evidence_id>")
@does(Action.EVIDENCE_READ)
def show(evidence_id: UUID) -> ResponseReturnValue:
    """Show one file: what it is, where it is used, who opened it."""
    with begin() as tx:
        row = service.get(tx, evidence_id, Action.EVIDENCE_READ)
        line = queries.line(tx, evidence_id)
        opened = openings.openings(tx, evidence_id)
        used = uses_of(tx, row.vendor_id, evidence_id=evidence_id).get(evidence_id, ())
        panels = {name: value for panel in PANELS for name, value in panel(tx, line).items()}
        names = people.people(tx, [line.uploaded_by])
        today = tx.now.date()
    own = line.uploaded_by == actor().id or Role.VENDOR_ADMIN in actor().roles
    changes = policy.may(actor(), Action.EVIDENCE_UPLOAD, line)
    settled = line.state in (EvidenceState.ATTACHED, EvidenceState.REJECTED)
    return page(
        "vendor/evidence/show.html",
        line=line,
        kind=rules.KINDS[line.kind],
        tag=tag_of(line, today),
        described=described(line.kind, line.details),
        scan_words=SCAN_WORDS[line.scan],
        openings=opened,
        by=names[line.uploaded_by].full_name if line.uploaded_by in names else "",
        may_describe=changes and settled and line.replaced_by is None,
        may_replace=changes and line.can_open and line.replaced_by is None,
        may_remove=changes and own and line.state is not EvidenceState.VERIFIED and not any(u.signed for u in used),
        **panels,
    )


@bp.get("/evidence/<uuid:evidence_id>/file")
@does(Action.EVIDENCE_READ)
@through_store()
def file(evidence_id: UUID) -> ResponseReturnValue:
    """Give the vendor its file back, as a download."""
    with viewing.opened(ledger(), actor(), store=house().store, evidence_id=evidence_id) as lent:
        return as_attachment(lent)


@bp.route("/evidence/<uuid:evidence_id>/details", methods=["GET", "POST"])
@does(Action.EVIDENCE_UPLOAD)
def describe(evidence_id: UUID) -> ResponseReturnValue:
    """Ask what a file is and for its dates; the validity follows from them."""
    return describing.answer(evidence_id)


@bp.route("/evidence/<uuid:evidence_id>/remove", methods=["GET", "POST"])
@does(Action.EVIDENCE_DELETE)
def remove(evidence_id: UUID) -> ResponseReturnValue:
    """Ask once more, then take a file from the library."""
    with begin() as tx:
        row = service.get(tx, evidence_id, Action.EVIDENCE_DELETE)
        name = row.file_name
        used = uses_of(tx, row.vendor_id, evidence_id=evidence_id).get(evidence_id, ())
        if request.method == "POST":
            service.remove(tx, evidence=row)
    if request.method == "POST":
        flash(_("%(file)s was removed.", file=name))
        return redirect(url_for(".library"), 303)
    return page("vendor/evidence/remove.html", evidence_id=evidence_id, name=name, uses=used)

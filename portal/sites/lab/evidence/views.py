"""What waits to be verified, and one file: its pages as pictures, what to check, who opened it, the verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.attestations import counting
from portal.attestations.counting import UseCount
from portal.evidence import openings, queries, rules, service, viewing
from portal.evidence.queries import LibraryLine
from portal.identity import queries as people
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.sites.lab.evidence import flags, sources, structure, uses
from portal.sites.lab.evidence import viewer as viewing_page
from portal.sites.lab.evidence.blueprint import bp
from portal.sites.shared import does, house, ledger, page
from portal.sites.shared.evidence import SCAN_WORDS, as_attachment, described, gist, tag_of
from portal.sites.shared.lane import through_store
from portal.sites.shared.pages import actor, begin
from portal.sites.shared.viewer import scanned_only
from portal.terms import EvidenceState
from portal.vendors import queries as vendor_queries
from portal.vendors import service as vendors

PANELS: tuple[Callable[[Tx, LibraryLine], dict[str, object]], ...] = (
    flags.panel,
    uses.panel,
    structure.panel,
    sources.panel,
)
"""What the includes of a file's page show; each module brings the values of its own include."""

PER_PAGE = 50
AGAIN = "again"
"""Newer revisions of files that answers were signed with: does each prove what the older one did?"""

STATES: Mapping[str, tuple[str, tuple[EvidenceState, ...]]] = {
    "waiting": ("To verify", (EvidenceState.ATTACHED,)),
    AGAIN: ("To check again", (EvidenceState.ATTACHED, EvidenceState.VERIFIED)),
    "verified": ("Verified", (EvidenceState.VERIFIED,)),
    "rejected": ("Sent back", (EvidenceState.REJECTED,)),
    "failed": ("Quarantined", (EvidenceState.INTEGRITY_FAILURE,)),
    "all": (
        "All",
        (
            EvidenceState.RECEIVED,
            EvidenceState.ATTACHED,
            EvidenceState.VERIFIED,
            EvidenceState.REJECTED,
            EvidenceState.INTEGRITY_FAILURE,
        ),
    ),
}


@bp.get("/lab/evidence")
@does(Action.EVIDENCE_READ)
def index() -> ResponseReturnValue:
    """List the files of all vendors by state, vendor and type; what waits longest stands on top."""
    state = request.args.get("state", "waiting")
    state = state if state in STATES else "waiting"
    kind = request.args.get("kind", "") if request.args.get("kind", "") in rules.KINDS else ""
    given = request.args.get("page", "1")
    number = min(1_000, max(1, int(given))) if given.isascii() and given.isdigit() and len(given) < 5 else 1
    slug = request.args.get("vendor", "")[:80]
    with begin() as tx:
        chosen = _vendor_id(slug, tx)
        again = counting.to_check_again(tx)
        found = queries.across_vendors(
            tx,
            vendor_id=chosen,
            kind=kind,
            states=STATES[state][1],
            only=again if state == AGAIN else None,
            offset=(number - 1) * PER_PAGE,
            limit=PER_PAGE,
        )
        names = vendor_queries.names_of(tx, [line.vendor_id for line in found.lines])
        counts = counting.counts_of(tx, [line.id for line in found.lines])
        offered = vendor_queries.vendors(tx, limit=200).lines
        today = tx.now.date()
    chosen_filter = {"state": state, "kind": kind, "vendor": slug if chosen else ""}
    return page(
        "lab/evidence/index.html",
        lines=[
            (line, names.get(line.vendor_id, ""), tag_of(line, today), counts.get(line.id, UseCount()))
            for line in found.lines
        ],
        again=len(again),
        gist=gist,
        total=found.total,
        waiting=found.waiting,
        states={key: words for key, (words, _) in STATES.items()},
        state=state,
        vendor_options=[("", "All vendors"), *((each.slug, each.name) for each in offered)],
        kind_options=[("", "All types"), *((code, each.title) for code, each in rules.KINDS.items())],
        chosen=chosen_filter,
        first=(number - 1) * PER_PAGE + 1,
        number=number,
        per_page=PER_PAGE,
    )


def _vendor_id(slug: str, tx: Tx) -> UUID | None:
    if not slug:
        return None
    try:
        return vendors.by_slug(tx, slug, Action.VENDOR_READ).id
    except NotFound:
        return None


@bp.get("/lab/evidence/<uuid:evidence_id>")
@does(Action.EVIDENCE_READ)
def show(evidence_id: UUID) -> ResponseReturnValue:
    """Show one file with what the reviewer must check."""
    return _show(evidence_id)


def _show(evidence_id: UUID, *, note: str = "", problems: Mapping[str, Sequence[str]] | None = None) -> str:
    with begin() as tx:
        row = service.get(tx, evidence_id, Action.EVIDENCE_READ)
        line = queries.line(tx, evidence_id)
        panels = {name: value for panel in PANELS for name, value in panel(tx, line).items()}
        names = people.people(tx, [line.uploaded_by, line.judged_by])
        vendor = vendors.get(tx, row.vendor_id, Action.EVIDENCE_READ)
        vendor_name, vendor_slug = vendor.name, vendor.slug
        today = tx.now.date()
    shown = viewing_page.of(line, _back())
    with begin() as tx:
        opened = openings.openings(tx, evidence_id)
    return page(
        "lab/evidence/show.html",
        line=line,
        kind=rules.KINDS[line.kind],
        tag=tag_of(line, today),
        described=described(line.kind, line.details),
        scan_words=SCAN_WORDS[line.scan],
        openings=opened,
        by=_name(names, line.uploaded_by),
        judge=_name(names, line.judged_by),
        vendor_name=vendor_name,
        vendor_slug=vendor_slug,
        viewer=shown,
        may_judge=policy.may(actor(), Action.EVIDENCE_JUDGE, line) and line.can_open,
        note=note,
        problems=problems or {},
        errors=problems or None,
        back=_back(),
        **panels,
    )


def _name(names: Mapping[UUID, people.Person], wanted: UUID | None) -> str:
    return names[wanted].full_name if wanted is not None and wanted in names else ""


def _back() -> str:
    """Return the review page that one came from, if it is one of ours."""
    given = request.values.get("next", "")
    return given if given.startswith("/lab/reviews/") and "//" not in given and "\\" not in given else ""


@bp.get("/lab/evidence/<uuid:evidence_id>/file")
@does(Action.EVIDENCE_READ)
@through_store()
def file(evidence_id: UUID) -> ResponseReturnValue:
    """Give the original as a download; the vendor sees who took it."""
    with viewing.opened(
        ledger(), actor(), store=house().store, evidence_id=evidence_id, scanned_only=scanned_only()
    ) as lent:
        return as_attachment(lent)


@bp.post("/lab/evidence/<uuid:evidence_id>")
@does(Action.EVIDENCE_JUDGE)
def judge(evidence_id: UUID) -> ResponseReturnValue:
    """Verify a file, or send it back with a reason that the vendor reads."""
    note, version = request.form.get("note", ""), request.form.get("row_version", "")
    seen = int(version) if version.isascii() and version.isdigit() and len(version) < 9 else 0
    verdict = request.form.get("verdict", "")
    try:
        if verdict not in {"verify", "reject"}:
            raise Refused(problems={"verdict": ["Choose whether the file is what it says it is"]})
        with begin() as tx:
            row = service.get(tx, evidence_id, Action.EVIDENCE_JUDGE)
            if verdict == "verify":
                service.verify(tx, evidence=row, note=note, row_version=seen)
            else:
                service.reject(tx, evidence=row, note=note, row_version=seen)
            name = row.file_name
    except Refused as refusal:
        return _show(evidence_id, note=note, problems=refusal.problems), 422
    except Conflict as refusal:
        return _show(evidence_id, note=note, problems={"verdict": [refusal.message]}), 409
    flash(f"{name} is verified." if verdict == "verify" else f"{name} was sent back.")
    return redirect(_back() or url_for(".show", evidence_id=evidence_id), 303)

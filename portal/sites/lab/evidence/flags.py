"""What a reviewer should look at twice in a file, two reports side by side, and the audit firms that were looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.evidence import firms as checked
from portal.evidence import flags
from portal.evidence.queries import LibraryLine
from portal.evidence.rules.traits import NOT_MEASURED
from portal.kernel.errors import Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.sites.lab.evidence.blueprint import bp
from portal.sites.shared import does, page
from portal.sites.shared.pages import actor, begin
from portal.sites.shared.ui import day

_FIELDS = ("name", "licence", "jurisdiction", "outcome", "source", "note", "checked_on")


def panel(tx: Tx, line: LibraryLine) -> dict[str, object]:
    """Return what ``_flags.html`` shows."""
    if not line.can_open or not policy.may_ever(tx.actor, Action.FLAGS_READ):
        return {"found": None}
    found = flags.flags_of(tx, line.id)
    return {
        "found": found,
        "not_measured": NOT_MEASURED if line.mime == "application/pdf" else (),
        "may_check_firms": policy.may_ever(tx.actor, Action.FIRM_CHECK) and line.kind == "SOC2",
    }


@bp.get("/lab/evidence/<uuid:evidence_id>/alike/<uuid:other_id>")
@does(Action.FLAGS_READ)
def alike(evidence_id: UUID, other_id: UUID) -> ResponseReturnValue:
    """Show two reports side by side: the passages that both have, each as it stands there."""
    with begin() as tx:
        pair = flags.pair(tx, evidence_id, other_id)
    return page("lab/evidence/alike.html", pair=pair, evidence_id=evidence_id)


@bp.get("/lab/firms")
@does(Action.FLAGS_READ)
def firms() -> ResponseReturnValue:
    """List the audit firms that were looked up."""
    return _firms({"name": request.args.get("name", "")[:200]})


@bp.post("/lab/firms")
@does(Action.FIRM_CHECK)
def check_firm() -> ResponseReturnValue:
    """Write down that a firm was looked up."""
    given = {name: request.form.get(name, "") for name in _FIELDS}
    try:
        with begin() as tx:
            checked.check_firm(tx, **given)
    except Refused as refusal:
        return _firms(given, refusal.problems), 422
    flash(f"{given['name'].strip()} is in the list.")
    return redirect(url_for(".firms"), 303)


def _firms(given: Mapping[str, str], problems: Mapping[str, Sequence[str]] | None = None) -> str:
    with begin() as tx:
        lines = checked.firms(tx)
        today = day(tx.now.date())
    return page(
        "lab/evidence/firms.html",
        lines=lines,
        given={**dict.fromkeys(_FIELDS, ""), "checked_on": today, **given},
        problems=problems or {},
        errors=problems or None,
        outcomes=list(checked.OUTCOMES.items()),
        may_check=policy.may_ever(actor(), Action.FIRM_CHECK),
    )

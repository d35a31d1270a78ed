"""A vendor takes all that it entered out, at any time; and sees who opened which of its files."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.exchange import everything, opened
from portal.kernel.errors import TooMany
from portal.policy import Action
from portal.sites.shared import does, house, ledger, page
from portal.sites.shared.evidence import disposition
from portal.sites.shared.language import told
from portal.sites.shared.pages import actor, begin
from portal.sites.shared.step_up import stepped_up

bp = Blueprint("vendor_everything", __name__)
A_PAGE = 100


@bp.get("/everything")
@does(Action.HOME_READ)
def show() -> ResponseReturnValue:
    """Say what can be taken out, by whom, and when it was."""
    return _page()


def _page(*, code_errors: list[str] | None = None, refused: str = "") -> str:
    with begin() as tx:
        before = everything.exports(tx)
    return page(
        "vendor/everything/everything.html",
        may=policy.may_ever(actor(), Action.EVERYTHING_EXPORT),
        before=before,
        code_errors=code_errors or [],
        refused=refused,
        errors=bool(code_errors or refused),
    )


@bp.post("/everything")
@does(Action.EVERYTHING_EXPORT)
def take_out() -> ResponseReturnValue:
    """Give everything as a ZIP, written while it is sent."""
    if problem := stepped_up(request.form.get("code")):
        return _page(code_errors=[told(problem)]), 422
    with_files = request.form.get("files") == "yes"
    try:
        with begin() as tx:
            at = everything.begin(tx, with_files=with_files)
    except TooMany as refusal:
        answer = Response(_page(refused=told(refusal.message)), 429)
        answer.headers["Retry-After"] = str(max(1, refusal.retry_after))
        return answer
    export = everything.Everything(
        ledger=ledger(),
        actor=actor(),
        store=house().store,
        keyring=house().keyring,
        lab=house().settings.lab_name,
        at=at,
        with_files=with_files,
    )
    answer = Response(export.pieces(), content_type="application/zip")
    answer.headers["Content-Disposition"] = disposition(f"gatehouse-everything-{at.date().isoformat()}.zip")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _id(name: str) -> UUID | None:
    try:
        return UUID(request.args.get(name, ""))
    except ValueError:
        return None


def _before() -> tuple[datetime, UUID] | None:
    at, _, last = request.args.get("before", "").partition(" ")
    try:
        moment = datetime.fromisoformat(at)
        return (moment, UUID(last)) if moment.tzinfo is not None else None
    except ValueError:
        return None


@bp.get("/everything/openings")
@does(Action.EVIDENCE_READ)
def openings() -> ResponseReturnValue:
    """Show every opening of every file, the latest first, of one file or one person if asked."""
    file, person = _id("file"), _id("person")
    with begin() as tx:
        lines = opened.openings(tx, evidence_id=file, person_id=person, before=_before(), limit=A_PAGE + 1)
        files, people = opened.opened_files(tx), opened.openers(tx)
    shown = lines[:A_PAGE]
    chosen: dict[str, Any] = {"file": file, "person": person}
    older = None
    if len(lines) > A_PAGE:
        older = url_for(".openings", **chosen, before=f"{shown[-1].at.isoformat()} {shown[-1].id}")
    return page(
        "vendor/everything/openings.html",
        lines=shown,
        files=[(str(each), title) for each, title in files],
        people=[(str(each), name, side) for each, name, side in people],
        file=str(file or ""),
        person=str(person or ""),
        older=older,
        later="before" in request.args,
        table_path=url_for(".openings_table", **chosen),
    )


@bp.get("/everything/openings.csv")
@does(Action.EVIDENCE_READ)
def openings_table() -> ResponseReturnValue:
    """Give the same as a table."""
    with begin() as tx:
        lines = opened.openings(tx, evidence_id=_id("file"), person_id=_id("person"), limit=None)
        body, day = everything.openings_csv(lines, house().settings.lab_name), tx.now.date()
    answer = Response(body, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = disposition(f"gatehouse-openings-{day.isoformat()}.csv")
    answer.headers["Cache-Control"] = "no-store"
    return answer

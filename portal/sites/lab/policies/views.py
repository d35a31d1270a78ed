"""The policies with what is in force and the drafts of what comes next; one kind; one version to read."""

from __future__ import annotations

from itertools import pairwise

from flask import flash, g, redirect, url_for
from flask.typing import ResponseReturnValue

from portal.kernel.errors import NotFound
from portal.policy import Action, may_ever
from portal.rulebook import queries
from portal.rulebook import service as rulebook
from portal.rulebook.rules import compared
from portal.sites.lab.policies import drafts
from portal.sites.lab.policies.blueprint import bp
from portal.sites.lab.policies.kinds import PAGES, page_of
from portal.sites.shared.door import does
from portal.sites.shared.pages import begin, page

__all__ = ["bp", "drafts"]

MOST_VERSIONS = 10_000


@bp.get("")
@does(Action.POLICY_READ)
def index() -> ResponseReturnValue:
    """List every kind with what is in force, and the open drafts."""
    with begin() as tx:
        rows = [(each, rulebook.current(tx, each.kind)) for each in PAGES.values()]
        signers = {each.kind.name: queries.signers(tx, each.kind) for each in PAGES.values()}
        open_drafts = queries.drafts(tx, list(PAGES))
    return page("lab/policies/index.html", rows=rows, signers=signers, drafts=open_drafts, pages=PAGES)


@bp.get("/<kind>")
@does(Action.POLICY_READ)
def show(kind: str) -> ResponseReturnValue:
    """Show what is in force, what was, and the drafts."""
    kind_page = page_of(kind)
    with begin() as tx:
        history = queries.history(tx, kind_page.kind)
        signers = queries.signers(tx, kind_page.kind)
        open_drafts = queries.drafts(tx, [kind])
    told = {later.version: kind_page.told(earlier, later) for later, earlier in pairwise(history)}
    return page(
        "lab/policies/show.html",
        kind_page=kind_page,
        now=history[0],
        history=history,
        told=told,
        signers=signers,
        drafts=open_drafts,
        may_draft=may_ever(g.actor, Action.POLICY_DRAFT),
    )


@bp.get("/<kind>/v<int:version>")
@does(Action.POLICY_READ)
def version(kind: str, version: int) -> ResponseReturnValue:
    """Show one version with what it changed."""
    kind_page = page_of(kind)
    if not 0 < version < MOST_VERSIONS:
        raise NotFound
    with begin() as tx:
        found = queries.version(tx, kind_page.kind, version)
        if found is None:
            raise NotFound
        before = queries.version(tx, kind_page.kind, version - 1) if version > 1 else None
        signers = queries.signers(tx, kind_page.kind).get(version, ())
        current = rulebook.current(tx, kind_page.kind)
    return page(
        "lab/policies/version.html",
        kind_page=kind_page,
        found=found,
        before=before,
        told=kind_page.told(before, found) if before else (),
        groups=compared(before.text, found.text) if before else (),
        signers=signers,
        current=current,
    )


@bp.post("/<kind>/next")
@does(Action.POLICY_DRAFT)
def draft_next(kind: str) -> ResponseReturnValue:
    """Begin the next version from the text in force."""
    kind_page = page_of(kind)
    with begin() as tx:
        draft_id = rulebook.create_draft(tx, kind=kind_page.kind).id
    flash("The draft has the text in force. Change it; nothing follows from it until two people have signed it.")
    return redirect(url_for(".draft_show", policy_draft_id=draft_id), 303)

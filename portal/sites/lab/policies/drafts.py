"""A draft of a policy: its text, what it changes, what would follow, and the signatures of two people."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.kernel.errors import Conflict, Refused
from portal.policy import Action
from portal.rulebook import service as rulebook
from portal.sites.lab.policies import reading
from portal.sites.lab.policies.blueprint import bp
from portal.sites.lab.policies.forms import SignForm, TextForm, VersionForm
from portal.sites.lab.policies.kinds import page_of
from portal.sites.lab.workspace.forms import number
from portal.sites.shared.door import does
from portal.sites.shared.pages import begin, page


@bp.get("/drafts/<uuid:policy_draft_id>")
@does(Action.POLICY_READ)
def draft_show(policy_draft_id: UUID) -> ResponseReturnValue:
    """Show the text of a draft, what is wrong with it and who signed."""
    return _text_page(policy_draft_id)


@bp.post("/drafts/<uuid:policy_draft_id>")
@does(Action.POLICY_DRAFT)
def draft_edit(policy_draft_id: UUID) -> ResponseReturnValue:
    """Give the draft another text."""
    form = TextForm()
    form.validate()
    try:
        with begin() as tx:
            draft = rulebook.get_draft(tx, policy_draft_id, Action.POLICY_DRAFT)
            before = draft.digest
            rulebook.edit_draft(tx, draft=draft, text=form.text.data or "", row_version=number(form.row_version.data))
            changed = draft.digest != before
            problems = page_of(draft.kind).kind.check(draft.text)
    except Refused as refused:
        return _text_page(policy_draft_id, form=form, refused=refused.problems.get("text") or [refused.message]), 422
    except Conflict as conflict:
        return _text_page(policy_draft_id, form=form, changed=conflict.message), 409
    if not changed:
        flash("Nothing changed.")
    elif problems:
        flash("The text is saved. It cannot be signed yet: what is left to mend stands beside it.", "warning")
    else:
        flash("The text is saved. Signatures on the earlier text do not count for it.")
    return redirect(url_for(".draft_show", policy_draft_id=policy_draft_id), 303)


def _text_page(
    draft_id: UUID, *, form: TextForm | None = None, refused: list[str] | None = None, changed: str = ""
) -> str:
    with begin() as tx:
        now = reading.read(tx, draft_id)
    typed = form.text.data or "" if form is not None else now.draft.text
    return page(
        "lab/policies/draft.html",
        now=now,
        tabs=now.tabs("show"),
        typed=typed,
        theirs=now.draft.text if changed else "",
        # Who was refused for being late keeps the version that they read, so that sending again is refused again.
        row_version=form.row_version.data if form is not None and changed else now.draft.row_version,
        refused=refused or [],
        changed=changed,
        errors=bool(refused) or bool(changed),
        lines=typed.count("\n"),
    )


@bp.get("/drafts/<uuid:policy_draft_id>/changes")
@does(Action.POLICY_READ)
def draft_changes(policy_draft_id: UUID) -> ResponseReturnValue:
    """Show what the draft changes, in words and line by line."""
    with begin() as tx:
        now = reading.read(tx, policy_draft_id)
    return page("lab/policies/changes.html", now=now, tabs=now.tabs("changes"))


@bp.get("/drafts/<uuid:policy_draft_id>/publish")
@does(Action.POLICY_READ)
def draft_publish(policy_draft_id: UUID) -> ResponseReturnValue:
    """Show what would follow from the draft, and who signed it."""
    return _publish_page(policy_draft_id)


@bp.post("/drafts/<uuid:policy_draft_id>/sign")
@does(Action.POLICY_PUBLISH)
def draft_sign(policy_draft_id: UUID) -> ResponseReturnValue:
    """Sign the text that the page showed; the second person's signature puts it into force."""
    form = SignForm()
    form.validate()
    try:
        with begin() as tx:
            draft = rulebook.get_draft(tx, policy_draft_id, Action.POLICY_PUBLISH)
            kind = page_of(draft.kind).kind
            published = rulebook.sign_draft(
                tx,
                draft=draft,
                kind=kind,
                digest_seen=form.digest_seen.data or "",
                row_version=number(form.row_version.data),
            )
            name = f"{kind.title} policy v{draft.version}"
    except Conflict as conflict:
        return _publish_page(policy_draft_id, changed=conflict.message), 409
    except Refused as refused:
        return _publish_page(policy_draft_id, changed=refused.message), 422
    if published is None:
        flash(f"You signed {name}. Another person signs the same text to put it into force.")
    else:
        flash(f"{name} is in force. What was computed before keeps its own version.")
    return redirect(url_for(".draft_publish", policy_draft_id=policy_draft_id), 303)


def _publish_page(draft_id: UUID, *, changed: str = "") -> str:
    with begin() as tx:
        now = reading.read(tx, draft_id)
        foreseen = None
        if now.is_open and now.is_sound and now.page.foresee is not None:
            foreseen = now.page.foresee(tx, now.state.before, now.after, request.args)
        others = reading.who_else(tx, now) if now.is_open else []
    return page(
        "lab/policies/publish.html",
        now=now,
        tabs=now.tabs("publish"),
        foreseen=foreseen,
        others=others,
        changed=changed,
        errors=bool(changed),
    )


@bp.post("/drafts/<uuid:policy_draft_id>/move")
@does(Action.POLICY_DRAFT)
def draft_move(policy_draft_id: UUID) -> ResponseReturnValue:
    """Put the draft behind the version that was published since it was begun."""
    form = VersionForm()
    form.validate()
    try:
        with begin() as tx:
            draft = rulebook.get_draft(tx, policy_draft_id, Action.POLICY_DRAFT)
            rulebook.move_draft(
                tx, draft=draft, kind=page_of(draft.kind).kind, row_version=number(form.row_version.data)
            )
            words = f"The draft is compared with version {draft.version - 1} now. Read what it changes before you sign."
    except Conflict as conflict:
        return _publish_page(policy_draft_id, changed=conflict.message), 409
    flash(words)
    return redirect(url_for(".draft_changes", policy_draft_id=policy_draft_id), 303)


@bp.route("/drafts/<uuid:policy_draft_id>/discard", methods=["GET", "POST"])
@does(Action.POLICY_DRAFT)
def draft_discard(policy_draft_id: UUID) -> ResponseReturnValue:
    """Ask whether to give the draft up, and do it."""
    if request.method == "GET":
        return _discard_page(policy_draft_id)
    form = VersionForm()
    form.validate()
    try:
        with begin() as tx:
            draft = rulebook.get_draft(tx, policy_draft_id, Action.POLICY_DRAFT)
            rulebook.discard_draft(tx, draft=draft, row_version=number(form.row_version.data))
            kind = draft.kind
    except Conflict as conflict:
        return _discard_page(policy_draft_id, changed=conflict.message), 409
    flash("The draft is discarded. Its text is kept for the record.")
    return redirect(url_for(".show", kind=kind), 303)


def _discard_page(draft_id: UUID, *, changed: str = "") -> str:
    with begin() as tx:
        now = reading.read(tx, draft_id)
    return page("lab/policies/discard.html", now=now, changed=changed, errors=bool(changed))

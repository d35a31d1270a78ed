"""Drafts of versions: begun from a file or a published version, edited as text, read as questions, given up."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.kernel.errors import Conflict, NotFound, Refused
from portal.policy import Action
from portal.questionnaires import queries
from portal.questionnaires import service as questionnaires
from portal.sites.lab.questionnaires import reading
from portal.sites.lab.questionnaires.blueprint import bp
from portal.sites.lab.questionnaires.forms import NewDraftForm, SourceForm, VersionForm
from portal.sites.lab.questionnaires.wording import KIND_WORDS
from portal.sites.lab.workspace.forms import add_problems, number
from portal.sites.shared.door import does
from portal.sites.shared.pages import begin, page

MAX_BYTES = 1_000_000
NAME_LENGTH = 80


@bp.route("/drafts/new", methods=["GET", "POST"])
@does(Action.QUESTIONNAIRE_DRAFT)
def draft_new() -> ResponseReturnValue:
    """Begin a draft from a file, or choose the published version to start from."""
    if request.method == "GET":
        return _new_page(NewDraftForm(formdata=None))
    form = NewDraftForm()
    form.validate()
    file = form.file.data
    if file is None or not file.filename:
        add_problems(form, {"file": ["Choose the questionnaire file, for example v2.yaml"]})
        return _new_page(form), 422
    try:
        with begin() as tx:
            draft = questionnaires.create_draft(
                tx, source=file.read(MAX_BYTES + 1), origin="file", name=_file_name(file.filename)
            )
            draft_id = draft.id
    except Refused as refused:
        return _new_page(form, problems=refused.problems.get("source") or [refused.message]), 422
    flash("The draft is here. Nobody is asked anything by it until two people have published it.")
    return redirect(url_for(".draft_show", draft_id=draft_id), 303)


def _new_page(form: NewDraftForm, *, problems: list[str] | None = None) -> str:
    with begin() as tx:
        newest = {line.slug: line for line in reversed(queries.versions(tx))}
    return page(
        "lab/questionnaires/new.html",
        form=form,
        problems=problems or [],
        errors=bool(problems) or bool(form.errors),
        newest=[newest[slug] for slug in sorted(newest)],
    )


def _file_name(name: str) -> str:
    """Return what problems call an uploaded file: its own name, without a folder and not too long."""
    plain = "".join(each if each.isprintable() else "?" for each in name.replace("\\", "/").rsplit("/", 1)[-1])
    return plain[-NAME_LENGTH:] or "file"


@bp.post("/<slug>/v<int:version>/next")
@does(Action.QUESTIONNAIRE_DRAFT)
def draft_next(slug: str, version: int) -> ResponseReturnValue:
    """Begin the next version from the text of a published one."""
    if not 0 < version < 10_000:
        raise NotFound
    with begin() as tx:
        line = queries.version_named(tx, slug, version)
        if line is None:
            raise NotFound
        draft_id = questionnaires.draft_from(tx, questionnaire_id=line.id).id
    flash("The draft has the text of the published version, with the next number. Change it, then decide each change.")
    return redirect(url_for(".draft_show", draft_id=draft_id), 303)


@bp.get("/drafts/<uuid:draft_id>")
@does(Action.QUESTIONNAIRE_READ)
def draft_show(draft_id: UUID) -> ResponseReturnValue:
    """Show the text of a draft, its problems, its notes and who signed."""
    return _text_page(draft_id)


@bp.post("/drafts/<uuid:draft_id>")
@does(Action.QUESTIONNAIRE_DRAFT)
def draft_edit(draft_id: UUID) -> ResponseReturnValue:
    """Give the draft another text."""
    form = SourceForm()
    form.validate()
    try:
        with begin() as tx:
            draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_DRAFT)
            before = draft.digest
            questionnaires.edit_draft(
                tx, draft=draft, source=_bytes(form.source.data), row_version=number(form.row_version.data)
            )
            changed = draft.digest != before
    except Refused as refused:
        return _text_page(draft_id, form=form, refused=refused.problems.get("source") or [refused.message]), 422
    except Conflict as conflict:
        return _text_page(draft_id, form=form, changed=conflict.message), 409
    flash("The text is saved. Signatures on the earlier text do not count for it." if changed else "Nothing changed.")
    return redirect(url_for(".draft_show", draft_id=draft_id), 303)


def _bytes(text: str | None) -> bytes:
    """Return the text as the bytes of a file: a form sends line ends as CR LF, a questionnaire file has LF."""
    return (text or "").replace("\r\n", "\n").encode()


def _text_page(
    draft_id: UUID, *, form: SourceForm | None = None, refused: list[str] | None = None, changed: str = ""
) -> str:
    with begin() as tx:
        now = reading.read(tx, draft_id)
        source = bytes(now.draft.source).decode()
    typed = form.source.data or "" if form is not None else source
    return page(
        "lab/questionnaires/draft.html",
        now=now,
        tabs=now.tabs("show"),
        typed=typed,
        theirs=source if changed else "",
        # Who was refused for being late keeps the version that they read, so that sending again is refused again.
        row_version=form.row_version.data if form is not None and changed else now.draft.row_version,
        refused=refused or [],
        changed=changed,
        errors=bool(refused) or bool(changed),
        lines=typed.count("\n") + 1,
    )


@bp.get("/drafts/<uuid:draft_id>/questions")
@does(Action.QUESTIONNAIRE_READ)
def draft_questions(draft_id: UUID) -> ResponseReturnValue:
    """Show the draft section by section, as the published version will read."""
    with begin() as tx:
        now = reading.read(tx, draft_id)
    return page(
        "lab/questionnaires/questions.html",
        now=now,
        tabs=now.tabs("questions"),
        questionnaire=now.state.questionnaire,
        kinds=KIND_WORDS,
    )


@bp.route("/drafts/<uuid:draft_id>/discard", methods=["GET", "POST"])
@does(Action.QUESTIONNAIRE_DRAFT)
def draft_discard(draft_id: UUID) -> ResponseReturnValue:
    """Ask whether to give the draft up, and do it."""
    form = VersionForm()
    if request.method == "GET":
        return _discard_page(draft_id)
    try:
        with begin() as tx:
            draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_DRAFT)
            questionnaires.discard_draft(tx, draft=draft, row_version=number(form.row_version.data))
            name = f"{draft.slug} v{draft.version}"
    except Conflict as conflict:
        return _discard_page(draft_id, changed=conflict.message), 409
    flash(f"The draft of {name} is discarded. Its text is kept for the record.")
    return redirect(url_for(".index"), 303)


def _discard_page(draft_id: UUID, *, changed: str = "") -> str:
    with begin() as tx:
        now = reading.read(tx, draft_id)
    return page("lab/questionnaires/discard.html", now=now, changed=changed, errors=bool(changed))

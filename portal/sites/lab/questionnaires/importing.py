"""Import a questionnaire: another system's file becomes a draft to be reviewed."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from portal.kernel.errors import Refused
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.importing import MAX_UPLOAD, Format, Given, Wanted, take_in
from portal.sites.lab.questionnaires.blueprint import bp
from portal.sites.lab.questionnaires.forms import ImportForm
from portal.sites.lab.workspace.forms import add_problems
from portal.sites.shared.door import does
from portal.sites.shared.pages import begin, page

NAME_LENGTH = 80


@bp.route("/import", methods=["GET", "POST"])
@does(Action.QUESTIONNAIRE_DRAFT)
def import_new() -> ResponseReturnValue:
    """Take a file of another system in as a draft, or say what stands in the way."""
    if request.method == "GET":
        return _page(ImportForm(formdata=None))
    form = ImportForm()
    if not form.validate():
        return _page(form), 422
    chosen = Format(form.format.data)
    wanted = Wanted((form.slug.data or "").strip(), form.version.data or 0, (form.title.data or "").strip())
    try:
        imported = take_in(
            chosen,
            wanted,
            _given("file"),
            base=next(iter(_given("base")), None),
            mapping=next(iter(_given("mapping")), None),
        )
        with begin() as tx:
            draft_id = questionnaires.create_draft(
                tx,
                source=imported.source,
                origin=chosen.origin,
                name=f"{wanted.slug}/v{wanted.version}.yaml",
                notes=imported.notes,
            ).id
    except Refused as refused:
        return _refused(form, refused), 422
    flash("The draft is here. Read its notes first: they say what could not be taken over.")
    return redirect(url_for(".draft_show", draft_id=draft_id), 303)


def _refused(form: ImportForm, refused: Refused) -> str:
    """Show a problem with a field at the field, and what is wrong inside of the file as a list of places."""
    problems = dict(refused.problems) or {"file": [refused.message]}
    inside = problems.pop("source", [])
    add_problems(form, problems)
    return _page(form, problems=list(inside))


def _given(field: str) -> list[Given]:
    """Return the files of a field; one byte over the limit is enough to refuse it."""
    return [_read(each) for each in request.files.getlist(field) if each.filename]


def _read(file: FileStorage) -> Given:
    name = "".join(each if each.isprintable() else "?" for each in (file.filename or "").replace("\\", "/"))
    return Given(name.rsplit("/", 1)[-1][-NAME_LENGTH:] or "file", file.read(MAX_UPLOAD + 1))


def _page(form: ImportForm, *, problems: list[str] | None = None) -> str:
    return page(
        "lab/questionnaires/importing.html",
        form=form,
        problems=problems or [],
        errors=bool(problems) or bool(form.errors),
    )

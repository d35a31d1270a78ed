"""What differs between two versions, like the review of a text; and the author's word on each change."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.kernel.errors import Conflict, NotFound, Refused
from portal.policy import Action
from portal.questionnaires import queries
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Claim
from portal.questionnaires.rules.diff import Change, diff
from portal.sites.lab.questionnaires import reading
from portal.sites.lab.questionnaires.blueprint import bp
from portal.sites.lab.questionnaires.forms import DecideForm, VersionForm
from portal.sites.lab.questionnaires.wording import CLAIM_SMALLS, CLAIM_WORDS, chapters
from portal.sites.lab.workspace.forms import add_problems, number
from portal.sites.shared.door import does
from portal.sites.shared.pages import begin, page


@bp.get("/<slug>/v<int:old>..v<int:new>")
@does(Action.QUESTIONNAIRE_READ)
def compare(slug: str, old: int, new: int) -> ResponseReturnValue:
    """Show what differs between two published versions of a questionnaire."""
    if not (0 < old < 10_000 and 0 < new < 10_000):
        raise NotFound
    with begin() as tx:
        earlier, later = queries.version_named(tx, slug, old), queries.version_named(tx, slug, new)
        if earlier is None or later is None:
            raise NotFound
        before, after = questionnaires.compiled(tx, earlier.id), questionnaires.compiled(tx, later.id)
    changes = diff(before, after)
    decided = {}
    if after.changes and after.changes.since == old:
        decided = {(each.key, each.part): each for each in after.changes.decisions}
    return page(
        "lab/questionnaires/compare.html",
        earlier=earlier,
        later=later,
        chapters=chapters(before, after, changes),
        total=len(changes),
        decided=decided,
        claim_words=CLAIM_WORDS,
    )


@bp.get("/drafts/<uuid:draft_id>/changes")
@does(Action.QUESTIONNAIRE_READ)
def draft_changes(draft_id: UUID) -> ResponseReturnValue:
    """Show every change of a draft against the version before it, and what was decided."""
    return _changes_page(draft_id)


@bp.post("/drafts/<uuid:draft_id>/changes")
@does(Action.QUESTIONNAIRE_DRAFT)
def draft_decide(draft_id: UUID) -> ResponseReturnValue:
    """Record the author's word on one change."""
    form = DecideForm()
    form.validate()
    claim = _claim(form.claim.data)
    if claim is None:
        add_problems(form, {"claim": ["Choose whether the claim is the same"]})
        return _changes_page(draft_id, form=form), 422
    try:
        with begin() as tx:
            draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_DRAFT)
            questionnaires.decide_change(
                tx,
                draft=draft,
                key=form.key.data or "",
                part=form.part.data or "",
                of=form.of.data or "",
                claim=claim,
                note=form.note.data or "",
                row_version=number(form.row_version.data),
            )
            following = _next_after(questionnaires.readiness(tx, draft), form.key.data, form.part.data)
    except Refused as refused:
        add_problems(form, refused.problems, otherwise="claim")
        return _changes_page(draft_id, form=form), 422
    except Conflict as conflict:
        return _changes_page(draft_id, form=form, changed=conflict.message), 409
    flash("Saved: " + CLAIM_WORDS[claim].lower() + ".")
    return redirect(url_for(".draft_changes", draft_id=draft_id, _anchor=following), 303)


@bp.post("/drafts/<uuid:draft_id>/changes/accept")
@does(Action.QUESTIONNAIRE_DRAFT)
def draft_accept(draft_id: UUID) -> ResponseReturnValue:
    """Take every proposal of the same claim that is not weighty."""
    form = VersionForm()
    try:
        with begin() as tx:
            draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_DRAFT)
            count = questionnaires.accept_proposals(tx, draft=draft, row_version=number(form.row_version.data))
    except Conflict as conflict:
        return _changes_page(draft_id, changed=conflict.message), 409
    if count:
        flash(f"{count} {'change is' if count == 1 else 'changes are'} recorded as the same claim.")
    else:
        flash("The comparison is recorded in the text of the draft.")
    return redirect(url_for(".draft_changes", draft_id=draft_id), 303)


def _changes_page(draft_id: UUID, *, form: DecideForm | None = None, changed: str = "") -> str:
    with begin() as tx:
        now = reading.read(tx, draft_id)
    state = now.state
    if state.before is None:
        raise NotFound
    only_open = request.args.get("show") == "undecided"
    why = {(each.change.key, each.change.part): each.why for each in state.undecided}
    shown = [each for each in state.changes if not only_open or (each.key, each.part) in why]
    decisions = state.questionnaire.changes.decisions if state.questionnaire.changes else ()
    typed = (form.key.data, form.part.data) if form is not None else None
    return page(
        "lab/questionnaires/changes.html",
        now=now,
        tabs=now.tabs("changes"),
        chapters=chapters(state.before, state.questionnaire, shown),
        anchors=anchors(state.changes),
        decided={(each.key, each.part): each for each in decisions},
        why=why,
        undecided=len(why),
        total=len(state.to_decide),
        presentation=len(questionnaires.presentation(state)),
        only_open=only_open,
        claims=_claims_for,
        claim_words=CLAIM_WORDS,
        typed=typed,
        form=form,
        changed=changed,
        errors=bool(changed) or bool(form is not None and form.errors),
    )


def anchors(changes: tuple[Change, ...]) -> dict[tuple[str, str], str]:
    """Return the anchor of each change, by key and part: its place in the list."""
    return {(each.key, each.part): f"c-{place}" for place, each in enumerate(changes, 1)}


def _next_after(state: questionnaires.Readiness, key: str | None, part: str | None) -> str:
    """Return the anchor of the next undecided change after one, in the order of the page; else of that one."""
    places = anchors(state.changes)
    left = {(each.change.key, each.change.part) for each in state.undecided}
    order = list(places)
    here = order.index((key or "", part or "")) if (key or "", part or "") in places else -1
    following = next((each for each in (*order[here + 1 :], *order[: here + 1]) if each in left), None)
    return places[following] if following else "changes"


def _claims_for(change: Change) -> list[tuple[str, str, str]]:
    """Return which claims are on offer for a change, with what follows from each."""
    on_offer = [Claim.REMOVED] if change.aspect == "removed" else [Claim.SAME, Claim.CHANGED]
    return [(each.value, CLAIM_WORDS[each], CLAIM_SMALLS[each]) for each in on_offer]


def _claim(text: str | None) -> Claim | None:
    return Claim(text) if text in set(Claim) else None

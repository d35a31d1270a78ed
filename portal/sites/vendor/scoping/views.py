"""Stating the facts that are the vendor's, confirming the lab's, and saying that one is not right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.rules import is_answerable
from portal.assessments.service import ScopingLine
from portal.attestations import service as attestations
from portal.attestations.service import MessageLine
from portal.identity import queries as people
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.policy import Action
from portal.questionnaires.rules import DetailField, FactKind, FieldKind, Owner
from portal.sites.shared import does, page
from portal.sites.shared.language import _, ngettext
from portal.sites.shared.pages import actor, begin
from portal.sites.vendor import wording
from portal.sites.vendor.work import slug, version_in
from portal.terms import Role

bp = Blueprint("vendor_scoping", __name__)
ROOT = "/assessments/<uuid:assessment_id>/scoping"
MOST = 100
"""More facts than any questionnaire has: what is posted beyond is not read."""


@dataclass(frozen=True, slots=True)
class FactCard:
    """One scoping fact as the page shows it."""

    line: ScopingLine
    slug: str
    form: wording.Fields
    version: int
    thread: Sequence[MessageLine]
    problems: Mapping[str, str] = field(default_factory=dict)
    clash: str = ""
    wrong: str = ""
    wrong_problem: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether the lab states it."""
        return self.line.owner is Owner.LAB

    def value(self, name: str) -> str:
        """Return what stands in a field."""
        return next(iter(self.form.get(name, ())), "")

    def values(self, name: str) -> Sequence[str]:
        """Return everything that is chosen in a field."""
        return self.form.get(name, ())

    def problem(self, name: str) -> list[str]:
        """Return the sentences at a field."""
        return [self.problems[name]] if name in self.problems else []

    def rows(self, prefix: str, most: int) -> range:
        """Return the rows of a table to draw."""
        return wording.row_numbers(self.form, prefix, most)

    @property
    def summary(self) -> list[tuple[str, str]]:
        """Everything that is wrong, as links to the fields."""
        first = {"choice": "choice-0", "choices": "choices-0"}
        found = [
            (f"#{self.slug}-{first.get(name, name.replace('.', '-'))}", words) for name, words in self.problems.items()
        ]
        if self.clash:
            found.append((f"#f-{self.slug}", self.clash))
        return [*found, (f"#{self.slug}-wrong", self.wrong_problem)] if self.wrong_problem else found


@bp.get(ROOT)
@does(Action.ASSESSMENT_READ)
def show(assessment_id: UUID) -> ResponseReturnValue:
    """Show every fact: the vendor's to state, the lab's to confirm."""
    return _page(assessment_id)


@bp.post(ROOT)
@does(Action.SCOPING_CONFIRM)
def confirm_all(assessment_id: UUID) -> ResponseReturnValue:
    """Confirm every fact as the page showed it; if one changed meanwhile, none is confirmed and it says which."""
    seen = {name.removeprefix("seen."): name for name in request.form if name.startswith("seen.")}
    key = ""
    try:
        with begin() as tx:
            row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
            for key in sorted(seen)[:MOST]:
                assessments.confirm_fact(tx, assessment=row, key=key, version=version_in(request.form, seen[key]))
    except Refused as refusal:
        return _page(assessment_id, {key: {"clash": refusal.message}}, 422)
    except Conflict as late:
        return _page(assessment_id, {key: {"clash": late.message}}, 409)
    if seen:
        flash(ngettext("%(num)s fact is confirmed.", "%(num)s facts are confirmed.", len(seen)))
    return redirect(url_for(".show", assessment_id=assessment_id), 303)


@bp.post(f"{ROOT}/<key>")
@does(Action.SCOPING_CONFIRM)
def settle(assessment_id: UUID, key: str) -> ResponseReturnValue:
    """State or confirm one fact."""
    raw = {name: request.form.getlist(name) for name in request.form}
    version = version_in(request.form)
    try:
        with begin() as tx:
            row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
            if request.form.get("act") == "confirm":
                assessments.confirm_fact(tx, assessment=row, key=key, version=version)
            else:
                assessments.state_fact(tx, assessment=row, key=key, value=raw, version=version)
    except Refused as refusal:
        told = {
            "form": raw,
            "version": version,
            "problems": {name: texts[0] for name, texts in refusal.problems.items()},
        }
        return _page(assessment_id, {key: told}, 422)
    except Conflict as late:
        told = {"clash": late.message}
        if isinstance(newer := late.current.get("version"), int):
            told |= {"form": raw, "version": newer}
        return _page(assessment_id, {key: told}, 409)
    return redirect(f"{url_for('.show', assessment_id=assessment_id)}#f-{slug(key)}", 303)


@bp.post(f"{ROOT}/<key>/wrong")
@does(Action.MESSAGE_SHARED)
def wrong(assessment_id: UUID, key: str) -> ResponseReturnValue:
    """Tell the lab that what it stated is not right."""
    body = request.form.get("body", "")
    try:
        with begin() as tx:
            row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
            if all(each.key != key for each in assessments.scoping_of(tx, row)):
                raise NotFound
            attestations.post_message(tx, assessment=row, question_key=key, body=body)
    except Refused as refusal:
        return _page(assessment_id, {key: {"wrong": body, "wrong_problem": refusal.problems["body"][0]}}, 422)
    except Conflict as over:
        return _page(assessment_id, {key: {"wrong": body, "wrong_problem": over.message}}, 409)
    flash(_("Sent. We correct it or write back, and you are told."))
    return redirect(f"{url_for('.show', assessment_id=assessment_id)}#f-{slug(key)}", 303)


def _page(
    assessment_id: UUID, changed: Mapping[str, dict[str, Any]] | None = None, status: int = 200
) -> ResponseReturnValue:
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
        lines = assessments.scoping_of(tx, row)
        threads = attestations.messages_of(tx, row)
        team = people.people_of_vendor(tx, row.vendor_id)
    cards = {each.key: _card(each, threads.get(each.key, ())) for each in lines}
    for key, told in (changed or {}).items():
        if key not in cards:
            raise NotFound
        cards[key] = replace(cards[key], **told)
    mine = [each for each in cards.values() if not each.is_ours]
    ours = [each for each in cards.values() if each.is_ours]
    answer = page(
        "vendor/scoping/scoping.html",
        active="assessment",
        row=row,
        mine=mine,
        as_shown=[each for each in cards.values() if each.line.stated and each.line.waits_for_vendor],
        ours=ours,
        settled=sum(not each.line.waits_for_vendor for each in cards.values()),
        total=len(cards),
        writable=is_answerable(row.state) and policy.may(actor(), Action.SCOPING_CONFIRM, row),
        answerable=is_answerable(row.state),
        admins=", ".join(each.full_name for each in team if each.is_active and Role.VENDOR_ADMIN in each.roles),
        errors=[line for each in cards.values() for line in each.summary],
    )
    return answer, status


def _card(line: ScopingLine, thread: Sequence[MessageLine]) -> FactCard:
    return FactCard(line, slug(line.key), _form(line), line.version, thread)


def _form(line: ScopingLine) -> dict[str, list[str]]:
    """Return the form that states a fact; ``questionnaires.rules.parse_fact`` reads it back."""
    if not line.stated:
        return {}
    value, kind = line.value, line.definition.kind
    found: dict[str, list[str]] = {}
    if kind is FactKind.CHOICES:
        found["choices"] = [str(each) for each in value]
    elif kind is FactKind.TABLE:
        found |= wording.rows("rows", value)
    else:
        found["choice" if kind is FactKind.YES_NO else "number"] = [str(value)]
    for each in line.definition.details:
        found |= _detail(each, line.details.get(each.key))
    return found


def _detail(definition: DetailField, value: Any) -> dict[str, list[str]]:
    if definition.kind is FieldKind.TABLE:
        return wording.rows(f"details.{definition.key}", value or ())
    return wording.detail_fields(definition.key, str(value or ""))

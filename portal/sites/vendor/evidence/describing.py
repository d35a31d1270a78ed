"""The form in which a vendor says what a file is: its type, its dates, and what stands inside a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.evidence import queries, reading, report_lines, rules, service
from portal.kernel.errors import Conflict, Refused
from portal.kernel.words import said
from portal.policy import Action
from portal.sites.shared import page
from portal.sites.shared.evidence_form import (
    Typed,
    is_rearranging,
    numbers_of,
    rows_shown,
    stored_values,
    summary,
    typed_values,
    with_keys,
)
from portal.sites.shared.language import _, told
from portal.sites.shared.pages import begin
from portal.sites.vendor.evidence.found import Found
from portal.sites.vendor.evidence.pages import kind_options
from portal.terms import EvidenceState


def answer(evidence_id: UUID) -> ResponseReturnValue:
    """Show the form, lay out more or fewer rows, or save it."""
    if request.method == "GET":
        return _form(evidence_id, request.args.get("kind", ""))
    typed: Typed = request.form
    kind, version = typed.get("kind", ""), typed.get("row_version", "")
    if kind in rules.KINDS and is_rearranging(typed, rules.KINDS[kind]):
        return _form(evidence_id, kind, typed)
    try:
        with begin() as tx:
            row = service.get(tx, evidence_id, Action.EVIDENCE_UPLOAD)
            read = reading.reading_as(tx, evidence_id, kind)
            service.describe(
                tx,
                evidence=row,
                kind=kind,
                title=typed.get("title", ""),
                raw=with_keys(typed, numbers_of(tx, row.vendor_id)),
                row_version=int(version) if version.isascii() and version.isdigit() and len(version) < 9 else 0,
                proposals=read.proposals if read else (),
            )
            name = row.file_name
            entered = len(report_lines.entered(tx, evidence_id).exceptions)
            differs = rules.mismatch(row.details, entered) if kind == "SOC2" else ""
    except Refused as refusal:
        return _form(evidence_id, kind, typed, refusal.problems), 422
    flash(_("The details of %(file)s are saved.", file=name))
    if differs:
        flash(told(differs), "warning")
    return redirect(url_for("vendor_evidence.show", evidence_id=evidence_id), 303)


def _form(
    evidence_id: UUID,
    kind: str,
    typed: Typed | None = None,
    problems: Mapping[str, Sequence[str]] | None = None,
) -> str:
    with begin() as tx:
        described = bool(service.get(tx, evidence_id, Action.EVIDENCE_UPLOAD).sources)
        line = queries.line(tx, evidence_id)
        numbers = numbers_of(tx, line.vendor_id)
        rows = report_lines.entered(tx, evidence_id)
        asked = rules.KINDS[kind if kind in rules.KINDS else line.kind]
        read = reading.reading_as(tx, evidence_id, asked.code)
    if line.state not in (EvidenceState.ATTACHED, EvidenceState.REJECTED):
        raise Conflict(said("The details of this file cannot be changed now. Upload a new file to replace it."))
    found = Found.of(asked.code, read)
    if typed is not None:
        values = typed_values(asked, typed)
    elif asked.code == line.kind:
        apart = {} if rows.is_empty else rows.details()
        stored = {**rules.current(line.kind, line.details), **apart}
        # What a person took out of the form before is not put into it again.
        values = stored_values(asked, stored if described else {**found.suggested, **stored}, numbers)
    else:
        values = stored_values(asked, found.suggested, numbers)
    add, drop = (typed.get("add", ""), typed.get("drop", "")) if typed is not None and not problems else ("", "")
    return page(
        "vendor/evidence/details.html",
        line=line,
        kind=asked,
        kinds=kind_options((asked.code,)),
        values=values,
        rows=rows_shown(asked, values, add=add, drop=drop),
        currencies=rules.CURRENCIES,
        title_value=line.title if typed is None else typed.get("title", ""),
        problems=problems or {},
        summary=summary(asked, problems or {}),
        errors=problems or None,
        row_version=line.row_version if typed is None else typed.get("row_version", ""),
        reading=found.words,
        proposals=found.notes(values),
        whens={field.id: _when(asked, field) for field in asked.fields},
    )


def _when(kind: rules.Kind, field: rules.Field) -> str:
    if field.when is None:
        return field.hint
    words = dict(kind.field(field.when[0]).options)[field.when[1]]
    return f"{words} only"

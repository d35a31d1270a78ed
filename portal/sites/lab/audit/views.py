"""The audit log: sentences with filters in the address, the state of the chain, and the export."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, request, url_for
from flask.typing import ResponseReturnValue

from portal.audit import queries as trail
from portal.audit import service as audit
from portal.audit.queries import EventLine, Wanted
from portal.identity import queries as people
from portal.kernel.errors import NotFound
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.sites.lab.audit.sentences import PHRASES, label_of, people_in, sentence_of
from portal.sites.shared.door import does
from portal.sites.shared.pages import begin, ledger, page
from portal.vendors import queries as vendors
from portal.vendors import service as vendor_service

bp = Blueprint("lab_audit", __name__, url_prefix="/lab/audit")

EXPORT_BATCH = 1_000
FIELDS = ("who", "what", "vendor", "from", "to")


@dataclass(frozen=True, slots=True)
class Filter:
    """What the address asks for, as typed, and what of it could not be read."""

    values: dict[str, str]
    wanted: Wanted
    errors: dict[str, str]


@bp.get("")
@does(Action.AUDIT_READ)
def log() -> ResponseReturnValue:
    """Show the trail, the newest first."""
    return _page(None)


@bp.post("/check")
@does(Action.AUDIT_READ)
def check() -> ResponseReturnValue:
    """Check the newest events of the chain, and show what was found."""
    with begin() as tx:
        checked = audit.check_tail(tx)
    return _page(checked)


def _page(checked: audit.Checked | None) -> ResponseReturnValue:
    before = request.args.get("before", "")
    with begin() as tx:
        asked = _filter(tx)
        empty = bool(asked.errors)
        lines = (
            []
            if empty
            else trail.events(
                tx, asked.wanted, before=int(before) if _is_number(before) else None, limit=trail.PAGE + 1
            )
        )
        shown, more = lines[: trail.PAGE], len(lines) > trail.PAGE
        names = _names(tx, shown)
        vendor_names = vendors.names_of(tx, sorted({each.vendor_id for each in shown if each.vendor_id}))
        end = audit.head(tx)
        checkpoint = trail.last_checkpoint(tx)
        staff = people.lab_people(tx)
        theirs = people.people_of_vendor(tx, asked.wanted.vendor_id) if asked.wanted.vendor_id else []
        choices = vendors.vendors(tx, limit=500).lines
    kept: dict[str, Any] = {key: value for key, value in asked.values.items() if value}
    answer = page(
        "lab/audit/log.html",
        rows=[sentence_of(each, names, vendor_names) for each in shown],
        older=url_for(".log", **kept, before=shown[-1].seq) if more else "",
        newest=url_for(".log", **kept) if before else "",
        export=url_for(".export", **kept),
        values=asked.values,
        filter_errors=asked.errors,
        filtered=bool(kept),
        head=end,
        checkpoint=checkpoint,
        checked=checked,
        people=[*staff, *theirs],
        vendors=choices,
        facts=sorted(((fact, label_of(fact)) for fact in PHRASES), key=lambda each: each[1]),
    )
    return (answer, 422) if asked.errors else answer


@bp.get("/export")
@does(Action.AUDIT_READ)
def export() -> ResponseReturnValue:
    """Send the wanted events as JSON lines, the oldest first, with what verifies them offline."""
    with begin() as tx:
        asked = _filter(tx)
    if asked.errors:
        return _page(None)
    kept = "-".join(f"{key}-{value}" for key, value in asked.values.items() if value)
    name = f"gatehouse-audit{'-' + kept if kept else ''}.jsonl"
    answer = Response(_lines(ledger(), g.actor, asked.wanted), mimetype="application/x-ndjson")
    answer.headers["Content-Disposition"] = f'attachment; filename="{_file_name(name)}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _lines(book: Any, actor: Any, wanted: Wanted) -> Iterator[str]:
    """Yield one event a line. Each batch is a transaction of its own, so that a slow reader holds nothing."""
    after = 0
    while True:
        with book.begin(actor) as tx:
            batch = trail.events(tx, wanted, after=after, limit=EXPORT_BATCH)
        for line in batch:
            yield json.dumps(exported(line), ensure_ascii=False, sort_keys=True) + "\n"
        if len(batch) < EXPORT_BATCH:
            return
        after = batch[-1].seq


def exported(line: EventLine) -> dict[str, Any]:
    """Return an event as it is exported: everything its hash is made of, and the hash."""
    return {
        "seq": line.seq,
        "at": line.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "fact": line.fact,
        "payload": line.payload,
        "actor_kind": line.actor_kind,
        "actor_id": str(line.actor_id) if line.actor_id else None,
        "actor_label": line.actor_label,
        "vendor_id": str(line.vendor_id) if line.vendor_id else None,
        "previous_hash": line.previous_hash,
        "hash": line.hash,
    }


def _filter(tx: Tx) -> Filter:
    values = {name: request.args.get(name, "").strip()[:100] for name in FIELDS}
    errors: dict[str, str] = {}
    actor_id = _uuid(values["who"])
    kind = "system" if values["who"] == "system" else ""
    if values["who"] and not kind and actor_id is None:
        errors["who"] = "Choose somebody from the list"
    vendor_id = None
    if values["vendor"]:
        try:
            vendor_id = vendor_service.by_slug(tx, values["vendor"], Action.VENDOR_READ).id
        except NotFound:
            errors["vendor"] = "Choose a vendor from the list"
    since, until = _day(values["from"]), _day(values["to"])
    for name, day in (("from", since), ("to", until)):
        if values[name] and day is None:
            errors[name] = "Enter a date, for example 2026-11-24"
    if since and until and until < since:
        errors["to"] = "The last day must not be before the first"
    return Filter(
        values,
        Wanted(
            actor_id=actor_id,
            actor_kind=kind,
            fact=values["what"],
            vendor_id=vendor_id,
            since=_midnight(since) if since else None,
            until=_midnight(until + timedelta(days=1)) if until else None,
        ),
        errors,
    )


def _names(tx: Tx, lines: list[EventLine] | Any) -> dict[UUID, str]:
    wanted = {each for line in lines for each in people_in(line)}
    return {each.id: each.full_name for each in people.people(tx, wanted).values()}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2200 else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _file_name(name: str) -> str:
    return "".join(each if each.isascii() and (each.isalnum() or each in "-._") else "-" for each in name)

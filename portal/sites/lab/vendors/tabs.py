"""The pages of one vendor beside its overview: what it was asked, findings, access, evidence, people, history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, Response, g, request, url_for
from flask.typing import ResponseReturnValue

from portal.assessments import more_time
from portal.audit import queries as trail
from portal.gate import tracing
from portal.gate.rules import Question
from portal.gate.words import because
from portal.identity import queries as people
from portal.kernel.errors import NotFound
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.reviews import fourth_parties
from portal.reviews import queries as reviews
from portal.sites.lab.vendors import lines
from portal.sites.lab.vendors.forms import ROLE_HINTS, InviteForm
from portal.sites.lab.vendors.gate_table import gate_table, links_of
from portal.sites.lab.vendors.head import Head, head_of
from portal.sites.lab.vendors.standing import files_of, findings_of
from portal.sites.lab.vendors.timeline import BATCH, STRANDS, Happening, exported, strands_for, timeline
from portal.sites.lab.vendors.why import class_words, explain, mode_words, questions_of, told
from portal.sites.shared.door import does
from portal.sites.shared.invited import newest_invitations, trails
from portal.sites.shared.pages import begin, ledger, page
from portal.terms import ACCESS_MODE_WORDS, AccessMode, DataClass, Role
from portal.vendors import rules

bp = Blueprint("lab_vendor", __name__, url_prefix="/lab/vendors/<slug>")

FURTHEST = timedelta(days=5 * 366)
"""How far ahead the gate's arithmetic is worked out; further than any approval reaches."""


@bp.get("/assessments")
@does(Action.VENDOR_READ)
def assessments_page(slug: str) -> ResponseReturnValue:
    """List what the vendor was asked, with the review of each."""
    with begin() as tx:
        head = head_of(tx, slug)
        today = tx.now.date()
        context = {
            "assessments": [(each, lines.state_tag(each, today)) for each in head.asked],
            "more_time": more_time.more_time_waiting(tx, head.vendor.id),
            "newer": lines.newer_versions(head.asked, questionnaires.list_versions(tx)),
            "reviews": reviews.newest_of(tx, [each.id for each in head.asked])
            if head.may["REVIEW_READ"] and head.asked
            else {},
        }
    return _page("assessments", head, **context)


@bp.get("/findings")
@does(Action.REVIEW_READ)
def findings_page(slug: str) -> ResponseReturnValue:
    """List the findings that the vendor was told of, the open ones first."""
    with begin() as tx:
        head = head_of(tx, slug)
        found = findings_of(tx, head, tx.now.date())
    return _page("findings", head, found=found)


@bp.get("/access")
@does(Action.VENDOR_READ)
def access(slug: str) -> ResponseReturnValue:
    """Show what every system is told, and what the vendor is engaged for."""
    with begin() as tx:
        head = head_of(tx, slug)
        table = gate_table(tx, head, whole=True)
    return _page("access", head, table=table, band=rules.band, modes=ACCESS_MODE_WORDS)


@bp.get("/access/why")
@does(Action.VENDOR_READ)
def why(slug: str) -> ResponseReturnValue:
    """Show the gate's arithmetic for one class and mode at a moment: now, one that is over, or one to come."""
    asked = request.args
    errors: dict[str, str] = {}
    with begin() as tx:
        head = head_of(tx, slug)
        if head.world is None:
            raise NotFound
        known = questions_of(head.world)
        data_class = asked.get("class", known[0].data_class if known else "D1").upper()
        access_mode = asked.get("mode", known[0].access_mode if known else "A1").upper()
        if data_class not in DataClass.__members__:
            errors["class"] = "Choose a data class from the list"
        if access_mode not in AccessMode.__members__:
            errors["mode"] = "Choose an access mode from the list"
        moment = _moment(asked.get("at", ""), tx.now)
        if moment is None:
            errors["at"] = "Enter a day within the last and the next five years, for example 2026-12-18"
        found = answer = None
        if not errors and moment is not None:
            world = tracing.world_at(tx, head.vendor.id, head.world, moment) if moment < tx.now else head.world
            projects = {str(key): name for key, name in head.projects.items()}
            question = Question(world.vendor, data_class, access_mode, "overview")
            traces = tracing.traces(tx, head.vendor.id, world)
            found = explain(world, question, moment, traces, projects, links_of(head))
            answer = told(found, moment)
        now = tx.now
    body = _page(
        "why",
        head,
        why=found,
        answer=answer,
        reasons=because(found.answer.reasons) if found else "",
        moment=moment,
        past=moment is not None and moment < now,
        ahead=moment is not None and moment > now,
        values={"class": data_class, "mode": access_mode, "at": asked.get("at", "")[:20]},
        errors=errors,
        classes=[(each.name, class_words(each.name)) for each in DataClass],
        modes=[(each.value, mode_words(each.value)) for each in AccessMode],
    )
    return (body, 422) if errors else body


def _moment(text: str, now: datetime) -> datetime | None:
    """Return the moment that is asked for: now for nothing, noon of another day; None for what is no near day."""
    if not text:
        return now
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    if abs(day - now.date()) > FURTHEST:
        return None
    return now if day == now.date() else datetime.combine(day, time(12), tzinfo=UTC)


@bp.get("/evidence")
@does(Action.EVIDENCE_READ)
def evidence_page(slug: str) -> ResponseReturnValue:
    """List the vendor's files by the day they end."""
    with begin() as tx:
        head = head_of(tx, slug)
        files = files_of(head.library or (), tx.now.date(), most=500)
    return _page("evidence", head, files=files)


@bp.get("/fourth-parties")
@does(Action.REVIEW_READ)
def fourth_parties_page(slug: str) -> ResponseReturnValue:
    """List whom the vendor leans on, and which other vendors lean on the same."""
    with begin() as tx:
        head = head_of(tx, slug)
        parties = None if head.parties is None else fourth_parties.with_others(tx, head.vendor, head.parties)
    return _page("fourth_parties", head, parties=parties)


@bp.get("/people")
@does(Action.VENDOR_READ)
def people_page(slug: str) -> ResponseReturnValue:
    """List the vendor's people with their invitations, and offer to invite another."""
    return show_people(slug, None, [])


def show_people(slug: str, form: InviteForm | None, general: list[str]) -> str:
    """Return the page of a vendor's people, with the form of an invitation as it was sent."""
    with begin() as tx:
        head = head_of(tx, slug)
        newest = newest_invitations(people.invitations_of(tx, head.vendor.id))
        rows = lines.person_rows(head.team, newest, trails(tx, newest.values()))
        admins = people.people_of_vendor_with(tx, head.vendor.id, Role.VENDOR_ADMIN)
    if form is None:
        form = InviteForm(formdata=None)
        if not head.team:
            form.roles.data = [Role.VENDOR_ADMIN.value]
    return _page(
        "people",
        head,
        people=rows,
        admins=admins,
        form=form,
        general=general,
        hints=ROLE_HINTS,
    )


@bp.get("/history")
@does(Action.VENDOR_READ)
def history(slug: str) -> ResponseReturnValue:
    """Show what happened with the vendor, the newest first; what is looked for is in the address."""
    before = request.args.get("before", "")
    with begin() as tx:
        head = head_of(tx, slug)
        asked = _Asked(head)
        found = (
            []
            if asked.errors
            else asked.read(tx, before=int(before) if _is_number(before) else None, limit=trail.PAGE + 1)
        )
    shown, more = found[: trail.PAGE], len(found) > trail.PAGE
    kept: dict[str, Any] = {key: value for key, value in asked.values.items() if value}
    body = _page(
        "history",
        head,
        rows=shown,
        older=url_for(".history", slug=slug, **kept, before=shown[-1].seq) if more else "",
        newest=url_for(".history", slug=slug, **kept) if before else "",
        exports=[
            (words, url_for(".history_export", slug=slug, kind=kind, **kept))
            for words, kind in (("CSV", "csv"), ("JSON lines", "jsonl"))
        ],
        values=asked.values,
        errors=asked.errors,
        filtered=bool(kept),
        strands=[(each.value, STRANDS[each].title) for each in asked.readable],
    )
    return (body, 422) if asked.errors else body


@bp.get("/history/export")
@does(Action.VENDOR_READ)
def history_export(slug: str) -> ResponseReturnValue:
    """Send what happened as a file, the oldest first, with the filter in its name."""
    kind = "csv" if request.args.get("kind") == "csv" else "jsonl"
    with begin() as tx:
        head = head_of(tx, slug)
        asked = _Asked(head)
    if asked.errors:
        return history(slug)
    kept = "".join(f"-{key}-{value}" for key, value in asked.values.items() if value)
    read: Callable[[Tx, int], list[Happening]] = lambda tx, after: asked.read(tx, after=after, limit=BATCH)  # noqa: E731
    # The links in the lines need the request, and the file has none: it is written down before it is sent.
    body = "".join(exported(ledger(), g.actor, head.vendor, read, kind))
    answer = Response(body, mimetype="text/csv" if kind == "csv" else "application/x-ndjson")
    answer.headers["Content-Disposition"] = f'attachment; filename="{slug}-history{kept}.{kind}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


class _Asked:
    """What the address asks of the history, as typed, and what of it could not be read."""

    def __init__(self, head: Head) -> None:
        self.vendor = head.vendor
        self.readable = strands_for(g.actor, head.vendor)
        self.values = {name: request.args.get(name, "").strip()[:20] for name in ("about", "from", "to")}
        self.errors: dict[str, str] = {}
        self.strands = self.readable
        if self.values["about"]:
            self.strands = tuple(each for each in self.readable if each.value == self.values["about"])
            if not self.strands:
                self.errors["about"] = "Choose what it is about from the list"
        self.since, self.until = (self._day(name) for name in ("from", "to"))
        if self.since and self.until and self.until < self.since:
            self.errors["to"] = "The last day must not be before the first"

    def _day(self, name: str) -> date | None:
        text = self.values[name]
        try:
            found = date.fromisoformat(text) if text else None
        except ValueError:
            found = None
        if found is not None and not 2000 <= found.year <= 2200:
            found = None
        if text and found is None:
            self.errors[name] = "Enter a date, for example 2026-11-24"
        return found

    def read(self, tx: Tx, **place: Any) -> list[Happening]:
        """Return what was asked for, from a place in the trail on."""
        return timeline(
            tx,
            self.vendor,
            self.strands,
            since=_midnight(self.since) if self.since else None,
            until=_midnight(self.until + timedelta(days=1)) if self.until else None,
            **place,
        )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _page(name: str, head: Head, **context: Any) -> str:
    return page(f"lab/vendors/{name}.html", active="vendors", head=head, vendor=head.vendor, may=head.may, **context)

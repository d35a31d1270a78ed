"""Bringing files in: reserve, transfer, finalise for browsers with scripts; one plain form for the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, BinaryIO, cast
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.evidence import intake, rules, service
from portal.evidence.intake import Taken, UploadOver, Way
from portal.kernel.errors import Conflict, Forbidden, GatehouseError, NotFound, Refused, TooMany, Unavailable
from portal.kernel.objects import AlreadyExists, IntegrityFailure, ObjectMissing, TicketRefused, TooLarge, UploadTicket
from portal.policy import Action
from portal.sites.shared import does, house, ledger
from portal.sites.shared.errors import note_away
from portal.sites.shared.lane import lane, through_store
from portal.sites.shared.language import _, told
from portal.sites.shared.pages import actor, begin
from portal.sites.vendor.evidence.limits import upload_rules
from portal.sites.vendor.evidence.pages import library_page
from portal.terms import EvidenceState

bp = Blueprint("vendor_uploads", __name__)

STREAMS = "vendor_uploads.receive"
FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}
MOST_AT_ONCE = 20


@bp.url_value_preprocessor
def widen(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let the one endpoint that streams take a whole file. It runs before anything looks into the body.

    A body that would be parsed as a form keeps the limit of forms.
    """
    if endpoint == STREAMS and request.mimetype not in FORMS:
        request.max_content_length = rules.MAX_BYTES


@bp.app_context_processor
def _words() -> dict[str, Any]:
    return {"upload_rules": upload_rules}


@contextmanager
def _asking_the_store() -> Iterator[None]:
    """Take a place only where the store is another machine; a folder answers at once."""
    if not house().store.can_presign:
        yield
        return
    with lane().place(inward=True):
        yield


def _problem(status: int, detail: str) -> Response:
    answer = jsonify(type="about:blank", title=_("The file was not taken"), status=status, detail=detail)
    answer.status_code = status
    answer.content_type = "application/problem+json"
    return answer


def for_scripts(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """Answer refusals as problem details (RFC 9457), in the words that a person would read."""

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        try:
            return view(*args, **kwargs)
        except GatehouseError as refusal:
            if isinstance(refusal, Unavailable):
                note_away(refusal)
            status, words = _said(refusal)
            answer = _problem(status, words)
            if isinstance(refusal, Unavailable | TooMany):
                answer.headers["Retry-After"] = str(max(1, refusal.retry_after))
            return answer

    return wrapped


def _said(refusal: GatehouseError) -> tuple[int, str]:
    if isinstance(refusal, NotFound):
        return 404, _("There is no such file")
    statuses: list[tuple[type[GatehouseError], int]] = [
        (Forbidden, 403),
        (UploadOver, 410),
        (Conflict, 409),
        (Refused, 422),
        (TooMany, 429),
        (Unavailable, 503),
    ]
    status = next((code for kind, code in statuses if isinstance(refusal, kind)), 400)
    return status, told(refusal.message) or _("Your role does not allow this.")


@bp.post("/evidence/reserve")
@does(Action.EVIDENCE_UPLOAD)
@for_scripts
def reserve() -> ResponseReturnValue:
    """Reserve a place for a file that the browser will send, or find the one it has, and say where to send it."""
    try:
        told = request.get_json(silent=True)
    except RecursionError:  # brackets within brackets, thousands deep
        told = None
    if not isinstance(told, dict):
        return _problem(400, _("The file was announced in a way we could not read. Reload the page and try again"))
    fields = {name: value for name, value in told.items() if isinstance(value, str)}
    if not all(map(_is_text, fields.values())):
        return _problem(400, _("A name holds a character that cannot be stored. Rename the file and try again"))
    size = told.get("size")
    kind = fields.get("kind", "")
    details = rules.parse_details(kind, fields, draft=True) if kind in rules.KINDS else {}
    if isinstance(details, rules.Problems):
        raise Refused(problems={field: [words] for field, words in details.items()})
    with begin() as tx:
        old = fields.get("supersedes")
        place = service.reserve(
            tx,
            bucket=house().store.bucket,
            kind=kind,
            file_name=fields.get("name", ""),
            size=size if isinstance(size, int) and not isinstance(size, bool) else 0,
            sha256=fields.get("sha256", ""),
            title=fields.get("title", ""),
            details=details,
            supersedes=service.get(tx, _uuid(old), Action.EVIDENCE_UPLOAD) if old else None,
        )
    with _asking_the_store():
        way = intake.begin(ledger(), actor(), store=house().store, evidence_id=place.id)
    then = urlencode({key: fields[key] for key in ("assessment", "question", "pages") if fields.get(key)})
    return (
        jsonify(
            id=str(place.id),
            **({"upload": _ticket(way.ticket)} if way.ticket else {"parts": _parts(way)}),
            finalise_url=url_for("vendor_uploads.finalise", evidence_id=place.id) + (f"?{then}" if then else ""),
            cancel_url=url_for("vendor_uploads.cancel", evidence_id=place.id),
        ),
        201,
    )


def _ticket(ticket: UploadTicket) -> dict[str, Any]:
    return {"method": ticket.method, "url": ticket.url, "headers": dict(ticket.headers)}


def _parts(way: Way) -> dict[str, Any]:
    # Where the bytes pass this process, more at once than it has places for would only be turned away.
    most = rules.MOST_TICKETS if house().store.can_presign else min(rules.MOST_TICKETS, lane().inward)
    return {
        "size": way.part_size,
        "count": way.count,
        "have": list(way.have),
        "url": url_for("vendor_uploads.parts", evidence_id=way.id),
        "at_once": most,
    }


@bp.post("/evidence/<uuid:evidence_id>/parts")
@does(Action.EVIDENCE_UPLOAD)
@for_scripts
def parts(evidence_id: UUID) -> ResponseReturnValue:
    """Say where to send the parts that are named; without any, say which have arrived."""
    told = request.get_json(silent=True)
    named = told.get("parts") if isinstance(told, dict) else None
    if not isinstance(named, list) or not all(isinstance(each, dict) for each in named):
        with begin() as tx:  # a file of somebody else is no file, whatever the body holds
            service.get(tx, evidence_id, Action.EVIDENCE_UPLOAD)
        return _problem(400, _("The parts were announced in a way we could not read. Reload the page and try again"))
    if not named:
        with _asking_the_store():
            return jsonify(_parts(intake.begin(ledger(), actor(), store=house().store, evidence_id=evidence_id)))
    wanted = [(_number(each.get("number")), str(each.get("sha256"))) for each in named]
    tickets = intake.part_tickets(ledger(), actor(), store=house().store, evidence_id=evidence_id, wanted=wanted)
    return jsonify(parts=[{"number": number, **_ticket(ticket)} for number, ticket in tickets])


def _number(told: object) -> int:
    return told if isinstance(told, int) and not isinstance(told, bool) else 0


@bp.post("/evidence/<uuid:evidence_id>/cancel")
@does(Action.EVIDENCE_UPLOAD)
def cancel(evidence_id: UUID) -> ResponseReturnValue:
    """Give up an upload that is not finished."""
    if request.accept_mimetypes.best == "application/json":
        return _cancelled_for_scripts(evidence_id)
    flash(_("The upload of %(file)s is cancelled.", file=_cancelled(evidence_id)))
    return redirect(url_for("vendor_evidence.library"), 303)


def _cancelled(evidence_id: UUID) -> str:
    with _asking_the_store():
        return intake.cancel(ledger(), actor(), store=house().store, evidence_id=evidence_id)


@for_scripts
def _cancelled_for_scripts(evidence_id: UUID) -> ResponseReturnValue:
    _cancelled(evidence_id)
    return "", 204


@bp.put("/uploads/<token>")
@does(Action.EVIDENCE_UPLOAD)
@for_scripts
@through_store(inward=True)
def receive(token: str) -> ResponseReturnValue:
    """Take the bytes of a reserved file or of a part of it, where the store cannot be reached by browsers."""
    stream = cast("BinaryIO", request.stream)
    try:
        try:
            house().store.accept_part(token, stream)
        except TicketRefused:
            house().store.accept(token, stream)
    except (TicketRefused, ObjectMissing):
        return _problem(410, _("This upload is out of time. Press Resume"))
    except TooLarge:
        return _problem(413, _("More arrived than was announced. Press Resume"))
    except IntegrityFailure:
        return _problem(422, told(intake.OTHER_BYTES))
    except AlreadyExists:
        return _problem(409, _("This file has arrived already"))
    return "", 204


@bp.post("/evidence/<uuid:evidence_id>/finalise")
@does(Action.EVIDENCE_UPLOAD)
@for_scripts
@through_store(inward=True)
def finalise(evidence_id: UUID) -> ResponseReturnValue:
    """Check a file that was sent, attach it to the answer it was sent for, and return its row."""
    taken = intake.finalise(
        ledger(), actor(), store=house().store, evidence_id=evidence_id, scanner_url=house().settings.scanner
    )
    note = _cite(taken, request.args)
    with begin() as tx:
        row = service.get(tx, taken.id, Action.EVIDENCE_READ)
        shown = {"id": row.id, "file_name": row.file_name, "size": row.size, "state": row.state, "scan": row.scan}
        lacking = rules.missing(row.kind, row.details)
    html = render_template("vendor/evidence/arrived.html", file=shown, note=note, lacking=lacking)
    return jsonify(html=html, id=str(taken.id), state=taken.state.value)


@bp.post("/evidence")
@does(Action.EVIDENCE_UPLOAD)
@through_store(inward=True)
def upload() -> ResponseReturnValue:
    """Take the files of a plain form, each up to 32 MB."""
    sent = [file for file in request.files.getlist("file") if file.filename]
    if not sent:
        return library_page(request.form, errors=[_("Choose a file")]), 422
    if len(sent) > MOST_AT_ONCE:
        return library_page(request.form, errors=[_("Choose at most %(most)s files at once", most=MOST_AT_ONCE)]), 422
    errors, arrived, notes = [], [], []
    for file in sent:
        try:
            taken = _take(file)
            arrived.append(taken)
            notes.append(_cite(taken, request.form))
        except (Refused, Conflict) as refusal:
            words = told(refusal.message)
            errors.append(f"{file.filename}: {words}" if len(sent) > 1 else words)
    for taken in arrived:
        here = _("%(file)s is in your library.", file=taken.file_name)
        flash(f"{here} {_('We are checking it for malware.')}" if taken.state is EvidenceState.RECEIVED else here)
    for note in {each for each in notes if each}:
        flash(note, "info")
    if errors:
        return library_page(request.form, errors=errors), 422
    if (back := request.form.get("next", "")) and back.startswith("/assessments/") and "//" not in back:
        return redirect(back, 303)
    if len(arrived) == 1:
        with begin() as tx:
            row = service.get(tx, arrived[0].id, Action.EVIDENCE_READ)
            lacking = rules.missing(row.kind, row.details)
        if lacking:
            return redirect(url_for("vendor_evidence.describe", evidence_id=arrived[0].id), 303)
    return redirect(url_for("vendor_evidence.library"), 303)


def _take(file: FileStorage) -> Taken:
    old = request.form.get("supersedes")
    return intake.receive_form(
        ledger(),
        actor(),
        store=house().store,
        stream=cast("BinaryIO", file.stream),
        file_name=file.filename or "",
        kind=request.form.get("kind", ""),
        supersedes_id=_uuid(old) if old else None,
        scanner_url=house().settings.scanner,
    )


def _cite(taken: Taken, where: Mapping[str, str]) -> str:
    """Attach the file to the answer it was uploaded for; return what to say of it, nothing without an answer."""
    if not where.get("assessment") or not where.get("question"):
        return ""
    try:
        with begin() as tx:
            assessment = assessments.get(tx, _uuid(where["assessment"]), Action.ANSWER_WRITE)
            attestations.cite(
                tx,
                assessment=assessment,
                question_key=where["question"],
                evidence=service.get(tx, taken.id, Action.EVIDENCE_READ),
                pages=where.get("pages", ""),
            )
    except (Conflict, Refused, Forbidden) as refusal:
        return f"{_('The file is in your library, but not attached to the answer.')} {told(refusal.message)}"
    except NotFound:
        return _("The file is in your library, but not attached to the answer: there is no such question.")
    return _("Attached to your answer.")


def _is_text(value: str) -> bool:
    """Tell whether it can be written down: JSON can spell half of a surrogate pair, which is no character."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _uuid(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        raise NotFound from None

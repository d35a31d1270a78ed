"""The one home of refusals: each becomes a page (or a fragment) in the words of the product, never a bare 500."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from portal.identity import service as identity
from portal.kernel import errors
from portal.kernel.actor import ActorKind, system
from portal.kernel.logging import logger
from portal.sites.shared.pages import house
from portal.terms import N_

log = logger(__name__)

_PROBLEMS = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    413: "Content too large",
    415: "Unsupported media type",
    422: "Unprocessable content",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}


def refusal_page(status: int, detail: str = "", *, title: str = "", **more: Any) -> Response:
    """Return the refusal with this status: a page for people, problem details (RFC 9457) for machines."""
    if request.path.startswith(("/api/", "/access/")):
        body: dict[str, Any] = {"type": "about:blank", "title": _PROBLEMS.get(status, "Refused"), "status": status}
        if detail:
            body["detail"] = detail
        answer = make_response(jsonify(body), status)
        answer.content_type = "application/problem+json"
    else:
        wide = {"retry_at": None, **more}
        answer = make_response(
            render_template(
                "shared/error.html",
                status=status,
                detail=detail,
                title=title,
                request_id=getattr(g, "request_id", ""),
                lab_name=house().settings.lab_name,
                home="/lab" if getattr(g, "actor", None) is not None and g.actor.is_lab and g.actor.id else "/",
                **wide,
            ),
            status,
        )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def register(app: Flask) -> None:
    """Give each refusal its answer."""
    app.register_error_handler(errors.NotFound, _not_found)
    app.register_error_handler(errors.Forbidden, _forbidden)
    app.register_error_handler(errors.Conflict, lambda refusal: refusal_page(409, refusal.message))
    app.register_error_handler(errors.Refused, lambda refusal: refusal_page(422, refusal.message))
    app.register_error_handler(errors.StepUpRequired, _step_up)
    app.register_error_handler(errors.TooMany, _too_many)
    app.register_error_handler(errors.Unavailable, _unavailable)
    app.register_error_handler(
        CSRFError,
        lambda _refusal: refusal_page(
            400, N_("The page was too old to be sent safely. Reload it and send it again."), title=N_("Reload the page")
        ),
    )
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _bug)


def _not_found(_refusal: errors.NotFound) -> ResponseReturnValue:
    _note(404)
    return refusal_page(404)


def _forbidden(refusal: errors.Forbidden) -> ResponseReturnValue:
    _note(403)
    return refusal_page(403, refusal.message)


def _note(status: int) -> None:
    """Write down, for the auditor, that a signed-in person was refused; in a transaction of its own, and bounded."""
    actor = g.get("actor")
    if actor is None or actor.id is None or actor.kind is not ActorKind.PERSON:
        return
    refused = identity.AccessRefused(
        user_id=actor.id,
        vendor_id=actor.vendor_id,
        endpoint=request.endpoint or "",
        method=request.method,
        status=status,
    )
    try:
        with house().ledger.begin(system("door")) as tx:
            identity.count_try(tx, identity.refusal_limits(actor.id))
            tx.record(refused)
    except (errors.TooMany, errors.Unavailable) as cause:
        log.warning("refusal not written down", reason=type(cause).__name__, status=status)


def _step_up(refusal: errors.StepUpRequired) -> ResponseReturnValue:
    if request.path.startswith(("/api/", "/access/")):
        return refusal_page(403, refusal.message)
    came_from = request.full_path.rstrip("?") if request.method == "GET" else (request.referrer or "/")
    return make_response(render_template("shared/step_up_required.html", next=came_from), 403)


def _too_many(refusal: errors.TooMany) -> ResponseReturnValue:
    answer = refusal_page(429, refusal.message)
    answer.headers["Retry-After"] = str(max(1, refusal.retry_after))
    return answer


def note_away(refusal: errors.Unavailable) -> None:
    """Tell the operator what is away, and why as far as it said."""
    log.warning(
        "a part is away", part=type(refusal).__name__, reason=str(refusal), request_id=getattr(g, "request_id", "")
    )


def _unavailable(refusal: errors.Unavailable) -> ResponseReturnValue:
    note_away(refusal)
    answer = refusal_page(503, refusal.message)
    answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()
    answer = refusal_page(error.code)
    for name, value in error.get_headers(request.environ):
        if name in {"Allow", "Retry-After"}:
            answer.headers[name] = value
    return answer


def _bug(error: Exception) -> ResponseReturnValue:
    log.error("a bug", exc_info=error, request_id=getattr(g, "request_id", ""), path=request.path)
    return refusal_page(500)

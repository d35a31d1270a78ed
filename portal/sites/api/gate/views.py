"""GET /api/v1/gate: one question, one signed answer; in doubt, deny."""

from __future__ import annotations

from flask import Blueprint, g, jsonify, make_response, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from portal.gate import service as gate
from portal.gate.counting import call_of
from portal.gate.rules import Question
from portal.identity import service as identity
from portal.kernel.actor import ActorKind, system
from portal.policy import Action, may_ever
from portal.sites.api.gate.bodies import STATEMENT_TYPE, body_of, statement_of
from portal.sites.shared.door import does
from portal.sites.shared.errors import refusal_page
from portal.sites.shared.pages import house, ledger

bp = Blueprint("api_gate", __name__, url_prefix="/api/v1")


@bp.before_request
def know_the_client() -> ResponseReturnValue | None:
    """Let in the bearer of a service client's token; a browser's session opens nothing here."""
    if request.endpoint == "api_gate.keys":
        return None
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    actor = None
    if scheme.lower() == "bearer" and token.strip():
        with ledger().begin(system("api sign-in")) as tx:
            actor = identity.client_of(tx, token=token.strip())
    if actor is None or actor.kind is not ActorKind.CLIENT:
        refused = refusal_page(401, "Send the token of a service client: Authorization: Bearer <token>")
        refused.headers["WWW-Authenticate"] = 'Bearer realm="gatehouse"'
        return refused
    if not may_ever(actor, Action.API_GATE_READ):
        return refusal_page(403, "This client may not ask the gate.")
    g.actor = actor
    return None


@bp.get("/gate")
@does(Action.API_GATE_READ)
def ask() -> ResponseReturnValue:
    """Answer: may this vendor work on this class of data, in this way, for this purpose?

    Unknown vendors, classes and modes are a deny with a reason, never an error that could be read as yes.
    """
    question = Question(
        vendor=request.args.get("vendor", ""),
        data_class=request.args.get("data_class", "").upper(),
        access_mode=request.args.get("access_mode", "").upper(),
        purpose=request.args.get("purpose", ""),
        engagement=request.args.get("engagement") or None,
    )
    with ledger().begin(g.actor) as tx:
        given = gate.answer(tx, question)
    if g.actor.id is not None:
        house().gate_calls.count(call_of(g.actor.id, question, given))
    said = body_of(given)
    said["statement"] = house().signer.sign(STATEMENT_TYPE, statement_of(given, question, g.actor), now=given.as_of)
    answer = make_response(jsonify(said))
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@bp.get("/gate/keys")
@does(Action.PUBLIC)
def keys() -> Response:
    """Publish the keys that verify statements, with when each is in force."""
    return jsonify(keys=house().signer.published(), payload_type=STATEMENT_TYPE)

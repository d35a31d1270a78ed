"""Who asks: the bearer of a service client's token, within what it may do and how often."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, current_app, g, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from portal.identity import service as identity
from portal.kernel.actor import ActorKind, system
from portal.policy import Action, may_ever
from portal.sites.api.limits import PER_MINUTE, Left, rates
from portal.sites.api.problems import Problem, problem
from portal.sites.shared.door import action_of
from portal.sites.shared.pages import ledger

REALM: Final = 'Bearer realm="gatehouse"'


def knows(bp: Blueprint) -> None:
    """Let only bearers of a service client's token into a blueprint, except where an endpoint is marked as public.

    A view then finds the client in ``g.actor``; each answer says how much of its minute is left. A browser's session
    opens nothing here.
    """
    bp.before_request(_let_in)
    bp.after_request(_say_what_is_left)


def _let_in() -> ResponseReturnValue | None:
    action = action_of(current_app, request.endpoint or "")
    if action is Action.PUBLIC:
        return None
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    actor = None
    with ledger().begin(system("api sign-in")) as tx:
        now = tx.now
        if scheme.lower() == "bearer" and token.strip():
            actor = identity.client_of(tx, token=token.strip())
    if actor is None or actor.id is None or actor.kind is not ActorKind.CLIENT:
        return problem(
            Problem.NOT_AUTHENTICATED,
            "Send the token of a service client: Authorization: Bearer <token>",
            headers={"WWW-Authenticate": REALM},
        )
    g.rate_left = left = rates().take(actor.id, PER_MINUTE, now)
    if not left.taken:
        return problem(Problem.TOO_MANY, "This client used up its minute. Ask again as Retry-After says.")
    if action is None or not may_ever(actor, action):
        return problem(Problem.NOT_ALLOWED, "This client has no scope for this.")
    g.actor = actor
    return None


def _say_what_is_left(answer: Response) -> Response:
    left: Left | None = g.get("rate_left")
    if left is not None:
        answer.headers.update(left.headers)
    return answer

"""The door: every endpoint says what it does; one that does not is not answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask, Request, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, HTTPException

from portal.kernel.errors import NotFound
from portal.policy import Action, check_ever

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

View = TypeVar("View", bound=Callable[..., Any])


class Asked(Request):
    """A request in which HEAD is a GET whose answer has no body, so that no view can take it for a post (IN-08)."""

    def __init__(self, environ: WSGIEnvironment, populate_request: bool = True, shallow: bool = False) -> None:
        """Read the request; the answer still leaves its body out, by the method in the environment."""
        super().__init__(environ, populate_request=populate_request, shallow=shallow)
        if self.method == "HEAD":
            self.method = "GET"


def does(action: Action) -> Callable[[View], View]:
    """Mark an endpoint with the action it performs; the door lets in whom the policy could ever allow."""

    def mark(view: View) -> View:
        view.action = action  # type: ignore[attr-defined]
        return view

    return mark


def action_of(app: Flask, endpoint: str) -> Action | None:
    """Return the action an endpoint is marked with, None if it is unmarked."""
    return getattr(app.view_functions.get(endpoint), "action", None)


def site_of(endpoint: str) -> str:
    """Return which site an endpoint belongs to: vendor, lab, api or shared."""
    head = endpoint.split(".", 1)[0]
    site = head.split("_", 1)[0]
    return site if site in {"vendor", "lab", "api"} else "shared"


def guard() -> ResponseReturnValue | None:
    """Refuse what is unmarked, unknown or not for this kind of person; send strangers to the sign-in page.

    Runs before every view, after the actor is known. A vendor's person finds no lab page, and the other way round:
    to each the other site does not exist.
    """
    if request.endpoint is None or isinstance(request.routing_exception, HTTPException):
        return None
    action = action_of(current_app, request.endpoint)
    if action is None or "\x00" in request.path:
        raise NotFound
    site = site_of(request.endpoint)
    # No text of the database can hold it, and nobody types it. The gate denies it in its own words.
    if site != "api" and any(
        "\x00" in text for values in (request.args, request.form) for _, text in values.items(multi=True)
    ):
        raise BadRequest
    if action is Action.PUBLIC or site == "api":
        return None
    actor = g.actor
    if actor.id is None:
        return _to_sign_in()
    if (site == "lab" and not actor.is_lab) or (site == "vendor" and not actor.is_vendor):
        if request.endpoint == "vendor_home.home" and actor.is_lab:
            return redirect("/lab")
        raise NotFound
    check_ever(actor, action)
    return None


def _to_sign_in() -> ResponseReturnValue:
    if request.method in {"GET", "HEAD"} and "HX-Request" not in request.headers:
        target = request.full_path.rstrip("?")
        return redirect(url_for("auth.sign_in", next=target if target != "/" else None))
    from portal.sites.shared.errors import refusal_page

    return refusal_page(401)


def mark_static(app: Flask) -> None:
    """Mark Flask's own file endpoint: css, js, fonts and icons are for everybody."""
    does(Action.PUBLIC)(app.view_functions["static"])

"""What the lab's shell says on every page: the counts of the rail, which destinations are there for whom, the role."""

from __future__ import annotations

from typing import Any

from flask import current_app, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from portal.attestations import queries as conversations
from portal.evidence import queries as evidence
from portal.findings import service as findings
from portal.kernel.ledger import Tx, count_all
from portal.policy import may_ever
from portal.reviews import second_look
from portal.reviews import service as reviews
from portal.reviews.queries import Count
from portal.sites.shared.door import action_of
from portal.sites.shared.pages import begin
from portal.sites.shared.ui import LAB_NAV
from portal.terms import ROLE_WORDS, Role
from portal.vendors import queries as vendors


def count() -> None:
    """Have what waits counted by the first transaction of a page, so that it costs none of its own."""
    if request.method == "GET" and _is_lab_page():
        g.first_of_all = _count


def _count(tx: Tx) -> None:
    g.nav_counts = _counts(tx)


def context() -> dict[str, Any]:
    """Return what ``lab/base.html`` takes: nav_counts, nav_hidden, role_label."""
    actor = g.get("actor")
    if actor is None or actor.id is None or not actor.is_lab:
        return {}
    if "nav_counts" not in g and _is_lab_page():
        # The page of a refused form, or one that began no transaction.
        with begin() as tx:
            g.nav_counts = _counts(tx)
    return {
        "nav_counts": g.get("nav_counts", {}),
        "nav_hidden": hidden(),
        "role_label": ", ".join(ROLE_WORDS[each] for each in Role if each in actor.roles) or "No role yet",
    }


def hidden() -> list[str]:
    """Return the destinations that are not there for the actor: another role's, or pages that this house has not."""
    actor = g.actor
    keys = []
    for items in LAB_NAV.values():
        for item in items:
            endpoint = endpoint_of(item.path)
            action = action_of(current_app, endpoint) if endpoint else None
            if action is None or not may_ever(actor, action):
                keys.append(item.key)
    return keys


def endpoint_of(path: str) -> str | None:
    """Return which page answers at a path; a cache of the application, for routes never change while it runs."""
    known: dict[str, str | None] = current_app.extensions.setdefault("gatehouse_lab_nav", {})
    if path not in known:
        adapter = current_app.url_map.bind("localhost")
        try:
            known[path] = adapter.match(path, method="GET")[0]
        except RequestRedirect:
            known[path] = None
        except (NotFound, MethodNotAllowed, HTTPException):
            known[path] = None
    return known[path]


def _is_lab_page() -> bool:
    actor = g.get("actor")
    if actor is None or actor.id is None or not actor.is_lab or "HX-Request" in request.headers:
        return False
    return request.endpoint not in {None, "static"} and (request.path.startswith("/lab") or request.path == "/account")


def _counts(tx: Tx) -> dict[str, int | str]:
    waiting = reviews.counts(tx)
    talks, told, looks, known, files = count_all(
        tx,
        (
            conversations.number_of_open_talks(),
            findings.number_waiting(),
            second_look.number_waiting(),
            vendors.number_of_vendors(),
            evidence.number_waiting(),
        ),
    )
    return {
        # The queue stops counting where a number says no more; it says so.
        "queue": Count(waiting.queue).words if waiting.queue else 0,
        "reviews": Count(waiting.mine).words if waiting.mine else 0,
        "messages": talks,
        "cosign": waiting.to_cosign,
        "findings": told,
        "appeals": looks,
        "vendors": known,
        "evidence": files,
    }

"""The small endpoints of everybody: health, theme, policy reports, and the pages of the footer."""

from __future__ import annotations

from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import Blueprint, current_app, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from portal.kernel import migrate
from portal.kernel.logging import logger
from portal.policy import Action
from portal.sites.shared.door import does
from portal.sites.shared.pages import house, page

bp = Blueprint("basics", __name__)
log = logger(__name__)

SKEW_LIMIT_SECONDS = 60


@bp.get("/health/live")
@does(Action.PUBLIC)
def live() -> ResponseReturnValue:
    """Say that this process answers."""
    return jsonify(status="ok")


@bp.get("/health/ready")
@does(Action.PUBLIC)
def ready() -> ResponseReturnValue:
    """Say whether what we stand on is there: database, migration level, evidence store, clock."""
    parts: dict[str, str] = {}
    engine = house().ledger.engine
    try:
        with engine.connect() as connection:
            behind = migrate.current(connection) != migrate.head()
            skew = connection.execute(
                sa.text("SELECT extract(epoch FROM now()) - :ours"), {"ours": _our_time()}
            ).scalar_one()
        parts["database"] = "ok"
        parts["migrations"] = "behind" if behind else "ok"
        parts["clock"] = "ok" if abs(float(skew)) <= SKEW_LIMIT_SECONDS else "skewed"
    except Exception as failure:
        log.warning("not ready", part="database", reason=type(failure).__name__)
        parts["database"] = "away"
    try:
        house().store.probe()
        parts["store"] = "ok"
    except Exception as failure:
        log.warning("not ready", part="store", reason=type(failure).__name__)
        parts["store"] = "away"
    well = parts.get("database") == "ok" and parts.get("migrations") == "ok" and parts.get("clock") == "ok"
    return jsonify(status="ok" if well and parts["store"] == "ok" else "degraded" if well else "down", parts=parts), (
        200 if well else 503
    )


def _our_time() -> float:
    import time

    return time.time()


@bp.post("/theme")
@does(Action.PUBLIC)
def theme() -> ResponseReturnValue:
    """Remember light or dark in a cookie and go back."""
    wanted = request.form.get("theme", "")
    back = request.form.get("next", "/")
    if urlsplit(back).netloc or not back.startswith("/") or back.startswith(("//", "/\\")):
        back = "/"
    answer = redirect(back, 303)
    if wanted in {"light", "dark"}:
        answer.set_cookie(
            "theme", wanted, max_age=31_536_000, samesite="Lax", secure=house().settings.secure, httponly=False
        )
    return answer


@bp.post("/csp-report")
@does(Action.PUBLIC)
def csp_report() -> ResponseReturnValue:
    """Take a browser's report of something our policy stopped."""
    body = request.get_data(cache=False)[:4_000]
    current_app.extensions.setdefault("csp_reports", []).append(body)
    del current_app.extensions["csp_reports"][:-50]
    log.warning("content security policy report", report=body.decode("utf-8", "replace"))
    return "", 204


@bp.get("/help")
@does(Action.PUBLIC)
def help_page() -> ResponseReturnValue:
    """Say how to get on, and whom to ask."""
    return page("shared/help.html")


@bp.get("/<any(accessibility, privacy, security):name>")
@does(Action.PUBLIC)
def about(name: str) -> ResponseReturnValue:
    """Show one of the pages of the footer."""
    return page(f"shared/{name}.html")

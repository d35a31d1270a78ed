"""Search from anywhere: what a word leads to, by group; a vendor that is meant alone opens at once."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.policy import Action
from portal.sites.shared.door import does

bp = Blueprint("lab_search", __name__, url_prefix="/lab/search")


@bp.get("")
@does(Action.VENDOR_READ)
def search() -> ResponseReturnValue:
    """Show the vendors of these words."""
    return redirect(url_for("lab_vendors.index", q=request.args.get("q", "").strip()[:100]))

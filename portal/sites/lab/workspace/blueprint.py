"""The blueprint of the workspace, shared by the modules that answer under a review's address."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("lab_workspace", __name__, url_prefix="/lab/reviews/<uuid:review_id>")

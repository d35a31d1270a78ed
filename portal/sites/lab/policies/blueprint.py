"""The blueprint that the pages of the policies share."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("lab_policies", __name__, url_prefix="/lab/policies")

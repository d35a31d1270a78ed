"""The blueprint that the pages of the questionnaires share."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("lab_questionnaires", __name__, url_prefix="/lab/questionnaires")

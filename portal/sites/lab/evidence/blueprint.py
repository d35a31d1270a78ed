"""The blueprint of the lab's evidence pages, apart, so that each module of them can add its own."""

from flask import Blueprint

bp = Blueprint("lab_evidence", __name__)

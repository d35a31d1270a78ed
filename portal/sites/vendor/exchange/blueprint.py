"""The blueprint that the pages of the exchange share."""

from flask import Blueprint

bp = Blueprint("vendor_exchange", __name__)

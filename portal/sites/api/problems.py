"""Refusals for machines: problem details (RFC 9457) with a type that stays the same."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from flask import jsonify, make_response
from werkzeug.wrappers import Response

from portal.sites.shared.pages import house


class Problem(StrEnum):
    """What went wrong; the value is the last part of the type's address and never changes."""

    NOT_AUTHENTICATED = "not-authenticated"
    NOT_ALLOWED = "not-allowed"
    TOO_MANY = "too-many-requests"


_SAID: dict[Problem, tuple[int, str]] = {
    Problem.NOT_AUTHENTICATED: (401, "Not authenticated"),
    Problem.NOT_ALLOWED: (403, "Forbidden"),
    Problem.TOO_MANY: (429, "Too many requests"),
}


def problem(kind: Problem, detail: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """Return this refusal: its type, title and status, and in words what to do."""
    status, title = _SAID[kind]
    address = f"{house().settings.base_url.rstrip('/')}/problems/{kind.value}"
    body: dict[str, Any] = {"type": address, "title": title, "status": status, "detail": detail}
    answer = make_response(jsonify(body), status)
    answer.content_type = "application/problem+json"
    answer.headers["Cache-Control"] = "no-store"
    answer.headers.update(headers or {})
    return answer

"""The references: what the same server needs for next to nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue

BODY = b'{"decision":"deny","reasons":["unknown_vendor"]}'


def bare(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a constant, as little as WSGI allows."""
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))])
    return [BODY]


flask_json = Flask("reference")


@flask_json.get("/")
def answer() -> ResponseReturnValue:
    """Answer a constant through Flask: the unit F of the goals."""
    return jsonify(decision="deny", reasons=["unknown_vendor"])

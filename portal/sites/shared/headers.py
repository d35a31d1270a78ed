"""The headers of every response: a strict content security policy with a fresh nonce, and the rest of the wall."""

from __future__ import annotations

import secrets

from flask import Flask, g, request
from werkzeug.wrappers import Response

from portal.settings import Settings

POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'{bucket}; form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types htmx portal; report-uri /csp-report"
)

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
}


def csp_nonce() -> str:
    """Return this response's nonce."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def register(app: Flask, settings: Settings, *, upload_origin: str | None) -> None:
    """Put the headers on every response, fragments and errors included.

    :param upload_origin: where browsers send files directly, if the store can presign; the only other host allowed.
    """
    bucket = f" {upload_origin}" if upload_origin else ""

    @app.before_request
    def number() -> None:
        g.request_id = f"{secrets.token_hex(2)}-{secrets.token_hex(1)}".upper()

    @app.after_request
    def wall(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", POLICY.format(nonce=csp_nonce(), bucket=bucket))
        for name, value in FIXED.items():
            response.headers.setdefault(name, value)
        if settings.secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
        if request.endpoint == "static":
            if "v" in request.args:
                response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        elif "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        response.headers["X-Request-Id"] = g.get("request_id", "")
        return response

    app.jinja_env.globals["csp_nonce"] = csp_nonce

"""A small application that shows every shared part under the real content policy, and answers as the portal does."""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

from flask import Flask, Response, flash, g, jsonify, redirect, render_template, request
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
from werkzeug.serving import make_server
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    FileField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from portal.sites.shared import language, ui
from portal.sites.shared.forms import Form

ROOT = Path(__file__).resolve().parents[2]
SITES = ROOT / "portal/sites"
TODAY = date(2026, 11, 23)


def policy(nonce: str) -> str:
    """The header of spec/ux.md, on every response."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types htmx portal"
    )


def choices(*pairs: tuple[str, str]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in pairs]


class Sample(Form):
    """One of each field."""

    full_name = StringField("Full name", [InputRequired("Enter your full name, as on your account")])
    email = EmailField("Work e-mail", description="The address you sign in with")
    password = PasswordField("Password")
    hours = IntegerField("Slowest case in the last 12 months, in hours")
    ends = DateField("Valid until")
    know = TextAreaField("How do you know?")
    tier = SelectField("Tier", choices=choices(("1", "Tier 1"), ("2", "Tier 2")))
    soon = RadioField(
        "How soon after a person leaves are all their accounts disabled?",
        [InputRequired("Choose how soon accounts are disabled")],
        choices=choices(
            ("1h", "Within 1 hour"), ("4h", "Within 4 hours"), ("24h", "Within 24 hours"), ("no", "Longer")
        ),
    )
    classes = SelectMultipleField(
        "Data classes",
        choices=choices(("D1", "Public"), ("D2", "Internal"), ("D3", "Confidential")),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    report = FileField("SOC 2 report")
    agree = BooleanField("I have authority to sign for Quillmark Annotation, Inc.")


def make_gallery() -> Flask:
    """Return the application; what it was sent is in app.extensions["seen"]."""
    app = Flask("gallery", static_folder=str(ROOT / "static"))
    app.config.update(SECRET_KEY="gallery", WTF_CSRF_TIME_LIMIT=None)
    folders = [
        Path(__file__).parent / "templates",
        *(SITES / site / "templates" for site in ("shared", "vendor", "lab")),
    ]
    app.jinja_loader = ChoiceLoader([FileSystemLoader(folder) for folder in folders])
    app.jinja_env.undefined = StrictUndefined
    CSRFProtect(app)
    language.register(app)
    ui.register(app, today=lambda: TODAY)
    seen = app.extensions["seen"] = SimpleNamespace(saves=[], files={}, answer="200", version=1, theme=None)

    def nonce() -> str:
        if "nonce" not in g:
            g.nonce = secrets.token_urlsafe(18)
        return str(g.nonce)

    @app.context_processor
    def context() -> dict[str, Any]:
        return {
            "site_host": "127.0.0.1",
            "csp_nonce": nonce,
            "actor": SimpleNamespace(name="Priya Raghunath", initials="PR", roles=["reviewer"], single_keys=True),
            "lab_name": "Orrery",
            "vendor_name": "Quillmark Annotation",
            "nav_counts": {"queue": 23, "reviews": 6, "cosign": 2, "vendors": 37, "evidence": 9, "incidents": 1},
            "theme": request.cookies.get("theme", "auto"),
            "request_id": "7Q4K-2M",
            "d": date,
            "m": datetime(2026, 11, 20, 10, 14, tzinfo=UTC),
            "words": list(ui.STATUS),
        }

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy(nonce())
        return response

    @app.errorhandler(CSRFError)
    def stale(_: CSRFError) -> tuple[str, int]:
        return render_template("shared/error.html", status=400), 400

    @app.route("/parts", methods=["GET", "POST"])
    def parts() -> tuple[str, int] | str:
        form = Sample()
        if request.method == "POST" and not form.validate():
            return render_template("parts.html", form=form), 422
        if request.method == "POST":
            flash("Saved.")
        return render_template("parts.html", form=form)

    @app.get("/lab/queue")
    def queue() -> str:
        return render_template("queue.html")

    @app.get("/lab/confirm")
    def confirming() -> str:
        return render_template("confirming.html")

    @app.get("/sign-in")
    def sign_in() -> str:
        return render_template("signing.html")

    @app.get("/error/<int:status>")
    def error(status: int) -> tuple[str, int]:
        return render_template("shared/error.html", status=status, actor=None), 200

    @app.post("/theme")
    def theme() -> Response:
        response = redirect(request.form["next"])
        response.set_cookie("theme", request.form["theme"])
        return response  # type: ignore[return-value]

    @app.get("/s/identity")
    def section() -> str:
        return render_template("section.html", seen=seen)

    @app.post("/s/identity")
    def section_plain() -> Response:
        seen.saves.append(request.form.to_dict())
        return redirect("/s/identity")  # type: ignore[return-value]

    @app.post("/s/identity/answers/q2")
    def save() -> tuple[Any, int] | str:
        if seen.answer == "409" and request.form["version"] != "9":
            return render_template("conflict.html"), 409
        if seen.answer == "500":
            return jsonify(title="We could not save that.", detail="Nothing was changed. Try again."), 500
        if seen.answer == "401":
            return "", 401
        seen.saves.append(request.form.to_dict())
        seen.version += 1
        return render_template("card.html", seen=seen)

    @app.get("/s/identity/answers/q2")
    def card() -> str:
        return render_template("card.html", seen=seen)

    @app.route("/fragment", methods=["GET", "POST"])
    def fragment() -> tuple[str, int] | str:
        if seen.answer != "200":
            return "<p>never shown</p>", int(seen.answer)
        return render_template("fragment.html")

    @app.post("/reserve")
    def reserve() -> tuple[Response, int]:
        told = request.get_json()
        if told["name"].startswith("locked"):
            words = "The file is password-protected. Remove the password and upload it again"
            return jsonify(title="Refused", detail=words), 422
        seen.files[told["name"]] = told
        upload = {"method": "PUT", "url": f"/store/{told['name']}", "headers": {"X-Ticket": "1"}}
        return jsonify(id=told["name"], upload=upload, finalise_url=f"/finalise/{told['name']}"), 201

    @app.put("/store/<name>")
    def store(name: str) -> str:
        seen.files[name]["received"] = hashlib.sha256(request.get_data()).hexdigest()
        return ""

    @app.post("/finalise/<name>")
    def finalise(name: str) -> Response:
        return jsonify(html=render_template("row.html", name=name))

    @app.post("/evidence")
    def evidence() -> str:
        seen.files[request.files["file"].filename] = request.form.to_dict()
        return render_template("parts.html", form=Sample())

    return app


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve an application on a free port of this machine and give its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()

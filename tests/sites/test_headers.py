"""The wall around every response: pages, fragments, refusals, files of ours, answers to machines, and faults."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.kernel.errors import Unavailable
from portal.policy import Action
from portal.settings import Settings
from portal.sites.shared.door import does
from portal.wiring import House, make_app
from tests.factories.identity import Person, person
from tests.sites.conftest import Client

PATHS = (
    "/sign-in",
    "/help",
    "/nowhere",
    "/lab/queue",
    "/api/v1/gate",
    "/api/v1/nowhere",
    "/health/live",
    "/health/ready",
)
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


@pytest.fixture
def over_https(settings: Settings, house: House) -> FlaskClient:
    """A browser of an installation on https."""
    secure = replace(settings, base_url="https://gatehouse.example")
    return make_app(secure, House(secure, database_url=house.database_url, clock=house.clock)).test_client()


@pytest.mark.parametrize("path", [*PATHS, "/static/css/gatehouse.css"])
def test_every_response_carries_the_wall(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS
    policy = answer.headers["Content-Security-Policy"]
    for rule in (
        "default-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ):
        assert rule in policy
    assert "unsafe" not in policy
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["X-Request-Id"]


def test_each_response_has_a_nonce_of_its_own(client: FlaskClient) -> None:
    nonces = {
        re.findall(r"'nonce-([^']+)'", client.get("/help").headers["Content-Security-Policy"])[0] for _ in range(5)
    }

    assert len(nonces) == 5
    assert min(map(len, nonces)) >= 22


@pytest.mark.parametrize("path", PATHS)
def test_nothing_but_files_of_ours_is_kept_by_a_cache(client: FlaskClient, path: str) -> None:
    assert "no-store" in client.get(path).headers["Cache-Control"]


def test_a_private_page_is_not_kept_and_an_unknown_suffix_finds_nothing(
    house: House, signed_in: Callable[..., Client]
) -> None:
    ines: Person = person(house, name="Ines Adeyemi", roles=["reviewer"])
    browser = signed_in(ines)

    assert browser.get("/lab/queue").headers["Cache-Control"] == "no-store"
    assert browser.get("/lab/queue.css").status_code == 404
    assert browser.get("/lab/queue/a.js").status_code == 404


@pytest.mark.parametrize("path", PATHS)
def test_https_is_kept_for_two_years(over_https: FlaskClient, client: FlaskClient, path: str) -> None:
    assert over_https.get(path).headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
    assert "Strict-Transport-Security" not in client.get(path).headers


def test_over_https_a_cookie_is_bound_to_this_host_and_out_of_reach_of_scripts(over_https: FlaskClient) -> None:
    cookies = over_https.get("/sign-in").headers.getlist("Set-Cookie")

    assert cookies
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert len(cookie) < 4_000


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "DELETE", "PATCH", "NONSENSE"])
def test_a_method_that_is_not_used_is_refused(client: FlaskClient, method: str) -> None:
    for path in ("/help", "/api/v1/gate"):
        answer = client.open(path, method=method)
        assert answer.status_code == 405
        assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "path", ["/static/", "/static/css/", "/static/../app.py", "/static/%2e%2e/app.py", "/.git/HEAD"]
)
def test_no_folder_is_listed_and_nothing_else_is_served(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.fixture
def faulty(app: Flask) -> Flask:
    """An application with an endpoint that breaks and one whose database is away."""

    def breaks() -> str:
        raise RuntimeError("the secret of the fault")

    def away() -> str:
        raise Unavailable("We could not reach the database. Nothing was changed. Try again in a few seconds.")

    for name, view in (("breaks", breaks), ("away", away)):
        for prefix in ("", "/api"):
            app.add_url_rule(f"{prefix}/{name}", f"{prefix}{name}", does(Action.PUBLIC)(view))
    return app


@pytest.mark.parametrize("path", ["/breaks", "/api/breaks"])
def test_a_fault_is_said_with_a_number_and_without_its_cause(faulty: Flask, path: str) -> None:
    answer = faulty.test_client().get(path)
    body = answer.get_data(as_text=True)

    assert answer.status_code == 500
    assert "secret of the fault" not in body
    assert "Traceback" not in body
    assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS
    number = answer.headers["X-Request-Id"]
    assert path.startswith("/api") or number in body


@pytest.mark.parametrize("path", ["/away", "/api/away"])
def test_what_is_away_is_said_with_when_to_come_back(faulty: Flask, path: str) -> None:
    answer = faulty.test_client().get(path)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "Nothing was changed" in answer.get_data(as_text=True)

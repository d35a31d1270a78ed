"""Laws of every response: the same strict headers on pages, fragments, errors, files and machine answers."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from portal.settings import Settings
from portal.wiring import House, make_app

ADDRESSES = [
    "/sign-in",
    "/help",
    "/privacy",
    "/no-such-page",
    "/lab/queue",
    "/assessments/00000000-0000-7000-8000-000000000001",
    "/static/css/gatehouse.css",
    "/static/no-such-file",
    "/api/v1/gate",
    "/api/v1/gate/keys",
    "/health/live",
    "/health/ready",
]


@pytest.fixture
def app(settings: Settings, house: House) -> Flask:
    return make_app(settings, house)


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_response_carries_the_wall(app: Flask, address: str) -> None:
    headers = app.test_client().get(address).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    for word in ("unsafe-inline", "unsafe-eval", "strict-dynamic", "data:", "http:", "https:", "*"):
        assert word not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers
    assert "Server" not in headers


def test_every_page_has_a_nonce_of_its_own(app: Flask) -> None:
    client = app.test_client()
    nonces = set()
    for _ in range(3):
        answer = client.get("/sign-in")
        nonce = re.search(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"])
        assert nonce
        assert f'nonce="{nonce[1]}"' in answer.get_data(as_text=True)
        nonces.add(nonce[1])
    assert len(nonces) == 3


@pytest.mark.parametrize("address", ["/sign-in", "/no-such-page", "/api/v1/gate", "/lab/queue"])
def test_nothing_but_files_is_ever_stored_by_a_cache(app: Flask, address: str) -> None:
    assert "no-store" in app.test_client().get(address).headers["Cache-Control"]


def test_files_with_their_fingerprint_are_kept_for_ever(app: Flask) -> None:
    kept = app.test_client().get("/static/css/gatehouse.css?v=1").headers["Cache-Control"]
    assert "immutable" in kept


def test_https_is_demanded_for_two_years_where_it_is_spoken(house: House, settings: Settings) -> None:
    from dataclasses import replace

    secure = replace(settings, base_url="https://gatehouse.orrery.example")
    answer = make_app(secure, House(secure, database_url=house.database_url)).test_client().get("/sign-in")
    assert answer.headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
    cookies = [value for name, value in answer.headers if name == "Set-Cookie"]
    assert all("Secure" in cookie and "SameSite" in cookie for cookie in cookies)


@pytest.mark.parametrize("address", ["/sign-in", "/help", "/no-such-page"])
def test_a_page_names_no_other_host(app: Flask, address: str) -> None:
    page = app.test_client().get(address).get_data(as_text=True)
    assert re.findall(r"(?:src|href|action)=\"(?:https?:)?//[^\"]+", page) == []


def test_a_host_that_the_caller_made_up_is_in_no_link(app: Flask) -> None:
    page = app.test_client().get("/sign-in", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in page.get_data(as_text=True)
    assert "evil.example" not in page.headers.get("Location", "")

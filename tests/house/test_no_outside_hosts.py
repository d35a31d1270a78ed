"""Law: no page, script or style sheet of ours names another host, and no link takes its host from the caller."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from portal.settings import Settings
from portal.wiring import ROOT, House, make_app

OURS = sorted(
    path
    for folder, pattern in (("static/css", "*.css"), ("static/js", "*.js"), ("portal/sites", "*.html"))
    for path in (ROOT / folder).rglob(pattern)
)
NAMES = {"http://www.w3.org/2000/svg"}
"""Names that look like addresses and are never fetched."""


@pytest.fixture
def app(settings: Settings, house: House) -> Flask:
    return make_app(settings, house)


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_of_ours_names_no_host(path: Path) -> None:
    found = set(re.findall(r"https?://[\w.-]+(?:/[\w./-]*)?", path.read_text()))
    assert found - NAMES == set()


@pytest.mark.parametrize("address", ["/sign-in", "/help", "/no-such-page"])
def test_a_page_names_no_other_host(app: Flask, address: str) -> None:
    page = app.test_client().get(address).get_data(as_text=True)
    assert re.findall(r"(?:src|href|action)=\"(?:https?:)?//[^\"]+", page) == []


def test_a_host_that_the_caller_made_up_is_in_no_link(app: Flask) -> None:
    answer = app.test_client().get("/sign-in", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in answer.get_data(as_text=True)
    assert "evil.example" not in answer.headers.get("Location", "")

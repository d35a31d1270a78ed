"""IN-08: nothing changes by a forged form, and nothing changes by a GET. Walks every route of the application."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from portal.kernel.actor import system
from portal.sites.shared.sessions import MACHINES
from portal.terms import LAB_ROLES, VENDOR_ROLES
from portal.wiring import House
from tests.factories.identity import Person, person
from tests.factories.vendors import make_engagement, make_vendor
from tests.sites.cases.walking import rows

UNSUBSCRIBE = "/unsubscribe/sample"
"""Mail programs post here with no cookie and no token (RFC 8058): the address itself is signed, and this one is not."""
SAMPLES = {"uuid": str(UUID(int=7)), "int": "7", "any": "privacy"}


def path_of(rule: Rule) -> str:
    """Return an address of a route, with a well-formed value for each of its variables."""

    def sample(found: re.Match[str]) -> str:
        kind, _, _name = found[1].rpartition(":")
        return SAMPLES.get(kind.partition("(")[0], "sample")

    return re.sub(r"<([^>]+)>", sample, rule.rule)


def routes(app: Flask, *methods: str) -> list[tuple[str, str]]:
    """Return method and address of the routes for people (machines send no cookie)."""
    return [
        (method, path_of(rule))
        for rule in app.url_map.iter_rules()
        for method in methods
        if method in (rule.methods or ()) and not rule.rule.startswith(MACHINES)
    ]


def refused(path: str) -> set[int]:
    """Return how a forged form is refused."""
    return {410} if path == UNSUBSCRIBE else {400, 403, 404}


@pytest.fixture
def everybody(house: House, signed_in: Callable[..., FlaskClient]) -> list[tuple[Person, FlaskClient]]:
    """A person of each side with every role of it, each with a fresh factor."""
    with house.ledger.begin(system("test")) as tx:
        vendor = make_vendor(tx)
        make_engagement(tx, vendor)
    lab = person(house, roles=LAB_ROLES, name="Every Role", email="lab@orrery.example")
    theirs = person(house, vendor=vendor, roles=VENDOR_ROLES, name="Each Role", email="vendor@quillmark.example")
    return [(each, signed_in(each, fresh=True)) for each in (lab, theirs)]


def test_IN_08_no_form_is_taken_without_the_sessions_own_token(
    app: Flask, house: House, everybody: list[tuple[Person, FlaskClient]], signed_in: Callable[..., FlaskClient]
) -> None:
    strangers = [{}, {"X-CSRFToken": "made-up"}]
    for someone, browser in everybody:
        other = signed_in(someone)
        other.form_token = "0" * 40
        headers = [*strangers, {"X-CSRFToken": other.token()}]
        before = rows(house)
        for method, path in routes(app, "POST", "PUT", "PATCH", "DELETE"):
            for sent in headers:
                answer = browser.open(path, method=method, csrf=False, headers=sent, data={"next": "/"})
                assert answer.status_code in refused(path), f"{method} {path} with {sent}"
        assert rows(house) == before


@pytest.mark.parametrize("origin", ["null", "https://evil.example"])
def test_IN_08_a_form_of_another_site_is_not_taken(
    app: Flask, house: House, everybody: list[tuple[Person, FlaskClient]], origin: str
) -> None:
    before = rows(house)
    for _, browser in everybody:
        for method, path in routes(app, "POST"):
            for kind in ("text/plain", "application/x-www-form-urlencoded"):
                answer = browser.open(
                    path, method=method, csrf=False, headers={"Origin": origin}, data='{"a": 1}', content_type=kind
                )
                assert answer.status_code in refused(path), f"{method} {path} from {origin}"
    assert rows(house) == before


@pytest.mark.slow
def test_IN_08_reading_every_page_changes_nothing(
    app: Flask, house: House, everybody: list[tuple[Person, FlaskClient]], client: FlaskClient
) -> None:
    before = rows(house)
    for browser in (*(each for _, each in everybody), client):
        for method, path in routes(app, "GET"):
            for asked in (method, "HEAD"):
                answer = browser.open(path, method=asked)
                assert answer.status_code < 500, f"{asked} {path} gave {answer.status_code}"
    assert rows(house) == before

"""In which language and zone the pages speak, and how a person changes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from portal.identity import service as identity
from portal.identity import totp
from portal.kernel.actor import system
from portal.terms import Role, Side
from portal.wiring import House
from tests.factories.identity import PASSWORD, Person, person
from tests.factories.vendors import make_vendor
from tests.sites.conftest import Client

Browser = Callable[..., Client]


@pytest.fixture
def priya(house: House) -> Person:
    with house.ledger.begin(system("factory")) as tx:
        vendor_id = make_vendor(tx).id
    return person(house, roles=[Role.VENDOR_ADMIN], vendor=vendor_id)


def lang_of(answer: Any) -> str:
    text = answer.get_data(as_text=True)
    return text.split('<html lang="', 1)[1].split('"', 1)[0]


@pytest.mark.parametrize(
    ("asked", "lang"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("en;q=0.9,de;q=0.5", "en-GB"),
        ("tlh", "en-GB"),
        ("", "en-GB"),
        ("*", "en-GB"),
    ],
)
def test_a_visitor_is_spoken_to_as_the_browser_asks(client: FlaskClient, asked: str, lang: str) -> None:
    assert lang_of(client.get("/sign-in", headers={"Accept-Language": asked})) == lang


def test_what_a_visitor_chose_wins_over_what_the_browser_asks(client: FlaskClient) -> None:
    answer = client.post("/language", data={"language": "de", "next": "/help?a=b"})
    assert (answer.status_code, answer.location) == (303, "/help?a=b")

    page = client.get("/help", headers={"Accept-Language": "en"})
    assert lang_of(page) == "de"
    assert "Zum Hauptinhalt springen" in page.get_data(as_text=True)


@pytest.mark.parametrize("path", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "x", ""])
def test_the_switch_leads_nowhere_else(client: FlaskClient, path: str) -> None:
    assert client.post("/language", data={"language": "de", "next": path}).location == "/"


def test_a_language_that_we_do_not_speak_changes_nothing(client: FlaskClient) -> None:
    answer = client.post("/language", data={"language": "xx"})
    assert answer.status_code == 303
    assert "Set-Cookie" not in answer.headers or "language=" not in answer.headers["Set-Cookie"]


def test_who_is_signed_in_takes_the_language_along_to_every_browser(
    house: House, signed_in: Browser, priya: Person
) -> None:
    one, other = signed_in(priya), signed_in(priya)
    one.post("/language", data={"language": "de"})

    assert lang_of(other.get("/account")) == "de"
    with house.ledger.begin(system("test")) as tx:
        fact = tx.session.execute(
            sa.text("SELECT payload FROM audit_event WHERE fact = 'reading_changed'")
        ).scalar_one()
    assert '"language":"de"' in fact


def test_times_are_shown_in_the_persons_zone_and_days_in_its_calendar(signed_in: Browser, priya: Person) -> None:
    browser = signed_in(priya)
    answer = browser.post("/account/reading", data={"language": "de", "timezone": "Asia/Manila"})
    assert answer.status_code == 303

    page = browser.get("/account").get_data(as_text=True)
    assert "Asia/Manila" in page
    assert '<option value="Asia/Manila" selected>' in page


@pytest.mark.parametrize("timezone", ["Mars/Base", "../../etc/passwd", "Europe", "", "\ud800"])
def test_a_zone_that_is_none_is_refused_in_words(signed_in: Browser, priya: Person, timezone: str) -> None:
    answer = signed_in(priya).post("/account/reading", data={"timezone": timezone.encode("utf-8", "surrogatepass")})
    assert answer.status_code in {400, 422}


def test_the_lab_reads_english(house: House, signed_in: Browser) -> None:
    browser = signed_in(person(house, roles=[Role.REVIEWER]))
    browser.post("/language", data={"language": "de"})
    assert lang_of(browser.get("/lab/queue")) == "en-GB"


def test_who_enrols_is_spoken_to_from_then_on_as_the_browser_they_came_with(client: FlaskClient, house: House) -> None:
    with house.ledger.begin(system("test")) as tx:
        invitation = identity.invite(
            tx,
            email="lena@quillmark.example",
            full_name="Lena Brandt",
            roles=[Role.RESPONDENT],
            side=Side.VENDOR,
            vendor_id=make_vendor(tx).id,
            keyring=house.keyring,
        )
        link = identity.link_path(invitation, house.keyring)
    asks = {"Accept-Language": "de"}
    client.get(link, headers=asks)
    body = client.get("/invitation", headers=asks).get_data(as_text=True)
    secret = body.split('<code class="mono">', 1)[1].split("<", 1)[0].replace(" ", "")
    with house.ledger.begin(system("test")) as tx:
        code = totp.code_at(secret, totp.step_at(tx.now))

    form = {"full_name": "Lena Brandt", "password": PASSWORD, "code": code, "timezone": "Europe/Berlin"}
    answer = client.post("/invitation", data=form, headers=asks)
    assert answer.status_code == 200, answer.get_data(as_text=True)

    page = client.get("/account", headers={"Accept-Language": "en"})
    assert lang_of(page) == "de"
    assert '<option value="Europe/Berlin" selected>' in page.get_data(as_text=True)

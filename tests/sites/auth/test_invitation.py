"""The invitation page and the enrolment."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from portal.identity import service as identity
from portal.identity import totp
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.terms import Role, Side
from portal.wiring import House
from tests.factories.identity import PASSWORD, Person, person
from tests.factories.vendors import make_vendor

SYSTEM = system("test")


@pytest.fixture
def inviter(house: House) -> Person:
    return person(house, roles=["reviewer"], name="Daniel Osei")


@pytest.fixture
def link(house: House, inviter: Person) -> str:
    with house.ledger.begin(SYSTEM) as tx:
        vendor = make_vendor(tx)
    with house.ledger.begin(inviter.actor) as tx:
        invitation = identity.invite(
            tx,
            email="priya.raghunath@quillmark.example",
            full_name="Priya Raghunath",
            roles=[Role.VENDOR_ADMIN],
            side=Side.VENDOR,
            vendor_id=vendor.id,
            sections=["iam"],
            keyring=house.keyring,
        )
        return identity.link_path(invitation, house.keyring)


def enrolment(house: House, body: str, **changes: Any) -> dict[str, Any]:
    found = re.search(r'Key: <code class="mono">([A-Z2-7 ]+)</code>', body)
    assert found
    with house.ledger.begin(SYSTEM) as tx:
        code = totp.code_at(found[1].replace(" ", ""), totp.step_at(tx.now))
    return {"full_name": "Priya Raghunath", "password": PASSWORD, "code": code, **changes}


def opened(client: FlaskClient, link: str) -> str:
    answer = client.get(link, follow_redirects=True)
    assert answer.request.path == "/invitation"
    return answer.get_data(as_text=True)


def test_it_says_who_asked_whom_for_and_who_invited_before_anything_is_typed(client: FlaskClient, link: str) -> None:
    body = re.sub(r"<[^>]+>", "", opened(client, link))

    assert "Orrery asked Quillmark Annotation for a security assessment." in body
    assert "You were invited by Daniel Osei as vendor admin." in body


def test_the_token_leaves_the_address_at_once(client: FlaskClient, link: str) -> None:
    answer = client.get(link)

    assert (answer.status_code, answer.location) == (303, "/invitation")
    assert link.rsplit("/", 1)[1] not in client.get("/invitation").get_data(as_text=True)


def test_enrolling_takes_one_form_shows_the_codes_once_and_lands_on_the_section(
    client: FlaskClient, house: House, link: str
) -> None:
    answer = client.post("/invitation", data=enrolment(house, opened(client, link)))
    body = answer.get_data(as_text=True)

    assert answer.status_code == 200
    assert len(set(re.findall(r'mono">([2-9A-Z]{4}(?:-[2-9A-Z]{4}){3})<', body))) == 10
    assert 'href="/s/iam"' in body
    assert "Priya Raghunath" in client.get("/account").get_data(as_text=True)


def test_a_wrong_code_or_password_keeps_the_picture_and_uses_nothing_up(
    client: FlaskClient, house: House, link: str
) -> None:
    body = opened(client, link)
    wrong = client.post("/invitation", data=enrolment(house, body, code="000000"))
    short = client.post("/invitation", data=enrolment(house, body, password="short"))
    named = client.post("/invitation", data=enrolment(house, body, password="quillmark-orrery-2026"))

    assert [each.status_code for each in (wrong, short, named)] == [422, 422, 422]
    assert "The code did not match" in wrong.get_data(as_text=True)
    assert "at least 12 characters" in short.get_data(as_text=True)
    assert "Without “quillmark”" in html.unescape(named.get_data(as_text=True))
    assert client.post("/invitation", data=enrolment(house, body)).status_code == 200


def test_a_used_link_says_so_and_offers_to_sign_in(client: FlaskClient, app: Flask, house: House, link: str) -> None:
    client.post("/invitation", data=enrolment(house, opened(client, link)))

    again = app.test_client().get(link, follow_redirects=True)

    assert again.status_code == 410
    assert "This invitation was used" in again.get_data(as_text=True)


def test_an_ended_link_offers_a_new_one_to_the_same_address(
    client: FlaskClient, house: House, link: str, clock: FixedClock
) -> None:
    clock.advance(days=7)
    body = opened(client, link)
    assert "This invitation ended on" in body
    assert "Send a new one to the same address" in body

    answer = client.post("/invitation/renew")

    assert answer.location == "/sign-in"
    with house.ledger.begin(SYSTEM) as tx:
        row = tx.session.execute(sa.text("SELECT generation, expires_at FROM invitation WHERE generation = 2")).one()
    assert row.expires_at > clock.instant


def test_renewing_answers_the_same_whatever_the_link_was(client: FlaskClient, link: str) -> None:
    client.get("/invitation/never-was-one")
    unknown = client.post("/invitation/renew")
    client.get(link)
    unexpired = client.post("/invitation/renew")

    assert (unknown.status_code, unknown.location) == (unexpired.status_code, unexpired.location)


@pytest.mark.parametrize("token", ["x", "x" * 43, "a" * 5000])
def test_any_other_link_opens_nothing(client: FlaskClient, token: str) -> None:
    answer = client.get(f"/invitation/{token}", follow_redirects=True)

    assert answer.status_code == 404
    assert "This link opens nothing" in answer.get_data(as_text=True)


def test_a_link_that_no_table_could_hold_is_no_page(client: FlaskClient) -> None:
    answer = client.get("/invitation/%00", follow_redirects=True)

    assert answer.status_code == 404
    assert "There is no page here" in answer.get_data(as_text=True)

"""One's own account, the reset of a password, and showing once more that it is you."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from portal.identity import service as identity
from portal.identity.models import Invitation
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.wiring import House
from tests.factories.identity import PASSWORD, Person, code_of, person

NEW = "copper lantern orchard wind"


@pytest.fixture
def ada(house: House) -> Person:
    return person(house, roles=["reviewer"], name="Ada Byron")


def reset_link(house: House) -> str:
    with house.ledger.begin(system("test")) as tx:
        row = tx.session.scalars(sa.select(Invitation).where(Invitation.purpose == "reset")).all()[-1]
        return identity.link_path(row, house.keyring)


def sign_in(client: FlaskClient, house: House, someone: Person, password: str) -> int:
    form = {"email": someone.email, "password": password, "code": code_of(house, someone)}
    return client.post("/sign-in", data=form).status_code


def test_a_changed_password_needs_the_present_one_and_a_code_and_ends_other_sessions(
    app: Flask, house: House, signed_in: Callable[..., FlaskClient], ada: Person
) -> None:
    here, there = signed_in(ada), signed_in(ada)
    old_cookie = here.get_cookie("gatehouse").value

    form = {"current": PASSWORD, "password": NEW}
    assert here.post("/account/password", data=form).status_code == 422
    assert here.post("/account/password", data={**form, "code": "000000"}).status_code == 422
    wrong = here.post("/account/password", data={**form, "current": "x", "code": code_of(house, ada)})
    assert "That is not your present password" in wrong.get_data(as_text=True)
    done = here.post("/account/password", data=form)  # the code above still counts

    assert done.location == "/account"
    assert here.get("/account").status_code == 200
    assert here.get_cookie("gatehouse").value != old_cookie
    assert there.get("/account").status_code == 302
    assert sign_in(app.test_client(), house, ada, PASSWORD) == 422
    assert sign_in(app.test_client(), house, ada, NEW) == 303


def test_new_recovery_codes_are_shown_once_and_kill_the_old(
    client: FlaskClient, house: House, signed_in: Callable[..., FlaskClient], ada: Person
) -> None:
    answer = signed_in(ada).post("/account/recovery-codes", data={"code": code_of(house, ada)})
    codes = re.findall(r'mono">([2-9A-Z]{4}(?:-[2-9A-Z]{4}){3})<', answer.get_data(as_text=True))

    assert len(codes) == 10
    form = {"email": ada.email, "password": PASSWORD}
    assert client.post("/sign-in", data={**form, "code": ada.recovery_codes[3]}).status_code == 422
    assert client.post("/sign-in", data={**form, "code": codes[0]}).status_code == 303


def test_one_sees_and_ends_ones_other_browsers_only(
    signed_in: Callable[..., FlaskClient], house: House, ada: Person
) -> None:
    here, there = signed_in(ada), signed_in(ada)
    stranger = signed_in(person(house, roles=["auditor"]))
    link = re.findall(r'action="(/account/sessions/[^"/]+/end)"', here.get("/account").get_data(as_text=True))

    assert len(link) == 1
    assert stranger.post(link[0]).status_code == 404
    assert here.post(link[0]).location == "/account"
    assert there.get("/account").status_code == 302


def test_resetting_says_the_same_for_every_address(client: FlaskClient, ada: Person) -> None:
    def told(email: str) -> tuple[int, str]:
        answer = client.post("/reset", data={"email": email})
        body = re.sub(r'nonce-?=?"?[\w-]+|csrf[^>]+>', "", answer.get_data(as_text=True))
        return answer.status_code, body.replace(email, "ADDRESS")

    assert told(ada.email) == told("nobody@orrery.example")


def test_a_reset_needs_the_second_factor_ends_sessions_and_signs_nobody_in(
    app: Flask, client: FlaskClient, house: House, signed_in: Callable[..., FlaskClient], ada: Person
) -> None:
    elsewhere = signed_in(ada)
    client.post("/reset", data={"email": ada.email.upper()})
    assert elsewhere.get("/account").status_code == 200, "asking alone does nothing to the account"

    client.get(reset_link(house))
    assert client.post("/new-password", data={"password": NEW, "code": "000000"}).status_code == 422
    assert client.post("/new-password", data={"password": NEW, "code": code_of(house, ada)}).location == "/sign-in"

    assert client.get("/account").status_code == 302
    assert elsewhere.get("/account").status_code == 302
    assert sign_in(client, house, ada, NEW) == 303
    second = app.test_client()
    assert second.get(reset_link(house), follow_redirects=True).status_code == 410


def test_a_reset_link_ends_after_an_hour_and_opens_no_invitation(
    client: FlaskClient, house: House, ada: Person, clock: FixedClock
) -> None:
    client.post("/reset", data={"email": ada.email})
    link = reset_link(house)

    assert client.get(link.replace("/reset/", "/invitation/"), follow_redirects=True).status_code == 404
    clock.advance(hours=1)
    assert client.get(link, follow_redirects=True).status_code == 410


def test_mails_that_anybody_can_cause_are_bounded(client: FlaskClient, ada: Person) -> None:
    answers = [client.post("/reset", data={"email": ada.email}).status_code for _ in range(4)]

    assert answers == [200, 200, 200, 429]


def test_stepping_up_renews_the_token_and_lasts_five_minutes(
    house: House, signed_in: Callable[..., FlaskClient], ada: Person, clock: FixedClock
) -> None:
    browser = signed_in(ada)
    before = browser.get_cookie("gatehouse").value

    assert browser.post("/step-up", data={"code": "000000"}).status_code == 422
    done = browser.post("/step-up", data={"code": code_of(house, ada), "next": "/account"})

    assert done.location == "/account"
    assert browser.get_cookie("gatehouse").value != before
    assert 'id="codes-code"' not in browser.get("/account").get_data(as_text=True)
    clock.advance(minutes=5)
    assert 'id="codes-code"' in browser.get("/account").get_data(as_text=True)


def test_guessing_a_code_inside_a_session_is_bounded(
    house: House, signed_in: Callable[..., FlaskClient], ada: Person
) -> None:
    browser = signed_in(ada)
    for _ in range(10):
        browser.post("/step-up", data={"code": "000000"})

    answer = browser.post("/step-up", data={"code": code_of(house, ada)})

    assert answer.status_code == 422
    assert "Too many codes. Try again at 09:15 UTC." in answer.get_data(as_text=True)

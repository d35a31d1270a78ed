"""Coming in and leaving."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.wiring import House
from tests.factories.identity import PASSWORD, Person, code_of, person
from tests.factories.vendors import make_vendor

REFUSAL = "We could not sign you in."


def form_of(house: House, someone: Person, **changes: str) -> dict[str, str]:
    return {"email": someone.email, "password": PASSWORD, "code": code_of(house, someone), **changes}


def cookies_of(client: FlaskClient) -> str:
    cookie = client.get_cookie("gatehouse")
    return cookie.value if cookie else ""


@pytest.fixture
def ada(house: House) -> Person:
    return person(house, roles=["reviewer"], name="Ada Byron")


def test_e_mail_password_and_code_let_in_with_one_click(client: FlaskClient, house: House, ada: Person) -> None:
    answer = client.post("/sign-in", data=form_of(house, ada))

    assert (answer.status_code, answer.location) == (303, "/lab")
    assert "Ada Byron" in client.get("/account").get_data(as_text=True)


def test_a_vendors_person_goes_to_the_vendors_home_or_where_they_were_going(client: FlaskClient, house: House) -> None:
    with house.ledger.begin(system("test")) as tx:
        vendor = make_vendor(tx)
    priya = person(house, vendor=vendor, roles=["respondent"])

    assert client.post("/sign-in", data=form_of(house, priya)).location == "/"
    assert client.post("/sign-in", data=form_of(house, priya, next="/evidence?x=1")).location == "/evidence?x=1"


@pytest.mark.parametrize("away", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "/a\nb"])
def test_the_way_on_never_leads_away(client: FlaskClient, house: House, ada: Person, away: str) -> None:
    assert client.post("/sign-in", data=form_of(house, ada, next=away)).location == "/lab"


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "nobody@orrery.example"},
        {"password": "mountain bread violin eight"},
        {"password": PASSWORD.upper()},
        {"password": PASSWORD + " "},
        {"code": "000000"},
        {"code": "٠٠٠٠٠٠"},
        {"code": "2222-2222-2222-2222"},
    ],
)
def test_every_refusal_is_the_same_one_and_keeps_the_e_mail(
    client: FlaskClient, house: House, ada: Person, changes: dict[str, str]
) -> None:
    answer = client.post("/sign-in", data=form_of(house, ada, **changes))

    body = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert REFUSAL in body
    assert "<title>Error: Sign in" in body
    assert PASSWORD not in body
    assert "email" in changes or f'value="{ada.email}"' in body
    assert not cookies_of(client)


@pytest.mark.parametrize("field", ["email", "password", "code", "next"])
def test_what_no_text_can_hold_is_refused_not_stumbled_over(
    client: FlaskClient, house: House, ada: Person, field: str
) -> None:
    assert client.post("/sign-in", data=form_of(house, ada, **{field: "a\x00b"})).status_code == 400


def test_a_refusal_is_in_the_trail_without_what_was_typed(client: FlaskClient, house: House, ada: Person) -> None:
    client.post("/sign-in", data=form_of(house, ada, email="typed-by-mistake@orrery.example"))

    with house.ledger.begin(system("test")) as tx:
        told = (
            tx.session.execute(sa.text("SELECT payload FROM audit_event WHERE fact = 'sign_in_refused'"))
            .scalars()
            .all()
        )
    assert told == ['{"reason":"unknown","user_id":null,"vendor_id":null}']


def test_a_code_counts_once(client: FlaskClient, house: House, ada: Person) -> None:
    form = form_of(house, ada)

    assert client.post("/sign-in", data=form).status_code == 303
    client.post("/sign-out")
    assert client.post("/sign-in", data=form).status_code == 422


def test_a_recovery_code_lets_in_once_in_any_spelling(client: FlaskClient, house: House, ada: Person) -> None:
    form = form_of(house, ada, code=ada.recovery_codes[0].lower().replace("-", " "))

    assert client.post("/sign-in", data=form).status_code == 303
    client.post("/sign-out")
    assert client.post("/sign-in", data=form).status_code == 422


def test_too_many_codes_are_refused_until_a_time_that_is_said(
    client: FlaskClient, house: House, ada: Person, clock: FixedClock
) -> None:
    for _ in range(10):
        assert client.post("/sign-in", data=form_of(house, ada, code="000000")).status_code == 422

    right = form_of(house, ada)
    answer = client.post("/sign-in", data=right)
    assert answer.status_code == 429
    assert "Too many codes. Try again at 09:15 UTC." in answer.get_data(as_text=True)
    assert answer.headers["Retry-After"] == "900"

    clock.advance(minutes=15)
    assert client.post("/sign-in", data=form_of(house, ada)).status_code == 303


def test_signing_in_renews_the_token_and_takes_nothing_of_the_visit_before(
    client: FlaskClient, house: House, ada: Person
) -> None:
    client.get("/sign-in")
    before = client.token()

    client.post("/sign-in", data=form_of(house, ada))

    assert client.post("/theme", data={"theme": "dark"}, csrf=False).status_code == 400
    assert client.post("/theme", data={"theme": "dark"}, csrf=False, headers={"X-CSRFToken": before}).status_code == 400


def test_AU_01_log_out_kills_the_session_on_the_server(client: FlaskClient, house: House, ada: Person) -> None:
    client.post("/sign-in", data=form_of(house, ada))
    copied = cookies_of(client)
    assert client.get("/account").status_code == 200

    left = client.post("/sign-out")
    assert left.headers["Clear-Site-Data"] == '"storage"'
    assert not cookies_of(client)

    client.set_cookie("gatehouse", copied)
    answer = client.get("/account")
    assert (answer.status_code, answer.location) == (302, "/sign-in?next=/account")
    assert client.post("/account/sessions/end-others").status_code == 401


def test_a_session_ends_after_thirty_idle_minutes_and_after_twelve_hours(
    signed_in: Callable[..., FlaskClient], ada: Person, clock: FixedClock
) -> None:
    idle, busy = signed_in(ada), signed_in(ada)

    clock.advance(minutes=29)
    assert busy.get("/account").status_code == 200
    clock.advance(minutes=1)
    assert idle.get("/account").status_code == 302
    for _ in range(23):
        assert busy.get("/account").status_code == 200
        clock.advance(minutes=29)
    clock.advance(minutes=23)
    assert busy.get("/account").status_code == 302

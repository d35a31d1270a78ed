"""Signing in again in place: only for the person whose page it is."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from portal.kernel.clock import FixedClock
from portal.wiring import House
from tests.factories.identity import PASSWORD, Person, code_of, person

REFUSAL = "We could not sign you in."


@pytest.fixture
def ada(house: House) -> Person:
    return person(house, roles=["reviewer"], name="Ada Byron")


@pytest.fixture
def other(house: House) -> Person:
    return person(house, roles=["auditor"], name="Otto Other")


def mark_in(body: str) -> str:
    found = re.search(r'data-holder="([^"]+)"', body)
    assert found, "the page does not say whose it is"
    return found[1]


def sent(house: House, someone: Person, mark: str, **changes: str) -> dict[str, str]:
    return {"holder": mark, "password": PASSWORD, "code": code_of(house, someone), **changes}


@pytest.fixture
def left_behind(signed_in: Callable[..., FlaskClient], ada: Person, clock: FixedClock) -> tuple[FlaskClient, str]:
    """The browser in which Ada's session has ended by itself, and the mark of the page that is still open."""
    browser = signed_in(ada)
    mark = mark_in(browser.get("/account").get_data(as_text=True))
    clock.advance(minutes=31)
    browser.form_token = None  # type: ignore[attr-defined]
    return browser, mark


def test_the_panel_asks_the_person_whose_page_it_is(left_behind: tuple[FlaskClient, str], ada: Person) -> None:
    browser, mark = left_behind

    by_mark = browser.get("/sign-in/panel", query_string={"holder": mark})
    by_cookie = browser.get("/sign-in/panel")

    for answer in (by_mark, by_cookie):
        body = answer.get_data(as_text=True)
        assert answer.status_code == 200
        assert f'value="{ada.email}"' in body
        assert "readonly" in body
        assert "<html" not in body


def test_a_right_password_and_code_let_in_and_hand_over_the_token_of_the_forms(
    left_behind: tuple[FlaskClient, str], house: House, ada: Person
) -> None:
    browser, mark = left_behind

    answer = browser.post("/sign-in/panel", data=sent(house, ada, mark))

    assert (answer.status_code, answer.get_data()) == (204, b"")
    token = answer.headers["X-CSRFToken"]
    assert mark_in(browser.get("/account").get_data(as_text=True)) == mark
    assert browser.post("/session", csrf=False, headers={"X-CSRFToken": token}).status_code == 204  # type: ignore[call-arg]


@pytest.mark.parametrize("changes", [{"password": "wrong"}, {"code": "000000"}])
def test_every_refusal_is_the_same_and_keeps_whose_page_it_is(
    left_behind: tuple[FlaskClient, str], house: House, ada: Person, changes: dict[str, str]
) -> None:
    browser, mark = left_behind

    answer = browser.post("/sign-in/panel", data=sent(house, ada, mark, **changes))

    body = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert REFUSAL in body
    assert f'value="{ada.email}"' in body
    assert browser.get("/account").status_code == 302


def test_the_factors_of_another_person_open_nothing_here(
    left_behind: tuple[FlaskClient, str], house: House, other: Person
) -> None:
    browser, mark = left_behind

    answer = browser.post("/sign-in/panel", data={**sent(house, other, mark), "email": other.email})

    assert answer.status_code == 422
    assert browser.get("/account").status_code == 302


def test_who_signed_in_meanwhile_never_inherits_the_page(
    left_behind: tuple[FlaskClient, str], house: House, ada: Person, other: Person
) -> None:
    browser, mark = left_behind
    browser.post("/sign-in", data={"email": other.email, "password": PASSWORD, "code": code_of(house, other)})

    shown = browser.get("/sign-in/panel", query_string={"holder": mark})
    posted = browser.post("/sign-in/panel", data=sent(house, ada, mark))

    for answer in (shown, posted):
        assert answer.status_code == 409
        assert "Otto Other is signed in in this browser now" in answer.get_data(as_text=True)
        assert "X-CSRFToken" not in answer.headers
    assert "Otto Other" in browser.get("/account").get_data(as_text=True)


def test_who_signed_in_in_another_tab_needs_no_panel(
    left_behind: tuple[FlaskClient, str], house: House, ada: Person
) -> None:
    browser, mark = left_behind
    browser.post("/sign-in", data={"email": ada.email, "password": PASSWORD, "code": code_of(house, ada)})

    answer = browser.get("/sign-in/panel", query_string={"holder": mark})

    assert answer.status_code == 204
    assert answer.headers["X-CSRFToken"]


@pytest.mark.parametrize("mark", ["", "forged", "ImFkYSI.x", "null.x"])
def test_a_mark_that_we_did_not_make_names_nobody(client: FlaskClient, ada: Person, mark: str) -> None:
    answer = client.get("/sign-in/panel", query_string={"holder": mark})

    assert answer.status_code == 200
    assert "example" not in answer.get_data(as_text=True)
    assert client.post("/sign-in/panel", data={"holder": mark, "password": PASSWORD, "code": "1"}).status_code == 200


def test_guessing_in_the_panel_is_counted_with_the_door(
    left_behind: tuple[FlaskClient, str], house: House, ada: Person
) -> None:
    browser, mark = left_behind
    for _ in range(10):
        browser.post("/sign-in/panel", data={"holder": mark, "password": "wrong", "code": "000000"})

    answer = browser.post("/sign-in/panel", data=sent(house, ada, mark))

    assert answer.status_code == 429
    assert "Too many codes. Try again at" in answer.get_data(as_text=True)
    at_the_door = browser.post("/sign-in", data={"email": ada.email, "password": PASSWORD, "code": code_of(house, ada)})
    assert at_the_door.status_code == 429


def test_a_signed_out_browser_still_needs_the_token_of_the_form(
    left_behind: tuple[FlaskClient, str], house: House, ada: Person
) -> None:
    browser, mark = left_behind

    answer = browser.post("/sign-in/panel", data=sent(house, ada, mark), csrf=False)  # type: ignore[call-arg]

    assert answer.status_code == 400


def test_asking_how_long_a_session_lasts_does_not_make_it_longer_but_staying_does(
    signed_in: Callable[..., FlaskClient], ada: Person, clock: FixedClock
) -> None:
    browser = signed_in(ada)
    clock.advance(minutes=26)

    asked = browser.get("/session").get_json()
    again = browser.get("/session").get_json()
    assert (asked["left"], asked["more"], again["left"]) == (240, True, 240)

    assert browser.post("/session").status_code == 204
    assert browser.get("/session").get_json()["left"] == 1800


def test_near_the_end_of_the_day_nothing_makes_it_longer(
    signed_in: Callable[..., FlaskClient], ada: Person, clock: FixedClock
) -> None:
    browser = signed_in(ada)
    for _ in range(24):
        clock.advance(minutes=29, seconds=50)
        browser.get("/account")

    told = browser.get("/session").get_json()

    assert (told["left"], told["more"]) == (240, False)


def test_a_visitor_has_no_session_to_lose(client: FlaskClient) -> None:
    assert client.get("/session").get_json() == {"left": 0, "more": False, "holder": ""}
    assert client.post("/session").status_code == 302 or client.post("/session").status_code == 401

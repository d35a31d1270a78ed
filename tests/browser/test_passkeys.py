"""Passkeys with a real browser and a virtual authenticator: one click in (J1), and once more for something serious."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.settings import Settings
from portal.wiring import House, make_app
from tests.browser.counting import Job
from tests.browser.gallery import serving
from tests.factories.identity import PASSWORD, Person, code_of, person, session_token
from tests.factories.vendors import make_vendor

Checks = tuple[Callable[..., None], Callable[[Page], None], Callable[..., Path]]


@pytest.fixture
def server(settings: Settings, house: House) -> Iterator[str]:
    """The application under a name: browsers make passkeys for names, not for addresses."""
    with serving(make_app(settings, house)) as address:
        named = address.replace("127.0.0.1", "localhost")
        house.settings = replace(settings, base_url=named)
        yield named


@pytest.fixture
def priya(house: House) -> Person:
    from portal.kernel.actor import system

    with house.ledger.begin(system("test")) as tx:
        vendor = make_vendor(tx)
    return person(house, vendor=vendor, roles=["vendor_admin", "signatory"], name="Priya Raghunath")


def with_device(page: Page) -> Callable[[bool], None]:
    """Plug a device that holds passkeys into the browser; return what puts a finger on it and takes it off."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable", {"enableUI": False})
    options: dict[str, Any] = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    device = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def finger(there: bool) -> None:
        session.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": device, "enabled": there})

    return finger


def sign_out(page: Page, server: str) -> None:
    page.context.clear_cookies(name="gatehouse")
    page.goto(f"{server}/sign-in")


def test_j1_a_passkey_is_added_and_then_one_press_or_two_keys_let_in(
    server: str,
    house: House,
    priya: Person,
    new_page: Callable[..., Page],
    axe: Callable[..., None],
    no_sideways: Callable[[Page], None],
    shot: Callable[..., Path],
) -> None:
    page = new_page()
    finger = with_device(page)
    token = session_token(house, priya, fresh=True, data={"csrf_token": "f" * 40})
    page.context.add_cookies([{"name": "gatehouse", "value": token, "url": server}])
    page.goto(f"{server}/account")
    page.get_by_label("Name of the new passkey").fill("Work laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("The passkey “Work laptop” signs you in from now on.")).to_be_visible()
    axe(page)
    shot(page, "account-passkeys")

    # With a finger on it the browser's own offer in the e-mail field would let in before anything is pressed.
    finger(False)
    sign_out(page, server)
    expect(page.get_by_role("button", name="Continue with passkey")).to_be_visible()
    axe(page)
    shot(page, "sign-in-passkey", full=False)
    job = Job(page)
    finger(True)
    job.press("button", "Continue with passkey")
    page.wait_for_url(f"{server}/")
    job.costs(clicks=1, loads=2)

    finger(False)
    sign_out(page, server)
    expect(page.get_by_label("Work e-mail")).to_be_focused()
    job.begins()
    job.key("Tab")
    expect(page.get_by_role("button", name="Continue with passkey")).to_be_focused()
    finger(True)
    job.key("Enter")
    page.wait_for_url(f"{server}/")
    job.costs(keys=2, loads=2)

    # A session whose factor is older: the form is sent with the passkey, and no code is typed.
    token = session_token(house, priya, data={"csrf_token": "f" * 40})
    page.context.add_cookies([{"name": "gatehouse", "value": token, "url": server}])
    page.goto(f"{server}/everything")
    page.set_viewport_size({"width": 320, "height": 800})
    no_sideways(page)
    axe(page)
    shot(page, "everything-narrow")
    with page.expect_download() as download:
        page.get_by_role("button", name="Confirm with passkey").click()
    assert download.value.suggested_filename.startswith("gatehouse-everything-")


def test_j1_without_script_a_password_and_a_code_let_in_with_one_press(
    server: str, house: House, priya: Person, new_page: Callable[..., Page]
) -> None:
    page = new_page(script=False)
    page.goto(f"{server}/sign-in")
    job = Job(page, script=False)

    expect(page.get_by_label("Work e-mail")).to_be_focused()
    page.keyboard.type(priya.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Authenticator code").fill(code_of(house, priya))
    job.press("button", "Sign in")

    page.wait_for_url(f"{server}/")
    job.costs(clicks=1, loads=2)


def test_who_was_signed_out_signs_in_on_the_page_itself_by_code_or_passkey(
    server: str, house: House, priya: Person, new_page: Callable[..., Page], axe: Callable[..., None]
) -> None:
    page = new_page(theme="dark")
    with_device(page)
    token = session_token(house, priya, data={"csrf_token": "f" * 40})
    page.context.add_cookies([{"name": "gatehouse", "value": token, "url": server}])
    page.goto(f"{server}/account")
    page.get_by_label("Name of the new passkey").fill("typed before")
    house.clock.advance(minutes=31)  # type: ignore[attr-defined]

    page.evaluate("document.dispatchEvent(new CustomEvent('portal:signed-out'))")
    panel = page.get_by_role("region", name="Sign in again")
    expect(panel.get_by_label("Work e-mail")).to_have_value(priya.email)
    axe(page)
    panel.get_by_label("Password", exact=True).fill("wrong")
    panel.get_by_label("Authenticator code").fill("000000")
    panel.get_by_role("button", name="Sign in and go on").click()
    expect(panel.get_by_text("We could not sign you in.")).to_be_visible()
    page.evaluate("document.addEventListener('portal:signed-in', () => { document.title = 'in'; })")
    panel.get_by_label("Password", exact=True).fill(PASSWORD)
    panel.get_by_label("Authenticator code").fill(code_of(house, priya))
    panel.get_by_role("button", name="Sign in and go on").click()
    expect(panel).to_have_count(0)

    expect(page).to_have_title("in")
    assert page.get_by_label("Name of the new passkey").input_value() == "typed before"
    assert (
        page.evaluate(
            "fetch('/session', {method: 'POST', headers: {'X-CSRFToken': portal.csrf()}}).then((a) => a.status)"
        )
        == 204
    )

    # The page that has no passkey button of its own fetches the script when the panel needs it.
    page.goto(f"{server}/account")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("signs you in from now on.")).to_be_visible()
    page.goto(f"{server}/evidence")
    house.clock.advance(minutes=31)  # type: ignore[attr-defined]
    page.evaluate("document.addEventListener('portal:signed-in', () => { document.title = 'in again'; })")
    page.evaluate("document.dispatchEvent(new CustomEvent('portal:signed-out'))")
    page.get_by_role("button", name="Continue with passkey").click()
    expect(page).to_have_title("in again")

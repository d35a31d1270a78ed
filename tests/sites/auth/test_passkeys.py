"""Passkeys at the door, for something serious, and on one's account: what lets in, and what is refused in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from portal.identity import service as identity
from portal.identity.models import Passkey, SpentChallenge
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.settings import Settings
from portal.wiring import House
from tests.factories.identity import PASSWORD, Person, code_of, person
from tests.factories.passkeys import BACKED_UP, ELIGIBLE, ORIGIN, PRESENT, VERIFIED, Authenticator
from tests.factories.vendors import make_vendor

UNKNOWN = "We could not check that passkey."


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, base_url=ORIGIN)


@pytest.fixture
def ada(house: House) -> Person:
    return person(house, roles=["reviewer"], name="Ada Byron")


@pytest.fixture
def priya(house: House) -> Person:
    with house.ledger.begin(system("test")) as tx:
        vendor = make_vendor(tx)
    return person(house, vendor=vendor, roles=["vendor_admin", "signatory"], name="Priya Raghunath")


@pytest.fixture
def enrolled(signed_in: Callable[..., FlaskClient]) -> Callable[..., Authenticator]:
    """A factory of passkeys that are on somebody's account: ``enrolled(person)``."""

    def make(someone: Person, device: Authenticator | None = None, **label: str) -> Authenticator:
        browser = signed_in(someone, fresh=True)
        device = device or Authenticator()
        answer = added(browser, device, **label)
        assert answer.status_code == 200, answer.get_json()
        return device

    return make


def added(browser: FlaskClient, device: Authenticator, **label: str) -> Any:
    options = browser.post("/account/passkeys/options", json={}).get_json()
    return browser.post("/account/passkeys", json={"credential": device.create(options), **label})


def shown(browser: FlaskClient, device: Authenticator, **more: str) -> Any:
    options = browser.post("/sign-in/passkey/options", json={}).get_json()
    return browser.post("/sign-in/passkey", json={"credential": device.get(options), **more})


def fact_reasons(house: House, name: str) -> list[str]:
    with house.ledger.begin(system("test")) as tx:
        rows = tx.session.execute(
            sa.text("SELECT payload::jsonb->>'reason' FROM audit_event WHERE fact = :name ORDER BY seq"), {"name": name}
        )
        return [row[0] for row in rows]


def test_a_passkey_alone_lets_in_with_both_factors(
    client: FlaskClient, enrolled: Callable[..., Authenticator], ada: Person, priya: Person
) -> None:
    answer = shown(client, enrolled(ada))

    assert (answer.status_code, answer.get_json()) == (200, {"location": "/lab"})
    assert "Ada Byron" in client.get("/account").get_data(as_text=True)


@pytest.mark.parametrize(("asked", "given"), [("/evidence?x=1", "/evidence?x=1"), ("//evil.example", "/")])
def test_the_way_on_is_ours(
    client: FlaskClient, enrolled: Callable[..., Authenticator], priya: Person, asked: str, given: str
) -> None:
    assert shown(client, enrolled(priya), next=asked).get_json() == {"location": given}


def test_the_browser_remembers_that_a_passkey_is_the_way_in(
    client: FlaskClient, enrolled: Callable[..., Authenticator], ada: Person
) -> None:
    assert '<details class="fold">' not in client.get("/sign-in").get_data(as_text=True)

    shown(client, enrolled(ada))
    client.post("/sign-out")

    body = client.get("/sign-in").get_data(as_text=True)
    assert '<details class="fold">' in body
    assert body.index("Continue with passkey") < body.index("Password and code")


def test_options_name_no_account_and_are_the_same_for_everybody(
    client: FlaskClient, enrolled: Callable[..., Authenticator], ada: Person
) -> None:
    enrolled(ada)

    known = client.post("/sign-in/passkey/options", json={"email": ada.email}).get_json()
    unknown = client.post("/sign-in/passkey/options", json={"email": "nobody@orrery.example"}).get_json()

    assert {**known, "challenge": ""} == {**unknown, "challenge": ""}
    assert (known["rpId"], known["userVerification"], known.get("allowCredentials")) == ("localhost", "required", [])


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "http://localhost:8001"},
        {"origin": "https://localhost:8000"},
        {"origin": "http://localhost.evil.example"},
        {"rp_id": "evil.example"},
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"user_handle": b"somebody else 16"},
        {"user_handle": b""},
        {"credential_id": b"never seen before"},
        {"key": Authenticator().key},
    ],
    ids=["port", "scheme", "host", "rp id", "not verified", "nobody there", "handle", "no handle", "unknown", "forged"],
)
def test_what_proves_something_else_is_refused_in_one_sentence(
    client: FlaskClient,
    house: House,
    enrolled: Callable[..., Authenticator],
    ada: Person,
    lie: dict[str, Any],
) -> None:
    device = replace(enrolled(ada), **lie)

    answer = shown(client, device)

    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["detail"].startswith(UNKNOWN)
    assert client.get("/account").status_code == 302


def test_a_challenge_counts_once(client: FlaskClient, enrolled: Callable[..., Authenticator], ada: Person) -> None:
    device = enrolled(ada)
    options = client.post("/sign-in/passkey/options", json={}).get_json()
    first = device.get(options)
    second = device.get(options)
    assert client.post("/sign-in/passkey", json={"credential": first}).status_code == 200
    client.post("/sign-out")

    for replay in (first, second):
        answer = client.post("/sign-in/passkey", json={"credential": replay})
        assert answer.status_code == 422
        assert "took too long, or was sent twice" in answer.get_json()["detail"]


def test_a_challenge_is_of_one_browser(
    app: Flask, client: FlaskClient, enrolled: Callable[..., Authenticator], ada: Person
) -> None:
    device = enrolled(ada)
    options = client.post("/sign-in/passkey/options", json={}).get_json()

    answer = app.test_client().post("/sign-in/passkey", json={"credential": device.get(options)})

    assert answer.status_code == 422
    assert "took too long" in answer.get_json()["detail"]


def test_a_challenge_is_for_one_purpose(
    signed_in: Callable[..., FlaskClient], enrolled: Callable[..., Authenticator], ada: Person
) -> None:
    device = enrolled(ada)
    browser = signed_in(ada)
    options = browser.post("/sign-in/passkey/options", json={}).get_json()

    answer = browser.post("/step-up/passkey", json={"credential": device.get(options)})

    assert answer.status_code == 422


def test_a_challenge_ends_after_five_minutes(
    client: FlaskClient, clock: FixedClock, enrolled: Callable[..., Authenticator], ada: Person
) -> None:
    device = enrolled(ada)
    options = client.post("/sign-in/passkey/options", json={}).get_json()
    clock.advance(minutes=5)

    answer = client.post("/sign-in/passkey", json={"credential": device.get(options)})

    assert answer.status_code == 422
    assert "took too long" in answer.get_json()["detail"]


def test_spent_challenges_are_forgotten_when_they_would_not_count_anyway(
    client: FlaskClient, house: House, clock: FixedClock, enrolled: Callable[..., Authenticator], ada: Person
) -> None:
    shown(client, enrolled(ada))
    with house.ledger.begin(system("test")) as tx:
        assert identity.purge_challenges(tx) == 0
    clock.advance(minutes=11)

    with house.ledger.begin(system("test")) as tx:
        assert identity.purge_challenges(tx) == 2
        assert tx.session.execute(sa.select(SpentChallenge)).first() is None


def test_a_copy_gives_itself_away_and_is_refused(
    client: FlaskClient, house: House, enrolled: Callable[..., Authenticator], ada: Person
) -> None:
    device = enrolled(ada)
    copy = replace(device)
    assert shown(client, device).status_code == 200
    client.post("/sign-out")

    answer = shown(client, copy)

    assert answer.status_code == 422
    assert "There may be a copy of this passkey" in answer.get_json()["detail"]
    assert fact_reasons(house, "sign_in_refused") == ["passkey copied"]


def test_a_forged_count_does_not_pass_for_a_copy(
    client: FlaskClient, enrolled: Callable[..., Authenticator], ada: Person
) -> None:
    device = enrolled(ada)
    shown(client, device)
    client.post("/sign-out")

    forged = replace(device, sign_count=0, key=Authenticator().key)

    assert shown(client, forged).get_json()["detail"].startswith(UNKNOWN)


def test_a_passkey_that_does_not_count_lets_in_again_and_again(
    client: FlaskClient, house: House, enrolled: Callable[..., Authenticator], ada: Person
) -> None:
    synced = Authenticator(counts=False, flags=PRESENT | VERIFIED | ELIGIBLE | BACKED_UP)
    enrolled(ada, synced)

    for _ in range(2):
        assert shown(client, synced).status_code == 200
        client.post("/sign-out")
    with house.ledger.begin(system("test")) as tx:
        kept = tx.session.execute(sa.select(Passkey)).scalar_one()
        assert (kept.backup_eligible, kept.backed_up, kept.sign_count) == (True, True, 0)


def test_a_passkey_that_changes_its_kind_is_refused(
    client: FlaskClient, enrolled: Callable[..., Authenticator], ada: Person
) -> None:
    device = replace(enrolled(ada), flags=PRESENT | VERIFIED | ELIGIBLE)

    assert shown(client, device).status_code == 422


def test_a_removed_passkey_says_so_to_who_holds_it(
    client: FlaskClient,
    house: House,
    signed_in: Callable[..., FlaskClient],
    enrolled: Callable[..., Authenticator],
    ada: Person,
) -> None:
    device = enrolled(ada, label="Old laptop")
    browser = signed_in(ada, fresh=True)
    with house.ledger.begin(system("test")) as tx:
        key = tx.session.execute(sa.select(Passkey.id)).scalar_one()
    assert browser.post(f"/account/passkeys/{key}/remove").status_code == 303
    assert "“Old laptop” is removed" in browser.get("/account").get_data(as_text=True)

    answer = shown(client, device)

    assert answer.status_code == 422
    assert "This passkey was removed from your account" in answer.get_json()["detail"]
    assert browser.post(f"/account/passkeys/{key}/remove").status_code == 303
    assert "removed already" in browser.get("/account").get_data(as_text=True)


def test_passkeys_go_with_the_account_and_do_not_come_back_with_it(
    client: FlaskClient, house: House, enrolled: Callable[..., Authenticator], ada: Person
) -> None:
    device = enrolled(ada)
    with house.ledger.begin(system("test")) as tx:
        identity.deactivate(tx, user=identity.get_person(tx, ada.id))

    answer = shown(client, device)

    assert answer.status_code == 422
    assert "This account is switched off" in answer.get_json()["detail"]
    with house.ledger.begin(system("test")) as tx:
        assert tx.session.execute(sa.select(Passkey.removed_at)).scalar_one() is not None


def test_a_vendor_that_is_switched_off_has_no_way_in(
    client: FlaskClient, house: House, enrolled: Callable[..., Authenticator], priya: Person
) -> None:
    device = enrolled(priya)
    with house.ledger.begin(system("test")) as tx:
        tx.session.execute(sa.text("UPDATE vendor SET disabled_at = now()"))

    shown(client, device)

    assert client.get("/").status_code == 302


def test_nobody_steps_up_by_the_passkey_of_another(
    signed_in: Callable[..., FlaskClient], enrolled: Callable[..., Authenticator], ada: Person, priya: Person
) -> None:
    strangers = enrolled(ada)
    browser = signed_in(priya)
    options = browser.post("/step-up/passkey/options", json={}).get_json()

    answer = browser.post("/step-up/passkey", json={"credential": strangers.get(options)})

    assert answer.status_code == 422
    assert "belongs to another account" in answer.get_json()["detail"]


def test_a_passkey_counts_as_the_factor_given_just_now(
    signed_in: Callable[..., FlaskClient], enrolled: Callable[..., Authenticator], priya: Person
) -> None:
    device = enrolled(priya)
    browser = signed_in(priya)
    before = browser.get_cookie("gatehouse").value  # type: ignore[union-attr]
    assert "Confirm with passkey" in browser.get("/account").get_data(as_text=True)
    options = browser.post("/step-up/passkey/options", json={}).get_json()
    assert len(options["allowCredentials"]) == 1

    answer = browser.post("/step-up/passkey", json={"credential": device.get(options), "next": "/check"})

    assert (answer.status_code, answer.get_json()) == (200, {"location": "/check"})
    assert browser.get_cookie("gatehouse").value != before  # type: ignore[union-attr]
    assert browser.post("/account/recovery-codes").status_code == 200
    assert "Confirm with passkey" not in browser.get("/account").get_data(as_text=True)


def test_adding_asks_once_more_that_it_is_you(signed_in: Callable[..., FlaskClient], house: House, ada: Person) -> None:
    browser = signed_in(ada)

    without = browser.post("/account/passkeys/options", json={})
    with_code = browser.post("/account/passkeys/options", json={"code": code_of(house, ada)})

    assert (without.status_code, with_code.status_code) == (422, 200)
    assert without.get_json()["detail"] == "Enter the 6 digits from your authenticator app"
    chosen = with_code.get_json()["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("required", "required")


def test_several_passkeys_have_names_that_tell_them_apart(
    signed_in: Callable[..., FlaskClient], enrolled: Callable[..., Authenticator], ada: Person
) -> None:
    enrolled(ada, label="  Work\tlaptop ")
    enrolled(ada, label="Work laptop")
    enrolled(ada)

    body = signed_in(ada).get("/account").get_data(as_text=True)

    for name in ("<b>Work laptop</b>", "<b>Work laptop 2</b>", "<b>A browser</b>"):
        assert name in body
    assert body.count("Not used yet.") == 3


def test_one_passkey_is_not_added_twice_nor_to_two_accounts(
    signed_in: Callable[..., FlaskClient], enrolled: Callable[..., Authenticator], ada: Person, priya: Person
) -> None:
    device = enrolled(ada)

    answer = added(signed_in(priya, fresh=True), device)

    assert answer.status_code == 422
    assert "in use already" in answer.get_json()["detail"]


@pytest.mark.parametrize("lie", [{"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"flags": PRESENT}])
def test_a_passkey_made_elsewhere_or_unverified_is_not_kept(
    signed_in: Callable[..., FlaskClient], house: House, ada: Person, lie: dict[str, Any]
) -> None:
    answer = added(signed_in(ada, fresh=True), Authenticator(**lie))

    assert answer.status_code == 422
    with house.ledger.begin(system("test")) as tx:
        assert tx.session.execute(sa.select(Passkey)).first() is None


@pytest.mark.parametrize(
    "credential", [{}, [], "x", {"id": 1}, {"response": {"clientDataJSON": "!!"}}, {"response": None}, None]
)
@pytest.mark.parametrize("path", ["/sign-in/passkey", "/step-up/passkey", "/account/passkeys"])
def test_nonsense_is_refused_in_words(
    signed_in: Callable[..., FlaskClient], ada: Person, path: str, credential: Any
) -> None:
    browser = signed_in(ada, fresh=True)

    answer = browser.post(path, json={"credential": credential, "label": {}, "next": 7})

    assert answer.status_code == 422
    assert answer.get_json()["detail"]


def test_somebody_elses_passkey_cannot_be_removed(
    signed_in: Callable[..., FlaskClient],
    enrolled: Callable[..., Authenticator],
    house: House,
    ada: Person,
    priya: Person,
) -> None:
    enrolled(ada)
    with house.ledger.begin(system("test")) as tx:
        key = tx.session.execute(sa.select(Passkey.id)).scalar_one()

    assert signed_in(priya, fresh=True).post(f"/account/passkeys/{key}/remove").status_code == 404
    kept = signed_in(ada).post(f"/account/passkeys/{key}/remove")
    assert kept.status_code == 422
    assert "Enter the 6 digits" in kept.get_data(as_text=True)


def test_the_owner_is_told_by_mail(
    house: House, signed_in: Callable[..., FlaskClient], enrolled: Callable[..., Authenticator], ada: Person
) -> None:
    enrolled(ada)
    with house.ledger.begin(system("test")) as tx:
        key = tx.session.execute(sa.select(Passkey.id)).scalar_one()
    signed_in(ada, fresh=True).post(f"/account/passkeys/{key}/remove")

    with house.engine.connect() as connection:
        told = connection.execute(
            sa.text(
                "SELECT args->'context'->>'change' FROM procrastinate_jobs WHERE args->>'kind' = 'account_changed'"
                " ORDER BY id"
            )
        )
        assert [row[0] for row in told] == ["passkey_added", "passkey_removed"]


def test_the_stored_key_cannot_be_swapped_for_another(
    house: House, enrolled: Callable[..., Authenticator], ada: Person
) -> None:
    enrolled(ada)

    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), house.ledger.begin(system("test")) as tx:
        tx.session.execute(sa.text("UPDATE passkey SET public_key = 'x'"))


def test_showing_passkeys_from_one_place_is_bounded(
    client: FlaskClient, enrolled: Callable[..., Authenticator], ada: Person
) -> None:
    device = enrolled(ada)
    for _ in range(60):
        client.post("/sign-in/passkey", json={"credential": {}})

    answer = shown(client, device)

    assert answer.status_code == 429
    assert "Try again at" in answer.get_json()["detail"]
    assert int(answer.headers["Retry-After"]) > 0


def test_the_panel_takes_the_passkey_of_its_holder_only(
    signed_in: Callable[..., FlaskClient],
    enrolled: Callable[..., Authenticator],
    clock: FixedClock,
    ada: Person,
    priya: Person,
) -> None:
    device, strangers = enrolled(ada), enrolled(priya)
    browser = signed_in(ada)
    mark = browser.get("/account").get_data(as_text=True).split('data-holder="')[1].split('"')[0]
    clock.advance(minutes=31)
    browser.form_token = None  # type: ignore[attr-defined]

    refused = shown(browser, strangers, holder=mark)
    let_in = shown(browser, device, holder=mark)

    assert (refused.status_code, let_in.status_code) == (422, 204)
    assert let_in.headers["X-CSRFToken"]
    assert shown(browser, strangers, holder="forged").status_code == 409


@pytest.mark.parametrize("base", ["http://127.0.0.1:8000", "http://gatehouse.example", "http://[::1]:8000"])
def test_where_no_browser_would_make_a_passkey_none_is_offered(settings: Settings, house: House, base: str) -> None:
    from portal.wiring import make_app

    house.settings = replace(settings, base_url=base)
    client = make_app(house.settings, house).test_client()

    body = client.get("/sign-in").get_data(as_text=True)

    assert "passkey" not in body
    assert "Password" in body


def test_a_password_and_a_code_still_let_in_beside_a_passkey(
    client: FlaskClient, house: House, enrolled: Callable[..., Authenticator], ada: Person
) -> None:
    enrolled(ada)

    answer = client.post("/sign-in", data={"email": ada.email, "password": PASSWORD, "code": code_of(house, ada)})

    assert answer.status_code == 303

"""GET /api/v1/gate, as an onboarding system meets it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.gate import counting
from portal.gate import service as gate
from portal.identity import service as identity
from portal.kernel import signing
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.terms import Role, Scope
from portal.vendors.models import Vendor
from portal.wiring import House
from tests.conftest import NOW
from tests.factories.gate import make_clearance
from tests.factories.identity import person
from tests.factories.vendors import make_engagement, make_vendor
from tests.rooms.gate.test_gate import actor_of

SYSTEM = system("test")
Ask = Callable[..., TestResponse]


@pytest.fixture
def vendor(house: House) -> Vendor:
    signing.make_file(house.signing_keys, now=NOW)
    with house.ledger.begin(SYSTEM) as tx:
        made = make_vendor(tx)
        make_clearance(tx, make_engagement(tx, made, data_classes=[2, 3]))
        make_vendor(tx, "Hollowbrook Linguistics")
    return made


def token(house: House, vendor_ids: list[UUID] | None = None, life: timedelta = timedelta(days=30)) -> str:
    with house.ledger.begin(SYSTEM) as tx:
        _client, shown = identity.create_client(
            tx, name="data platform", scopes=[Scope.GATE_READ], vendor_ids=vendor_ids, expires_at=tx.now + life
        )
    return shown


@pytest.fixture
def ask(app: Flask, house: House, vendor: Vendor) -> Ask:
    everybody = token(house)

    def send(bearer: str | None = everybody, **changes: str) -> TestResponse:
        question = {"vendor": vendor.slug, "data_class": "D3", "access_mode": "A2", "purpose": "ranking", **changes}
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return FlaskClient(app).get("/api/v1/gate", query_string=question, headers=headers)

    return send


def test_what_is_cleared_is_allowed_with_its_end_and_its_number(ask: Ask) -> None:
    body = ask().get_json()
    assert (body["decision"], body["reasons"]) == ("allow", ["cleared"])
    assert body["valid_until"] == "2027-02-01T00:00:00+00:00"
    assert body["sequence"] == 1
    assert body["as_of"] == NOW.isoformat()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"vendor": "nobody"}, "unknown_vendor"),
        ({"vendor": ""}, "unknown_vendor"),
        ({"vendor": "hollowbrook-linguistics"}, "not_engaged"),
        ({"data_class": "D5"}, "data_class_not_covered"),
        ({"data_class": "D99"}, "unknown_data_class"),
        ({"access_mode": "A4"}, "access_mode_not_covered"),
        ({"access_mode": "'; DROP TABLE"}, "unknown_access_mode"),
        ({"purpose": ""}, "purpose_missing"),
        ({"vendor": "\x00" * 9}, "unknown_vendor"),
        ({"vendor": "x" * 5000}, "unknown_vendor"),
    ],
)
def test_gw_01_whatever_is_doubtful_is_a_deny_and_never_an_error(ask: Ask, change: dict[str, str], reason: str) -> None:
    answer = ask(**change)
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["decision"] == "deny"
    assert reason in body["reasons"]
    assert body["valid_until"] is None


def test_wf_17_the_answer_lapses_by_the_clock(ask: Ask, clock: FixedClock, house: House, vendor: Vendor) -> None:
    bearer = token(house, life=timedelta(days=300))
    clock.advance(days=69)
    assert ask(bearer).get_json()["reasons"] == ["expired"]


def test_gw_06_a_token_for_some_vendors_cannot_tell_the_others_from_nobody(
    ask: Ask, house: House, vendor: Vendor
) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        other = make_vendor(tx, "Somebody Else")
    narrow = token(house, [other.id])
    foreign, nobody = ask(narrow).get_json(), ask(narrow, vendor="no-such-vendor").get_json()
    for body in (foreign, nobody):
        for name in ("statement", "vendor"):
            body.pop(name)
    assert foreign == nobody


@pytest.mark.parametrize("bearer", [None, "", "wrong", "Basic x"])
def test_gw_06_without_a_token_there_is_no_answer(ask: Ask, bearer: str | None) -> None:
    answer = ask(bearer)
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert "decision" not in answer.get_json()


def test_gw_06_an_ended_token_opens_nothing(ask: Ask, house: House, clock: FixedClock) -> None:
    bearer = token(house, life=timedelta(hours=1))
    assert ask(bearer).status_code == 200
    clock.advance(hours=2)
    assert ask(bearer).status_code == 401


def test_a_browsers_session_opens_nothing_here(signed_in: Any, house: House, vendor: Vendor) -> None:
    answer = signed_in(person(house, roles=["reviewer"])).get("/api/v1/gate?vendor=x")
    assert answer.status_code == 401


def opened(envelope: dict[str, Any], keys: dict[str, Any]) -> dict[str, Any]:
    public = base64.urlsafe_b64decode(keys["keys"][0]["x"] + "=")
    return json.loads(signing.verify(envelope, public, kind=keys["payload_type"]))  # type: ignore[no-any-return]


def test_the_answer_is_signed_for_the_one_who_asked_and_only_for_minutes(ask: Ask, app: Flask) -> None:
    keys = FlaskClient(app).get("/api/v1/gate/keys").get_json()
    body = ask().get_json()
    statement = opened(body["statement"], keys)
    for name in ("decision", "reasons", "vendor", "sequence", "valid_until", "conditions", "as_of"):
        assert statement[name] == body[name]
    assert statement["question"]["data_class"] == "D3"
    assert statement["expires_at"] == (NOW + timedelta(minutes=5)).isoformat(timespec="microseconds")
    assert "private" not in json.dumps(keys)


def test_gw_02_any_changed_byte_of_a_statement_is_found(ask: Ask, app: Flask) -> None:
    keys = FlaskClient(app).get("/api/v1/gate/keys").get_json()
    envelope = ask().get_json()["statement"]
    payload = bytearray(base64.b64decode(envelope["payload"]))
    for place in range(len(payload)):
        payload[place] ^= 1
        changed = {**envelope, "payload": base64.b64encode(bytes(payload)).decode()}
        with pytest.raises(ValueError):
            opened(changed, keys)
        payload[place] ^= 1


def test_a_statement_never_outlives_the_approval(ask: Ask, house: House, clock: FixedClock, app: Flask) -> None:
    bearer = token(house, life=timedelta(days=300))
    clock.instant = clock.instant.replace(year=2027, month=1, day=31, hour=23, minute=58)
    keys = FlaskClient(app).get("/api/v1/gate/keys").get_json()
    statement = opened(ask(bearer).get_json()["statement"], keys)
    assert statement["expires_at"] == "2027-02-01T00:00:00.000000+00:00"


def test_without_a_signing_key_nothing_is_stated(app: Flask, house: House) -> None:
    bearer = token(house)
    answer = FlaskClient(app).get("/api/v1/gate?vendor=x", headers={"Authorization": f"Bearer {bearer}"})
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert "decision" not in answer.get_json()


def test_a_pause_is_in_the_very_next_answer(ask: Ask, house: House, vendor: Vendor) -> None:
    assert ask().get_json()["decision"] == "allow"
    with house.ledger.begin(actor_of(house, Role.REVIEWER, "Ines Valdarno")) as tx:
        gate.pause(tx, vendor=vendor, reason="breach reported")
    assert ask().get_json()["reasons"] == ["paused"]


def test_a_condition_is_told_and_closes_when_it_is_overdue(ask: Ask, house: House, clock: FixedClock) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        vendor = make_vendor(tx, "Conditional Works")
        condition = {"text": "encrypt", "due_on": date(2026, 12, 1).isoformat(), "closes_at": None, "met": False}
        make_clearance(tx, make_engagement(tx, vendor), conditions=[condition])
    body = ask(vendor=vendor.slug).get_json()
    assert body["conditions"] == [{"text": "encrypt", "due_on": "2026-12-01", "closes_at": None, "access_mode": None}]
    assert body["valid_until"] == "2026-12-02T00:00:00+00:00"
    clock.advance(days=8)
    assert ask(vendor=vendor.slug).get_json()["reasons"] == ["condition_overdue"]


def test_every_answer_is_counted_for_its_system_and_vendor_and_a_strangers_for_nobody(
    house: House, ask: Ask, vendor: Vendor
) -> None:
    for changes in ({}, {}, {"data_class": "D5"}, {"vendor": "nobody"}):
        assert ask(**changes).status_code == 200
    house.gate_calls.flush()

    with house.ledger.begin(SYSTEM) as tx:
        found = counting.calls(tx, vendor.id, counting.last_day(NOW))

    assert [(each.data_class, each.access_mode, each.calls, each.allowed) for each in found] == [
        ("D3", "A2", 2, 2),
        ("D5", "A2", 1, 0),
    ]
    assert len({each.client_id for each in found}) == 1


def test_an_answer_is_given_while_counts_cannot_be_written(
    house: House, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_given: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(counting, "add", fails)
    assert ask().get_json()["decision"] == "allow"
    assert house.gate_calls.flush() == 0

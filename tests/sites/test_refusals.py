"""A refusal leaves one event for the auditor, and nothing else (cases.md, standard outcomes NOTFOUND and FORBIDDEN)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from portal.kernel.actor import system
from portal.wiring import House
from tests.factories.identity import person
from tests.factories.vendors import make_vendor


def refusals(house: House) -> list[dict[str, Any]]:
    with house.ledger.begin(system("test")) as tx:
        rows = tx.session.execute(
            sa.text("SELECT payload FROM audit_event WHERE fact = 'access_refused' ORDER BY seq")
        ).scalars()
        return [json.loads(row) for row in rows]


def a_vendors_person(house: House) -> Any:
    with house.ledger.begin(system("test")) as tx:
        vendor = make_vendor(tx)
    return person(house, roles=["respondent"], vendor=vendor.id)


def test_what_is_not_there_or_not_theirs_is_written_down_once(house: House, signed_in: Callable[..., Any]) -> None:
    someone = a_vendors_person(house)
    assert signed_in(someone).get(f"/assessments/{uuid4()}").status_code == 404
    told = refusals(house)
    assert [(each["status"], each["method"], each["user_id"]) for each in told] == [(404, "GET", str(someone.id))]


def test_a_page_of_the_other_side_is_written_down(house: House, signed_in: Callable[..., Any]) -> None:
    assert signed_in(a_vendors_person(house)).get("/lab/queue").status_code == 404
    assert [each["endpoint"] for each in refusals(house)] == ["lab_queue.queue"]


def test_a_missing_right_is_written_down(house: House, signed_in: Callable[..., Any]) -> None:
    assert signed_in(person(house, roles=["auditor"])).get("/lab/vendors/new").status_code == 403
    assert [each["status"] for each in refusals(house)] == [403]


def test_a_mistyped_address_and_a_stranger_leave_nothing(
    house: House, signed_in: Callable[..., Any], client: Any
) -> None:
    assert signed_in(a_vendors_person(house)).get("/no-such-page").status_code == 404
    assert client.get(f"/assessments/{uuid4()}").status_code == 302
    assert refusals(house) == []


def test_nobody_floods_the_trail_with_refusals(house: House, signed_in: Callable[..., Any]) -> None:
    browser = signed_in(a_vendors_person(house))
    for _ in range(125):
        assert browser.get(f"/assessments/{uuid4()}").status_code == 404
    assert len(refusals(house)) == 120

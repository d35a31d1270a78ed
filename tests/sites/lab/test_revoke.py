"""The pages on which two lead approvers take an approval back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from portal.kernel.actor import system
from portal.kernel.signing import make_file
from portal.terms import Role
from portal.wiring import House
from tests.factories.gate import make_clearance
from tests.factories.identity import Person, person
from tests.factories.vendors import make_engagement, make_vendor

WHERE = "/lab/vendors/quillmark-annotation/revoke"


@pytest.fixture
def clearances(house: House) -> list[str]:
    """Two approved engagements of one vendor, by the ids of their steps."""
    make_file(house.signing_keys, now=house.instant())
    with house.ledger.begin(system("test")) as tx:
        vendor = make_vendor(tx)
        made = [make_engagement(tx, vendor, project=name) for name in ("Harbour", "Lantern")]
        return [str(make_clearance(tx, each).id) for each in made]


@pytest.fixture
def leads(house: House) -> tuple[Person, Person]:
    hana, theo = (person(house, roles=[Role.LEAD_APPROVER], name=name) for name in ("Hana Kobayashi", "Theo Brandvold"))
    return hana, theo


def test_one_asks_another_confirms_and_the_record_can_be_taken_away(
    clearances: list[str], leads: tuple[Person, Person], signed_in: Callable[..., Any]
) -> None:
    hana, theo = (signed_in(each, fresh=True) for each in leads)
    asked = hana.post(WHERE, data={"approval": clearances[0], "reason": "The report fell <b>", "ticket": "SEC-41"})
    assert asked.status_code == 303
    own = hana.get(WHERE).get_data(as_text=True)
    assert "You asked, so you cannot confirm." in own
    assert "Theo Brandvold" in own
    assert "Take it back" in own
    assert "Lantern, sequence 2" in own, "the other approval can still be asked about"
    vendor_page = theo.get("/lab/vendors/quillmark-annotation").get_data(as_text=True)
    assert "Hana Kobayashi asked to revoke the approval of Harbour" in vendor_page
    shown = theo.get(WHERE).get_data(as_text=True)
    assert "The report fell &lt;b&gt;" in shown
    found = re.search(r'action="([^"]+/confirm)"', shown)
    assert found
    assert hana.post(found[1], data={"row_version": "1"}).status_code == 403
    assert theo.post(found[1], data={"row_version": "4"}).status_code == 409
    done = theo.post(found[1], data={"row_version": "1"}, follow_redirects=True)
    text = done.get_data(as_text=True)
    assert "The approval is revoked." in text
    link = re.search(r'href="([^"]+access-records[^"]+)"', text)
    assert link
    record = theo.get(link[1])
    assert record.headers["Content-Disposition"].startswith("attachment")
    assert set(json.loads(record.data)) == {"payload", "payloadType", "signatures"}
    assert theo.post(found[1], data={"row_version": "1"}).status_code == 409


def test_what_is_missing_is_said_at_its_field_and_what_was_typed_stays(
    clearances: list[str], leads: tuple[Person, Person], signed_in: Callable[..., Any]
) -> None:
    hana = signed_in(leads[0])
    answer = hana.post(WHERE, data={"approval": "nonsense", "reason": " ", "ticket": "SEC-41"})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Choose which approval you revoke" in text
    assert "Enter why you take it back" in text
    assert 'value="SEC-41"' in text
    without_code = hana.post(WHERE, data={"approval": clearances[0], "reason": "The report fell"})
    assert without_code.status_code == 422
    assert "Enter the 6 digits from your authenticator app" in without_code.get_data(as_text=True)
    long = signed_in(leads[0], fresh=True).post(
        WHERE, data={"approval": clearances[0], "reason": "The report fell", "ticket": "x" * 201}
    )
    assert "Keep it under 200 characters" in long.get_data(as_text=True)


def test_who_may_not_reads_why_and_finds_no_form(
    house: House, clearances: list[str], signed_in: Callable[..., Any]
) -> None:
    reviewer = signed_in(person(house, roles=[Role.REVIEWER], name="Ines Valdarno"), fresh=True)
    text = reviewer.get(WHERE).get_data(as_text=True)
    assert "A lead approver revokes an approval." in text
    assert "<textarea" not in text
    assert reviewer.post(WHERE, data={"approval": clearances[0], "reason": "x"}).status_code == 403


def test_taking_it_back_leaves_the_approval_as_it_was(
    clearances: list[str], leads: tuple[Person, Person], signed_in: Callable[..., Any]
) -> None:
    hana = signed_in(leads[0], fresh=True)
    hana.post(WHERE, data={"approval": clearances[1], "reason": "The report fell"})
    found = re.search(r'action="([^"]+/take-back)"', hana.get(WHERE).get_data(as_text=True))
    assert found
    text = hana.post(found[1], data={"row_version": "1"}, follow_redirects=True).get_data(as_text=True)
    assert "You took it back. The approval stays as it was." in text
    assert "Lantern, sequence 2" in text

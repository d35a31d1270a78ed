"""The trail as sentences, its filters, its chain and its export."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from portal.audit.models import AuditEvent
from portal.audit.rules import Link, hash_of
from portal.kernel.actor import system
from portal.kernel.canonical import canonical_bytes
from portal.terms import Role
from portal.wiring import House
from tests.factories.identity import Person, person
from tests.factories.vendors import make_engagement, make_vendor


@pytest.fixture
def auditor(house: House) -> Person:
    return person(house, roles=[Role.AUDITOR], name="Ana Lindqvist")


@pytest.fixture
def vendors(house: House) -> None:
    with house.ledger.begin(system("test")) as tx:
        make_engagement(tx, make_vendor(tx))
        make_vendor(tx, "Brightfen Data")


@pytest.mark.usefixtures("vendors")
def test_each_event_reads_as_a_sentence(auditor: Person, signed_in: Callable[..., Any]) -> None:
    text = signed_in(auditor).get("/lab/audit").get_data(as_text=True)

    assert "engaged Quillmark Annotation for data classes D3, tier 2" in text
    assert "added Brightfen Data" in text
    assert ">Ana Lindqvist</b> joined the lab" in text
    assert "{" not in text.partition("<main")[2].partition("</main")[0].replace('"{', "")


@pytest.mark.usefixtures("vendors")
def test_the_filter_is_in_the_address(auditor: Person, signed_in: Callable[..., Any]) -> None:
    client = signed_in(auditor)

    only = client.get("/lab/audit?vendor=brightfen-data").get_data(as_text=True)
    nothing = client.get("/lab/audit?vendor=brightfen-data&what=vendor_paused").get_data(as_text=True)
    early = client.get("/lab/audit?to=2026-11-23").get_data(as_text=True)

    assert "added Brightfen Data" in only
    assert "engaged Quillmark" not in only
    assert "No event matches" in nothing
    assert "No event matches" in early


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("from=soon", "Enter a date, for example 2026-11-24"),
        ("from=2026-11-24&to=2026-11-01", "The last day must not be before the first"),
        ("vendor=nobody", "Choose a vendor from the list"),
        ("who=x", "Choose somebody from the list"),
    ],
)
def test_a_filter_that_cannot_be_read_says_so_at_its_field(
    auditor: Person, signed_in: Callable[..., Any], query: str, words: str
) -> None:
    answer = signed_in(auditor).get(f"/lab/audit?{query}")

    assert answer.status_code == 422
    assert answer.get_data(as_text=True).count(words) == 2


def test_pages_go_on_where_the_last_one_ended(house: House, auditor: Person, signed_in: Callable[..., Any]) -> None:
    with house.ledger.begin(system("test")) as tx:
        for number in range(60):
            make_vendor(tx, f"Vendor {number:02}", mail_domains=[f"v{number}.example"])
    client = signed_in(auditor)

    first = client.get("/lab/audit?what=vendor_added").get_data(as_text=True)
    before = first.rpartition("before=")[2].partition('"')[0]
    second = client.get(f"/lab/audit?what=vendor_added&before={before}").get_data(as_text=True)

    assert "Vendor 59" in first
    assert "added Vendor 09" not in first
    assert "added Vendor 09" in second
    assert "Older" not in second
    assert "Newest" in second


def test_a_whole_chain_is_said_to_be_whole(auditor: Person, signed_in: Callable[..., Any]) -> None:
    text = signed_in(auditor).post("/lab/audit/check").get_data(as_text=True)

    assert "Complete to event" in text


def test_a_changed_event_is_found(house: House, auditor: Person, signed_in: Callable[..., Any]) -> None:
    with house.engine.begin() as owner:
        owner.execute(sa.text("ALTER TABLE audit_event DISABLE TRIGGER rows_only_grow"))
        owner.execute(sa.text("ALTER TABLE audit_event NO FORCE ROW LEVEL SECURITY"))
        owner.execute(sa.update(AuditEvent).where(AuditEvent.seq == 1).values(payload="{}"))

    text = signed_in(auditor).post("/lab/audit/check").get_data(as_text=True)

    assert "The chain is broken." in text
    assert "Event 1 was changed" in text


@pytest.mark.usefixtures("vendors")
def test_the_export_verifies_offline(auditor: Person, signed_in: Callable[..., Any]) -> None:
    answer = signed_in(auditor).get("/lab/audit/export")

    assert answer.headers["Content-Disposition"] == 'attachment; filename="gatehouse-audit.jsonl"'
    lines = [json.loads(each) for each in answer.get_data(as_text=True).splitlines()]
    previous = bytes(32)
    for line in lines:
        link = Link(
            **{key: line[key] for key in ("seq", "at", "fact", "actor_kind", "actor_id", "actor_label", "vendor_id")},
            payload=canonical_bytes(line["payload"]).decode(),
            previous_hash=bytes.fromhex(line["previous_hash"]),
        )
        assert link.previous_hash == previous
        assert hash_of(link).hex() == line["hash"]
        previous = bytes.fromhex(line["hash"])


@pytest.mark.usefixtures("vendors")
def test_the_export_says_its_filter_in_its_name(auditor: Person, signed_in: Callable[..., Any]) -> None:
    answer = signed_in(auditor).get("/lab/audit/export?vendor=brightfen-data&what=vendor_added")

    assert "gatehouse-audit-what-vendor_added-vendor-brightfen-data.jsonl" in answer.headers["Content-Disposition"]
    assert len(answer.get_data(as_text=True).splitlines()) == 1


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.AUDITOR, 200), (Role.LEAD_APPROVER, 200), (Role.PROGRAM_ADMIN, 200), (Role.REVIEWER, 403)],
)
def test_who_reads_the_trail(house: House, signed_in: Callable[..., Any], role: Role, status: int) -> None:
    assert signed_in(person(house, roles=[role])).get("/lab/audit").status_code == status

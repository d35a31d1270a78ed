"""The flags on the lab's page of a file, two reports side by side, the checked firms; and nothing of it for vendors."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask

from portal.evidence import likeness, reading
from portal.kernel.actor import system
from portal.wiring import House
from tests.factories.evidence import make_evidence
from tests.factories.identity import Person
from tests.factories.likeness import stored
from tests.factories.reports import report
from tests.sites.conftest import Client

SYSTEM = system("test")
OTHER = "Tessellate Data"
CANARIES = (OTHER, "Look twice", "Reads like another", "in common", "Auditor not checked", "Checked audit firms")
COPIED = report(21, entity="Tessellate Data Ltd.", short="Tessellate")


@pytest.fixture
def copy_id(house: House, ada: Person, otto: Person) -> UUID:
    """A report of one vendor that is a copy of another's, uploaded, read and compared."""
    stored(house, [COPIED], vendor_ids=[otto.vendor_id])
    copied = report(21, entity="Acme Labelling Ltd.", short="Acme", firm="Candle & Moss LLP")
    details = {
        "report_type": "type2",
        "period_start": "2025-01-01",
        "period_end": "2025-12-31",
        "opinion": "unqualified",
        "opinion_on": "2026-01-02",
        "auditor": "Candle & Moss LLP",
    }
    evidence_id = make_evidence(house, ada, copied.pdf(), name="soc2.pdf", kind="SOC2", details=details).id
    reading.read(house.ledger, SYSTEM, store=house.store, evidence_id=evidence_id)
    likeness.compare(house.ledger, SYSTEM, store=house.store, evidence_id=evidence_id)
    return evidence_id


def test_a_reviewer_sees_what_to_look_at_twice_and_both_reports_side_by_side(as_hana: Client, copy_id: UUID) -> None:
    shown = as_hana.get(f"/lab/evidence/{copy_id}").text

    assert "Look twice" in shown
    assert "The opinion was signed 2 days after the end of the period" in shown
    assert f"also stands in a report of {OTHER}" in shown
    link = next(part for part in shown.split('"') if "/alike/" in part)
    side_by_side = as_hana.get(link).text
    assert "Passages in common" in side_by_side
    assert OTHER in side_by_side
    assert "<mark>" in side_by_side
    assert as_hana.get(link.rpartition("/")[0] + f"/{copy_id}").status_code == 404


def test_a_firm_that_was_looked_up_is_not_flagged_any_more(as_hana: Client, copy_id: UUID) -> None:
    look_up = {"name": "Candle & Moss", "outcome": "licensed", "licence": "OR-1207", "source": "the register of Oregon"}
    assert "Candle &amp; Moss LLP" in as_hana.get(f"/lab/evidence/{copy_id}").text.partition("Auditor not checked")[2]

    refused = as_hana.post("/lab/firms", data={**look_up, "licence": "", "checked_on": "31 December 2099"})
    kept = as_hana.post("/lab/firms", data={**look_up, "checked_on": "2026-10-01"}, follow_redirects=True)

    assert refused.status_code == 422
    assert "Enter the licence number that the register shows" in refused.text
    assert "The day must not be after today" in refused.text
    assert "OR-1207" in kept.text
    assert "Nobody has looked up" not in as_hana.get(f"/lab/evidence/{copy_id}").text
    assert "is not in the list of checked firms" not in as_hana.get(f"/lab/evidence/{copy_id}").text


def test_no_page_or_export_of_a_vendor_says_anything_of_it(app: Flask, as_ada: Client, copy_id: UUID) -> None:
    adapter = app.url_map.bind("localhost")
    looked = 0
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or not rule.arguments <= {"evidence_id", "number"}:
            continue
        address = adapter.build(str(rule.endpoint), {"evidence_id": copy_id, "number": 1}, method="GET")
        if address.startswith("/static"):
            continue
        answer = as_ada.get(address)
        if address.startswith("/lab"):
            assert answer.status_code == 404, address
        told = answer.get_data()
        assert not [words for words in CANARIES if words.encode() in told], address
        looked += answer.status_code == 200
    assert looked > 10
    assert as_ada.get(f"/lab/evidence/{copy_id}/alike/{copy_id}").status_code == 404

"""What was read in a report, beside the fields of its form and on the lab's page, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from portal.jobs.reading import read_file
from portal.wiring import House
from tests.factories.evidence import make_evidence
from tests.factories.identity import FACTORY, person
from tests.factories.reports import report
from tests.factories.vendors import make_vendor

pytestmark = pytest.mark.browser


def test_suggestions_are_checked_against_their_pages_and_saved(
    visit: Callable[..., Page],
    house: House,
    axe: Callable[..., None],
    shot: Callable[..., Path],
    no_sideways: Callable[[Page], None],
) -> None:
    with house.ledger.begin(FACTORY) as tx:
        vendor_id = make_vendor(tx).id
    ada = person(house, roles=["respondent"], vendor=vendor_id, name="Ada Quill")
    hana = person(house, roles=["reviewer"], name="Hana Veldkamp")
    row = make_evidence(house, ada, report(1001, type=2).pdf(), kind="SOC2", details={}, name="soc2.pdf")
    read_file(house, evidence_id=str(row.id))

    page = visit(ada, f"/evidence/{row.id}/details")
    expect(page.get_by_text("Nothing of it counts until you save")).to_be_visible()
    axe(page)
    shot(page, "suggested-details-light-1440")
    page.set_viewport_size({"width": 390, "height": 844})
    no_sideways(page)
    shot(page, "suggested-details-light-390")
    page.get_by_role("button", name="Save the details").click()
    expect(page.get_by_text("The details of soc2.pdf are saved")).to_be_visible()

    lab = visit(hana, f"/lab/evidence/{row.id}")
    expect(lab.get_by_text("Confirmed by Ada Quill").first).to_be_visible()
    shot(lab, "read-in-the-file-light-1440")

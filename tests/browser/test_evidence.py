"""Evidence in a real browser: uploaded with scripts and without, described, read by the lab, drawn in both themes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.wiring import House
from tests.factories.evidence import make_evidence
from tests.factories.identity import FACTORY, Person, person
from tests.factories.vendors import make_vendor
from tests.rules import files

pytestmark = pytest.mark.browser

LIBRARY: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    (
        "soc2-type2-2025-ashgrove-pell.pdf",
        "SOC2",
        "SOC 2 Type 2 report",
        {
            "report_type": "type2",
            "period_start": "2024-10-01",
            "period_end": "2025-09-30",
            "opinion": "unqualified",
            "categories": "Security, Confidentiality",
        },
    ),
    ("tabletop-exercise-2025.pdf", "IRP", "Tabletop exercise", {"exercised_on": "2025-08-31"}),
    (
        "cyber-policy-mereworth-2026.pdf",
        "INS",
        "Cyber insurance, 5 M USD",
        {"starts_on": "2026-01-01", "expires_on": "2026-12-31", "limit": "5 M USD", "line": "both"},
    ),
    ("pentest-summary-feb-2026.pdf", "PT", "Penetration test", {"tested_until": "2026-02-19", "firm": "Nettle Labs"}),
    (
        "iso27001-certificate-2024.pdf",
        "ISO",
        "ISO 27001 certificate",
        {
            "edition": "2022",
            "issued_on": "2024-06-15",
            "expires_on": "2027-06-14",
            "surveillance_on": "2026-07-01",
        },
    ),
    ("dpa-signed.pdf", "DPA", "Data-processing agreement", {"signed_on": "2026-02-01"}),
    ("screens.pdf", "SCR", "", {}),
)


@pytest.fixture
def priya(house: House) -> Person:
    with house.ledger.begin(FACTORY) as tx:
        vendor_id = make_vendor(tx).id
    return person(house, roles=["respondent", "vendor_admin"], vendor=vendor_id, name="Priya Raghunath")


@pytest.fixture
def hana(house: House) -> Person:
    return person(house, roles=["reviewer"], name="Hana Veldkamp")


def fill(house: House, who: Person) -> list[Any]:
    """A library with a file of each standing."""
    return [
        make_evidence(house, who, files.pdf(pages=2 + n), name=name, kind=kind, title=title, details=details)
        for n, (name, kind, title, details) in enumerate(LIBRARY)
    ]


def choose(page: Page, kind: str, name: str, content: bytes) -> None:
    page.get_by_label("Type of evidence").select_option(label=kind)
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "application/pdf", "buffer": content})


def test_a_file_is_uploaded_with_scripts_given_its_dates_and_read_by_the_lab(
    visit: Callable[..., Page], priya: Person, hana: Person, axe: Callable[..., None]
) -> None:
    page = visit(priya, "/evidence")
    choose(page, "Policy", "access-policy.pdf", files.pdf(pages=2))
    arrived = page.locator("#arrived")
    expect(arrived).to_contain_text("access-policy.pdf")
    expect(arrived).to_contain_text("In your library.")
    arrived.get_by_role("link", name="Add its dates").click()

    page.get_by_role("button", name="Save the details").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter the day of approval")
    axe(page)
    page.get_by_label("Day of approval").fill("2026-10-01")
    page.get_by_role("button", name="Save the details").click()
    expect(page.get_by_text("1 October 2027")).to_be_visible()

    lab = visit(hana, "/lab/evidence")
    lab.get_by_role("link", name="access-policy.pdf").click()
    picture = lab.get_by_role("img", name="Page 1 of access-policy.pdf")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth > 300)")
    axe(lab)
    lab.get_by_role("button", name="Verify").click()
    expect(lab.get_by_role("status")).to_contain_text("is verified")

    page.reload()
    expect(page.get_by_text("Hana Veldkamp")).to_be_visible()


def test_a_file_is_uploaded_without_scripts(visit: Callable[..., Page], priya: Person) -> None:
    page = visit(priya, "/evidence", script=False)
    choose(page, "Bridge letter", "bridge-letter.pdf", files.pdf())
    page.get_by_role("button", name="Upload", exact=True).click()

    expect(page.get_by_role("heading", name="Details of bridge-letter.pdf")).to_be_visible()
    expect(page.get_by_text("bridge-letter.pdf is in your library.")).to_be_visible()


def test_the_labs_pages_read_well(
    visit: Callable[..., Page],
    house: House,
    priya: Person,
    hana: Person,
    axe: Callable[..., None],
    shot: Callable[..., Path],
    no_sideways: Callable[[Page], None],
) -> None:
    rows = fill(house, priya)
    for path, name in (("/lab/evidence", "lab-evidence"), (f"/lab/evidence/{rows[3].id}", "lab-evidence-file")):
        page = visit(hana, path)
        axe(page)
        shot(page, f"{name}-light-1440")
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 320, "height": 800})
        no_sideways(page)
        axe(page)

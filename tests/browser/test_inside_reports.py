"""What stands inside a report, in a real browser: rows without scripts, the lab's tasks, narrow and wide."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from portal.wiring import House
from tests.factories.entered import make_report, rows_of
from tests.factories.evidence import make_evidence
from tests.factories.identity import FACTORY, Person, person
from tests.factories.vendors import make_vendor

pytestmark = pytest.mark.browser


@pytest.fixture
def priya(house: House) -> Person:
    with house.ledger.begin(FACTORY) as tx:
        vendor_id = make_vendor(tx).id
    return person(house, roles=["respondent", "vendor_admin"], vendor=vendor_id, name="Priya Raghunath")


@pytest.fixture
def hana(house: House) -> Person:
    return person(house, roles=["reviewer"], name="Hana Veldkamp")


@pytest.fixture
def narrow(shot: Callable[..., Path], no_sideways: Callable[[Page], None]) -> Callable[[Page, str], None]:
    """Hold a page to 390 pixels, and draw it wide and narrow."""

    def hold(page: Page, name: str) -> None:
        shot(page, f"{name}-light-1440")
        page.set_viewport_size({"width": 390, "height": 844})
        no_sideways(page)
        shot(page, f"{name}-light-390")
        page.set_viewport_size({"width": 1440, "height": 900})

    return hold


def test_a_report_is_entered_row_by_row_without_scripts(
    visit: Callable[..., Page], house: House, priya: Person
) -> None:
    paper = make_report(house, priya)
    page = visit(priya, f"/evidence/{paper}/details", script=False)
    page.get_by_role("button", name="Add a row to the exceptions, one by one").click()
    second = page.get_by_role("group", name="Exceptions, one by one, row 2")
    second.get_by_label("Control").fill("CM-2")
    second.get_by_label("What the auditor found").fill("One change was not approved")
    page.get_by_label("Number of exceptions").press("Enter")
    expect(page.get_by_text("CM-2")).to_be_visible()
    assert len(rows_of(house, priya, paper).exceptions) == 2


def test_forms_and_tasks_are_read_by_everybody(
    visit: Callable[..., Page],
    house: House,
    priya: Person,
    hana: Person,
    axe: Callable[..., None],
    narrow: Callable[..., None],
) -> None:
    paper = make_report(house, priya)
    policy = make_evidence(
        house,
        priya,
        name="insurance.pdf",
        kind="INS",
        details={"starts_on": "2026-01-01", "expires_on": "2026-12-31", "limit": "5 M USD"},
    )
    page = visit(priya, f"/evidence/{paper}/details")
    axe(page)
    narrow(page, "report-form")
    page.goto(page.url.replace(str(paper), str(policy.id)))
    expect(page.get_by_label("Amount of the limit per claim")).to_have_value("5,000,000")
    axe(page)
    narrow(page, "insurance-form")
    page.get_by_label("Currency of the limit per claim").select_option("")
    page.get_by_role("button", name="Save the details").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose the currency of the limit per claim")
    axe(page)

    lab = visit(hana, "/lab/evidence/tasks")
    axe(lab)
    narrow(lab, "lab-tasks")
    lab.get_by_role("link", name="Review the accounts of your own staff").click()
    axe(lab)
    lab.get_by_label("Owner").select_option(label="Hana Veldkamp")
    lab.get_by_role("button", name="Save the task").click()
    expect(lab.get_by_role("status")).to_contain_text("The task is saved.")
    lab.get_by_role("link", name="soc2-report.pdf").click()
    axe(lab)
    narrow(lab, "lab-report")
    lab.get_by_role("link", name="Assess the exception in LA-4").click()
    axe(lab)

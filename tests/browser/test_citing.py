"""J5: a file of the library is attached to another answer in three presses or eight keys, with one page load.

And one file to many answers, from the vendor's page and from the lab's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from portal.evidence.models import Evidence
from portal.kernel.actor import system
from portal.wiring import House
from tests.browser.counting import Job
from tests.factories.attestations import Desk, desk
from tests.factories.reviews import bench

pytestmark = pytest.mark.browser


@pytest.fixture
def made(house: House) -> Desk:
    found = desk(house)
    for number in range(6):
        found.file(kind="INS", title=f"Insurance {number}")
    found.cite("gov.owner", found.file(kind="POL", title="Information security policy"), "3")
    return found


def section(made: Desk) -> str:
    return f"/assessments/{made.assessment_id}/s/dat#q-dat-transfer"


@pytest.mark.parametrize("script", [True, False])
def test_j5_a_file_is_attached_to_another_answer_in_three_presses(
    visit: Callable[..., Page], made: Desk, script: bool
) -> None:
    page = visit(made.respondent, section(made), script=script)
    job = Job(page, script=script)
    place = page.locator("#ev-dat-transfer")

    job.press(place.locator("summary").filter(has_text="Choose from your library"))
    job.press(place.get_by_role("radio").first)
    job.press(place.get_by_role("button", name="Attach to", exact=False).last)

    expect(page.locator("#evl-dat-transfer")).to_contain_text("access-policy")
    job.costs(clicks=3, loads=1)


def test_j5_eight_keys_are_enough_and_the_picker_is_accessible_at_every_width(
    visit: Callable[..., Page], made: Desk, axe: Callable[..., None], shot: Callable[..., Path]
) -> None:
    page = visit(made.respondent, section(made))
    job = Job(page)
    place = page.locator("#ev-dat-transfer")
    place.locator("summary").filter(has_text="Choose from your library").focus()
    job.key("Enter")
    expect(place.get_by_role("radio").first).to_be_visible()
    axe(page)
    shot(page, "citing-picker")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shot(page, "citing-picker-390")
    page.set_viewport_size({"width": 1440, "height": 900})

    job.key("Tab", "Space", "Enter")

    expect(page.locator("#evl-dat-transfer")).to_contain_text("access-policy")
    job.costs(keys=8, loads=1)


def test_one_file_goes_to_every_answer_that_it_settles(
    visit: Callable[..., Page], made: Desk, axe: Callable[..., None], shot: Callable[..., Path]
) -> None:
    file = made.file(kind="POL", title="Acceptable use")
    page = visit(made.respondent, f"/evidence/{file}")
    expect(page.get_by_role("heading", name="This file would settle 3 questions")).to_be_visible()
    axe(page)
    shot(page, "citing-suggestions")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shot(page, "citing-suggestions-390")

    page.get_by_role("button", name="Attach to 3 answers").click()

    expect(page.get_by_role("status").first).to_contain_text("Attached to 3 answers.")


def test_the_lab_accepts_one_document_for_many_answers(
    visit: Callable[..., Page], house: House, axe: Callable[..., None], shot: Callable[..., Path]
) -> None:
    b = bench(house)
    b.claim()
    with house.ledger.begin(system("test")) as tx:
        file = tx.session.execute(sa.select(Evidence.id).where(Evidence.kind == "SOC2")).scalars().one()
    page = visit(b.reviewer, f"/lab/evidence/{file}")
    press = page.get_by_role("button", name="Accept for")
    expect(press).to_be_visible()
    axe(page, within="#uses")
    shot(page, "citing-lab-uses")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shot(page, "citing-lab-uses-390")

    press.click()

    expect(page.get_by_role("status").first).to_contain_text("Accepted for")
    axe(page, within="#uses")

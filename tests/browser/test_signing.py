"""The officer at the desk: reads what changed, signs, gets the document; or sends it back (J7)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from portal.terms import AssessmentState
from portal.wiring import House
from tests.browser.counting import Job
from tests.factories.attestations import Desk, desk
from tests.factories.identity import code_of

pytestmark = pytest.mark.browser


@pytest.fixture
def ready(house: House) -> Desk:
    """A vendor that signed once, was asked about one answer, changed it, and can sign again."""
    made = desk(house)
    made.complete()
    made.sign()
    made.send_back("gov.owner")
    made.reply("gov.owner")
    made.save("gov.owner", {"choice": "no", "comment": "She left in November."})
    return made


def state(made: Desk) -> AssessmentState:
    with made.at(made.admin.actor) as (_tx, row):
        return row.state


@pytest.mark.parametrize("script", [True, False])
def test_j7_an_officer_reads_the_changes_signs_and_submits(
    house: House, ready: Desk, visit: Callable[..., Page], script: bool
) -> None:
    page = visit(ready.signatory, "/", script=script)
    job = Job(page, script=script)

    job.press("link", "Check and sign")
    expect(page.locator("del")).to_have_text("Yes")
    expect(page.locator("ins").first).to_have_text("No")
    for statement in page.get_by_role("checkbox").all():
        job.press(statement)
    page.get_by_label("Type your full name to sign").fill(ready.signatory.full_name)
    page.get_by_label("Code from your authenticator app").fill(code_of(house, ready.signatory))
    job.press("button", "Sign and submit")

    expect(page.get_by_role("heading", name="Receipt")).to_be_visible()
    job.costs(clicks=5, loads=2)
    assert state(ready) is AssessmentState.SUBMITTED
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as PDF").click()
    assert download.value.suggested_filename.startswith("Signed answers, revision 2")


def test_j7_with_the_keyboard_alone(house: House, ready: Desk, visit: Callable[..., Page]) -> None:
    page = visit(ready.signatory, f"/assessments/{ready.assessment_id}/check", fresh=True)
    page.locator("#statements-0").focus()
    for _ in range(3):
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
    page.keyboard.type(ready.signatory.full_name)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Sign and submit")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Receipt")).to_be_visible()
    assert state(ready) is AssessmentState.SUBMITTED


def test_a_note_is_sent_back_and_read_on_the_card(
    ready: Desk, visit: Callable[..., Page], axe: Callable[..., None]
) -> None:
    page = visit(ready.signatory, f"/assessments/{ready.assessment_id}/check")
    page.get_by_role("link", name="Send back 1.1 Executive owner").click()
    page.get_by_label("1.1 Executive owner").fill("Who has it now?")
    page.get_by_role("button", name="Send back", exact=True).click()
    expect(page.get_by_text("is told by mail")).to_be_visible()
    theirs = visit(ready.admin, f"/assessments/{ready.assessment_id}")
    theirs.locator("#sent-back").get_by_role("link", name="1.1 Executive owner").click()
    expect(theirs.get_by_role("article", name="Question 1.1")).to_contain_text("Who has it now?")
    axe(theirs)
    theirs.get_by_role("button", name="Settled").click()
    expect(theirs.get_by_text("Settled. The note is gone")).to_be_visible()

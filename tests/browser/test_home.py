"""The home in a real browser: what blocks and where to go on is in sight, in each state, in both themes and narrow."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from portal.assessments import more_time, waits
from portal.assessments import service as assessments
from portal.kernel.actor import system
from portal.terms import Role
from portal.wiring import House
from tests.browser.counting import Job
from tests.factories.attestations import Desk, desk
from tests.factories.identity import person

pytestmark = pytest.mark.browser
SYSTEM = system("test")


@pytest.fixture
def quillmark(house: House) -> Desk:
    """A vendor in the middle of its work, with a colleague on one section and an approval that ends."""
    made = desk(house)
    made.settle_scoping()
    asked = made.visible()
    made.answer(leave=[each.key for each in asked[::4]])
    with made.at(made.admin.actor) as (tx, row):
        assessments.assign_section(tx, assessment=row, section=asked[0].section, user_id=made.respondent.id)
    with house.ledger.begin(SYSTEM) as tx:
        waits.publish(tx, cases=23, begun=2, decided=6, most=10)
        body = {"act": "approve", "valid_until": "2027-01-31"}
        assessments.publish_card(tx, vendor_id=made.vendor_id, engagement_id=made.engagement_id, body=body)
    return made


def test_what_blocks_and_where_to_go_on_is_in_sight(quillmark: Desk, visit: Callable[..., Page]) -> None:
    page = visit(quillmark.admin, "/")
    for width, height in ((1440, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        go_on = page.get_by_role("link", name=re.compile("^Continue: "))
        expect(go_on).to_be_in_viewport(ratio=1)
        expect(page.get_by_role("heading", name=re.compile("to do before you can submit"))).to_be_in_viewport(ratio=1)
        expect(page.locator(".blockers li a.btn").first).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_j2_one_key_or_one_press_leads_to_the_next_question_with_the_focus_on_it(
    quillmark: Desk, visit: Callable[..., Page], script: bool
) -> None:
    page = visit(quillmark.admin, "/", script=script)
    job = Job(page, script=script)
    first = next(each for each in quillmark.visible())
    slug = first.key.replace(".", "-")

    def is_there(**cost: int) -> None:
        page.wait_for_url(f"**/s/{first.section}#q-{slug}")
        expect(page.locator(f"#q-{slug}")).to_be_in_viewport()
        expect(page.locator(f"#q-{slug}")).to_be_focused()
        job.costs(**cost, loads=1)

    go_on = page.get_by_role("link", name=re.compile("^Continue: "))
    expect(go_on).to_be_focused()
    job.key("Enter")
    is_there(keys=1)
    page.go_back()
    job.begins()
    job.press(go_on)
    is_there(clicks=1, keys=0)


def more(made: Desk) -> str:
    return f"/assessments/{made.assessment_id}/more-time"


def test_more_time_is_asked_for_in_a_few_presses(quillmark: Desk, visit: Callable[..., Page]) -> None:
    page = visit(quillmark.respondent, "/")
    job = Job(page)

    job.press("link", "Ask for more time")
    page.get_by_label("Until which day do you need?").fill("2027-01-15")
    page.get_by_label("What is the time needed for?").fill("Two of us are ill.")
    job.press("button", "Send to Orrery")

    expect(page.get_by_role("status").first).to_contain_text("Orrery is asked for more time.")
    job.costs(clicks=2, loads=2)
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        asked = more_time.more_time_of(tx, row)
        assert asked is not None
        assert asked.wished_on - row.due_on == timedelta(days=24)


def test_the_labs_answer_is_accessible_and_moves_the_day(
    house: House,
    quillmark: Desk,
    visit: Callable[..., Page],
    axe: Callable[..., None],
    no_sideways: Callable[[Page], None],
    shot: Callable[..., Path],
) -> None:
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        more_time.ask_more_time(tx, assessment=row, wished_on=date(2027, 1, 15), reason="Two of us are ill.")
    ines = person(house, roles=[Role.REVIEWER], name="Ines Valdarno")
    for theme, width in (("dark", 390), ("light", 1440)):
        page = visit(ines, f"/lab/vendors/quillmark-annotation{more(quillmark)}", theme=theme, width=width)
        shot(page, f"lab-more-time-{theme}-{width}")
        axe(page)
        no_sideways(page)

    page.get_by_role("button", name="Agree to the new date").click()

    expect(page.get_by_role("status").first).to_contain_text("is due on 15 January 2027. The vendor is told.")

"""The queue in a real browser: the main jobs by their presses, and a list that does not move under the reader."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.wiring import House
from tests.browser.counting import Job
from tests.factories.attestations import desk
from tests.factories.reviews import Bench

pytestmark = pytest.mark.browser


def waiting(house: House, name: str) -> Bench:
    """Return a vendor's signed revision that waits."""
    at = desk(house, name=name)
    at.complete()
    at.sign()
    return Bench(house, at)


def test_j9_one_key_or_one_press_claims_and_opens_the_most_urgent(
    house: House, visit: Callable[..., Page], axe: Callable[..., Any], no_sideways: Callable[[Page], None]
) -> None:
    first = waiting(house, "Quillmark Annotation")
    waiting(house, "Kestrel Speech")
    page = visit(first.reviewer, "/lab/queue")
    rows = page.locator("[data-row]")
    expect(rows).to_have_count(2)
    axe(page)
    no_sideways(page)

    job = Job(page)
    job.key("a")
    page.wait_for_url(re.compile(r"/lab/reviews/[0-9a-f-]{36}"))
    job.costs(keys=2, loads=1)
    expect(page.get_by_text("This review is yours.")).to_be_visible()

    page.keyboard.press("g")
    page.keyboard.press("q")
    page.get_by_role("navigation", name="Saved views").get_by_role("link", name="Unassigned").click()
    expect(rows).to_have_count(1)
    job.begins()
    job.press("button", "Claim and open")
    page.wait_for_url(re.compile(r"/lab/reviews/[0-9a-f-]{36}"))
    job.costs(clicks=2, loads=1)


def test_the_preview_follows_the_keys_and_new_rows_are_told_of_before_they_come(
    house: House, visit: Callable[..., Page]
) -> None:
    first = waiting(house, "Quillmark Annotation")
    waiting(house, "Kestrel Speech")
    page = visit(first.reviewer, "/lab/queue")
    names = page.locator("[data-row] th").all_inner_texts()
    preview = page.locator("#preview h2")
    expect(preview).to_have_text(names[0])

    page.keyboard.press("j")
    expect(preview).to_have_text(names[1])
    expect(page.locator("[data-row] a:focus")).to_have_text(names[1])
    page.keyboard.press("k")
    expect(preview).to_have_text(names[0])

    waiting(house, "Palisade Red Team")
    first.claim(first.other)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("status").filter(has_text="1 new, press R")).to_be_visible()
    assert page.locator("[data-row] th").all_inner_texts() == names
    # What somebody took meanwhile says so where it stands.
    taken = page.locator("[data-row]", has_text="Quillmark Annotation")
    page.get_by_role("heading", level=1).click()
    page.evaluate("document.activeElement.blur()")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(taken).to_contain_text("Reviewing")
    expect(page.get_by_role("navigation", name="Saved views")).to_contain_text("Unassigned 2")

    page.keyboard.press("r")
    expect(page.locator("[data-row]")).to_have_count(3)


def test_j14_a_slash_four_letters_and_enter_show_what_a_vendor_can_touch(
    house: House, visit: Callable[..., Page]
) -> None:
    made = waiting(house, "Quillmark Annotation")
    page = visit(made.reviewer, "/lab/questionnaires")
    job = Job(page)

    job.key("/")
    page.keyboard.type("quil")
    job.key("Enter")
    page.wait_for_url(re.compile(r"/lab/vendors/quillmark-annotation"))

    job.costs(keys=2, loads=1)
    gate = page.locator("#gate")
    expect(gate).to_be_in_viewport()
    expect(page.get_by_role("link", name="Search everything for it")).to_be_visible()


@pytest.mark.parametrize("script", [True, False], ids=["keys", "no script"])
def test_several_are_selected_by_x_or_by_their_boxes_and_claimed_at_once(
    house: House, visit: Callable[..., Page], script: bool
) -> None:
    first = waiting(house, "Quillmark Annotation")
    waiting(house, "Kestrel Speech")
    page = visit(first.reviewer, "/lab/queue", script=script)
    boxes = page.get_by_role("checkbox", name="Select")
    expect(boxes).to_have_count(2)
    size = boxes.first.bounding_box()
    assert size is not None
    assert (size["width"], size["height"]) == (24, 24)
    if script:
        page.keyboard.press("x")
        expect(boxes.first).to_be_checked()
        boxes.nth(1).click(modifiers=["Shift"])
        expect(page.get_by_role("button", name="Go on with those selected (2)")).to_be_visible()
    else:
        boxes.first.check()
        boxes.nth(1).check()
    page.get_by_role("button", name="Go on with those selected").click()
    page.get_by_role("button", name="Claim 2 reviews").click()
    expect(page.get_by_text("2 reviews are yours now.")).to_be_visible()

"""The pages of a draft in a real browser: drawn in both themes and widths, accessible, usable without scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from portal.terms import Role
from portal.wiring import House
from tests.browser.conftest import seen_as
from tests.factories import renewing
from tests.factories.identity import Person, person
from tests.factories.questionnaires import draft_now, drafted

pytestmark = pytest.mark.browser
PAGES = ("", "/questions", "/changes", "/publish", "/discard")


@pytest.fixture
def hana(house: House) -> Person:
    """A lead approver."""
    return person(house, roles=[Role.LEAD_APPROVER], name="Hana Kobayashi")


def draft(house: House, author: Person) -> str:
    """Return the address of a draft of a second version, which one vendor would be asked, with nothing decided yet."""
    renewing.signed_first(house)
    text = (
        renewing.text(2)
        .decode()
        .replace("Every quarter", "Each quarter")
        .replace("accounts end by", "accounts end, by")
    )
    return f"/lab/questionnaires/drafts/{drafted(house, author, text)}"


def test_the_pages_are_accessible_in_both_themes_and_widths(
    house: House,
    hana: Person,
    visit: Callable[..., Page],
    axe: Callable[..., None],
    no_sideways: Callable[[Page], None],
    shot: Callable[..., Path],
) -> None:
    here = draft(house, hana)
    page = visit(hana, "/lab/questionnaires")
    for path in ("/lab/questionnaires", "/lab/questionnaires/drafts/new", *(here + each for each in PAGES)):
        page.goto(page.url.split("/lab")[0] + path)
        for theme, width in (("light", 1440), ("dark", 390)):
            seen_as(page, theme, width)
            shot(page, f"{path.replace(here, 'draft').strip('/').replace('/', '-')}-{theme}-{width}")
            axe(page)
            no_sideways(page)


def test_every_change_is_decided_without_scripts(house: House, hana: Person, visit: Callable[..., Page]) -> None:
    here = draft(house, hana)
    page = visit(hana, here + "/changes", script=False)
    page.get_by_role("button", name="Accept all proposals of the same claim (1)").click()
    for left in (4, 3, 2, 1):
        expect(page.get_by_text(f"{left} of 5 undecided")).to_be_visible()
        form = page.locator("details[open] form").first
        form.get_by_label("Note").fill("The wording says the same as it did before")
        form.get_by_role("button").click()
    expect(page.get_by_text("Every change is decided")).to_be_visible()
    page.get_by_role("link", name="Publish").click()
    page.get_by_role("button", name="Sign small-renewal v2").click()
    expect(page.get_by_text("You signed this text on")).to_be_visible()


def test_a_link_to_a_line_selects_it(house: House, hana: Person, visit: Callable[..., Page]) -> None:
    here = draft(house, hana)
    page = visit(hana, here)
    page.get_by_label("Text of the draft").fill(
        page.get_by_label("Text of the draft").input_value().replace("weight: 2", "weight: 3", 1)
    )
    page.get_by_role("button", name="Save and check").click()
    link = page.locator("a[data-line]").first
    line = int(link.get_attribute("data-line") or 0)
    link.click()
    chosen = page.evaluate(
        "() => { const s = document.getElementById('source'); return s.value.slice(s.selectionStart, s.selectionEnd) }"
    )
    draft_id = here.rsplit("/", 1)[-1]
    assert chosen == bytes(draft_now(house, UUID(draft_id)).source).decode().split("\n")[line - 1]

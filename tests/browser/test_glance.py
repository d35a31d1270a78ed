"""The unchanged rest of a review at a glance, by keys alone; and the list to choose from, in both themes and widths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.kernel.actor import system
from portal.reviews import accepting
from portal.reviews import service as reviews
from portal.terms import Verdict
from portal.wiring import House
from tests.browser.conftest import seen_as
from tests.factories.rereading import reread

pytestmark = pytest.mark.browser


def test_the_rest_is_accepted_with_one_key_each_and_undone_with_another(
    house: House,
    visit: Callable[..., Page],
    axe: Callable[..., None],
    no_sideways: Callable[[Page], None],
    shot: Callable[..., Path],
) -> None:
    made = reread(house)
    with made.at(system("test")) as (_, review):
        path, review_id = f"/lab/reviews/{review.id}", review.id
    accepting.run(house.ledger, review_id)

    def accepted() -> int:
        with made.at(system("test")) as (tx, row):
            given: dict[str, Any] = reviews.verdict_lines(tx, row)
            return sum(each.verdict is Verdict.ACCEPT for each in given.values())

    by_rule = accepted()
    page = visit(made.reviewer, f"{path}/glance")
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.get_by_role("status").get_by_text("1 answer accepted.")).to_be_visible()
    assert accepted() == by_rule + 1
    page.keyboard.press("z")
    expect(page.get_by_text("1 answer waits again.")).to_be_visible()
    assert accepted() == by_rule
    axe(page)
    page.goto(f"{page.url.partition('/lab')[0]}{path}/bulk?pick=clean")
    axe(page)
    assert page.evaluate("document.querySelectorAll('*').length") <= 1500
    seen_as(page, "dark", 390)
    no_sideways(page)
    shot(page, "bulk-dark-390")

"""Deciding: one proposes, a second person confirms, and the gate answers differently, in few presses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from portal.gate import service as gate
from portal.gate.rules import Question
from portal.kernel.actor import system
from portal.wiring import House
from tests.browser.conftest import seen_as
from tests.browser.counting import Job
from tests.factories.reviews import Bench, bench

pytestmark = pytest.mark.browser


def reviewed(house: House) -> Bench:
    made = bench(house, tier=1, data_classes=[3, 4])
    made.claim()
    made.flag(made.open_keys()[0], credit=None)
    made.accept_rest()
    made.recommend()
    return made


def path_of(made: Bench) -> str:
    with made.at(system("test")) as (_, review):
        return f"/lab/reviews/{review.id}/decide"


def allowed(made: Bench, data_class: str) -> bool:
    with made.house.ledger.begin(system("test")) as tx:
        return gate.answer(tx, Question("quillmark-annotation", data_class, "A3", "test")).allow


def test_j12_three_presses_propose_two_confirm_and_the_gate_answers_differently(
    house: House, visit: Callable[..., Page]
) -> None:
    made = reviewed(house)
    assert made.second
    first = visit(made.lead, path_of(made), fresh=True)
    job = Job(first)
    job.press("radio", "Approve with conditions")
    expect(first.get_by_label("D4, A3 after this decision")).to_have_value("F-1")
    first.get_by_label("Why you decide otherwise").fill("One thing is left, and it closes what it is about.")
    job.press("button", "Sign and send to Theo")
    expect(first.get_by_role("heading", level=1)).to_contain_text("D-101")
    assert not allowed(made, "D3")
    job.costs(clicks=3, loads=2)

    second = visit(made.second, "/lab/cosign", fresh=True)
    other = Job(second)
    other.press("link", "D-101: approved with conditions")
    other.press("button", "Sign D-101")
    expect(second.get_by_text("D-101 is decided.")).to_be_visible()

    other.costs(clicks=2, loads=4 - len(job.loads))
    assert allowed(made, "D3")
    assert not allowed(made, "D4")


def test_the_page_to_decide_is_read_by_everybody_and_shows_what_is_chosen(
    house: House, visit: Callable[..., Page], axe: Callable[..., None], no_sideways: Callable[[Page], None]
) -> None:
    made = reviewed(house)
    page = visit(made.lead, path_of(made))
    page.get_by_role("radio", name="Flag for escalation").check()
    expect(page.get_by_role("heading", name="Escalation")).to_be_visible()
    expect(page.get_by_role("heading", name="Letter to the vendor")).to_be_hidden()
    page.get_by_role("radio", name="Approve with conditions").check()
    expect(page.get_by_role("heading", name="Escalation")).to_be_hidden()
    table = page.get_by_label("D3, A3 after this decision")
    table.select_option("date")
    expect(page.get_by_label("D3, A3 open until")).to_be_visible()
    for theme, width in (("light", 1440), ("dark", 390), ("light", 320)):
        seen_as(page, theme, width)
        no_sideways(page)
    axe(page)
    assert page.evaluate("document.querySelectorAll('*').length") <= 1_500

"""The lab's review pages in a real browser: drawn in both themes and widths, accessible, usable without scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.kernel.actor import system
from portal.reviews import service as reviews
from portal.terms import Role, Severity, Verdict
from portal.wiring import House
from tests.browser.conftest import seen_as
from tests.factories.attestations import desk
from tests.factories.evidence import make_evidence
from tests.factories.identity import Person, person
from tests.factories.reviews import Bench, bench
from tests.rules import files

pytestmark = pytest.mark.browser


def second_revision(house: House) -> tuple[Bench, str, str]:
    """Return a review of a second revision in which one answer went down, its path and that answer's key."""
    made = Bench(house, desk(house))
    made.desk.complete()
    keys = [each.key for each in made.desk.visible() if each.is_scored and len(each.choices) > 1]
    shown = make_evidence(house, made.desk.respondent, files.pdf(pages=3), name="board-minutes.pdf", title="Minutes")
    made.desk.cite(keys[0], shown.id, "2")
    made.desk.sign()
    made.claim()
    made.judge(keys[0], Verdict.ASK, note="Is it still so at the new site?")
    made.flag(keys[1], severity=Severity.MEDIUM, credit=50)
    made.accept_rest()
    with made.at(made.reviewer.actor) as (tx, review):
        reviews.return_questions(tx, review=review, row_version=review.row_version)
    question = made.desk.questionnaire.question(keys[0])
    worst = min(question.choices, key=lambda option: option.credit or 0)
    comment = "Shown to you on a call, except at the new site, where 61 laptops are rented."
    made.desk.save(keys[0], {"choice": worst.key, "comment": comment, "planned_on": "2027-03-01"})
    made.desk.reply(keys[0])
    made.desk.sign()
    made.claim()
    with made.at(made.reviewer.actor) as (tx, review):
        reviews.note_internal(tx, review=review, question_key=keys[0], body="Ask for the rental contract.")
        path = f"/lab/reviews/{review.id}"
    return made, path, keys[0]


def recommended(house: House, **given: Any) -> tuple[Bench, str]:
    made = bench(house, **given)
    made.claim()
    key = next(each.key for each in made.desk.visible() if each.is_scored)
    made.flag(key, severity=Severity.HIGH, credit=50)
    made.accept_rest()
    made.recommend()
    with made.at(system("test")) as (_, review):
        return made, f"/lab/reviews/{review.id}"


def look(
    visit: Callable[..., Page], who: Person, path: str, name: str, checks: tuple[Any, Any, Any], **options: Any
) -> None:
    """Open a page in both themes and widths; check and draw each."""
    axe, no_sideways, shot = checks
    page = visit(who, path, **options)
    for theme, width in (("light", 1440), ("dark", 390)):
        seen_as(page, theme, width)
        no_sideways(page)
        axe(page)
        shot(page, f"lab-{name}-{theme}-{width}")


@pytest.fixture
def checks(axe: Callable[..., None], no_sideways: Callable[[Page], None], shot: Callable[..., Path]) -> Any:
    return axe, no_sideways, shot


def test_the_queue(house: House, visit: Callable[..., Page], checks: Any) -> None:
    made, _, _ = second_revision(house)
    for name in ("Brightfen Data", "Umberfield Data"):
        bench(house, name=name, proven=False)
    look(visit, made.reviewer, "/lab/queue", "queue", checks)
    look(visit, made.reviewer, "/lab/queue?tier=1", "queue-empty", checks)


def test_the_workspace(house: House, visit: Callable[..., Page], checks: Any) -> None:
    made, path, key = second_revision(house)
    look(visit, made.reviewer, f"{path}?q={key}", "workspace", checks)
    page = visit(made.reviewer, f"{path}?q={key}")
    image = page.get_by_role("img", name="Page 2 of board-minutes.pdf")
    expect(image).to_be_visible()
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") > 0
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("img", name="Page 3 of board-minutes.pdf")).to_be_visible()
    look(visit, made.reviewer, f"{path}/score", "score", checks)
    look(visit, made.reviewer, f"{path}/finish", "finish", checks)


def test_what_the_vendor_would_get(house: House, visit: Callable[..., Page], checks: Any) -> None:
    made = bench(house)
    made.claim()
    made.judge(made.open_keys()[0], Verdict.ASK, note="Which sites are covered?")
    with made.at(system("test")) as (_, review):
        path = f"/lab/reviews/{review.id}"
    look(visit, made.reviewer, f"{path}/return", "return", checks)


def test_the_decision(house: House, visit: Callable[..., Page], checks: Any) -> None:
    made, path = recommended(house, tier=1)
    assert made.second
    look(visit, made.lead, f"{path}/decide", "decide", checks)
    decision = made.propose(made.lead)
    look(visit, made.second, f"/lab/decisions/{decision}", "decision", checks)
    look(visit, made.second, "/lab/cosign", "cosign", checks)


def test_the_pause_and_the_log(house: House, visit: Callable[..., Page], checks: Any) -> None:
    made = bench(house)
    auditor = person(house, roles=[Role.AUDITOR], name="Ana Lindqvist")
    look(visit, made.lead, "/lab/vendors/quillmark-annotation/pause", "pause", checks)
    look(visit, auditor, "/lab/audit", "audit", checks)


def test_a_flag_is_written_with_scripts_off(house: House, visit: Callable[..., Page]) -> None:
    made, path, key = second_revision(house)
    page = visit(made.reviewer, f"{path}?q={key}", script=False)
    expect(page.get_by_label("What is wrong, for the vendor to read", exact=True)).not_to_be_visible()
    page.get_by_label("Flag").check()
    page.get_by_label("What is wrong, for the vendor to read", exact=True).fill("61 laptops are not encrypted")
    page.get_by_label("Closes when").fill("An export shows every laptop encrypted")
    page.get_by_role("button", name="Save and go on").click()
    with made.at(system("test")) as (tx, review):
        assert reviews.verdict_lines(tx, review)[key].verdict is Verdict.FLAG


def test_one_click_accepts_and_goes_on(house: House, visit: Callable[..., Page]) -> None:
    made = bench(house)
    made.claim()
    with made.at(system("test")) as (_, review):
        page = visit(made.reviewer, f"/lab/reviews/{review.id}")
    before = page.locator("#wq").inner_text()
    page.get_by_role("button", name="Accept and go on").click()
    expect(page.locator("#wq")).not_to_have_text(before)
    expect(page.get_by_text("1 accepted")).to_be_visible()

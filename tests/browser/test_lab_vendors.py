"""The lab's page of one vendor in a real browser: everything that matters above the fold, both themes, every width."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.reviews.service import Condition
from portal.terms import EvidenceState, Outcome, Role, Severity
from portal.wiring import House
from tests.browser.conftest import seen_as
from tests.factories.attestations import make_file
from tests.factories.identity import person
from tests.factories.reviews import Bench, bench

pytestmark = pytest.mark.browser

PATH = "/lab/vendors/quillmark-annotation"


@pytest.fixture
def made(house: House, clock: FixedClock) -> Bench:
    """A vendor that was decided with two findings, one of them late now, and whose files end one after the other."""
    made = bench(house)
    made.claim()
    for severity, due_on in ((Severity.HIGH, date(2026, 12, 1)), (Severity.LOW, date(2027, 1, 20))):
        made.flag(made.open_keys()[0], severity=severity, due_on=due_on, credit=80)
    made.accept_rest()
    clock.advance(days=3)
    made.recommend()
    condition = Condition(text="Close both gaps", due_on=date(2027, 1, 15))
    made.propose(
        made.lead, outcome=Outcome.APPROVE_WITH_CONDITIONS, reason="The gaps are small.", conditions=(condition,)
    )
    with house.ledger.begin(system("test")) as tx:
        for kind, name, until in (
            ("PT", "old-test.pdf", date(2026, 11, 20)),
            ("INS", "cover.pdf", date(2026, 12, 12)),
            ("SPL", "sub-processors.pdf", date(2027, 6, 30)),
        ):
            make_file(
                tx,
                vendor_id=made.desk.vendor_id,
                uploaded_by=made.desk.respondent.id,
                kind=kind,
                file_name=name,
                state=EvidenceState.VERIFIED,
                judged_by=made.reviewer.id,
                judged_at=tx.now,
                valid_from=date(2026, 1, 1),
                valid_until=until,
            )
    clock.advance(days=10)
    return made


def test_one_vendor_in_both_themes_and_every_width(
    made: Bench,
    visit: Callable[..., Page],
    axe: Callable[..., None],
    no_sideways: Callable[[Page], None],
    shot: Callable[..., Path],
) -> None:
    page = visit(made.lead, PATH)
    page.get_by_text("stored scores as a table").click()
    for theme, width in (("light", 1440), ("light", 1100), ("dark", 320)):
        seen_as(page, theme, width)
        no_sideways(page)
        axe(page)
        shot(page, f"lab-vendor-{theme}-{width}")


def test_gate_access_and_score_stand_above_the_fold(made: Bench, visit: Callable[..., Page]) -> None:
    page = visit(made.lead, PATH)

    for name in ("Gate", "What they can touch", "Score"):
        box: Any = page.get_by_role("region", name=name, exact=True).bounding_box()
        assert box, name
        assert box["y"] + box["height"] <= 900, name


def test_the_stored_scores_are_read_as_a_table_without_scripts(made: Bench, visit: Callable[..., Page]) -> None:
    page = visit(made.lead, PATH, script=False)
    table = page.get_by_role("table", name="Stored scores, the newest first")
    expect(table).not_to_be_visible()

    page.get_by_text("stored scores as a table").click()

    expect(table.get_by_role("row")).to_have_count(3)
    expect(page.get_by_role("img", name="2 stored scores, from")).to_be_visible()


def test_one_goes_from_the_vendor_to_the_review_a_finding_and_a_file(made: Bench, visit: Callable[..., Page]) -> None:
    for link, heading in (("Open the review", "Quillmark Annotation"), ("Breakdown", "Score: Quillmark Annotation")):
        page = visit(made.lead, PATH)
        page.get_by_role("link", name=link).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    page = visit(made.lead, PATH)
    page.get_by_role("region", name="Findings").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"/lab/findings/[0-9a-f-]{36}$"))
    page = visit(made.lead, f"{PATH}/evidence")
    page.get_by_role("table", name="How long the files hold").get_by_role("link", name="old-test.pdf").click()
    expect(page).to_have_url(re.compile(r"/lab/evidence/[0-9a-f-]{36}$"))


def test_a_program_admin_sees_the_score_and_no_way_to_what_was_answered(
    house: House, made: Bench, visit: Callable[..., Page], axe: Callable[..., None]
) -> None:
    page = visit(person(house, roles=[Role.PROGRAM_ADMIN], name="Rhea Stroud"), PATH)

    expect(page.get_by_role("region", name="Score", exact=True)).to_be_visible()
    for hidden in ("Findings", "Evidence validity"):
        expect(page.get_by_role("region", name=hidden)).to_have_count(0)
    assert page.locator("main a[href*='/lab/reviews/']").count() == 0
    axe(page)

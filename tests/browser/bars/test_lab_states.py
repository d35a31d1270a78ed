"""Pages of the lab in the states that matter beside those of the walk: empty, without hits, refused, overdue."""

from __future__ import annotations

from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.reviews import accepting
from portal.terms import Role
from portal.wiring import House
from tests.browser.bars import checks
from tests.browser.bars.walk import Walk
from tests.factories.identity import FACTORY, person
from tests.factories.policies import policy_draft, scoring_text
from tests.factories.remedies import conditional, finding
from tests.factories.rereading import reread
from tests.factories.reviews import Bench, bench
from tests.factories.vendors import make_vendor

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(autouse=True)
def inside(walk: Walk) -> None:
    """Hold what is pressed to the size that is asked inside."""
    walk.target, walk.brief = checks.INSIDE, True


def address(made: Bench) -> str:
    with made.at(system("test")) as (_, review):
        return f"/lab/reviews/{review.id}"


def refused(walk: Walk, name: str, page: Page, button: str) -> None:
    """Press a button; what the page says then is held to every bar."""
    page.get_by_role("button", name=button).last.click()
    expect(page.get_by_role("alert").first).to_be_visible()
    walk.look(name, page)


def test_lists_with_nothing_in_them(walk: Walk, house: House) -> None:
    lead = person(house, roles=[Role.LEAD_APPROVER], name="Hana Kobayashi")
    for name in ("queue", "findings", "vendors", "evidence"):
        walk.visit(f"lab-{name}-empty", lead, f"/lab/{name}")
    with house.ledger.begin(FACTORY) as tx:
        make_vendor(tx, "Marrowstone Labs")
    walk.visit("lab-vendor-new", lead, "/lab/vendors/marrowstone-labs")
    text = scoring_text(("approve: 80", "approve: eighty"))
    walk.visit("lab-policy-draft-problems", lead, f"/lab/policies/drafts/{policy_draft(house, lead, text)}")
    walk.end()


def test_judging(walk: Walk, house: House) -> None:
    made = reread(house)
    here = address(made)
    accepting.run(house.ledger, UUID(here.rpartition("/")[2]))
    who = made.reviewer
    desk = walk.visit("lab-workspace-renewal", who, here)
    desk.get_by_label("Flag", exact=False).first.check()
    refused(walk, "lab-workspace-refused", desk, "Save and go on")
    finish = walk.visit("lab-finish", who, f"{here}/finish")
    refused(walk, "lab-finish-refused", finish, "Finish review")
    choose = walk.visit("lab-bulk", who, f"{here}/bulk?pick=clean")
    choose.get_by_role("button", name="Show what would be accepted").click()
    choose.wait_for_url("**/bulk/preview?**")
    walk.look("lab-bulk-preview", choose)
    walk.visit("lab-glance", who, f"{here}/glance")
    walk.visit("lab-queue-without-hits", who, "/lab/queue?tier=1")
    walk.end()


def test_deciding(walk: Walk, house: House) -> None:
    made = bench(house, tier=1)
    made.review()
    decide = walk.visit("lab-decide", made.lead, f"{address(made)}/decide")
    decide.locator("input[name=outcome][value=reject]").check()
    decide.locator("button.btn-1.not-escalate").click()
    expect(decide.get_by_role("alert").first).to_be_visible()
    walk.look("lab-decide-refused", decide)
    walk.end()


def test_a_finding_that_is_late(walk: Walk, house: House, clock: FixedClock) -> None:
    late = conditional(house)
    clock.advance(days=90)
    walk.visit("lab-finding-overdue", late.lead, f"/lab/findings/{finding(late).id}", says="Overdue")
    walk.visit("lab-findings-overdue", late.lead, "/lab/findings")
    walk.end()

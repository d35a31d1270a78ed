"""Every kind of question in a real browser: light and dark, wide and narrow, with script and without."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from portal.attestations import service as attestations
from portal.questionnaires.rules import to_json
from portal.wiring import House
from tests.factories.attestations import Desk, desk
from tests.rules.questionnaires.every_kind import EVERY_KIND

pytestmark = pytest.mark.browser


@pytest.fixture
def made(house: House) -> Desk:
    """A vendor that was asked every kind of question, with a few weak answers."""
    ready = desk(house, slug="every-kind", source=EVERY_KIND.encode(), name="Brightseam Data")
    ready.settle_scoping()
    ready.save("sco.level", {"choice": "type1", "details.period.from": "2025-01-01"})
    ready.save("sco.hours", {"number": "80"})
    ready.save("fac.page", {"url": "https://trust.example/security"})
    return ready


def section(made: Desk, key: str) -> str:
    return f"/assessments/{made.assessment_id}/s/{key}"


def test_a_weak_answer_is_remarked_on_and_asked_what_is_done_instead_without_a_reload(
    made: Desk, visit: Callable[..., Page]
) -> None:
    page = visit(made.respondent, section(made, "scored"))
    owner = page.locator("#q-sco-owner")
    expect(owner.get_by_label("What do you do instead?")).to_be_hidden()

    owner.get_by_role("radio", name="No", exact=True).check()

    expect(owner.get_by_text("Without an owner nobody can decide for you in an incident.")).to_be_visible()
    owner.get_by_label("What do you do instead?").fill("The board decides every week.")
    owner.get_by_label("What do you do instead?").blur()
    expect(owner.locator(".q__meta")).to_contain_text("Answered by you")
    page.wait_for_function("() => document.querySelector('[data-save-status]').dataset.state === 'saved'")
    with made.at(made.respondent.actor) as (tx, row):
        content = to_json(attestations.answers_of(tx, row)["sco.owner"].answer)
    assert content == {"choice": "no", "compensating": "The board decides every week."}

    owner.get_by_role("radio", name="Yes", exact=True).check()
    expect(owner.locator(".note")).to_have_count(0)
    # What was typed is not taken away behind anybody's back.
    expect(owner.get_by_label("What do you do instead?")).to_have_value("The board decides every week.")


def test_without_script_a_weak_answer_is_remarked_on_after_saving(made: Desk, visit: Callable[..., Page]) -> None:
    page = visit(made.respondent, section(made, "scored"), script=False)
    level = page.locator("#q-sco-level")

    level.get_by_role("radio", name="None", exact=True).check()
    level.get_by_role("button", name="Save answer 1.4").click()

    expect(page.locator("#q-sco-level").get_by_label("What do you do instead?")).to_be_visible()
    expect(page.locator("#warn-sco-level .note")).to_have_count(0)  # only Type 1 is remarked on

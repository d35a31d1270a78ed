"""A renewal in a real browser: last year's answers are confirmed as one list, the rest answered, all of it signed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from portal.attestations import service as attestations
from portal.attestations.models import Attestation
from portal.kernel.actor import system
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import compile_yaml
from portal.terms import AssessmentState, Role
from portal.wiring import House
from tests.browser.counting import Job
from tests.factories.identity import person
from tests.factories.renewing import (
    NEW,
    RE_ATTEST,
    TO_CONFIRM,
    answer_first,
    ask_again,
    renewal,
    signed_first,
    small_desk,
    text,
)

pytestmark = pytest.mark.browser


def card(page: Page, label: str) -> Locator:
    return page.get_by_role("article", name=re.compile(label))


def saved(page: Page) -> None:
    expect(page.locator("[data-save-words]")).to_have_text(re.compile(r"All changes saved at \d\d:\d\d"))


def test_a_renewal_from_the_list_to_the_signature(house: House, visit: Callable[..., Page]) -> None:
    made, signed = signed_first(house)
    with house.ledger.begin(system("test")) as tx:
        attestation = tx.session.get_one(Attestation, signed)
        foreseen = attestations.plan_for(tx, attestation=attestation, questionnaire=compile_yaml(text(2), "v2.yaml"))
    asked = ask_again(made, signed)
    asked.desk.settle_scoping()
    page = visit(asked.desk.respondent, asked.home)

    # The numbers of the pages are those that were foreseen before version 2 was published.
    count = len(foreseen.to_confirm)
    expect(page.get_by_text(f"{count} of last year’s answers can be confirmed in one go.")).to_be_visible()
    expect(page.locator(".blockers")).to_contain_text(f"Confirm {count} answers")
    expect(page.locator(".blockers")).to_contain_text(
        f"{len(foreseen.re_attest)} questions changed, {len(foreseen.new)} are new."
    )
    expect(page.locator("#main")).to_contain_text(f"{len(foreseen.archived)} earlier answer is not asked any more")

    # J3: at most four presses and two pages.
    job = Job(page)
    job.press("link", f"Check the {count} answers side by side")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(count)
    job.press("button", f"Confirm {count} answers")
    expect(page.get_by_role("status").filter(has_text="confirmed")).to_have_text(f"{count} answers are confirmed.")
    job.costs(clicks=4, loads=2)
    assert asked.plan().to_confirm == ()

    page.get_by_role("link", name="Continue: 1.2 Leavers").click()
    leavers = card(page, "Leavers")
    expect(leavers).to_contain_text("Question changed in v2")
    expect(leavers.locator("del")).to_have_text("at most 24 hours")
    expect(leavers.locator("ins")).to_have_text("at most 4 hours")
    expect(leavers).to_contain_text("Last time you said “20 hours”, so answer again.")
    leavers.get_by_label("Your number, in hours").fill("3")
    leavers.get_by_label("How do you know?").fill("The HR record starts it.")
    leavers.get_by_label("How do you know?").blur()
    saved(page)
    expect(leavers.locator(".q__meta")).to_contain_text("Complete")
    expect(card(page, "Service keys")).to_contain_text("New question")
    card(page, "Service keys").get_by_text("Yes", exact=True).click()
    card(page, "Service keys").get_by_label("How do you know?").fill("A job replaces them.")
    card(page, "Service keys").get_by_label("How do you know?").blur()
    saved(page)

    asked.desk.answer()
    daniel = visit(asked.desk.signatory, f"{asked.home}/check", fresh=True)
    expect(daniel.locator("#main")).to_contain_text("differ from what was signed on 4 December 2025.")
    for box in daniel.get_by_role("group", name="Statements").get_by_role("checkbox").all():
        box.check()
    daniel.get_by_label("Type your full name to sign").fill("Daniel Osei")
    daniel.get_by_role("button", name="Sign and submit").click()
    expect(daniel.get_by_role("heading", name="What was signed")).to_be_visible()
    with asked.desk.at(system("test")) as (_, row):
        assert row.state is AssessmentState.SUBMITTED


def test_one_answer_is_kept_by_its_button_and_one_is_changed(house: House, visit: Callable[..., Page]) -> None:
    asked = renewal(house)
    page = visit(asked.desk.respondent, asked.section("acc"))
    expect(card(page, "Second factor")).to_contain_text("From 2025, not confirmed yet")

    card(page, "Second factor").get_by_role("button", name="Still correct").click()
    expect(card(page, "Second factor").locator(".q__meta")).to_contain_text("Answered by you")
    expect(page.get_by_role("navigation", name="Questions in this section")).to_contain_text("1 of 5 answered")

    card(page, "Access reviews").get_by_role("link", name="Change answer").click()
    expect(card(page, "Access reviews")).to_contain_text("This is your answer of 2025.")
    expect(page.locator("#acc-reviews-comment")).to_have_value("The team leads, in a ticket.")
    card(page, "Access reviews").get_by_text("Every year", exact=True).click()
    saved(page)
    expect(card(page, "Access reviews").get_by_text("This is your answer of 2025.")).to_have_count(0)

    assert asked.answers()["acc.reviews"].answer.choice == "yearly"
    assert asked.answers()["acc.mfa"].comment == "Passkeys for everybody."
    assert asked.plan().to_confirm == ("acc.guests", "dat.region")


def test_the_button_says_how_many_are_ticked(house: House, visit: Callable[..., Page]) -> None:
    asked = renewal(house)
    page = visit(asked.desk.respondent, f"{asked.home}/renewal")

    page.get_by_role("checkbox", name=re.compile("Does our data stay")).uncheck()
    page.get_by_role("button", name="Confirm 3 answers").first.click()

    expect(page.get_by_role("status").filter(has_text="confirmed")).to_contain_text("1 not ticked waits below.")
    assert asked.plan().to_confirm == ("dat.region",)


@pytest.mark.parametrize("script", [False, True])
def test_j3_the_list_is_confirmed_by_few_keys_with_and_without_script(
    house: House, visit: Callable[..., Page], script: bool
) -> None:
    asked = renewal(house)
    asked.desk.settle_scoping()
    page = visit(asked.desk.respondent, asked.home, script=script)
    job = Job(page, script=script)

    # From the one button, which has the focus, to the next thing to do; there, from the heading to its button.
    expect(page.locator("main a:focus")).to_have_count(1)
    job.key("Tab", "Enter")
    expect(page.get_by_role("heading", name="Confirm 4 answers")).to_be_focused()
    job.key("Tab", "Enter")

    expect(page.get_by_role("heading", name="Nothing is left to confirm")).to_be_visible()
    job.costs(keys=6, loads=2)
    assert set(asked.answers()) == set(TO_CONFIRM)
    assert asked.plan().re_attest == RE_ATTEST
    assert asked.plan().new == NEW


def test_the_move_to_a_newer_version_is_accessible(
    house: House,
    visit: Callable[..., Page],
    axe: Callable[..., None],
    no_sideways: Callable[[Page], None],
    shot: Callable[..., Path],
) -> None:
    made = small_desk(house)
    answer_first(made)
    with house.ledger.begin(system("test")) as tx:
        questionnaires.publish(tx, source=text(2), name="small")
    ines = person(house, roles=[Role.REVIEWER], name="Ines Valdarno")
    for theme, width in (("dark", 1440), ("light", 390)):
        page = visit(ines, f"/lab/assessments/{made.assessment_id}/move", theme=theme, width=width)
        shot(page, f"lab-move-{theme}-{width}")
        axe(page)
        no_sideways(page)
    page.get_by_role("button", name="Move to v2").click()
    expect(page.get_by_role("status")).to_contain_text("Small contractor baseline is on v2 now.")

"""The contractor's pages in a real browser: saved while typing, two at once, offline, light and dark."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.kernel.actor import system
from portal.wiring import House
from tests.factories.attestations import Desk, desk

pytestmark = pytest.mark.browser


@pytest.fixture
def quillmark(house: House) -> Desk:
    """A vendor that was asked everything, with a few answers, a file and a question of the lab."""
    made = desk(house, slug="ai-contractor", data_classes=[4], access_modes=["A3"])
    made.settle_scoping()
    made.save("gov.owner", {"choice": "yes", "comment": "Our CTO reports every quarter."})
    made.save("gov.policy", {"choice": "partial", "comment": "Freelancers follow.", "planned_on": "2027-01-31"})
    made.cite("gov.policy", made.file(), "3, 5-7")
    with made.at(system("test")) as (tx, row):
        attestations.post_message(tx, assessment=row, question_key="gov.risk", body="When is the next one due?")
        assessments.assign_section(tx, assessment=row, section="iam", user_id=made.admin.id)
    return made


def gov(made: Desk) -> str:
    return f"/assessments/{made.assessment_id}/s/gov"


def saved(page: Page) -> None:
    expect(page.locator("[data-save-words]")).to_have_text(re.compile(r"All changes saved at \d\d:\d\d"))


def stored(made: Desk, key: str) -> attestations.AnswerLine:
    with made.at(made.respondent.actor) as (tx, row):
        return attestations.answers_of(tx, row)[key]


def test_an_answer_is_saved_while_it_is_given(quillmark: Desk, visit: Callable[..., Page]) -> None:
    page = visit(quillmark.respondent, gov(quillmark))
    risk = page.get_by_role("article", name=re.compile("Risk assessment"))

    risk.get_by_text("Partly", exact=True).click()
    expect(risk.get_by_label("By when is the rest planned?")).to_be_visible()
    risk.get_by_label("How do you know?").fill("Redone in March.")
    risk.get_by_label("How do you know?").blur()
    saved(page)

    expect(risk.locator(".q__meta")).to_contain_text("Answered by you")
    assert stored(quillmark, "gov.risk").answer.choice == "partial"
    assert stored(quillmark, "gov.risk").comment == "Redone in March."
    page.reload()
    expect(page.locator("#gov-risk-comment")).to_have_value("Redone in March.")


def test_a_question_appears_and_disappears_with_the_answer_it_depends_on(
    quillmark: Desk, visit: Callable[..., Page]
) -> None:
    page = visit(quillmark.respondent, gov(quillmark))
    level = page.get_by_role("article", name=re.compile("Independent assurance"))
    scope = page.get_by_role("article", name=re.compile("Scope of assurance"))
    expect(scope).to_have_count(0)

    level.get_by_role("radio", name="SOC 2 Type 2", exact=True).check()
    expect(scope).to_be_visible()
    expect(page.get_by_role("navigation", name="Questions in this section")).to_contain_text("Scope of assurance")
    level.get_by_role("radio", name="None", exact=True).check()
    expect(scope).to_have_count(0)


def test_two_people_on_one_answer_see_both_texts_and_choose(quillmark: Desk, visit: Callable[..., Page]) -> None:
    mine = visit(quillmark.respondent, gov(quillmark))
    theirs = visit(quillmark.admin, gov(quillmark))
    theirs.locator("#gov-owner-comment").fill("The board decides.")
    theirs.locator("#gov-owner-comment").blur()
    saved(theirs)

    mine.locator("#gov-owner-comment").fill("Our CTO, monthly.")
    mine.locator("#gov-owner-comment").blur()
    note = mine.locator("#answer-gov-owner [data-conflict]")
    expect(note).to_contain_text("Marisol Dufour changed this answer")
    expect(note).to_contain_text("The board decides.")
    expect(mine.locator("#gov-owner-comment")).to_have_value("Our CTO, monthly.")
    note.get_by_role("button", name="Keep mine").click()
    saved(mine)
    assert stored(quillmark, "gov.owner").comment == "Our CTO, monthly."

    theirs.locator("#gov-owner-comment").fill("The board, twice a year.")
    theirs.locator("#gov-owner-comment").blur()
    theirs.locator("#answer-gov-owner [data-conflict]").get_by_role("link", name="Take theirs").click()
    expect(theirs.locator("#gov-owner-comment")).to_have_value("Our CTO, monthly.")


def test_a_number_that_is_none_is_said_at_its_card_and_stays(quillmark: Desk, visit: Callable[..., Page]) -> None:
    page = visit(quillmark.respondent, gov(quillmark))
    limit = page.get_by_role("article", name=re.compile("Cyber insurance limit"))

    limit.get_by_label("Your number, in USD million").fill("about three")
    limit.get_by_label("Your number, in USD million").blur()

    expect(limit.get_by_role("alert")).to_contain_text("Enter a number in USD million")
    expect(limit.get_by_label("Your number, in USD million")).to_have_value("about three")


def test_the_whole_way_works_without_script(quillmark: Desk, visit: Callable[..., Page]) -> None:
    page = visit(quillmark.respondent, gov(quillmark), script=False)
    risk = page.get_by_role("article", name=re.compile("Risk assessment"))

    risk.get_by_label("Partly").check()
    risk.get_by_label("By when is the rest planned?").fill("2027-03-01")
    risk.get_by_label("How do you know?").fill("Redone in March.")
    risk.get_by_role("button", name="Save answer 1.3").click()
    page.get_by_role("article", name=re.compile("Risk assessment")).get_by_label("Your reply").fill("In March.")
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_role("group", name="Conversation about 1.3")).to_contain_text("In March.")
    page.get_by_label("Yes, it is complete").check()
    page.get_by_role("button", name="Save and go to section 2").click()

    expect(page).to_have_title(re.compile("^Error: "))
    summary = page.get_by_role("alert", name="There is a problem")
    expect(summary).to_contain_text("Answer 1.9 Cyber insurance limit")
    assert stored(quillmark, "gov.risk").answer.choice == "partial"

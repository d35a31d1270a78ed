"""The reviewer's desk: answer after answer by one key, a renewal in few, and no verdict lost without a connection."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.kernel.actor import system
from portal.reviews import accepting
from portal.reviews import service as reviews
from portal.terms import AssessmentState, Verdict
from portal.wiring import House
from tests.browser.counting import Job
from tests.factories.rereading import TO_READ, Reread, reread

pytestmark = pytest.mark.browser

MOST_NODES = 1_500
GLANCED_OF_96 = 8
"""Of the unchanged answers, those that no rule accepts."""
MORE_ASKED = ("scp.platform",)
"""Who works on a platform of their own is asked twelve questions more: 96 in all."""
FLAGGED = (0, 1, 7)
WRONG = "What is wrong, for the vendor to read"


def path_of(made: Reread) -> str:
    with made.at(system("test")) as (_, review):
        return f"/lab/reviews/{review.id}"


def said(made: Reread) -> dict[str, Verdict | None]:
    with made.at(system("test")) as (tx, review):
        return {key: line.verdict for key, line in reviews.verdict_lines(tx, review).items()}


PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")


@pytest.fixture
def sits_down(visit: Callable[..., Page]) -> Callable[..., Page]:
    """A factory of pages of the reviewer at the desk. Its files have no bytes: a dot stands for each page."""

    def open_as(made: Reread, **options: Any) -> Page:
        page = visit(made.reviewer, "/account", **options)
        page.context.route("**/pages/*.png*", lambda route: route.fulfill(body=PIXEL, content_type="image/png"))
        page.goto(page.url.removesuffix("/account") + path_of(made))
        return page

    return open_as


def ruled(house: House, *, yes: tuple[str, ...] = ()) -> Reread:
    """Return a renewal that was claimed and in which the rules have accepted what they accept."""
    made = reread(house, yes=yes)
    with made.at(system("test")) as (_, review):
        accepting.run(house.ledger, review.id)
    return made


def goes_on(page: Page, press: Callable[[], None]) -> None:
    """Press, and wait until the next answer is there to be read."""
    before = page.locator("#wq").inner_text()
    press()
    expect(page.locator("#wq")).not_to_have_text(before)
    expect(page.locator("#desk")).not_to_have_attribute("aria-busy", "true")


def test_j10_one_key_or_one_press_judges_and_goes_on_without_a_load(
    house: House, sits_down: Callable[..., Page]
) -> None:
    made = ruled(house)
    page = sits_down(made)
    first, second, third = list(made.changed)[:3]
    assert page.evaluate("document.querySelectorAll('*').length") <= MOST_NODES
    job = Job(page)

    goes_on(page, lambda: job.key("a"))
    job.costs(keys=1, loads=0)
    expect(page.locator("#wq")).to_be_focused()
    expect(page.locator("#dock")).to_contain_text("1 accepted" if len(said(made)) == 1 else "is accepted.")

    job.begins()
    goes_on(page, lambda: job.press("button", "Accept and go on"))
    job.costs(clicks=1, keys=0, loads=0)
    assert {key: said(made).get(key) for key in (first, second)} == dict.fromkeys((first, second), Verdict.ACCEPT)

    # The last verdict is undone by one key, and its answer is there again.
    goes_on(page, lambda: job.key("z"))
    assert said(made)[second] is None
    assert f"q={second}" in page.url
    # What is being written stays where it is while the evidence is turned, and until it is saved or thrown away.
    job.key("f")
    page.keyboard.type("Nobody reports")
    goes_on(page, lambda: page.get_by_role("link", name="Next answer").click())
    goes_on(page, lambda: page.get_by_role("link", name="Previous answer").click())
    expect(page.get_by_label("What is wrong, for the vendor to read", exact=True)).to_have_value("Nobody reports")
    assert third not in said(made)


def test_j10_without_script_one_press_judges_and_goes_on(house: House, sits_down: Callable[..., Page]) -> None:
    made = ruled(house)
    page = sits_down(made, script=False)
    first, second = list(made.changed)[:2]
    job = Job(page, script=False)

    job.press("button", "Accept and go on")

    job.costs(clicks=1, loads=1)
    assert f"q={second}" in page.url
    page.get_by_role("button", name="Undo").click()
    assert said(made)[first] is None


@pytest.mark.parametrize("hand", ["keys", "presses"])
def test_j11_a_renewal_of_ninety_six_answers_with_fourteen_to_read_takes_few_keys_or_few_presses(
    house: House, sits_down: Callable[..., Page], hand: str
) -> None:
    made = ruled(house, yes=MORE_ASKED)
    page = sits_down(made)
    expect(page.locator("#list h2")).to_have_text(f"{TO_READ} to read")
    expect(page.locator("#list")).to_contain_text(f"{GLANCED_OF_96} of the other {GLANCED_OF_96} still need a glance.")
    assert page.evaluate("document.querySelectorAll('*').length") <= MOST_NODES
    job = Job(page)
    keys = hand == "keys"

    def accepts() -> None:
        job.key("a") if keys else job.press("button", "Accept and go on")

    def flags() -> None:
        _flags_by_key(page, job) if keys else _flags_by_press(page, job)

    for number in range(TO_READ):
        goes_on(page, flags if number in FLAGGED else accepts)
    expect(page.locator("#list .card__h").first).to_contain_text("0 left")
    # What no rule accepted comes next, one glance each.
    for _ in range(GLANCED_OF_96 - 1):
        goes_on(page, accepts)
    accepts()
    expect(page.locator("#dock")).to_contain_text("0 open")
    job.key("Shift+F") if keys else job.press("link", "Finish review")
    expect(page.get_by_role("heading", name="What Quillmark Annotation has to do")).to_be_visible()
    expect(page.locator(".todo > li")).to_have_count(len(FLAGGED))
    job.key("Shift+F") if keys else job.press("button", "Finish review")
    expect(
        page.get_by_role("heading", name="Decide on Quillmark Annotation").or_(page.get_by_text("decision").first)
    ).to_be_visible()

    job.costs(keys=60, loads=3) if keys else job.costs(clicks=45, loads=3)
    with made.desk.at(system("test")) as (_, assessment):
        assert assessment.state is AssessmentState.RECOMMENDED
    assert Counter(said(made).values()) == {Verdict.FLAG: len(FLAGGED), Verdict.ACCEPT: 96 - len(FLAGGED)}


def _flags_by_key(page: Page, job: Job) -> None:
    job.key("f")
    expect(page.get_by_label(WRONG, exact=True)).to_be_focused()
    page.keyboard.type("61 laptops are not encrypted.")
    job.key("Tab")
    page.keyboard.type("An export shows all of them.")
    job.key("Control+Enter")


def _flags_by_press(page: Page, job: Job) -> None:
    job.press(page.locator("label.vd-flag"))
    job.press(page.get_by_label(WRONG, exact=True))
    page.keyboard.type("61 laptops are not encrypted.")
    job.press(page.get_by_label("Closes when", exact=True))
    page.keyboard.type("An export shows all of them.")
    job.press("button", "Save and go on")


def test_verdicts_without_a_connection_wait_in_the_browser_and_a_lost_one_is_told(
    house: House, sits_down: Callable[..., Page]
) -> None:
    made = ruled(house)
    page = sits_down(made, tolerate=("ERR_INTERNET_DISCONNECTED",))
    first, second, third = list(made.changed)[:3]
    # Who reads for a while is given the next answer beforehand.
    with page.expect_response(lambda answer: f"q={second}" in answer.url):
        pass
    page.context.set_offline(True)

    goes_on(page, lambda: page.keyboard.press("a"))
    expect(page.locator("#desk-told")).to_contain_text("You are offline. 1 verdict is kept in this browser")
    page.keyboard.press("a")
    expect(page.locator("#desk-told")).to_contain_text("2 verdicts are kept in this browser")
    expect(page.locator("#list [data-kept]")).to_have_count(2)
    assert first not in said(made)
    # Meanwhile a lead says something else of the second.
    made.flag(second)

    page.context.set_offline(False)

    told = page.locator("#desk-told")
    expect(told).to_contain_text("was not saved.")
    expect(told).to_contain_text("This verdict changed since you opened the page")
    expect(page.locator("#list [data-kept]")).to_have_count(0)
    assert said(made)[first] is Verdict.ACCEPT
    assert said(made)[second] is Verdict.FLAG
    told.get_by_role("link", name="Open it").click()
    expect(page.locator("#answer")).to_have_attribute("data-answer", second)
    assert page.evaluate(
        "Object.keys(sessionStorage).filter(each => each.endsWith(':queue')).map(each => sessionStorage[each])"
    ) == ["[]"]
    assert third not in said(made)

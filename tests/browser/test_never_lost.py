"""No word is lost: two at once, signed out in the middle, offline, a browser killed, a server killed."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from portal.attestations import service as attestations
from portal.identity.models import WebSession
from portal.kernel.actor import system
from portal.kernel.ids import uuid7
from portal.settings import Settings
from portal.wiring import House, make_app
from tests.browser import chromium as finder
from tests.factories.attestations import Desk, desk
from tests.factories.identity import PASSWORD, code_of, session_token

pytestmark = pytest.mark.browser
TYPING = """async ([selector, words]) => {
    const field = document.querySelector(selector);
    field.focus();
    const stamps = [];
    for (const word of words) {
        field.value += ` ${word}`;
        field.dispatchEvent(new InputEvent("input", { bubbles: true }));
        stamps.push(performance.now());
        await new Promise((go) => setTimeout(go, 60));
    }
    return stamps;
}"""
OFFLINE = ("ERR_INTERNET_DISCONNECTED", "ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
COMMENT = "#gov-owner-comment"


@pytest.fixture
def quillmark(house: House) -> Desk:
    """A vendor with one answer."""
    made = desk(house)
    made.save("gov.owner", {"choice": "yes", "comment": "Our CTO reports every quarter."})
    return made


def gov(made: Desk) -> str:
    return f"/assessments/{made.assessment_id}/s/gov"


def saved(page: Page, *, within: int = 5_000) -> None:
    words = page.locator("[data-save-words]")
    expect(words).to_have_text(re.compile(r"All changes saved at \d\d:\d\d"), timeout=within)


def stored(made: Desk, key: str = "gov.owner") -> str:
    with made.at(made.admin.actor) as (tx, row):
        return attestations.answers_of(tx, row)[key].comment


def test_the_first_is_told_and_the_second_sees_what_differs_and_edits_both_into_one(
    quillmark: Desk, visit: Callable[..., Page], axe: Callable[..., None]
) -> None:
    first = visit(quillmark.respondent, gov(quillmark))
    second = visit(quillmark.admin, gov(quillmark))
    first.locator(COMMENT).fill("Our CTO reports every month.")
    first.locator(COMMENT).blur()
    saved(first)

    told = second.locator("#told-gov-owner")
    expect(told).to_contain_text("Priya Raghunath changed this answer a moment ago.", timeout=2_000)
    expect(second.locator(COMMENT)).to_have_value("Our CTO reports every quarter.")
    second.locator(COMMENT).fill("Our board reads it every quarter.")
    second.locator(COMMENT).blur()
    note = second.locator("#answer-gov-owner [data-conflict]")
    expect(note).to_contain_text("Priya Raghunath changed this answer a moment ago. Yours is kept.")
    expect(note.locator("ins").first).to_be_visible()
    axe(second)
    note.get_by_role("button", name="Edit together").click()

    expect(second.locator(COMMENT)).to_be_focused()
    expect(second.locator(COMMENT)).to_have_value("Our board reads it every quarter.\n\nOur CTO reports every month.")
    second.locator(COMMENT).press("End")
    second.locator(COMMENT).press_sequentially(" Both hold.")
    saved(second)
    told = first.locator("#told-gov-owner")
    expect(told).to_contain_text("Marisol Dufour changed this answer a moment ago.", timeout=2_000)
    told.get_by_role("link", name="Show the new answer").click()
    expect(first.locator(COMMENT)).to_have_value(re.compile("Both hold"))
    first.locator("#meta-gov-owner").get_by_role("link", name=re.compile("History")).click()
    expect(first.get_by_text("As it stands")).to_be_visible()
    axe(first)


def test_a_session_that_ends_in_the_middle_is_opened_again_in_place_and_the_write_repeated(
    house: House, quillmark: Desk, visit: Callable[..., Page]
) -> None:
    page = visit(quillmark.respondent, gov(quillmark))
    with house.ledger.begin(system("test")) as tx:
        tx.session.execute(sa.update(WebSession).values(ended_at=tx.now))
    page.locator(COMMENT).fill("Typed after the session had ended.")
    page.locator(COMMENT).blur()
    expect(page.locator("[data-save-notice]")).to_contain_text("You are signed out. 1 change is kept in this browser")

    panel = page.locator("#sign-in-panel")
    panel.get_by_label("Password").fill(PASSWORD)
    panel.get_by_label("Authenticator code").fill(code_of(house, quillmark.respondent))
    panel.get_by_role("button", name="Sign in and go on").click()

    saved(page)
    expect(panel).to_have_count(0)
    assert stored(quillmark) == "Typed after the session had ended."


def test_a_draft_is_never_sent_by_somebody_else_who_signs_in_in_the_same_browser(
    house: House, quillmark: Desk, visit: Callable[..., Page], live_server: str
) -> None:
    page = visit(quillmark.respondent, gov(quillmark))
    with house.ledger.begin(system("test")) as tx:
        tx.session.execute(sa.update(WebSession).values(ended_at=tx.now))
    page.locator(COMMENT).fill("Priya’s own words.")
    page.locator(COMMENT).blur()
    expect(page.locator("[data-save-notice]")).to_contain_text("You are signed out.")

    token = session_token(house, quillmark.admin, data={"csrf_token": "e" * 40})
    page.context.add_cookies([{"name": "gatehouse", "value": token, "url": live_server}])
    page.evaluate("() => window.dispatchEvent(new Event('focus'))")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(live_server + gov(quillmark))
    page.wait_for_load_state("networkidle")

    expect(page.locator(COMMENT)).to_have_value("Our CTO reports every quarter.")
    assert stored(quillmark) == "Our CTO reports every quarter."
    assert "Priya" in page.evaluate("() => JSON.stringify(sessionStorage)")
    page.locator("details[data-menu] > summary").click()
    page.get_by_role("button", name="Sign out").click()
    assert page.evaluate("() => sessionStorage.length") == 0


def test_what_was_typed_offline_is_there_and_sent_after_a_reload(quillmark: Desk, visit: Callable[..., Page]) -> None:
    page = visit(quillmark.respondent, gov(quillmark), tolerate=OFFLINE)
    page.context.set_offline(True)
    page.locator(COMMENT).press("End")
    page.locator(COMMENT).press_sequentially(" And on a train.")
    expect(page.locator("[data-save-notice]")).to_contain_text("You are offline. 1 change is kept in this browser")

    page.on("dialog", lambda dialog: dialog.accept())
    page.context.set_offline(False)
    page.evaluate("() => { window.stop(); }")
    page.reload()

    expect(page.locator(COMMENT)).to_have_value("Our CTO reports every quarter. And on a train.")
    saved(page)
    assert stored(quillmark) == "Our CTO reports every quarter. And on a train."


def test_another_button_of_the_page_waits_for_what_is_not_saved(quillmark: Desk, visit: Callable[..., Page]) -> None:
    page = visit(quillmark.respondent, gov(quillmark))
    page.locator(COMMENT).fill("Typed and gone on at once.")

    page.get_by_role("button", name="Save and return to all sections").click()

    page.wait_for_url(re.compile(rf"/assessments/{quillmark.assessment_id}$|/$"))
    assert stored(quillmark) == "Typed and gone on at once."


def test_a_browser_that_is_killed_loses_no_more_than_two_seconds_of_typing(
    house: House, quillmark: Desk, live_server: str, chromium: Browser
) -> None:
    """Typed without a pause, which no waiting for a pause would ever save."""
    words = [f"word{number}" for number in range(60)]
    found = finder.find()
    victim = chromium.browser_type.launch(
        executable_path=str(found.path), env={**os.environ, **found.env}, args=found.args
    )
    told = victim.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    pid = next(each["id"] for each in told["processInfo"] if each["type"] == "browser")
    context = victim.new_context()
    token = session_token(house, quillmark.respondent, data={"csrf_token": "f" * 40})
    context.add_cookies([{"name": "gatehouse", "value": token, "url": live_server}])
    page = context.new_page()
    page.goto(live_server + gov(quillmark))
    stamps = page.evaluate(TYPING, [COMMENT, words])
    os.kill(pid, signal.SIGKILL)

    kept = [word for word in stored(quillmark).split() if word.startswith("word")]
    assert kept == words[: len(kept)]
    assert stamps[-1] - (stamps[len(kept) - 1] if kept else 0) <= 2_000


def test_a_server_that_is_killed_and_comes_back_gets_everything_that_was_typed(
    settings: Settings, house: House, quillmark: Desk, new_page: Callable[..., Page]
) -> None:
    app = make_app(settings, house)
    with process(app, house) as (first, port):
        url = f"http://127.0.0.1:{port}"
        page = new_page(tolerate=OFFLINE)
        token = session_token(house, quillmark.respondent, data={"csrf_token": "f" * 40})
        page.context.add_cookies([{"name": "gatehouse", "value": token, "url": url}])
        page.goto(url + gov(quillmark))
        page.locator(COMMENT).fill("Before. ")
        saved(page)
        acknowledged = stored(quillmark)
        page.locator(COMMENT).press_sequentially("In the middle")
        os.kill(first, signal.SIGKILL)
        page.locator(COMMENT).press_sequentially(" of typing.")
        expect(page.locator("[data-save-notice]")).to_contain_text("You are offline. 1 change is kept in this browser")
        assert stored(quillmark).startswith(acknowledged)
    with process(app, house, port):
        page.evaluate("() => window.dispatchEvent(new Event('focus'))")
        saved(page, within=20_000)
        assert stored(quillmark) == "Before. In the middle of typing."
        page.reload()
        expect(page.locator(COMMENT)).to_have_value("Before. In the middle of typing.")


@contextlib.contextmanager
def process(app: Flask, house: House, port: int = 0) -> Iterator[tuple[int, int]]:
    """Serve the application from a process of its own, that can be killed; gives its id and its port."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(64)
    chosen = listening.getsockname()[1]
    house.engine.dispose()
    pid = os.fork()
    if pid == 0:
        house.ledger.new_id = uuid7  # the counted ids go on in the parent
        make_server("127.0.0.1", chosen, app, threaded=True, fd=listening.fileno()).serve_forever()
    listening.close()
    try:
        yield pid, chosen
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

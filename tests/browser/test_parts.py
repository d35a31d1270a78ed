"""The shared parts, seen in a real browser under the real content policy."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.conftest import seen_as
from tests.browser.gallery import make_gallery, serving

pytestmark = pytest.mark.browser
PAGES = {
    "parts": "/parts",
    "section": "/s/identity",
    "queue": "/lab/queue",
    "confirm": "/lab/confirm",
    "sign-in": "/sign-in",
    "error": "/error/404",
}
# hx-csp says aloud that it stripped an element without the nonce; the queue page carries one on purpose.
STRIPPED = ("hx-csp. blocked",)


@pytest.fixture
def gallery() -> Flask:
    return make_gallery()


@pytest.fixture
def seen(gallery: Flask) -> SimpleNamespace:
    return gallery.extensions["seen"]


@pytest.fixture
def url(gallery: Flask) -> Iterator[str]:
    with serving(gallery) as address:
        yield address


def test_every_part_is_accessible_and_fits(
    url: str,
    new_page: Callable[..., Page],
    axe: Callable[..., None],
    shot: Callable[..., Path],
    no_sideways: Callable[[Page], None],
) -> None:
    page = new_page(tolerate=STRIPPED)
    for name, path in PAGES.items():
        page.goto(url + path)
        for theme, width in (("light", 1440), ("dark", 1440), ("light", 320), ("dark", 320)):
            seen_as(page, theme, width)
            shot(page, f"{name}-{theme}-{width}")
            no_sideways(page)
            axe(page)


def test_errors_are_listed_first_and_beside_their_fields(
    url: str, page: Page, axe: Callable[..., None], shot: Callable[..., Path]
) -> None:
    page.goto(url + "/parts")
    page.get_by_role("button", name="Save and continue").click()

    summary = page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    expect(page).to_have_title(re.compile("^Error: "))
    summary.get_by_role("link", name="Choose how soon accounts are disabled").click()
    expect(page.get_by_label("Within 1 hour")).to_have_attribute("id", "soon-0")
    expect(page.get_by_label("Full name")).to_have_accessible_description(
        "As it would appear on a contract Enter your full name, as on your account"
    )
    shot(page, "errors")
    axe(page)


def test_icons_of_the_sprite_are_drawn(url: str, page: Page) -> None:
    page.goto(url + "/parts")
    page.wait_for_load_state("networkidle")

    box = page.evaluate("() => document.querySelector('.tag .i use').getBBox().width")

    assert box > 0


def test_the_theme_changes_without_a_reload_and_is_remembered(url: str, page: Page) -> None:
    page.goto(url + "/parts")
    page.get_by_role("button", name="Switch to dark theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("button", name="Switch to light theme")).to_be_focused()

    page.reload()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_theme_changes_without_script(url: str, new_page: Callable[..., Page]) -> None:
    page = new_page(script=False)
    page.goto(url + "/parts")

    page.get_by_role("button", name="Switch to dark theme").click()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_text("Without scripts the limit is 32 MB.")).to_be_visible()


def test_the_account_menu_opens_without_script(url: str, new_page: Callable[..., Page]) -> None:
    page = new_page(script=False)
    page.goto(url + "/parts")

    page.locator("summary", has_text="Priya Raghunath").click()

    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_the_narrow_menu_of_the_lab_opens_without_script(
    url: str, new_page: Callable[..., Page], shot: Callable[..., Path]
) -> None:
    page = new_page(script=False, width=390, height=844)
    page.goto(url + "/lab/queue")

    page.get_by_role("button", name="Menu").click()

    expect(page.get_by_role("link", name="Audit log")).to_be_visible()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    shot(page, "menu-390", full=False)


def test_htmx_swaps_under_the_policy_and_refuses_what_carries_no_nonce(url: str, new_page: Callable[..., Page]) -> None:
    page = new_page(tolerate=STRIPPED)
    page.goto(url + "/lab/queue")

    page.get_by_role("link", name="Show more").click()

    expect(page.locator("#here #arrived")).to_be_visible()
    page.get_by_role("link", name="Again").click()
    expect(page.locator("#here #arrived")).to_be_visible()
    expect(page.locator("#danger")).to_be_empty()
    assert page.url.endswith("/lab/queue")


def test_htmx_posts_carry_the_token(url: str, new_page: Callable[..., Page]) -> None:
    page = new_page(tolerate=STRIPPED)
    page.goto(url + "/lab/queue")

    page.get_by_role("button", name="Accept").click()

    expect(page.locator("#here #arrived")).to_be_visible()


@pytest.mark.parametrize(("status", "words"), [("401", "You are signed out."), ("500", "We could not do that.")])
def test_what_htmx_cannot_swap_is_said_in_words(
    url: str, new_page: Callable[..., Page], seen: SimpleNamespace, status: str, words: str
) -> None:
    seen.answer = status
    page = new_page(tolerate=(*STRIPPED, "status of 500"))
    page.goto(url + "/lab/queue")

    page.get_by_role("link", name="Show more").click()

    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(page.locator("#here")).to_be_empty()


def test_a_choice_saves_itself(url: str, page: Page, seen: SimpleNamespace) -> None:
    page.goto(url + "/s/identity")

    page.get_by_label("Within 4 hours").check()

    expect(page.locator("[data-save-words]")).to_have_text(re.compile(r"All changes saved at \d\d:\d\d"))
    expect(page.locator("#answered")).to_have_text("1 saved")
    expect(page.locator("#q2-state")).to_have_text("Complete")
    expect(page.get_by_label("Within 4 hours")).to_be_focused()
    assert seen.saves[-1]["soon"] == "4h"


def test_text_saves_itself_while_typing_goes_on(url: str, page: Page, seen: SimpleNamespace) -> None:
    page.goto(url + "/s/identity")
    words = page.get_by_label("How do you know?")

    words.press_sequentially("The HR record is the trigger")
    expect(page.locator("#answered")).to_have_text("1 saved")
    words.press_sequentially(" and SCIM follows")
    expect(page.locator("#answered")).to_have_text("2 saved")

    expect(words).to_have_value("The HR record is the trigger and SCIM follows")
    assert [save["version"] for save in seen.saves] == ["1", "2"]
    assert seen.saves[-1]["know"] == "The HR record is the trigger and SCIM follows"


def test_what_is_typed_offline_is_sent_when_the_line_is_back(
    url: str, new_page: Callable[..., Page], seen: SimpleNamespace
) -> None:
    page = new_page(tolerate=("ERR_INTERNET_DISCONNECTED",))
    page.goto(url + "/s/identity")
    page.context.set_offline(True)
    page.get_by_label("How do you know?").fill("Kept on the train")
    page.get_by_label("Within 1 hour").check()
    expect(page.get_by_text("You are offline. 1 change is kept in this browser")).to_be_visible()
    assert seen.saves == []

    page.context.set_offline(False)

    expect(page.locator("[data-save-words]")).to_have_text(re.compile("All changes saved"))
    expect(page.get_by_text("You are offline.")).to_be_hidden()
    assert seen.saves[-1]["know"] == "Kept on the train"


def test_a_draft_the_server_never_got_comes_back_after_a_reload(
    url: str, new_page: Callable[..., Page], seen: SimpleNamespace
) -> None:
    page = new_page(tolerate=("status of 500",))
    seen.answer = "500"
    page.goto(url + "/s/identity")
    page.get_by_label("How do you know?").fill("Not lost")
    page.get_by_label("Within 1 hour").focus()
    expect(page.get_by_text("We could not save that.")).to_be_visible()

    seen.answer = "200"
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()

    expect(page.locator("#answered")).to_have_text("1 saved")
    expect(page.get_by_label("How do you know?")).to_have_value("Not lost")
    assert seen.saves[-1]["know"] == "Not lost"


@pytest.mark.parametrize(("choice", "kept"), [("Use mine", "Mine"), ("Use theirs", "")])
def test_a_conflict_keeps_both_until_one_is_chosen(
    url: str, page: Page, seen: SimpleNamespace, axe: Callable[..., None], choice: str, kept: str
) -> None:
    seen.answer = "409"
    page.goto(url + "/s/identity")
    page.get_by_label("How do you know?").fill("Mine")
    page.get_by_label("Within 1 hour").focus()
    expect(page.get_by_text("Tomasz Okoro changed this answer 2 minutes ago.")).to_be_visible()
    expect(page.get_by_label("How do you know?")).to_have_value("Mine")
    axe(page)

    page.get_by_role("button", name=choice).click()

    expect(page.get_by_text("Tomasz Okoro changed this answer")).to_be_hidden()
    expect(page.get_by_label("How do you know?")).to_have_value(kept)
    expect(page.locator("[data-save-words]")).to_have_text(re.compile("All changes saved"))


def test_a_lost_session_is_said_and_the_write_repeated(url: str, page: Page, seen: SimpleNamespace) -> None:
    seen.answer = "401"
    page.goto(url + "/s/identity")
    page.get_by_label("Within 1 hour").check()
    expect(page.get_by_text("You are signed out.")).to_be_visible()

    seen.answer = "200"
    page.evaluate("() => window.dispatchEvent(new Event('focus'))")

    expect(page.locator("#answered")).to_have_text("1 saved")


def test_an_old_token_is_renewed_unnoticed(url: str, page: Page, seen: SimpleNamespace) -> None:
    page.goto(url + "/s/identity")
    page.evaluate("() => { document.querySelector('meta[name=csrf-token]').content = 'old' }")

    page.get_by_label("Within 1 hour").check()

    expect(page.locator("#answered")).to_have_text("1 saved")


def test_the_section_saves_without_script(url: str, new_page: Callable[..., Page], seen: SimpleNamespace) -> None:
    page = new_page(script=False)
    page.goto(url + "/s/identity")
    page.get_by_label("Within 4 hours").check()

    page.get_by_role("button", name="Save and go to section 8").click()

    assert seen.saves[-1]["soon"] == "4h"


def test_a_file_is_hashed_reserved_sent_and_finished(
    url: str, page: Page, seen: SimpleNamespace, tmp_path: Path
) -> None:
    file = tmp_path / "leaver-report.pdf"
    file.write_bytes(b"%PDF-1.7 " + b"x" * 3_000_000)
    page.goto(url + "/parts")

    page.get_by_label("Drop files here, or choose them").set_input_files(file)
    expect(page.locator("#rows").get_by_text("leaver-report.pdf")).to_be_visible()
    told = seen.files["leaver-report.pdf"]
    assert told["sha256"] == told["received"]
    assert (told["size"], told["kind"]) == (3_000_009, "soc2")


def test_a_refused_file_says_why_and_stays(url: str, page: Page, tmp_path: Path, shot: Callable[..., Path]) -> None:
    locked, wrong = tmp_path / "locked.pdf", tmp_path / "run.exe"
    locked.write_bytes(b"%PDF")
    wrong.write_bytes(b"MZ")
    page.goto(url + "/parts")

    page.get_by_label("Drop files here, or choose them").set_input_files([locked, wrong])

    rows = page.locator("[data-upload-rows]")
    expect(rows.get_by_text("The file is password-protected.")).to_be_visible()
    expect(rows.get_by_text("The file must be PDF, DOCX, XLSX, CSV, PNG or JPG")).to_be_visible()
    expect(rows.get_by_role("button", name="Choose another file upload of locked.pdf")).to_be_visible()
    shot(page, "refused-upload")


def test_a_file_is_posted_without_script(
    url: str, new_page: Callable[..., Page], seen: SimpleNamespace, tmp_path: Path
) -> None:
    file = tmp_path / "plain.pdf"
    file.write_bytes(b"%PDF")
    page = new_page(script=False)
    page.goto(url + "/parts")

    page.get_by_label("Drop files here, or choose them").set_input_files(file)
    page.get_by_role("button", name="Upload", exact=True).click()

    assert seen.files["plain.pdf"]["kind"] == "soc2"

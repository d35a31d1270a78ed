"""Each bar is able to fail: a small page that breaks it is told by the name of what breaks it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.bars import checks
from tests.browser.bars.walk import Walk

pytestmark = pytest.mark.browser

Case = tuple[str, Callable[[Page], list[str]], str]


def _pale(page: Page) -> list[str]:
    return checks.accessible(page, colours_only=True)


def _spaced(page: Page) -> list[str]:
    return checks.survives(page, "spacing")


def _twice(page: Page) -> list[str]:
    return checks.survives(page, "twice")


def _moved(page: Page) -> list[str]:
    assert checks.steady(page) == []  # what moves after this was painted before
    page.evaluate("() => { document.getElementById('top').style.height = '400px'; }")
    return checks.steady(page)


TRAP = "<a href='#'>a</a><a href='#' id='b' onkeydown='event.preventDefault()'>b</a><a href='#'>c</a>"
BACK = "<a href='#' id='a'>a</a><a href='#'>b</a><a href='#' onfocus='a.focus()'>c</a>"
LID = "<button>below</button><p style='position:fixed;inset:0;margin:0'>lid</p>"
BOX = "<div style='overflow-x:auto'><table style='width:3000px'><tr><td>x</table></div>"
TIGHT = "<p style='width:9em;height:1.2em;overflow:hidden'>just fits in here</p>"
FIXED = "<p style='width:150px;height:24px;overflow:hidden;font-size:1rem'>fits in here</p>"
LATE = "<header><button>Menu</button><a href='/help'>Help</a></header>"
FAINT = "<svg class='bar' width=9 height=9><rect width=9 height=9 fill='#eee'/></svg>"
UNTOLD = "<svg class='bar' width=9 height=9></svg>"
BAD: dict[str, Case] = {
    "U1": ("<main><h1>x</h1><img src='data:,'></main>", checks.accessible, "image-alt"),
    "U1 colours": ("<p style='color:#aaa;background:#fff'>pale words</p>", _pale, "color-contrast"),
    "U2 page": ("<p style='width:3000px'>long</p>", checks.fits, "<p> “long”"),
    "U2 table": (BOX, checks.fits, "no named region"),
    "U2 spacing": (TIGHT, _spaced, "spacing: text is cut off: <p>"),
    "U2 twice": (FIXED, _twice, "twice: text is cut off: <p>"),
    "U3 outline": ("<button style='outline:0'>dull</button>", checks.walked, "no outline of 2 px: <button> “dull”"),
    "U3 covered": (LID, checks.walked, "under <p> “lid”"),
    "U3 order": (BACK, checks.walked, "out of order"),
    "U3 trap": (TRAP, checks.walked, "Tab does not come to an end, it stands at <a#b> “b”"),
    "U7": ("<p id='top'></p><p>moves</p>", _moved, "the layout moved"),
    "U12": ("<button>tiny</button>", checks.large_enough, "<button> “tiny”"),
    "U13 word": ("<p>An error occurred</p>", checks.well_said, "says “error occurred”"),
    "U13 time": ("<p>due 18 December 2026</p>", checks.well_said, "a time outside <time>"),
    "U13 state": ("<span class='tag'>Complete</span>", checks.well_said, "a state without icon and word"),
    "U14": (LATE, checks.help_in_place, "before the link to help"),
    "U18 border": ("<input style='border:1px solid #ddd'>", checks.marked, "a border of"),
    "U18 chart": (FAINT, checks.marked, "a mark of"),
    "U18 untold": (UNTOLD, checks.well_said, "a chart that no words tell"),
}


def test_every_bar_can_fail(new_page: Callable[..., Page]) -> None:
    page = new_page()
    checks.seen_as(page, theme="light", width=400)
    for name, (body, check, said) in BAD.items():
        page.goto("about:blank")
        page.set_content(f"<!doctype html><html lang='en'><title>Bad</title>{body}</html>")
        problems = check(page)
        assert any(said in each for each in problems), f"{name} does not fail: {problems}"


def test_no_bar_fails_a_good_page(new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.set_content(
        "<!doctype html><html lang='en'><title>Good</title><style>:focus-visible { outline: 3px solid #00f } "
        "a { display: inline-block } a, button, input { min-height: 44px; min-width: 44px; border: 1px solid #555 }"
        "</style>"
        "<header><nav><a href='#'>Home</a></nav></header><main><h1>Good</h1>"
        "<p>Due <time datetime='2026-12-18'>18 December 2026</time></p><label>Name <input></label>"
        "<button>Save</button></main></html>"
    )
    spaced, twice = checks.survives(page, "spacing"), checks.survives(page, "twice")
    assert not spaced + twice + checks.accessible(page) + checks.fits(page) + checks.walked(page)
    assert not checks.large_enough(page) + checks.well_said(page) + checks.marked(page)


def test_weights_can_fail(new_page: Callable[..., Page], walk: Walk) -> None:
    page = new_page()
    answer = page.goto(walk.server + "/help")
    assert answer
    assert checks.light_enough(page, answer, most=checks.FIRST) == []
    said = checks.light_enough(page, answer, most=100, scripts=100)
    assert [each.split(" ", 2)[2] for each in said] == ["in all, 0 are the most", "of scripts, 0 are the most"]

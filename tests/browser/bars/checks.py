"""The standing bars as functions over a page: each returns what does not hold, in sentences that name the element.

The numbers are those of the bars U1 to U18 of the user experience specification. Nothing here loads a page: theme and
width are changed on the page that is open, so one visit is enough for all bars.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from playwright.sync_api import Page, Response

HERE = Path(__file__).parent
AXE = HERE.parents[2] / "node_modules/axe-core/axe.min.js"
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]
MEASURES = (HERE / "bars.js").read_text("utf-8")
AXE_SOURCE = AXE.read_text("utf-8")
WIDE, NARROW = 1440, 320
KB = 1_000
FIRST, LATER, STYLES, SCRIPTS, SPRITE, REQUESTS, ELEMENTS = 160 * KB, 40 * KB, 16 * KB, 28 * KB, 6 * KB, 8, 1_500
OUTSIDE, INSIDE = 44, 24
FIELDS_OF_A_DATE = 8
COLD_SHIFT = 0.02

Problems = list[str]


def ready(page: Page) -> None:
    """Bring the measures into the page through the debugger, which its content policy does not bind."""
    if not page.evaluate("() => 'bars' in globalThis"):
        page.evaluate(MEASURES)


def ask(page: Page, name: str, *given: Any) -> Problems:
    """Return what one of the measures of ``bars.js`` says."""
    ready(page)
    return cast(Problems, page.evaluate("([name, given]) => bars[name](...given)", [name, list(given)]) or [])


def seen_as(page: Page, *, theme: str, width: int, height: int = 900) -> None:
    """Change theme and width of the page that is open."""
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": height})


def accessible(page: Page, *, colours_only: bool = False) -> Problems:
    """U1: WCAG 2.0 to 2.2 A and AA and best practice; or the rules alone that a theme can change."""
    if not page.evaluate("() => 'axe' in globalThis"):
        page.evaluate(AXE_SOURCE)
    only = {"type": "rule", "values": COLOURS} if colours_only else {"type": "tag", "values": AXE_TAGS}
    report = page.evaluate(
        "(only) => axe.run(document, {resultTypes: ['violations'], selectors: false, runOnly: only})", only
    )
    return [
        f"{found['id']}: {node['html'][:160]} {' '.join(node['failureSummary'].split())}"
        for found in report["violations"]
        for node in found["nodes"]
    ]


def fits(page: Page) -> Problems:
    """U2: the page does not scroll sideways, and what scrolls inside it is a named region that takes the focus."""
    return ask(page, "sideways") + ask(page, "regions")


def survives(page: Page, how: str) -> Problems:
    """U2: nothing is cut off with the text spacing of WCAG 1.4.12 (``spacing``) or with text of 200 % (``twice``)."""
    before = set(ask(page, "cut"))
    ask(page, "wear", how)
    try:
        after = [each for each in ask(page, "cut") if each not in before]
        return [f"{how}: {each}" for each in (*sorted(before), *after, *ask(page, "sideways"))]
    finally:
        ask(page, "wear", None)


AT_ONCE = 12
"""Presses of Tab before the page is asked what they came to."""


def walked(page: Page) -> Problems:
    """U3: Tab stops at everything once, in the order of the page, seen and outlined, and comes to an end."""
    ready(page)
    left, within = cast(int, page.evaluate("() => bars.begin()")) + 5, 0
    problems: Problems = []
    last = "the page's beginning"
    while left > 0 and within < FIELDS_OF_A_DATE:
        for _ in range(AT_ONCE):
            page.keyboard.press("Tab")
        # A frame keeps its keys to itself: then the page is asked where the focus is.
        stops = page.evaluate("() => bars.taken()") or [page.evaluate("() => bars.stop()")]
        for stop in stops:
            if stop is None:
                return problems + _left_out(page)
            within = within + 1 if stop.get("again") else 0
            left -= not within
            problems += stop["problems"]
            last = stop["last"]
    problems.append(f"Tab does not come to an end, it stands at {last}")
    return problems + _left_out(page)


def _left_out(page: Page) -> Problems:
    page.evaluate("() => bars.rest()")
    return ask(page, "missed")


def large_enough(page: Page, least: int = OUTSIDE) -> Problems:
    """U12: what is pressed is large enough, but for links within text, which axe holds at 24 px or apart."""
    return ask(page, "targets", least)


def well_said(page: Page) -> Problems:
    """U13: no word that explains nothing, each state with icon and word, each time in ``<time>``."""
    return ask(page, "speech") + ask(page, "states")


def help_in_place(page: Page) -> Problems:
    """U14: the link to help is the first of the head's own controls."""
    return ask(page, "help")


def marked(page: Page) -> Problems:
    """U18: the marks of charts and controls stand out from their ground by 3 : 1."""
    return ask(page, "marks")


def light_enough(
    page: Page, document: Response, *, most: int, scripts: int = SCRIPTS, nodes: int = ELEMENTS
) -> Problems:
    """U6: what came over the line for this page, compressed, stays within the bars."""
    sizes = {document.url: len(gzip.compress(document.body()))}
    ready(page)
    kinds = {"script": 0, "css": 0, "sprite": 0}
    for entry in page.evaluate("() => bars.loaded()"):
        url = urlsplit(entry["url"])
        if not url.path.startswith("/static/"):
            continue
        size = _compressed(page, entry["url"])
        kind = {"js": "script", "css": "css", "svg": "sprite"}.get(url.path.rpartition(".")[2])
        if kind:
            kinds[kind] += size
        if entry["sent"]:
            sizes[entry["url"]] = size
    said = [
        ("in all", sum(sizes.values()), most),
        ("of styles", kinds["css"], STYLES),
        ("of scripts", kinds["script"], scripts),
        ("of the sprite", kinds["sprite"], SPRITE),
    ]
    problems = [
        f"{size / KB:.1f} kB {what}, {limit / KB:.0f} are the most" for what, size, limit in said if size > limit
    ]
    if len(sizes) > REQUESTS:
        problems.append(f"{len(sizes)} requests, {REQUESTS} are the most: {sorted(sizes)}")
    return problems + ask(page, "nodes", nodes)


_sizes: dict[str, int] = {}


def _compressed(page: Page, url: str) -> int:
    """Return how much a file of ours is on the line; fonts are compressed already."""
    path = urlsplit(url).path
    if path not in _sizes:
        body = page.request.get(url).body()
        _sizes[path] = len(body) if path.endswith(".woff2") else len(gzip.compress(body))
    return _sizes[path]


def steady(page: Page, most: float = 0.0) -> Problems:
    """U7: since it was asked last, the layout moved by no more than this."""
    return ask(page, "shifted", most)


def opened(page: Page) -> int:
    """Open everything on the page that can be opened in place, but menus; return how much that was."""
    ready(page)
    return cast(int, page.evaluate("() => bars.opened()"))

"""A walk over pages: every page is loaded once, and looked at in both themes and at every width."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Response

from portal.wiring import House
from tests.browser.bars import checks
from tests.factories.identity import Person, session_token

SHOTS = Path(__file__).parents[1] / "shots/bars"


@dataclass
class Walk:
    """Goes from page to page as one person after another, and collects what does not hold."""

    house: House
    server: str
    reports: list[bytes]
    new_page: Callable[..., Page]
    thorough: bool = False
    """Whether colours are looked at once more in the two pairs of theme and width that are not looked at in full."""
    brief: bool = False
    """Whether what a theme or a width cannot change is looked at once only, where time matters."""
    target: int = checks.OUTSIDE
    """How large what is pressed must be on a wide page, in px (U12)."""
    nodes: int = checks.ELEMENTS
    """How many elements a page has at most (U6)."""
    problems: list[str] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    _pages: dict[Any, Page] = field(default_factory=dict)

    def page_of(self, who: Person | None, *, fresh: bool = False) -> Page:
        """Return the page of somebody, or of a stranger; one for the whole walk."""
        key = (who.id if who else None, fresh)
        if key not in self._pages:
            page = self.new_page(tolerate=("status of 5",))
            if who:
                token = session_token(self.house, who, fresh=fresh, data={"csrf_token": "f" * 40})
                page.context.add_cookies([{"name": "gatehouse", "value": token, "url": self.server}])
            self._pages[key] = page
        return self._pages[key]

    def visit(self, name: str, who: Person | None, path: str, *, fresh: bool = False, says: str = "") -> Page:
        """Open a page and hold every bar to it.

        :param says: words that prove that the page is in the state that is meant.
        """
        page = self.page_of(who, fresh=fresh)
        checks.seen_as(page, theme="light", width=checks.WIDE)
        is_first = page.url == "about:blank"
        answer = page.goto(self.server + path)
        assert answer is not None, path
        assert answer.status < 500, f"{name}: {path} does not answer"
        most = checks.FIRST if is_first else checks.LATER
        with self._about(name):
            self._note(name, "U7 load", checks.steady(page, checks.COLD_SHIFT))
            self._note(name, "U6", self._weight(page, answer, most))
        self.look(name, page, says=says)
        return page

    def _weight(self, page: Page, answer: Response, most: int) -> list[str]:
        return checks.light_enough(page, answer, most=most, nodes=self.nodes)

    def look(self, name: str, page: Page, *, says: str = "") -> None:
        """Hold the bars to a page as it stands, in both themes and at every width, with everything open that opens."""
        self.looked.append(name)
        if says and says not in page.inner_text("body"):
            self.problems.append(f"{name}: does not say “{says}”, but: {page.inner_text('main')[:200]}")
        with self._about(name):
            checks.seen_as(page, theme="light", width=checks.WIDE)
            self._hold(name, page, "U14 help", checks.help_in_place)
            self._hold(name, page, "U1 light 1440", checks.accessible)
            self._shot(name, page, "light-1440")
            checks.opened(page)
            for bar, check in (
                ("U3 1440", checks.walked),
                ("U12", lambda page: checks.large_enough(page, self.target)),
                ("U13", checks.well_said),
                ("U18 light", checks.marked),
            ):
                self._hold(name, page, bar, check)
            checks.seen_as(page, theme="dark", width=checks.WIDE)
            self._hold(name, page, "U18 dark", checks.marked)
            if self.thorough:
                self._hold(name, page, "U1 dark 1440", lambda page: checks.accessible(page, colours_only=True))
            self._hold(name, page, "U2 200 %", lambda page: checks.survives(page, "twice"))
            for width in (720, 390):
                checks.seen_as(page, theme="dark", width=width)
                self._hold(name, page, f"U2 {width}", checks.fits)
            checks.seen_as(page, theme="dark", width=checks.NARROW)
            self._hold(name, page, "U2 320", checks.fits)
            brief = self.brief and not self.thorough
            self._hold(name, page, "U1 dark 320", lambda page: checks.accessible(page, colours_only=brief))
            self._shot(name, page, "dark-320")
            self._hold(name, page, "U2 spacing", lambda page: checks.survives(page, "spacing"))
            if self.thorough:
                checks.seen_as(page, theme="light", width=checks.NARROW)
                self._hold(name, page, "U1 light 320", lambda page: checks.accessible(page, colours_only=True))

    def _hold(self, name: str, page: Page, bar: str, check: Callable[[Page], list[str]]) -> None:
        begun = time.monotonic()
        self._note(name, bar, check(page))
        self.seconds[bar] = self.seconds.get(bar, 0) + time.monotonic() - begun

    def _note(self, name: str, bar: str, said: list[str]) -> None:
        self.problems += [f"{name}, {bar}: {each}" for each in dict.fromkeys(said)]

    def _shot(self, name: str, page: Page, look: str) -> None:
        if os.environ.get("BARS_SHOTS"):
            SHOTS.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=SHOTS / f"{name}-{look}.png", full_page=True)

    @contextmanager
    def _about(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as trouble:
            trouble.add_note(f"while looking at {name}")
            raise

    def end(self) -> None:
        """Fail with everything that did not hold, and with what the browser reported of the content policy."""
        reports = [f"U5: the content policy stopped something: {each.decode()[:300]}" for each in self.reports]
        found = [*self.problems, *reports]
        assert not found, f"{len(found)} in {len(self.looked)} pages\n" + "\n".join(found)

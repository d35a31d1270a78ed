"""A real Chromium for the browser tests: no host but this one, no silent error, accessibility at hand."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, sync_playwright

from portal.kernel.clock import FixedClock
from portal.kernel.ids import counted
from portal.settings import Settings
from portal.wiring import House, make_app
from tests.browser import chromium as finder
from tests.browser.gallery import serving
from tests.conftest import Databases, offered
from tests.factories.identity import Person, session_token

HERE = Path(__file__).parent
SHOTS = HERE / "shots"
AXE = HERE.parents[1] / "node_modules/axe-core/axe.min.js"
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
OURS = {"127.0.0.1", "localhost"}
# The browser logs every refused request as an error; a refusal in words is what many tests are about.
REFUSAL = re.compile(r"Failed to load resource: the server responded with a status of (4\d\d|503)")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The session's browser, which can reach nothing but this machine."""
    found = finder.find()
    rules = "MAP * ~NOTFOUND, " + ", ".join(f"EXCLUDE {host}" for host in sorted(OURS))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(found.path),
            env={**os.environ, **found.env},
            args=[*found.args, "--font-render-hinting=none", f"--host-resolver-rules={rules}"],
        )
        yield browser
        browser.close()


@dataclass
class Watch:
    """What went wrong on a page that nobody asked about."""

    tolerate: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)

    def on(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._note(f"script error: {error}"))
        page.on("request", self._request)
        page.on("response", self._response)

    def _note(self, words: str) -> None:
        if not any(re.search(pattern, words) for pattern in self.tolerate):
            self.problems.append(words)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not REFUSAL.search(message.text):
            self._note(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme in {"http", "https", "ws", "wss"} and url.hostname not in OURS:
            self._note(f"request to a stranger: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and "/static/" in response.url:
            self._note(f"{response.status} for {response.url}")


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """A factory of pages, each in a fresh context; any console error or policy violation fails the test.

    Options: theme "light" or "dark", width and height, script=False, tolerate=(patterns of errors that are meant).
    """
    opened: list[tuple[Any, Watch]] = []

    def open_page(
        *,
        theme: str = "light",
        width: int = 1440,
        height: int = 900,
        script: bool = True,
        tolerate: tuple[str, ...] = (),
        **options: Any,
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            java_script_enabled=script,
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="UTC",
            **options,
        )
        context.set_default_timeout(10_000)
        watch = Watch(tolerate)
        context.on("page", watch.on)
        opened.append((context, watch))
        return context.new_page()

    yield open_page
    problems = [problem for _, watch in opened for problem in watch.problems]
    for context, _ in opened:
        context.close()
    assert not problems, "\n".join(problems)


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A light page of 1440 × 900."""
    return new_page()


@pytest.fixture(scope="session")
def axe() -> Callable[..., None]:
    """Fail with the list of accessibility violations of a page, WCAG 2.0 to 2.2 A and AA and best practice."""
    source = AXE.read_text("utf-8")

    def check(page: Page, *, within: str | None = None) -> None:
        # Through the debugger, which the page's content policy does not bind; the policy itself stays on.
        page.evaluate(source)
        report = page.evaluate(
            # Only what is wrong is worked out in full, and without paths to it: twice as fast, the same findings.
            "([within, tags]) => axe.run(within ?? document, "
            "{resultTypes: ['violations'], selectors: false, runOnly: {type: 'tag', values: tags}})",
            [within, AXE_TAGS],
        )
        lines = [
            f"{found['id']} ({found['impact']}): {node['html'][:200]}\n    {node['failureSummary']}"
            for found in report["violations"]
            for node in found["nodes"]
        ]
        assert not lines, f"{page.url}\n" + "\n".join(lines)

    return check


@pytest.fixture(scope="session")
def shot() -> Callable[..., Path]:
    """Write a picture of the whole page to tests/browser/shots/ and return its path.

    Where CI is set nobody looks at them, and their time is saved.
    """
    SHOTS.mkdir(exist_ok=True)

    def take(page: Page, name: str, *, full: bool = True) -> Path:
        path = SHOTS / f"{name}.png"
        if not os.environ.get("CI"):
            page.screenshot(path=path, full_page=full)
        return path

    return take


@pytest.fixture(scope="session")
def no_sideways() -> Callable[[Page], None]:
    """Fail when the page scrolls sideways; tables may, inside their own region."""

    def check(page: Page) -> None:
        wide, room = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= room, f"{page.url}: {wide} px of content in {room} px"

    return check


def seen_as(page: Page, theme: str, width: int) -> None:
    """Change theme and width of a page that is open, which costs no new load."""
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})


@pytest.fixture
def house(settings: Settings, databases: Databases, database_url: str, clock: FixedClock) -> Iterator[House]:
    """The house on the test's own database, with connections of its own.

    A page that closes may leave a request behind, which must not find the database of the next test.
    """
    yield from offered(House(settings, database_url=database_url, clock=clock, new_id=counted()), databases)


@pytest.fixture
def live_server(settings: Settings, house: House) -> Iterator[str]:
    """The whole application on the test's own house, served on a free port; gives its address."""
    with serving(make_app(settings, house)) as address:
        yield address


@pytest.fixture
def visit(live_server: str, house: House, new_page: Callable[..., Page]) -> Callable[..., Page]:
    """A factory of pages of signed-in people: ``visit(person, "/path", width=390, theme="dark")``."""

    def open_as(someone: Person, path: str = "/", *, fresh: bool = False, **options: Any) -> Page:
        page = new_page(**options)
        token = session_token(house, someone, fresh=fresh, data={"csrf_token": "f" * 40})
        page.context.add_cookies([{"name": "gatehouse", "value": token, "url": live_server}])
        page.goto(live_server + path)
        return page

    return open_as

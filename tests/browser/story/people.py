"""People at their browsers: who they are, the authenticator in their pocket, and what they do with a mail."""

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, Response, expect

from portal.identity import totp

PASSWORD = "violet anchors under quiet bridges"
PATIENCE = 20_000
STEP = totp.STEP_SECONDS


@dataclass
class Authenticator:
    """What shows six digits. A code works once, so each is of a later step than the one before."""

    secret: str
    used: int = 0

    def code(self, now: Callable[[], float] = time.time, *, page: Page) -> str:
        """Return the next code that the portal takes: of the last, the present or the next half minute, else wait."""
        while True:
            here, rest = int(now()) // STEP, STEP - now() % STEP
            # The step before counts only while this one lasts; near its end that would be a gamble.
            step = max(self.used + 1, here - 1 if rest > 4 else here)
            if step <= here + 1:
                self.used = step
                return totp.code_at(self.secret, step)
            page.wait_for_timeout(min(rest, 1) * 1000)


@dataclass
class Human:
    """Somebody with a name, an address and a browser of their own."""

    name: str
    email: str
    page: Page
    shots: Path
    troubles: list[str] = field(default_factory=list)
    authenticator: Authenticator | None = None

    def __post_init__(self) -> None:
        """Notice every answer that tells of a bug."""
        self.page.on("response", self._look)

    def _look(self, response: Response) -> None:
        if response.status >= 500:
            self.troubles.append(f"{self.name}: {response.status} for {response.request.method} {response.url}")

    def comes_in(self, link: str) -> None:
        """Open an invitation, choose a password, enrol an authenticator, keep the recovery codes."""
        page = self.page
        page.goto(link)
        expect(page.get_by_role("heading", name=re.compile("^Welcome, "))).to_be_visible()
        secret = page.locator("code.mono").first.inner_text().replace(" ", "")
        self.authenticator = Authenticator(secret)
        page.get_by_label("Choose a password").fill(PASSWORD)
        page.get_by_label("Code from your authenticator app").fill(self.authenticator.code(page=page))
        page.get_by_role("button", name="Create account").click()
        expect(page.get_by_role("heading", name="Keep your recovery codes")).to_be_visible()
        page.get_by_role("link", name="I have kept them, go on").click()

    def gives_code_if_asked(self, form: Locator) -> bool:
        """Type a code where the form asks for one; tell whether it did."""
        field = form.get_by_label("Code from your authenticator app")
        if field.count() == 0:
            return False
        assert self.authenticator is not None
        field.fill(self.authenticator.code(page=self.page))
        return True

    def gives_code(self, form: Locator) -> None:
        """Type a code into a form that has to ask for one."""
        assert self.gives_code_if_asked(form), f"{self.page.url} does not ask for a code"

    def presses(self, button: str | re.Pattern[str], scope: Locator | None = None) -> None:
        """Press a button by its words."""
        (scope or self.page.locator("main")).get_by_role("button", name=button).click()

    def follows(self, link: str | re.Pattern[str], scope: Locator | None = None) -> None:
        """Follow a link by its words."""
        (scope or self.page.locator("main")).get_by_role("link", name=link).first.click()

    def reads(self, words: str | re.Pattern[str]) -> None:
        """Wait until words are on the page."""
        expect(self.page.get_by_text(words).first).to_be_visible(timeout=PATIENCE)

    def heads(self, words: str | re.Pattern[str]) -> None:
        """Wait until a page has a heading."""
        expect(self.page.get_by_role("heading", name=words).first).to_be_visible(timeout=PATIENCE)

    def shoots(self, name: str) -> None:
        """Keep a picture of the whole page, where somebody may look at it."""
        if not os.environ.get("CI"):
            self.page.screenshot(path=self.shots / f"{name}.png", full_page=True)


def link_in_mail(admin: Human, base: str, to: Human, kind: str) -> str:
    """Wait for a mail of a kind at the lab's page of mails, open it, and return the link that it is about."""
    page = admin.page
    row = page.get_by_role("row").filter(has_text=to.email).filter(has_text=kind).filter(has_text="Sent")
    deadline = time.monotonic() + PATIENCE / 1000
    page.goto(f"{base}/lab/mail")
    while row.count() == 0:
        assert time.monotonic() < deadline, f"no mail {kind!r} to {to.email}: {page.locator('main').inner_text()}"
        page.wait_for_timeout(150)
        page.reload()
    row.first.get_by_role("link", name=kind).click()
    link = page.locator("main a.btn-1").first
    expect(link).to_be_visible()
    address = link.get_attribute("href") or ""
    assert urlsplit(address).netloc == urlsplit(base).netloc, address
    return address

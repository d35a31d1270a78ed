"""What a job costs, as the table of main jobs counts it: pointer presses, key presses and page loads.

Counting begins when the page has loaded. Typing, and what is pressed in a dialog of the system, is not counted.
"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, Request

# Trusted presses only: what a script does by itself costs nobody anything. A sign typed into a field is typing.
_LISTEN = """
(() => {
  const words = (it) => ((it.closest("a, button, label, summary") ?? it).textContent ?? "").trim().slice(0, 60);
  const typing = (it) => it.matches("textarea, input:not([type=radio], [type=checkbox], [type=file], [type=submit])");
  addEventListener("pointerdown", (e) => e.isTrusted && pressed("pointer", words(e.target)), true);
  addEventListener("keydown", (e) => {
    const typed = e.key.length === 1 && typing(e.target);
    if (e.isTrusted && !typed && !["Shift", "Control", "Alt", "Meta"].includes(e.key)) pressed("key", e.key);
  }, true);
})()
"""


class Job:
    """Counts what is pressed and loaded from now on, on a page and on those that it opens.

    The page itself tells of every press. Where scripts are off nothing can: there every press goes through ``press``
    and ``key``, and these are counted.
    """

    def __init__(self, page: Page, *, script: bool = True) -> None:
        self.page, self.script = page, script
        self.begins()
        page.context.on("request", self._requested)
        if script:
            page.context.expose_function("pressed", self._pressed)
            page.context.add_init_script(_LISTEN)
            page.evaluate(_LISTEN)

    def begins(self) -> None:
        """Count from nothing again."""
        self.presses: list[str] = []
        self.keys: list[str] = []
        self.loads: list[str] = []

    def _pressed(self, kind: str, what: str) -> None:
        (self.presses if kind == "pointer" else self.keys).append(what)

    def _requested(self, request: Request) -> None:
        # A redirect on the way belongs to the same load.
        if request.is_navigation_request() and not request.redirected_from:
            self.loads.append(f"{request.method} {request.url}")

    def press(self, what: Locator | Any, name: str | None = None) -> None:
        """Press something with the pointer: a locator, or what has this role and name on the page."""
        found = self.page.get_by_role(what, name=name).first if isinstance(what, str) else what
        if not self.script:
            self.presses.append(name or str(what))
        found.click()

    def key(self, *names: str, at: Locator | None = None) -> None:
        """Press keys one after the other: where the focus is, or at this place, whatever took it away."""
        for name in names:
            if not self.script:
                self.keys.append(name)
            (at or self.page.keyboard).press(name)

    def costs(self, *, clicks: int = 0, keys: int | None = None, loads: int) -> None:
        """Fail when the job took more than this; ``keys`` of none says that the bar counts no keys."""
        assert len(self.presses) <= clicks, self.presses
        assert keys is None or len(self.keys) <= keys, self.keys
        assert len(self.loads) <= loads, self.loads

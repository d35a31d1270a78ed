"""U4, without script: what a page offers can be done by links, forms and what the browser opens by itself."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])


class _Page(HTMLParser):
    """Collects what can be pressed on a page, and what would happen."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str]]] = []
        self.ids: set[str] = set()
        self.forms: list[dict[str, str]] = []
        self.sends: set[str] = set()
        self.pressed: list[tuple[str, dict[str, str], int | None]] = []
        self.links: list[dict[str, str]] = []
        self.asks: set[int | None] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag, and what it is in."""
        given = {name: value or "" for name, value in attrs}
        self.ids.add(given.get("id", ""))
        if tag == "form":
            self.forms.append(given)
            given["_number"] = str(len(self.forms) - 1)
        if tag == "button" or (tag == "input" and given.get("type") in {"submit", "image", "button"}):
            self.pressed.append((tag, given, self._form()))
        typed = tag == "input" and given.get("type") not in {"hidden", "submit", "image", "button"}
        if (typed or tag in {"textarea", "select"}) and "form" not in given:
            self.asks.add(self._form())
        if tag == "a" and "href" in given:
            self.links.append(given)
        if tag not in VOID:
            self.open.append((tag, given))

    def handle_endtag(self, tag: str) -> None:
        """Close what is open down to this tag."""
        for at in range(len(self.open) - 1, -1, -1):
            if self.open[at][0] == tag:
                del self.open[at:]
                return

    def _form(self) -> int | None:
        return next((int(given["_number"]) for tag, given in reversed(self.open) if tag == "form"), None)


def problems(html: str) -> list[str]:
    """Return what on a page does nothing without script, each in words; nothing if all of it works."""
    page = _Page()
    page.feed(html)
    named = {form["id"]: number for number, form in enumerate(page.forms) if form.get("id")}
    found, sending = [], set()
    for tag, given, inside in page.pressed:
        form = named.get(given["form"]) if "form" in given else inside
        alone = {"popovertarget", "disabled", "data-without-script"} & given.keys() or given.get("hidden") == ""
        kind = given.get("type", "submit")
        if form is None and not alone:
            found.append(f"a {tag} that sends no form: {given}")
        elif form is not None and kind in {"submit", "image"}:
            sending.add(form)
        elif not alone and kind != "reset":
            found.append(f"a {tag} of type {kind}: {given}")
    for number, form in enumerate(page.forms):
        if number not in sending and number in page.asks and form.get("method", "get").lower() == "post":
            found.append(f"a form without anything that sends it: {form}")
    for link in page.links:
        href = link["href"]
        if href in {"", "#"} or href.startswith("javascript:") or (href[0] == "#" and href[1:] not in page.ids):
            found.append(f"a link that leads nowhere: {link}")
    return found

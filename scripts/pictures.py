"""Take the pictures of both sides' pages from a running demo: ``make pictures VAR=… `` writes docs/images.

The demo is read only, but for the sign-ins, so that the same demo gives the same pages again.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright

from portal.identity import totp
from tests.browser import chromium

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs/images"
WIDE, NARROW = 1440, 390
MOST_OF_ONE, MOST_OF_ALL = 120_000, 5_000_000
LIGHT = ("light",)
POST_ROOM = "mara.ilves@orrery.example"
MAIL_TO = "mail to "


@dataclass(frozen=True, slots=True)
class Picture:
    """One page: its name, whose sign-in opens it, and the way there.

    ``way`` is a path, then the starts of links to follow, each the first of the page that fits, or after a + what
    follows the address; or whose invitation to open, out of the mail that has left.
    """

    name: str
    who: str
    way: tuple[str, ...]
    kinds: tuple[str, ...] = LIGHT
    height: int = 1250
    side: str = "contractor"


WORK = "/assessments/"
INES, HANA = "ines.valdarno@orrery.example", "hana.kobayashi@orrery.example"
QUEUE, REVIEW = "/lab/queue", "/lab/reviews/*"
PINWHEEL = "/lab/vendors/pinwheel-text"


def _reviewer(name: str, *way: str, who: str = INES, kinds: tuple[str, ...] = LIGHT, height: int = 1000) -> Picture:
    return Picture(name, who, way, kinds, height, "reviewer")


REVIEWER = (
    _reviewer("queue", QUEUE, kinds=("light", "narrow"), height=1200),
    _reviewer("workspace", QUEUE, f"{REVIEW}#Quillmark", kinds=("light", "dark", "narrow"), height=900),
    _reviewer("bulk", QUEUE, f"{REVIEW}#Quillmark", "+/bulk"),
    _reviewer("glance", QUEUE, f"{REVIEW}#Copperline", "+/glance"),
    _reviewer("finish", QUEUE, f"{REVIEW}#Quillmark", "+/finish"),
    _reviewer("decision", QUEUE, f"{REVIEW}#Marrowstone", "+/decide", who=HANA, height=1400),
    _reviewer("decision-record", PINWHEEL, "/lab/decisions/*", height=1200),
    _reviewer("vendor", PINWHEEL, kinds=("light", "narrow"), height=1200),
    _reviewer("vendor-access", PINWHEEL, "+/access"),
    _reviewer("vendor-history", PINWHEEL, "+/history"),
    _reviewer("findings", "/lab/findings"),
    _reviewer("finding", f"{PINWHEEL}/findings", "/lab/findings/*", height=1200),
    _reviewer("policies", "/lab/policies", height=900),
    _reviewer("score", QUEUE, f"{REVIEW}#Quillmark", "+/score", height=1200),
    _reviewer("why-changed", PINWHEEL, "/lab/scores/*/against/*"),
    _reviewer("search", "/lab/search?q=quillmark", height=900),
)

PICTURES = (
    Picture("sign-in", "", ("/sign-in",), height=900),
    Picture("invitation", "", ("mail to zelda.moor@pellmore.example",), height=1000),
    Picture("home", "dagny.holt@brightseam.example", ("/",), ("light", "dark", "narrow")),
    Picture("home-renewal", "aurel.stanek@fernley.example", ("/",)),
    Picture("home-returned", "wanda.ostrow@northwick.example", ("/",), height=1000),
    Picture("home-submitted", "priya.raghunath@quillmark.example", ("/",), height=1000),
    Picture("home-decided", "anselm.quist@hollowbrook.example", ("/",), height=1000),
    Picture("section", "dagny.holt@brightseam.example", ("/s/gov",), ("light", "dark", "narrow")),
    Picture("section-renewal", "aurel.stanek@fernley.example", ("/s/ret",)),
    Picture("section-thread", "wanda.ostrow@northwick.example", ("/s/dat",)),
    Picture("confirm", "aurel.stanek@fernley.example", ("/", f"{WORK}*/renewal")),
    Picture("scoping", "emil.sorby@brightseam.example", ("/", f"{WORK}*/scoping")),
    Picture("read-ahead", "dagny.holt@brightseam.example", ("/", f"{WORK}*/read"), height=1000),
    Picture("offline", "dagny.holt@brightseam.example", ("/", f"{WORK}*/offline"), height=1000),
    Picture("answers-from-elsewhere", "dagny.holt@brightseam.example", ("/exchange",), height=900),
    Picture("more-time", "emil.sorby@brightseam.example", ("/", f"{WORK}*/more-time"), height=900),
    Picture("evidence", "aurel.stanek@fernley.example", ("/evidence",), height=1400),
    Picture("evidence-file", "aurel.stanek@fernley.example", ("/evidence", "/evidence/*#soc2"), height=1000),
    Picture("check", "farah.aldous@brightseam.example", ("/check",)),
    Picture("check-renewal", "cato.lindgren@fernley.example", ("/check",)),
    Picture("signed", "daniel.osei@quillmark.example", ("/check",), height=1000),
    Picture("send-back", "farah.aldous@brightseam.example", ("/check", f"{WORK}*/send-back"), height=1000),
    Picture("result", "anselm.quist@hollowbrook.example", ("/results", "/results/*"), ("light", "narrow"), 1500),
    Picture("result-second-look", "tamsin.roe@candlewick.example", ("/results", "/results/*"), height=1100),
    Picture(
        "points", "anselm.quist@hollowbrook.example", ("/results", "/results/*", "/results/*/answers"), height=1000
    ),
    Picture("finding", "anselm.quist@hollowbrook.example", ("/results", "/results/*", "/findings/*")),
    Picture("team", "emil.sorby@brightseam.example", ("/team",), height=1900),
    Picture("messages", "wanda.ostrow@northwick.example", ("/messages",), height=1000),
    Picture("mail", "dagny.holt@brightseam.example", ("/account/mail",), height=1200),
    Picture("account", "dagny.holt@brightseam.example", ("/account",), height=1200),
    Picture("everything", "emil.sorby@brightseam.example", ("/everything",), height=1000),
    Picture("openings", "priya.raghunath@quillmark.example", ("/everything/openings",), height=900),
    Picture("help", "", ("/help",), height=900),
    *REVIEWER,
)


@dataclass(frozen=True, slots=True)
class Demo:
    """The running demo, from what it wrote down of itself."""

    url: str
    password: str
    secrets: dict[str, str]

    @classmethod
    def of(cls, var: Path) -> Demo:
        """Read it.

        :raises SystemExit: if no demo was started there.
        """
        try:
            told = json.loads((var / "demo.json").read_text("utf-8"))
        except OSError:
            raise SystemExit(f"{var}/demo.json is not there: start the demo first, make run VAR={var}") from None
        secrets = {each["email"]: each["totp_secret"] for each in told["people"]}
        return cls(told["url"], told["password"], secrets)


class Studio:
    """Signs each person in once and keeps what the browser then knows."""

    def __init__(self, browser: Browser, demo: Demo) -> None:
        self._browser = browser
        self._demo = demo
        self._known: dict[str, StorageState] = {}

    @contextmanager
    def page(self, who: str, kind: str) -> Iterator[Page]:
        """Give a page of this person in one of the three kinds."""
        if who and who not in self._known:
            self._known[who] = self._sign_in(who)
        context = self._context(kind, self._known.get(who))
        try:
            yield context.new_page()
        finally:
            context.close()

    def _context(self, kind: str, known: StorageState | None = None) -> BrowserContext:
        narrow = kind == "narrow"
        return self._browser.new_context(
            viewport={"width": NARROW if narrow else WIDE, "height": 844 if narrow else 900},
            color_scheme="dark" if kind == "dark" else "light",
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="UTC",
            storage_state=known,
        )

    def _sign_in(self, who: str) -> StorageState:
        """Return the session of a person. A code counts once, so a second run waits for the next one."""
        context = self._context("light")
        page = context.new_page()
        for attempt in range(2):
            if attempt:
                time.sleep(totp.STEP_SECONDS - time.time() % totp.STEP_SECONDS)
            page.goto(urljoin(self._demo.url, "/sign-in"))
            secret = self._demo.secrets[who]
            code = totp.code_at(secret, int(time.time()) // totp.STEP_SECONDS)
            folded = page.get_by_text("Password and code", exact=True)
            if folded.is_visible():
                folded.click()
            page.fill("#email", who)
            page.fill("#password", self._demo.password)
            page.fill("#code", code)
            page.get_by_role("button", name="Sign in", exact=True).click()
            page.wait_for_load_state()
            if not page.url.endswith("/sign-in"):
                break
        else:
            raise SystemExit(f"{who} could not sign in at {self._demo.url}")
        known = context.storage_state()
        context.close()
        return known

    def open(self, page: Page, way: tuple[str, ...]) -> None:
        """Go to the first path, and from there from link to link."""
        start = self._invitation(way[0].removeprefix(MAIL_TO)) if way[0].startswith(MAIL_TO) else way[0]
        answer = page.goto(urljoin(self._demo.url, start))
        for step in way[1:]:
            more = page.url.partition("?")[0] + step[1:] if step.startswith("+") else _link(page, step)
            answer = page.goto(urljoin(self._demo.url, more))
        if answer is None or answer.status != 200:
            raise SystemExit(f"{page.url} answers {answer.status if answer else 'nothing'}")
        page.wait_for_load_state("networkidle")
        page.evaluate("() => { document.activeElement?.blur(); scrollTo(0, 0); }")

    def _invitation(self, email: str) -> str:
        """Return the link of an invitation, from the mail that the demo keeps for its program admin to read."""
        with self.page(POST_ROOM, "light") as page:
            page.goto(urljoin(self._demo.url, "/lab/mail"))
            mails = [link.get_attribute("href") or "" for link in page.locator('main a[href^="/lab/mail/"]').all()]
            for mail in mails:
                page.goto(urljoin(self._demo.url, mail))
                words = page.content()
                if email in words and (found := re.search(r"/invitation/[\w.~-]+", words)):
                    return found[0]
        raise SystemExit(f"No mail invites {email}")


def _link(page: Page, step: str) -> str:
    """Return the first link of the page that fits: * is an id, and what follows # stands in its words."""
    step, _, words = step.partition("#")
    start, _, _ = step.partition("*")
    whole = re.compile(re.escape(step).replace(r"\*", "[0-9a-f-]{36}"))
    for link in page.locator(f'main a[href^="{start}"]').all():
        href = (link.get_attribute("href") or "").partition("#")[0].partition("?")[0]
        if whole.fullmatch(href) and words in (link.text_content() or ""):
            return href
    raise SystemExit(f"{page.url} has no link to {step}")


def pressed(png: bytes) -> bytes:
    """Return the picture in at most 128 colours, which is enough for text and boxes."""
    out = io.BytesIO()
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in (128, 64, 32):
        out = io.BytesIO()
        small = image.quantize(colours, kmeans=2, dither=Image.Dither.NONE)
        small.save(out, "PNG", optimize=True)
        if out.tell() <= MOST_OF_ONE:
            break
    return out.getvalue()


def main() -> None:
    """Take all pictures, or those that are named, one by one or by their side."""
    demo = Demo.of(Path(os.environ.get("VAR", ROOT / "var")))
    wanted = set(sys.argv[1:])
    found = chromium.find()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(found.path),
            env={**os.environ, **found.env},
            args=[*found.args, "--font-render-hinting=none"],
        )
        studio = Studio(browser, demo)
        for picture in PICTURES:
            for kind in picture.kinds if not wanted or wanted & {picture.name, picture.side} else ():
                with studio.page(picture.who, kind) as page:
                    studio.open(page, picture.way)
                    width = NARROW if kind == "narrow" else WIDE
                    whole = int(page.evaluate("document.documentElement.scrollHeight"))
                    tall = min(whole, 2400 if kind == "narrow" else picture.height)
                    png = page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": tall})
                path = IMAGES / f"{picture.side}-{picture.name}-{kind}.png"
                path.write_bytes(pressed(png))
                sys.stdout.write(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1000} kB\n")
        browser.close()
    sizes = {each.name: each.stat().st_size for each in IMAGES.glob("*-*-*.png")}
    heavy = [name for name, size in sizes.items() if size > MOST_OF_ONE]
    if heavy or sum(sizes.values()) > MOST_OF_ALL:
        raise SystemExit(f"Too heavy: {', '.join(heavy) or 'all together'}, {sum(sizes.values()) // 1000} kB in all")


if __name__ == "__main__":
    main()

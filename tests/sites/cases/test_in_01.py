"""IN-01: what people type is shown, never run: no payload becomes an element or an attribute on any page or mail."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from werkzeug.test import TestResponse

from portal.attestations import service as attestations
from portal.identity.models import UserAccount
from portal.kernel.actor import system
from portal.reviews import service as reviews
from portal.reviews.service import Condition
from portal.terms import Verdict
from portal.vendors.models import Engagement, Vendor
from portal.wiring import House
from tests.factories.entered import make_report
from tests.factories.evidence import make_evidence
from tests.factories.reviews import wrong
from tests.factories.std import Std, finished, terms
from tests.rules import files
from tests.sites.cases.conftest import Browser
from tests.sites.cases.test_az_01 import objects_of
from tests.sites.cases.test_az_05 import mails_to
from tests.sites.cases.walking import crawl

pytestmark = pytest.mark.slow

MARK = "xsszq"
PAYLOADS = tuple(
    each.replace("!", MARK)
    for each in (
        "<script>!()</script>",
        '"><img src=x onerror=!()>',
        "'><svg onload=!()>",
        "</textarea><script>!()</script>",
        "</title><script>!()</script>",
        "<iframe srcdoc='<script>!()</script>'>",
        "javascript:!()",
        "<a href=javascript:!()>x</a>",
        "{{!}}${!}#{!}<%= ! %>",
        "<details open ontoggle=!()>",
        "<math><mtext><style><img src=x onerror=!()></style>",
        "<!--><img src=x onerror=!()>-->",
        "&lt;script&gt;!()&lt;/script&gt;",
        '" autofocus onfocus="!()',
        "' onmouseover='!()",
        "<meta http-equiv=refresh content=0;url=//!>",
        "<base href=//!>",
        "<form action=//!><button>go</button></form>",
        "<div hx-get=//! hx-trigger=load>",
        "]]><x xmlns=! onclick=!()>",
    )
)


class _Finder(HTMLParser):
    """Notes every element, attribute name and address that holds the mark as markup rather than as text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.run: list[str] = []
        self.shown = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            text = value or ""
            odd = MARK in name or (MARK in text and (name.startswith(("on", "hx-", "srcdoc", "style"))))
            away = MARK in text and (name in {"href", "src", "action", "formaction", "data"} or tag == "meta")
            ours = text.startswith(("/", "?", "#", "http://127.0.0.1", "http://localhost")) and not text.startswith(
                "//"
            )
            if odd or (away and not ours):
                self.run.append(f"<{tag} {name}={text!r}>")
        if MARK in tag:
            self.run.append(f"<{tag}>")

    def handle_data(self, data: str) -> None:
        if MARK in data:
            self.shown += 1
            if self.cdata_elem in {"script", "style"}:
                self.run.append(f"in a {self.cdata_elem}: {data[:80]}")

    def handle_comment(self, data: str) -> None:
        if MARK in data:
            self.run.append(f"<!--{data[:80]}-->")


def found(text: str) -> _Finder:
    finder = _Finder()
    finder.feed(text)
    finder.close()
    return finder


def poison(house: House, std: Std, all_at_once: str) -> None:
    """Put payloads into everything that both sides can type."""
    a = std.a
    with house.ledger.begin(system("test")) as tx:
        vendor = tx.session.get_one(Vendor, a.desk.vendor_id)
        vendor.name = vendor.legal_name = all_at_once
        engagement = tx.session.get_one(Engagement, a.desk.engagement_id)
        engagement.project = engagement.purpose = all_at_once
        for someone in (a.desk.respondent, a.second, std.lab["r1"], std.lab["l2"]):
            row = tx.session.get_one(UserAccount, someone.id)
            row.full_name = row.title = all_at_once
    for at, question in enumerate(a.desk.visible()):
        payload = PAYLOADS[at % len(PAYLOADS)]
        with a.desk.at(a.desk.respondent.actor) as (tx, row):
            line = attestations.answers_of(tx, row)[question.key]
        with a.desk.at(a.desk.admin.actor) as (tx, row):
            raw = {"comment": payload, "na_reason": payload, "choice": line.answer.choice or ""}
            if line.answer.number is not None:
                raw["number"] = str(line.answer.number)
            raw |= {f"details.{each.key}": payload for each in question.details if each.kind.value == "text"}
            if question.kind.value == "text":
                raw["text"] = payload
            attestations.save_answer(tx, assessment=row, question_key=question.key, raw=raw, version=line.version)
            attestations.post_message(tx, assessment=row, question_key=question.key, body=payload)
    for payload in PAYLOADS[:6]:
        name = payload.replace("/", "").replace('"', "")[:60] + ".pdf"
        file = make_evidence(house, a.desk.respondent, files.pdf(), name=name, title=payload)
        a.desk.cite(a.desk.visible()[0].key, file.id)
    typed = ("auditor", "system", "exception_rows-0-text", "carve_out_rows-0-organisation", "user_control_rows-0-text")
    make_report(house, a.desk.respondent, **{name: PAYLOADS[at] for at, name in enumerate(typed)})
    a.desk.sign()
    bench = std.bench(a)
    bench.claim()
    for at, key in enumerate(bench.open_keys()[:20]):
        payload = PAYLOADS[at % len(PAYLOADS)]
        with bench.at(bench.reviewer.actor) as (tx, review):
            reviews.note_internal(tx, review=review, question_key=key, body=payload)
        if at < 8:
            bench.judge(key, Verdict.FLAG, wrong=wrong(what=payload, closes_when=payload, credit=None), note=payload)


@pytest.fixture
def poisoned(house: House, std: Std) -> Std:
    poison(house, std, PAYLOADS[1] + PAYLOADS[0])
    finished(std, std.a)
    bench = std.bench(std.a)
    condition = (Condition(PAYLOADS[0], terms()["conditions"][0].due_on),)
    given = terms(letter=PAYLOADS[3], reason=PAYLOADS[2], conditions=condition)
    bench.sign(bench.second, bench.propose(bench.lead, **given))
    return std


def check(path: str, answer: TestResponse) -> int:
    if answer.mimetype != "text/html":
        return 0
    finder = found(answer.get_data(as_text=True))
    assert finder.run == [], f"{path}: {finder.run[:3]}"
    return finder.shown


def test_the_finder_finds_what_would_run() -> None:
    harmless = {f"javascript:{MARK}()", PAYLOADS[8], PAYLOADS[12], PAYLOADS[13], PAYLOADS[14]}
    assert [each for each in PAYLOADS if not found(each).run and each not in harmless] == []
    assert found(f'<input value="{PAYLOADS[13]}">').run
    assert found(f"<a href='{PAYLOADS[6]}'>x</a>").run


def test_IN_01_no_payload_becomes_markup_on_any_page_or_mail(poisoned: Std, browser: Browser) -> None:
    std, shown = poisoned, 0
    review = objects_of(std, std.a)["review_id"][0]
    decision = objects_of(std, std.a)["decision_id"][0]
    for someone in (std.a.desk.admin, std.a.desk.respondent):
        for path, answer in crawl(
            browser(someone), ["/", "/evidence", "/team", "/results", "/account"], alike=6
        ).items():
            shown += check(path, answer)
    start = ["/lab/queue", f"/lab/vendors/{std.a.slug}", f"/lab/reviews/{review}", f"/lab/decisions/{decision}"]
    start += ["/lab/audit", "/lab/evidence", "/lab/vendors", "/lab/admin/users", "/lab/mail"]
    for name in ("r1", "pa"):
        for path, answer in crawl(browser(std.lab[name]), start, alike=3).items():
            shown += check(path, answer)
    for subject, text in mails_to(std.house, std.a).items():
        finder = found(text.partition("<!doctype")[2])
        assert finder.run == [], subject
    assert shown > 200, "the payloads are shown as text"

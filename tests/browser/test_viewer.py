"""Looking at evidence in a real browser: pages, keys, searches, tables; and nothing of a file ever runs (FI-01)."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from portal.evidence import intake, reading
from portal.kernel.actor import system
from portal.kernel.sniff import CONTENT_TYPES, Sniffed, kind_of
from portal.wiring import House
from tests.browser.conftest import seen_as
from tests.factories.evidence import make_evidence
from tests.factories.identity import FACTORY, Person, person
from tests.factories.pdfs import scanned_pdf, text_pdf, wrapped
from tests.factories.vendors import make_vendor
from tests.rules import files

pytestmark = pytest.mark.browser

INVENTORY = (
    "Device register of Quillmark Annotation\n\nWho keeps it, and how often it is compared with what is on the desks.",
    "Appendix B. Endpoint inventory by site, 30 November 2026\n\n"
    + wrapped("Manila has 65 laptops, of which 4 are enrolled in device management and none has its disk encrypted.")
    + "\n\n"
    + wrapped("Laptops of the Manila site are rented until January. Replacements were ordered on 12 November."),
    "Annotators of the Manila site work in a browser; local storage is blocked by policy.",
)
EVIL = b"<html><body><script>alert('ran')</script><img src=x onerror=alert('ran')></body></html>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert('ran')</script></svg>"
HOSTILE = {
    "page.html": EVIL,
    "picture.svg": SVG,
    "sheet.xml": b"<?xml version='1.0'?><?xml-stylesheet type='text/xsl' href='#x'?><x/>",
    "mail.mhtml": b"MIME-Version: 1.0\nContent-Type: text/html\n\n" + EVIL,
    "both.gif": b"GIF89a/*" + b"\x00" * 20 + b"*/=1;alert('ran')",
    "script.pdf": files.pdf(catalog="/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>"),
    "polyglot.png": files.png(extra=EVIL),
}


@pytest.fixture
def priya(house: House) -> Person:
    with house.ledger.begin(FACTORY) as tx:
        vendor_id = make_vendor(tx).id
    return person(house, roles=["respondent", "vendor_admin"], vendor=vendor_id, name="Priya Raghunath")


@pytest.fixture
def hana(house: House) -> Person:
    return person(house, roles=["reviewer"], name="Hana Veldkamp")


def make_read(house: House, who: Person, body: bytes, **fields: Any) -> UUID:
    """A PDF whose text was read."""
    row = make_evidence(house, who, body, **fields)
    reading.read(house.ledger, system("test"), store=house.store, evidence_id=row.id)
    return row.id


def drawn(page: Page) -> None:
    """The picture of the page is there."""
    picture = page.locator("img[data-page]")
    expect(picture).to_be_visible()
    picture.evaluate("image => image.decode()")
    assert picture.evaluate("image => image.naturalWidth") > 300


def workbook() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for line in (
        ["Site", "Laptops", "Encrypted"],
        ["Lisbon", 88, 88],
        ["Manila", 65, 0],
        ["<script>alert(1)</script>"],
    ):
        book.active.append(line)
    book.create_sheet("Leavers").append(["Name", "Left on"])
    book.save(out)
    return out.getvalue()


def test_pages_are_turned_by_keys_and_links_and_searched(
    visit: Callable[..., Page], house: House, priya: Person, hana: Person, axe: Callable[..., None]
) -> None:
    row = make_read(house, priya, text_pdf(INVENTORY), name="device-list-nov.pdf", kind="SOC2", details={})
    page = visit(hana, f"/lab/evidence/{row}")
    drawn(page)
    page.keyboard.press("]")
    expect(page.get_by_role("heading", name="Page 2 of 3")).to_be_visible()
    page.keyboard.press("[")
    expect(page.get_by_role("heading", name="Page 1 of 3")).to_be_visible()

    page.get_by_label("Search in the text").fill("manila")
    page.keyboard.press("]")
    expect(page.get_by_label("Search in the text")).to_have_value("manila]")
    page.get_by_label("Search in the text").fill("manila")
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 hits for “manila” on 2 pages.")).to_be_visible()
    expect(page.get_by_role("heading", name="Page 2 of 3")).to_be_visible()
    drawn(page)
    axe(page)

    page.goto(page.url.partition("/lab/")[0] + "/account")
    page.get_by_role("button", name="Switch single keys off").click()
    page.goto(page.url.partition("/account")[0] + f"/lab/evidence/{row}?page=2")
    page.keyboard.press("]")
    expect(page.get_by_role("heading", name="Page 2 of 3")).to_be_visible()

    plain = visit(hana, f"/lab/evidence/{row}?page=3", script=False)
    expect(plain.get_by_role("heading", name="Page 3 of 3")).to_be_visible()
    plain.get_by_label("Go to page").fill("1")
    plain.get_by_role("button", name="Go", exact=True).click()
    expect(plain.get_by_role("heading", name="Page 1 of 3")).to_be_visible()
    plain.get_by_role("link", name="Larger").click()
    expect(plain.get_by_text("150 %")).to_be_visible()

    own = visit(priya, f"/evidence/{row}")
    seen = own.get_by_role("row", name="Hana Veldkamp")
    expect(seen).to_contain_text("pages 1–3, search in the text")


def test_a_page_that_does_not_come_is_said(
    visit: Callable[..., Page], house: House, priya: Person, hana: Person
) -> None:
    body = files.pdf(pages=2).replace(
        b"4 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] >>", b"4 0 obj\n" + b"7".ljust(55)
    )
    row = make_evidence(house, priya, body)
    page = visit(hana, f"/lab/evidence/{row.id}?page=2")

    expect(page.get_by_text("This page could not be shown.")).to_be_visible()
    for _ in range(2):
        page.get_by_role("link", name="Load it again to read why").click()
        page.wait_for_load_state("networkidle")
    page.reload()
    expect(page.get_by_text("We tried 3 times and stopped until tomorrow.")).to_be_visible()


def test_the_viewer_reads_well(
    visit: Callable[..., Page],
    house: House,
    priya: Person,
    hana: Person,
    axe: Callable[..., None],
    shot: Callable[..., Path],
    no_sideways: Callable[[Page], None],
) -> None:
    report = make_read(house, priya, text_pdf(INVENTORY), name="device-list-nov.pdf", kind="SOC2", details={})
    scan = make_read(house, priya, scanned_pdf(), name="scan.pdf", kind="LOG", details={})
    table = make_evidence(house, priya, workbook(), name="laptops.xlsx", kind="LOG", details={}).id
    for who, path, name in (
        (hana, f"/lab/evidence/{report}?find=Manila", "viewer-lab"),
        (hana, f"/lab/evidence/{scan}?find=Manila&zoom=150", "viewer-scan"),
        (hana, f"/lab/evidence/{table}", "viewer-table"),
    ):
        page = visit(who, path)
        if "table" not in name:
            drawn(page)
        for theme, width in (("light", 1440), ("dark", 390)):
            seen_as(page, theme, width)
            no_sideways(page)
            axe(page)
            shot(page, f"{name}-{theme}-{width}")


def test_FI_01_hostile_files_are_refused_where_they_are_chosen(visit: Callable[..., Page], priya: Person) -> None:
    page = visit(priya, "/evidence", script=False)
    for name, body in HOSTILE.items():
        page.get_by_label("Type of evidence").select_option(label="Policy")
        page.locator("input[type=file]").set_input_files(
            {"name": name, "mimeType": "application/octet-stream", "buffer": body}
        )
        page.get_by_role("button", name="Upload", exact=True).click()
        expect(page.locator(".err").first).to_contain_text("file")
        page.goto(page.url.split("/evidence")[0] + "/evidence")
    expect(page.locator("main")).not_to_contain_text("In your library.")


MISSED = (
    ("page.html", "pdf"),
    ("page.html", "txt"),
    ("picture.svg", "png"),
    ("sheet.xml", "docx"),
    ("mail.mhtml", "csv"),
    ("both.gif", "jpg"),
    ("script.pdf", "pdf"),
    ("polyglot.png", "png"),
)


def test_FI_01_nothing_of_a_file_runs_on_any_offered_link_even_if_the_checks_had_missed_it(
    visit: Callable[..., Page], house: House, priya: Person, hana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blind(_path: Path, name: str, **_: object) -> Sniffed:
        return Sniffed(kind_of(name), CONTENT_TYPES[kind_of(name)], 1)

    monkeypatch.setattr(intake, "sniff", blind)
    ran: list[str] = []
    page = visit(hana, "/lab")
    page.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
    home = page.url.split("/lab")[0]
    for name, ending in MISSED:
        row = make_evidence(house, priya, HOSTILE[name], name=f"{name}.{ending}", kind="LOG", details={})
        page.goto(f"{home}/lab/evidence/{row.id}", wait_until="networkidle")
        offered = page.locator("main a[href*='/lab/evidence/'], main img[data-page]")
        addresses = set(offered.evaluate_all("all => all.map(each => each.href || each.src)"))
        assert any(each.endswith("/file") for each in addresses)
        for address in addresses:
            answer = page.request.get(address)
            said = answer.headers
            assert said["x-content-type-options"] == "nosniff"
            if said["content-type"].startswith("text/html"):
                assert answer.status == 409 or "script-src 'nonce-" in said["content-security-policy"]
                assert not {"<script>alert", "onload='"} & set(answer.text().split("('ran"))
                continue
            assert said["content-security-policy"] == "default-src 'none'; sandbox"
            assert said["content-type"].split(";")[0] not in {"image/svg+xml", "text/xml", "application/xml"}
            if address.endswith("/file"):
                assert said["content-disposition"].startswith("attachment;")
                with page.expect_download():
                    page.evaluate("address => { location.href = address; }", address)
    assert ran == []

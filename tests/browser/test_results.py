"""From the mail of a decision to what to fix first, and from the proof to an open gate, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from portal.delivery import queries as mails
from portal.delivery.render import render
from portal.delivery.rules import Frame
from portal.findings import second_look
from portal.identity import service as identity
from portal.jobs.worker import run_worker
from portal.kernel import signing
from portal.terms import Role, Scope
from portal.vendors.models import Vendor
from portal.wiring import House
from tests.browser.counting import Job
from tests.factories.identity import person
from tests.factories.remedies import (
    ALSO,
    FLAGGED,
    SYSTEM,
    conditional,
    finding,
    outcome_of,
    proof_file,
    send,
)
from tests.factories.reviews import Bench
from tests.rules import files

pytestmark = pytest.mark.browser

SIZES = ((1440, 900, True), (390, 844, False))


def mailed(made: Bench, live: str) -> str:
    """Return the mail of the decision, as a mail program shows it."""
    run_worker(made.house, once=True)
    with made.house.ledger.begin(SYSTEM) as tx:
        body = next(
            mails.mail(tx, line.id)
            for line in mails.mails(tx, limit=500)
            if mails.mail(tx, line.id).line.kind == "decision"
        )
    frame = Frame(lab_name="Orrery", base_url=live)
    sent = render("decision", body.context, to_name="Marisol", frame=frame, link_token=lambda _: "")
    return sent.html


def in_sight(page: Page, words: str) -> bool:
    box = page.get_by_text(words).first.bounding_box()
    size = page.viewport_size
    assert size
    return box is not None and box["y"] >= 0 and box["y"] + box["height"] <= size["height"]


def test_j8_one_press_or_one_key_from_the_mail_to_what_to_fix_first(
    house: House, live_server: str, visit: Callable[..., Page]
) -> None:
    made = conditional(house, keys=(FLAGGED, ALSO))
    mail = mailed(made, live_server)
    for width, height, script in SIZES:
        page = visit(made.desk.admin, "/help", width=width, height=height, script=script)
        job = Job(page, script=script)
        for way in ("key", "pointer"):
            page.goto("about:blank")
            page.set_content(mail)
            job.begins()
            button = page.get_by_role("link", name="Read the decision")
            with page.context.expect_page() as opened:
                job.press(button) if way == "pointer" else press_by_key(job, button)
            expect(opened.value.get_by_role("heading", level=1)).to_have_text("Approved with conditions")
            assert in_sight(opened.value, "Fix first:")
            assert opened.value.evaluate("scrollY") == 0
            job.costs(clicks=1 if way == "pointer" else 0, keys=1, loads=1)


@pytest.mark.parametrize("script", [True, False], ids=["presses", "keys, no script"])
def test_j15_proof_in_two_presses_closed_in_two_and_the_gate_opens(
    house: House, live_server: str, visit: Callable[..., Page], tmp_path: Path, script: bool
) -> None:
    signing.make_file(house.signing_keys, now=house.instant())
    made = conditional(house)
    with house.ledger.begin(made.admin.fresh) as tx:
        until = tx.now.replace(year=tx.now.year + 1)
        _, token = identity.create_client(tx, name="IAM", scopes=[Scope.GATE_READ], vendor_ids=None, expires_at=until)
        slug = tx.session.get_one(Vendor, made.desk.vendor_id).slug
    proof = tmp_path / "mdm-export.pdf"
    proof.write_bytes(files.pdf(pages=3))
    vendor = visit(made.desk.respondent, f"/findings/{finding(made).id}", script=script)
    lab = visit(made.reviewer, "/lab/findings", fresh=True, script=script)
    proving, closing = Job(vendor, script=script), Job(lab, script=script)

    def gate() -> str:
        asked = {"vendor": slug, "data_class": "D3", "access_mode": "A2", "purpose": "labelling"}
        answer = lab.request.get(
            f"{live_server}/api/v1/gate", params=asked, headers={"Authorization": f"Bearer {token}"}
        )
        return str(answer.json()["decision"])

    assert gate() == "deny"
    picker = vendor.get_by_label("Upload a file for F-1")
    with vendor.expect_file_chooser() as chosen:
        proving.press(picker) if script else press_by_key(proving, picker)
    chosen.value.set_files(proof)
    if script:
        expect(vendor.get_by_role("radio", name="mdm-export.pdf")).to_be_checked()
        proving.press("button", "Send proof for F-1")
    else:
        press_by_key(proving, vendor.get_by_role("button", name="Upload for F-1"))
    expect(vendor.get_by_text("Your proof is with us.")).to_be_visible()

    lab.reload()
    closing.begins()
    for what in (
        lab.get_by_role("link", name="F-1"),
        lab.get_by_role("button", name="Verify and close F-1"),
    ):
        closing.press(what) if script else press_by_key(closing, what)
    expect(lab.get_by_role("status")).to_contain_text("F-1 is closed.")
    assert gate() == "allow"
    proving.costs(clicks=2, loads=1)
    closing.costs(clicks=2, loads=2)


def test_u4_the_result_and_the_log_print_as_dark_words_on_white_without_what_is_for_screens(
    house: House, visit: Callable[..., Page]
) -> None:
    made = conditional(house)
    auditor = person(house, roles=[Role.AUDITOR], name="Noor Haddad")
    for who, path, title in (
        (made.desk.signatory, f"/results/{outcome_of(made).id}", "Approved with conditions"),
        (auditor, "/lab/audit", "Audit log"),
    ):
        page = visit(who, path, theme="dark")
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        page.emulate_media(media="print")
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        seen, ground, inks = page.evaluate(
            """() => [
              [...document.querySelectorAll(".top, .rail, .foot, .btn")].filter((it) => it.checkVisibility()).length,
              getComputedStyle(document.body).backgroundColor,
              [...document.querySelectorAll("h1, main p, main td")].map((it) => getComputedStyle(it).color),
            ]"""
        )
        assert seen == 0
        assert ground == "rgb(255, 255, 255)"
        assert len(inks) > 5
        # The first number of OKLCH is the lightness; 0.62 on white is what small words need.
        assert [ink for ink in inks if not re.match(r"oklch\(0(\.[0-5]|\.6[01]|\s)", ink)] == []


def press_by_key(job: Job, what: Locator) -> None:
    what.focus()
    job.key("Enter")


def test_the_labs_pages_are_accessible(
    house: House, visit: Callable[..., Page], axe: Callable[..., None], no_sideways: Callable[[Page], None]
) -> None:
    made = conditional(house)
    send(made, proof_file(made))
    with house.ledger.begin(made.desk.signatory.actor) as tx:
        look = second_look.ask(tx, outcome=outcome_of(made), reason="The export was of another tenant.")
    lab = visit(made.third, "/lab/findings", width=390, theme="dark")
    for path in ("/lab/findings", f"/lab/findings/{finding(made).id}", "/lab/appeals", f"/lab/appeals/{look.id}"):
        lab.goto(lab.url.split("/lab")[0] + path)
        axe(lab)
        no_sideways(lab)

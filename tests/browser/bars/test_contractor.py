"""Every page of the contractor in every state, with every standing bar held to it: one load a page, all looks.

Each test is a group of pages that share a beginning; together they are all pages a contractor can see.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.assessments import more_time, waits
from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.delivery import unsubscribing
from portal.delivery.channels import Group
from portal.exchange.rules.merge import Choice
from portal.findings import second_look
from portal.identity import service as identity
from portal.kernel.actor import system
from portal.terms import Role, Side
from portal.wiring import House
from tests.browser.bars import checks
from tests.browser.bars.walk import Walk
from tests.browser.test_evidence import fill as fill_library
from tests.browser.test_team import in_every_state
from tests.browser.test_viewer import INVENTORY, make_read
from tests.browser.test_viewer import workbook as spreadsheet
from tests.conftest import NOW
from tests.factories import office
from tests.factories.attestations import Desk, desk
from tests.factories.evidence import make_evidence
from tests.factories.exchange import make_brought
from tests.factories.identity import person
from tests.factories.pdfs import text_pdf
from tests.factories.remedies import ALSO, FLAGGED, conditional, finding, give_back, outcome_of, proof_file, send
from tests.factories.renewing import renewal
from tests.factories.vendors import make_vendor
from tests.rules import files
from tests.rules.exchange.workbooks import caiq
from tests.rules.questionnaires.every_kind import EVERY_KIND
from tests.sites.vendor.test_exchange import SAID
from tests.sites.vendor.test_exchange import workbook as answered_elsewhere
from tests.sites.vendor.test_results import BODY

pytestmark = pytest.mark.browser
SYSTEM = system("test")


def press(page: Page, name: str) -> None:
    """Press a button by its words, the last of that name."""
    page.get_by_role("button", name=name).last.click()
    page.wait_for_load_state()


def refused(walk: Walk, name: str, page: Page, button: str, *, says: str = "") -> None:
    """Press a button without filling anything in; what the page says then is held to every bar."""
    press(page, button)
    expect(page.get_by_role("alert").first).to_be_visible()
    walk.look(name, page, says=says)


def test_the_way_in(walk: Walk, house: House, clock: Any) -> None:
    made = desk(house)
    links = {}
    with house.ledger.begin(made.admin.actor) as tx:
        for name in ("lena", "expired"):
            invited = identity.invite(
                tx,
                email=f"{name}@quillmark.example",
                full_name="Lena Brandt",
                roles=[Role.RESPONDENT],
                side=Side.VENDOR,
                vendor_id=made.vendor_id,
                keyring=house.keyring,
            )
            links[name] = identity.link_path(invited, house.keyring)
            if name == "expired":
                invited.expires_at = tx.now
    door = walk.visit("sign-in", None, "/sign-in")
    door.get_by_label("Work e-mail").fill("nobody@quillmark.example")
    door.get_by_label("Password", exact=True).fill("wrong")
    door.get_by_label("Authenticator code").fill("000000")
    press(door, "Sign in")
    walk.look("sign-in-refused", door, says="We could not sign you in")
    reset = walk.visit("reset", None, "/reset")
    press(reset, "Send")
    walk.look("reset-refused", reset)
    walk.visit("reset-dead", None, "/reset/nothing")
    joining = walk.visit("invitation", None, links["lena"], says="Lena Brandt")
    refused(walk, "invitation-refused", joining, "Create account")
    walk.visit("invitation-expired", None, links["expired"])
    walk.visit("invitation-dead", None, "/invitation/nothing")
    for name in ("help", "accessibility", "privacy", "security"):
        walk.visit(name, None, f"/{name}")
    walk.visit("not-found", made.admin, "/nothing-here")
    walk.end()


def test_the_account(walk: Walk, house: House) -> None:
    made = desk(house)
    account = walk.visit("account", made.admin, "/account")
    refused(walk, "account-refused", account, "Change password")
    walk.visit("mail", made.admin, "/account/mail")
    walk.visit("step-up", made.admin, "/step-up?next=/everything")
    token = unsubscribing.token_of(house.keyring, user_id=made.admin.id, groups=[Group.DATES], on=NOW.date())
    walk.visit("unsubscribe", None, f"/unsubscribe/{token}")
    walk.visit("everything", made.admin, "/everything")
    walk.visit("everything-not-mine", made.respondent, "/everything")
    walk.visit("openings-empty", made.admin, "/everything/openings")
    walk.visit("messages-empty", made.admin, "/messages")
    walk.end()


@pytest.fixture
def quillmark(house: House) -> Desk:
    """A vendor that was asked everything, with a few answers, a file and a question of the lab."""
    made = desk(house, slug="ai-contractor", data_classes=[4], access_modes=["A3"])
    made.settle_scoping()
    made.save("gov.owner", {"choice": "yes", "comment": "Our CTO reports every quarter."})
    made.save("gov.policy", {"choice": "partial", "comment": "Freelancers follow.", "planned_on": "2027-01-31"})
    made.cite("gov.policy", made.file(), "3, 5-7")
    with made.at(SYSTEM) as (tx, row):
        attestations.post_message(tx, assessment=row, question_key="gov.risk", body="When is the next one due?")
        assessments.assign_section(tx, assessment=row, section="iam", user_id=made.admin.id)
    return made


def test_answering(walk: Walk, quillmark: Desk) -> None:
    made, here = quillmark, f"/assessments/{quillmark.assessment_id}"
    section = walk.visit("section", made.respondent, f"{here}/s/gov")
    section.get_by_label("Yes, it is complete").check()
    press(section, "Save and go to section 2")
    walk.look("section-refused", section, says="There is a problem")
    walk.visit("section-of-another", made.respondent, f"{here}/s/iam")
    walk.visit("history", made.respondent, f"{here}/s/gov/gov.owner/history")
    walk.visit("messages", made.respondent, "/messages")
    scoping = walk.visit("scoping", made.admin, f"{here}/scoping")
    del scoping
    walk.visit("read-ahead", made.admin, f"{here}/read")
    walk.visit("check-blocked", made.signatory, f"{here}/check", fresh=True)
    walk.end()


def test_every_kind_of_question(walk: Walk, house: House) -> None:
    made = desk(house, slug="every-kind", source=EVERY_KIND.encode(), name="Brightseam Data")
    walk.visit("scoping-first", made.admin, f"/assessments/{made.assessment_id}/scoping")
    made.settle_scoping()
    made.save("sco.level", {"choice": "type1", "details.period.from": "2025-01-01"})
    made.save("sco.hours", {"number": "80"})
    made.save("fac.page", {"url": "https://trust.example/security"})
    for part in ("scored", "facts"):
        walk.visit(f"kinds-{part}", made.respondent, f"/assessments/{made.assessment_id}/s/{part}")
    walk.end()


def test_home_in_each_state(walk: Walk, house: House, clock: Any) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        idle = make_vendor(tx, "Marrowstone Labs").id
    nobody = person(house, roles=[Role.RESPONDENT], vendor=idle, name="Ada Nobody")
    walk.visit("home-asked-nothing", nobody, "/")
    walk.visit("results-none", nobody, "/results")
    first = desk(house, name="Northpier Labelling")
    walk.visit("home-first-visit", first.admin, "/")
    made = desk(house)
    made.settle_scoping()
    asked = made.visible()
    made.answer(leave=[each.key for each in asked[::4]])
    with made.at(made.admin.actor) as (tx, row):
        assessments.assign_section(tx, assessment=row, section=asked[0].section, user_id=made.respondent.id)
    with house.ledger.begin(SYSTEM) as tx:
        waits.publish(tx, cases=23, begun=2, decided=6, most=10)
        body = {"act": "approve", "valid_until": "2027-01-31"}
        assessments.publish_card(tx, vendor_id=made.vendor_id, engagement_id=made.engagement_id, body=body)
    walk.visit("home", made.admin, "/")
    more = walk.visit("more-time", made.admin, f"/assessments/{made.assessment_id}/more-time")
    refused(walk, "more-time-refused", more, "Send to Orrery")
    with made.at(made.admin.actor) as (tx, row):
        more_time.ask_more_time(tx, assessment=row, wished_on=date(2027, 1, 15), reason="Two of us are ill.")
    walk.visit("home-more-time-asked", made.admin, "/")
    clock.advance(days=30)
    walk.visit("home-overdue", made.signatory, "/")
    made.complete()
    made.sign()
    with made.at(SYSTEM) as (tx, row):
        assessments.take_into_review(tx, assessment=row)
        attestations.post_message(tx, assessment=row, question_key=asked[0].key, body="Who can open the seal?")
    walk.visit("home-tracker", made.signatory, "/")
    with made.at(SYSTEM) as (tx, row):
        assessments.request_changes(tx, assessment=row, keys=[asked[0].key])
    walk.visit("home-returned", made.signatory, "/")
    walk.end()


def test_a_renewal(walk: Walk, house: House) -> None:
    asked = renewal(house)
    who = asked.desk.respondent
    walk.visit("renewal-home", who, asked.home)
    walk.visit("renewal-list", who, f"{asked.home}/renewal")
    walk.visit("renewal-section", who, asked.section("acc"))
    walk.visit("renewal-changing", who, f"{asked.section('acc')}?change=acc.mfa")
    walk.end()


def test_offline(walk: Walk, house: House, tmp_path: Path) -> None:
    made = desk(house)
    made.settle_scoping()
    made.save("ret.days", {"number": "30", "comment": "In the contract."})
    made.save("wrk.nda", {"choice": "yes"})
    made.save("seg.reuse", {"choice": "yes"})
    data = office.answering(office.exported(made), {"ret.days": 45, "wrk.nda": "partly", "seg.reuse": "1,500"})
    made.save("ret.days", {"number": "60"}, actor=made.admin.actor)
    line, taken = (office.stage(made, office.read(data, tmp_path)) for _ in range(2))
    root = f"/assessments/{made.assessment_id}/offline"
    page = walk.visit("offline", made.respondent, root)
    refused(walk, "offline-refused", page, "Compare")
    page = walk.visit("offline-compare", made.respondent, f"{root}/{line.id}")
    refused(walk, "offline-compare-refused", page, "Take these answers")
    office.apply(made, taken, {"ret.days": Choice.MINE})
    walk.visit("offline-taken", made.respondent, f"{root}/{taken.id}")
    walk.end()


def test_bringing_answers_in(walk: Walk, house: House, tmp_path: Path) -> None:
    made = desk(house)
    who = made.respondent
    key = next(each.key for each in made.visible() if each.maps.get("ccm") == "GRC-06")
    file = tmp_path / "our-caiq.xlsx"
    file.write_bytes(answered_elsewhere(caiq(SAID)))
    page = walk.visit("exchange-empty", who, "/exchange")
    refused(walk, "exchange-refused", page, "Read the workbook")
    page.goto(walk.server + "/exchange")
    page.get_by_label("Your completed workbook").set_input_files(file)
    press(page, "Read the workbook")
    walk.look("exchange-confirm", page, says="Confirm the version first.")
    page.get_by_label("Version", exact=True).fill("4.0.7")
    press(page, "Confirm the version")
    walk.look("exchange-set", page)
    part = made.questionnaire.question(key).section
    walk.visit("section-suggested", who, f"/assessments/{made.assessment_id}/s/{part}")
    brought = make_brought(made)
    walk.visit("exchange-list", who, "/exchange")
    walk.visit("exchange-withdraw", who, f"/exchange/sets/{brought['set_id']}/withdraw")
    walk.visit("exchange-fill", who, f"/exchange/fill/{made.assessment_id}")
    walk.visit("exchange-pack", who, f"/exchange/pack/{made.assessment_id}")
    walk.visit("exchange-plan", who, f"/exchange/packs/{brought['pack_id']}")
    walk.end()


def test_evidence(walk: Walk, house: House) -> None:
    made = desk(house)
    who = made.respondent
    empty = walk.visit("evidence-empty", who, "/evidence")
    empty.get_by_label("Type of evidence").select_option(label="Policy")
    locked = {"name": "locked.pdf", "mimeType": "application/pdf", "buffer": files.pdf(trailer="/Encrypt 9 0 R")}
    empty.locator("input[type=file]").set_input_files(locked)  # type: ignore[arg-type]
    expect(empty.locator("[data-upload-rows]")).to_contain_text("The file is password-protected.")
    walk.look("evidence-refused", empty)
    rows = fill_library(house, who)
    walk.visit("evidence", who, "/evidence")
    walk.visit("evidence-file", who, f"/evidence/{rows[0].id}")
    details = walk.visit("evidence-details", who, f"/evidence/{rows[0].id}/details")
    details.locator("main input[type=date]").first.fill("")
    refused(walk, "evidence-details-refused", details, "Save the details")
    walk.visit("evidence-remove", who, f"/evidence/{rows[0].id}/remove")
    report = make_read(house, who, text_pdf(INVENTORY), name="device-list-nov.pdf", kind="SOC2", details={})
    walk.visit("viewer", who, f"/evidence/{report}/view?page=2")
    table = make_evidence(house, who, spreadsheet(), name="laptops.xlsx", kind="LOG", details={}).id
    walk.visit("viewer-table", who, f"/evidence/{table}/view")
    settles = made.file(kind="POL", title="Acceptable use")
    walk.visit("evidence-settles", who, f"/evidence/{settles}")
    walk.visit("openings", made.admin, "/everything/openings")
    walk.end()


def test_check_and_sign(walk: Walk, house: House) -> None:
    made = desk(house)
    made.complete()
    made.sign()
    made.send_back("gov.owner")
    made.reply("gov.owner")
    made.save("gov.owner", {"choice": "no", "comment": "She left in November."})
    here = f"/assessments/{made.assessment_id}"
    walk.visit("check-not-authorised", made.respondent, f"{here}/check")
    check = walk.visit("check", made.signatory, f"{here}/check", fresh=True)
    refused(walk, "check-refused", check, "Sign and submit")
    back = walk.visit("send-back", made.signatory, f"{here}/send-back?q=gov.owner", fresh=True)
    refused(walk, "send-back-refused", back, "Send back")
    back.get_by_label("1.1 Executive owner").fill("Who has it now?")
    press(back, "Send back")
    walk.visit("home-sent-back", made.admin, here)
    made.sign()
    walk.visit("signed", made.signatory, f"{here}/check", fresh=True)
    walk.visit("withdraw", made.signatory, f"{here}/withdraw", fresh=True)
    walk.end()


def test_results(walk: Walk, house: House) -> None:
    made = conditional(house, keys=(FLAGGED, ALSO))
    who, told = made.desk.signatory, outcome_of(made)
    walk.visit("results", who, "/results")
    walk.visit("result", who, f"/results/{told.id}")
    walk.visit("result-answers", who, f"/results/{told.id}/answers")
    page = walk.visit("finding", who, f"/findings/{finding(made).id}")
    refused(walk, "finding-refused", page, "Send proof for F-1")
    step = send(made, proof_file(made))
    walk.visit("finding-sent", who, f"/findings/{finding(made).id}")
    give_back(made, step)
    walk.visit("finding-returned", who, f"/findings/{finding(made).id}")
    walk.visit("result-returned", who, f"/results/{told.id}")
    look = walk.visit("second-look", who, f"/results/{told.id}/second-look")
    refused(walk, "second-look-refused", look, "Ask for a second look")
    with house.ledger.begin(who.actor) as tx:
        second_look.ask(tx, outcome=told, reason="The export was of another tenant.")
    walk.visit("second-look-asked", who, f"/results/{told.id}/second-look")
    bare: dict[str, Any] = {"findings": [], "domains": [], "score": None, "zones": {}, "access": [], "conditions": []}
    for name, body in (
        ("declined", {"decision": "reject", "conditions": [], "valid_until": None}),
        ("approved-barely-told", {"decision": "approve", "letter": "", **bare}),
    ):
        other = desk(house, name=f"{name} Labelling")
        with other.at(SYSTEM) as (tx, row):
            outcome = assessments.publish_outcome(tx, assessment=row, number=413, body={**BODY, **body}).id
        walk.visit(f"result-{name}", other.signatory, f"/results/{outcome}")
    walk.end()


def test_the_team(walk: Walk, house: House) -> None:
    made = desk(house, slug="ai-contractor", data_classes=[4], access_modes=["A3"])
    made.settle_scoping()
    in_every_state(made)
    team = walk.visit("team", made.admin, "/team?section=inc", says="Not delivered")
    refused(walk, "team-refused", team, "Give the section")
    walk.visit("team-read", made.respondent, "/team")
    walk.visit("member", made.admin, f"/team/{made.respondent.id}")
    walk.visit("member-own", made.admin, f"/team/{made.admin.id}")
    walk.visit("member-details", made.admin, f"/team/{made.admin.id}/details")
    walk.visit("address", made.admin, "/team/address")
    walk.end()


def test_nothing_moves_while_answers_save_and_errors_show(walk: Walk, quillmark: Desk) -> None:
    """U7, apart from what a press moves at once: the layout stays while an answer is saved and a number refused."""
    page = walk.page_of(quillmark.respondent)
    page.goto(f"{walk.server}/assessments/{quillmark.assessment_id}/s/gov")
    assert checks.steady(page, checks.COLD_SHIFT) == []
    page.locator("#gov-owner-comment").press_sequentially("Our CTO, every month.")
    expect(page.locator("[data-save-words]")).to_have_text(re.compile(r"All changes saved at \d\d:\d\d"))
    assert checks.steady(page) == []

    limit = page.get_by_role("article", name=re.compile("Cyber insurance limit"))
    limit.get_by_label("Your number, in USD million").press_sequentially("about three")
    page.keyboard.press("Tab")
    expect(limit.get_by_role("alert")).to_contain_text("Enter a number in USD million")
    assert checks.steady(page) == []

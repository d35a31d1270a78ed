"""The vendor's chapters: facts, team, answers, evidence, signature, and the answer to what came back."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import expect

from portal.questionnaires.rules import Question, Questionnaire
from tests.browser.story.answering import Respondent, slug, two_answer
from tests.browser.story.cast import DOMAIN, LEGAL_NAME, VENDOR, Story
from tests.browser.story.people import Human, link_in_mail
from tests.browser.story.report import PAGES, report

TIER = 2
SUPPLIERS = b"name,purpose,country,data class\nHarrow Cloud,hosting,Ireland,D3\nSignet IDP,sign-in,Ireland,D1\n"
REPORT_TITLE, REPORT_NAME = "SOC 2 report 2026", "fernhill-soc2-type2.pdf"
SUPPLIERS_NAME = "fernhill-suppliers.csv"


def the_facts_are_settled(story: Story) -> None:
    """The admin states what is the vendor's to state and confirms what the lab stated."""
    petra = story.person("Petra Lindqvist", DOMAIN)
    page = petra.page
    petra.follows("Settle the facts first")
    story.home = page.url.removesuffix("/scoping")
    petra.heads("Facts about the work")
    _states(petra, "People with access", lambda card: card.get_by_label("Number of people").fill("120"))
    _states(petra, "Workforce", lambda card: card.get_by_label("Employees").check())
    _states(petra, "Devices", lambda card: card.get_by_label("Devices that you own and manage").check())
    _states(petra, "Other AI developers", lambda card: card.get_by_label("Yes", exact=True).check())
    _states(petra, "Own platform", lambda card: card.get_by_label("Yes", exact=True).check())
    _states(petra, "Places", _fills_places)
    petra.shoots("04-scoping")
    confirm = page.get_by_role("button", name=re.compile("^This is right"))
    while confirm.count():
        before = confirm.count()
        confirm.first.click()
        expect(confirm).to_have_count(before - 1)
    expect(page.get_by_text("10 of 10 are settled.")).to_be_visible()


def _states(petra: Human, label: str, fill) -> None:  # type: ignore[no-untyped-def]
    card = petra.page.get_by_role("article", name=label, exact=True)
    fill(card)
    card.get_by_role("button", name=re.compile(f"^(State|Save) {label}")).click()
    expect(card.get_by_text("Complete")).to_be_visible()


def _fills_places(card) -> None:  # type: ignore[no-untyped-def]
    card.get_by_label("Country, row 1").fill("Portugal")
    card.get_by_label("Site or city, row 1").fill("Lisbon")
    card.get_by_label("Kind of place, row 1").select_option(label="Office")
    card.get_by_label("Activity, row 1").select_option(label="Work")


def the_team_is_built(story: Story) -> None:
    """The admin invites a colleague and a signatory, and gives the colleague a section."""
    petra = story.person("Petra Lindqvist", DOMAIN)
    mara = story.person("Mara Ilves")
    page = petra.page
    for name, role in (("Joao Sequeira", "Respondent"), ("Vera Lindholm", "Signatory")):
        whom = story.person(name, DOMAIN)
        page.goto(story.url("/team"))
        card = page.get_by_role("region", name="Invite a colleague")
        card.get_by_label("Full name").fill(whom.name)
        card.get_by_label("Work e-mail").fill(whom.email)
        roles = card.get_by_role("group", name="Roles")
        for box in ("Respondent", "Signatory"):
            roles.get_by_label(re.compile(f"^{box}")).set_checked(box == role)
        card.get_by_role("button", name="Send the invitation").click()
        petra.reads(f"{name} is invited.")
        whom.comes_in(link_in_mail(mara, story.gatehouse.url, whom, "Invitation"))
        whom.reads("questions answered")
    page.goto(story.url("/team"))
    card = page.get_by_role("region", name="Give a section")
    section = story.script.questionnaire.section("inf")
    card.get_by_label(re.compile("^Joao Sequeira")).check()
    card.get_by_label(re.compile(f"^{section.number}. {re.escape(section.title)}")).check()
    card.get_by_role("button", name="Give the section").click()
    petra.reads("Joao Sequeira has the section now, and is told by mail.")
    petra.shoots("05-team")
    joao = story.person("Joao Sequeira", DOMAIN)
    joao.page.goto(link_in_mail(mara, story.gatehouse.url, joao, "Section given"))
    joao.heads(section.title)
    joao.reads("assigned to you")
    page.goto(story.url("/team"))
    page.get_by_role("link", name="Change Joao Sequeira").click()
    page.get_by_label(re.compile("^Every section")).check()
    page.get_by_role("button", name="Save what they see").click()
    petra.reads("Joao Sequeira sees every section now.")


def the_evidence_is_uploaded(story: Story, folder: Path) -> None:
    """A report of 5 MB goes up from the browser, hashed and checked on the way, and gets its dates."""
    petra = story.person("Petra Lindqvist", DOMAIN)
    page = petra.page
    file, suppliers = folder / REPORT_NAME, folder / SUPPLIERS_NAME
    file.write_bytes(report(VENDOR))
    suppliers.write_bytes(SUPPLIERS)
    assert file.stat().st_size > 5_000_000
    _uploads(petra, story.url("/evidence"), file, "SOC 2 report")
    page.get_by_role("link", name=re.compile("^Add its dates")).click()
    petra.heads(f"Details of {REPORT_NAME}")
    today = datetime.now(UTC).date()
    end = today - timedelta(days=60)
    page.get_by_label("Title").fill(REPORT_TITLE)
    page.get_by_label(re.compile("type of the report", re.I)).select_option(label="Type 2")
    page.get_by_label(re.compile("opinion of the auditor", re.I)).select_option(label="Unqualified")
    for label, day in (
        ("start of the period", end - timedelta(days=364)),
        ("end of the period", end),
        ("day of the opinion", end + timedelta(days=30)),
    ):
        page.get_by_label(re.compile(label, re.I)).fill(day.isoformat())
    page.get_by_label(re.compile("legal name in the report", re.I)).fill(LEGAL_NAME)
    page.get_by_label(re.compile("whether the report lists exceptions", re.I)).select_option("It lists no exceptions")
    petra.presses("Save the details")
    petra.reads(f"The details of {REPORT_NAME} are saved.")
    petra.reads(f"{PAGES} pages")
    _uploads(petra, story.url("/evidence"), suppliers, "Sub-processor list")
    page.get_by_role("link", name=re.compile("^Add its dates")).click()
    page.get_by_label("Day of the list").fill((today - timedelta(days=9)).isoformat())
    petra.presses("Save the details")
    petra.reads("The details of fernhill-suppliers.csv are saved.")
    page.goto(story.url("/evidence"))
    petra.shoots("06-evidence-library")


def _uploads(petra: Human, address: str, file: Path, kind: str) -> None:
    page = petra.page
    page.goto(address)
    page.get_by_label("Type of evidence").select_option(label=kind)
    page.locator("#upload-file").set_input_files(file)
    expect(page.locator("#arrived")).to_contain_text(file.name, timeout=30_000)


def two_people_answer(story: Story) -> None:
    """Two people fill all sections at once, each in a browser of their own; each card saves itself."""
    petra, joao = (
        Respondent(story.person(each, DOMAIN), story.script.questionnaire)
        for each in ("Petra Lindqvist", "Joao Sequeira")
    )
    petra.human.page.goto(story.home)
    links = petra.human.page.locator("ul.tasks a[href*='/s/']")
    keys = [link.split("/s/")[1] for link in links.evaluate_all("all => all.map(each => each.getAttribute('href'))")]
    plan = [(joao if each == "inf" or index % 2 else petra, each) for index, each in enumerate(keys)]
    two_answer(petra, joao, plan, story.home)
    assert petra.answered
    assert joao.answered
    assert set(petra.answered).isdisjoint(joao.answered)
    petra.human.page.goto(f"{story.home}/s/seg")
    petra.human.shoots("07-section")
    page = petra.human.page
    page.goto(story.home)
    story.answered = [*petra.answered, *joao.answered]
    count = len(story.answered)
    expect(page.locator(".hero__n")).to_have_text(re.compile(rf"^{count} of {count} questions answered"))
    petra.human.shoots("08-all-answered")


def cited(asked: Questionnaire, answered: list[str]) -> list[Question]:
    """Return the answers that get proof: all knock-outs, and the two heaviest of each section that has none."""
    found: list[Question] = []
    for section in asked.sections:
        here = [each for each in section.questions if each.key in answered]
        stops = [each for each in here if each.is_knock_out_in(TIER)]
        found += stops or sorted(here, key=lambda each: (-each.weight, each.key))[:2]
    return found


def the_report_is_cited(story: Story) -> None:
    """One file proves many answers, each at its own pages."""
    petra = Respondent(story.person("Petra Lindqvist", DOMAIN), story.script.questionnaire)
    page = petra.human.page
    at = ""
    for number, question in enumerate(cited(story.script.questionnaire, story.answered)):
        if question.section != at:
            at = question.section
            page.goto(f"{story.home}/s/{at}")
        petra.attaches(question, REPORT_TITLE, f"{number + 2}–{number + 4}")
    page.goto(f"{story.home}/s/sub")
    petra.attaches(story.script.questionnaire.question("sub.list"), "Sub-processor list", "")


def it_is_signed(story: Story, revision: int) -> None:
    """The signatory reads what is signed, types the name, shows once more that it is her, and signs."""
    vera = story.person("Vera Lindholm", DOMAIN)
    page = vera.page
    page.goto(f"{story.home}/check")
    vera.heads("Check the answers and sign")
    vera.reads("Ready to sign")
    boxes = page.locator('input[name="statements"]')
    for box in boxes.all():
        box.check()
    page.get_by_label("Type your full name to sign").fill(vera.name)
    vera.gives_code(page.get_by_role("region", name="Attestation"))
    vera.shoots(f"09-attest-revision-{revision}")
    vera.presses("Sign and submit")
    vera.reads("Signed and sent to Orrery. A reviewer is told.")
    vera.heads("Receipt")
    vera.shoots(f"10-receipt-revision-{revision}")


def the_vendor_answers_what_came_back(story: Story) -> None:
    """Only the one question is open; the colleague replies and changes the answer."""
    joao = story.person("Joao Sequeira", DOMAIN)
    question = story.script.questionnaire.question(story.script.asked)
    page = joao.page
    page.goto(story.home)
    joao.reads("1 question came back to you")
    joao.shoots("13-came-back")
    joao.follows(re.compile(f"^Open {re.escape(question.number)}"))
    card = page.locator(f"#q-{slug(story.script.asked)}")
    card.get_by_label("Your reply").fill("The last review was on time; we attach the ticket list with the next one.")
    card.get_by_role("button", name="Send reply").click()
    expect(card.get_by_role("group", name=re.compile("^Conversation"))).to_contain_text("The last review was on time")
    answer = Respondent(joao, story.script.questionnaire)
    form = page.locator(f"#answer-{slug(story.script.asked)}")
    form.locator('textarea[name="comment"]').fill("Every 30 days; the last three are dated 2, 1 and 0 months ago.")
    form.locator('textarea[name="comment"]').blur()
    answer.saved()
    expect(page.locator(f"#answer-{slug('iam.mfa.workforce')} textarea")).to_have_count(0)


def the_vendor_sees_its_result(story: Story) -> None:
    """The vendor reads what was decided, why, and what to fix."""
    petra = story.person("Petra Lindqvist", DOMAIN)
    mara = story.person("Mara Ilves")
    petra.page.goto(link_in_mail(mara, story.gatehouse.url, petra, "Decision"))
    petra.heads("Approved with conditions")
    petra.reads("What to fix")
    petra.reads("Signed by Hana Kobayashi")
    petra.shoots("17-result")

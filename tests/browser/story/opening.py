"""The first chapters: the lab gets its people, a vendor and its engagement, and a machine that asks the gate."""

import re

from playwright.sync_api import expect

from tests.browser.story.cast import DOMAIN, LEGAL_NAME, PROJECT, SLUG, VENDOR, Story
from tests.browser.story.people import Human, link_in_mail

INVITED = "Invitation"


def the_lab_gets_its_people(story: Story) -> None:
    """The first admin comes by a link of the operator, appoints a second, and two are needed from then on."""
    mara = story.person("Mara Ilves")
    printed = story.gatehouse.flask("users", "bootstrap", "--email", mara.email, "--name", mara.name)
    link = printed.split()[-1]
    assert link.startswith(story.url("/invitation/"))
    mara.comes_in(link)
    expect(mara.page).to_have_url(re.compile("/lab"))

    noor = story.person("Noor Sandoval")
    _invites(story, mara, noor, "Program admin")
    noor.comes_in(link_in_mail(mara, story.gatehouse.url, noor, INVITED))
    ines, hana, theo = (story.person(each) for each in ("Ines Valdarno", "Hana Kobayashi", "Theo Brandvold"))
    _invites(story, mara, ines, "Reviewer")
    for lead in (hana, theo):
        _invites(story, mara, lead, "Lead approver")
        mara.reads("waits until a second admin confirms")
    for each in (ines, hana, theo):
        each.comes_in(link_in_mail(mara, story.gatehouse.url, each, INVITED))
    for lead in (hana, theo):
        noor.page.goto(story.url("/lab/admin/users"))
        if lead is theo:
            noor.shoots("01-users")
        row = noor.page.get_by_role("table", name="Roles waiting for a second admin").get_by_role("row")
        noor.presses(re.compile("^Confirm"), row.filter(has_text=lead.name))
        noor.reads(f"Confirmed: {lead.name} is lead approver from now on.")


def _invites(story: Story, admin: Human, whom: Human, role: str) -> None:
    page = admin.page
    page.goto(story.url("/lab/admin/users"))
    admin.follows("Invite a person")
    page.get_by_label("Full name").fill(whom.name)
    page.get_by_label("Work e-mail").fill(whom.email)
    page.get_by_role("group", name="Roles").get_by_label(role).check()
    admin.gives_code_if_asked(page.locator("main form").last)
    admin.presses("Invite", page.locator("main"))
    admin.reads(f"is on its way to {whom.email}")


def the_lab_adds_a_vendor(story: Story) -> None:
    """The reviewer takes a vendor onto the list, engages it for D2 and D3 in our environment, and asks it to attest."""
    ines = story.person("Ines Valdarno")
    page = ines.page
    page.goto(story.url("/lab/vendors"))
    ines.follows("Add a vendor")
    page.get_by_label("Name", exact=True).fill(VENDOR)
    page.get_by_label("Legal name").fill(LEGAL_NAME)
    page.get_by_label("Mail domains").fill(DOMAIN)
    ines.presses("Add the vendor")
    ines.reads("is on the list. Engage it for a project next.")
    ines.follows("Engage")
    page.get_by_label("Project", exact=True).fill(PROJECT)
    page.get_by_label("Purpose").fill("Rank pairs of answers by a rubric.")
    for group, label in (
        ("Services", "Preference data"),
        ("Data classes", "D2"),
        ("Data classes", "D3"),
        ("Access modes", "A2"),
        ("Workforce", "Employees"),
        ("Devices", "The vendor's own devices"),
    ):
        page.get_by_role("group", name=group).get_by_label(re.compile(f"^{label}")).check()
    page.get_by_label("People with access at the busiest time").fill("120")
    ines.presses("Save the engagement")
    ines.reads("Inherent risk 6 of 25 (moderate), tier 2.")
    ines.follows("Request an assessment")
    page.get_by_label("Questionnaire").select_option(label=f"{story.script.questionnaire.title}, version 1")
    ines.presses("Request the assessment")
    ines.reads(f"{VENDOR} is asked:")


def the_lab_invites_the_vendors_admin(story: Story) -> None:
    """The vendor's admin is invited and comes in by the mail, onto the page of the assessment."""
    ines, petra = story.person("Ines Valdarno"), story.person("Petra Lindqvist", DOMAIN)
    page = ines.page
    page.goto(story.url(f"/lab/vendors/{SLUG}/people"))
    page.get_by_label("Full name").fill(petra.name)
    page.get_by_label("Work e-mail").fill(petra.email)
    expect(page.get_by_label("Vendor admin")).to_be_checked()
    ines.presses("Send the invitation")
    ines.reads(f"{petra.name} is invited.")
    ines.shoots("02-vendor")
    petra.comes_in(link_in_mail(story.person("Mara Ilves"), story.gatehouse.url, petra, INVITED))
    petra.reads("questions answered")
    petra.shoots("03-contractor-home")


def a_machine_may_ask(story: Story) -> None:
    """An admin makes a service client; its token opens the gate's door and nothing else, and the gate says no."""
    mara = story.person("Mara Ilves")
    page = mara.page
    page.goto(story.url("/lab/admin/clients"))
    mara.follows("Create a client")
    page.get_by_label("Name of the system").fill("Data platform, production")
    page.get_by_label("Ask the gate").check()
    page.get_by_label("Every vendor, also future ones").check()
    mara.gives_code_if_asked(page.locator("main form").last)
    mara.presses("Create client")
    mara.heads("Token of Data platform, production")
    story.token = page.locator("#token").inner_text().strip()

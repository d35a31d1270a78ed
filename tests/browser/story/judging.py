"""The lab's chapters: claim, read, verify, judge, ask back, finish, decide, pause, resume."""

import re
from datetime import date, timedelta

from playwright.sync_api import expect

from tests.browser.story.answers import REPORT_NAME, SUPPLIERS_NAME
from tests.browser.story.cast import SLUG, VENDOR, Script, Story
from tests.browser.story.people import Human

CONDITION = "Session monitoring reviewed within 7 days, shown by a log sample"


def the_reviewer_judges(story: Story) -> None:
    """The reviewer claims, opens the report at the cited page, verifies it, accepts, flags one and asks one."""
    ines = story.person("Ines Valdarno")
    ines.page.goto(story.url("/lab/queue"))
    ines.reads(VENDOR)
    ines.shoots("11-queue")
    ines.presses("Claim and open")
    ines.reads("This review is yours.")
    verified = _judges_all(ines, story.script)
    assert verified >= {REPORT_NAME, SUPPLIERS_NAME}
    page = ines.page
    expect(page.get_by_text("1 flagged")).to_be_visible()
    ines.follows("Send questions only")
    ines.heads(f"Send questions to {VENDOR}")
    ines.presses("Send 1 question")
    ines.reads("1 question sent. The vendor gets one e-mail.")


def _judges_all(ines: Human, script: Script) -> set[str]:
    page = ines.page
    left = page.get_by_text(re.compile(r"^\d+ left$"))
    verified: set[str] = set()
    count = int(left.inner_text().split()[0])
    while count:
        number = page.locator("section.content .num.b").first.inner_text().strip()
        for name in page.locator("#evidence .fchip").all_inner_texts():
            if name not in verified:
                # The first file is open already; another comes without a page load, in the place of what is there.
                if page.locator("#evidence .fchip[aria-current]").inner_text() != name:
                    ines.follows(name, page.locator("#evidence .card__h").first)
                    expect(page.locator("#evidence .fchip[aria-current]")).to_have_text(name)
                _opens_and_verifies(ines, name)
                verified.add(name)
        if number == script.questionnaire.question(script.flagged).number:
            _flags(ines)
        elif number == script.questionnaire.question(script.asked).number:
            _asks(ines)
        else:
            ines.presses("Accept and go on")
        count -= 1
        expect(left).to_have_text(f"{count} left")
    return verified


def _opens_and_verifies(ines: Human, name: str) -> None:
    page = ines.page
    if name == REPORT_NAME:
        picture = page.get_by_role("img", name=re.compile(rf"^Page \d+ of {re.escape(name)}"))
        picture.scroll_into_view_if_needed()
        assert picture.evaluate("img => img.decode().then(() => img.naturalWidth)") > 0
        ines.shoots("12-workspace")
    ines.presses("Verify the file")
    expect(page.locator("#evidence .tag").filter(has_text="Verified").first).to_be_visible()


def _flags(ines: Human) -> None:
    form = ines.page.locator("#judge")
    form.locator("#verdict-1").check()
    form.get_by_label("Severity").select_option(label="Medium")
    form.get_by_label("What is wrong, for the vendor to read").fill("The reviews of sessions are not shown.")
    form.get_by_label("Closes when").fill("A log sample shows reviews within 7 days.")
    form.get_by_text("Owner and points").click()
    form.get_by_label("Points instead").fill("30")
    ines.shoots("12-flag")
    ines.presses("Save and go on", form)


def _asks(ines: Human) -> None:
    form = ines.page.locator("#judge")
    form.locator("#verdict-2").check()
    form.get_by_label("Your question, for the vendor to read").fill("When were the last three reviews?")
    ines.presses("Save and go on", form)


def the_reviewer_finishes(story: Story) -> None:
    """The reviewer reads the reply, accepts it, and finishes; the rest stays settled."""
    ines = story.person("Ines Valdarno")
    page = ines.page
    page.goto(story.url("/lab/queue"))
    row = page.get_by_role("row").filter(has_text=VENDOR)
    row.get_by_role("link", name=VENDOR, exact=True).click()
    ines.heads(VENDOR)
    if page.get_by_role("button", name="Claim this review").count():
        ines.presses("Claim this review")
    page.goto(page.url.split("?")[0] + f"?q={story.script.asked}")
    ines.reads("The last review was on time")
    left = page.get_by_text(re.compile(r"^\d+ left$"))
    expect(left).to_have_text("1 left")
    ines.shoots("14-answered")
    ines.presses("Accept and go on")
    expect(left).to_have_text("0 left")
    ines.follows("Finish review")
    page.get_by_label("Your words for those who decide").fill("Good answers; one weakness, with a date.")
    ines.shoots("15-finish")
    ines.presses(re.compile("^(Finish|Recommend|Send)"))
    ines.reads("The review is finished and waits for a decision.")


def a_lead_decides(story: Story, due: date) -> None:
    """A lead approver who did not review approves with a condition, which is due on a day, and with an end."""
    hana = story.person("Hana Kobayashi")
    page = hana.page
    page.goto(story.url("/lab/queue"))
    page.get_by_role("row").filter(has_text=VENDOR).get_by_role("link", name=VENDOR, exact=True).click()
    hana.follows("Decide")
    hana.heads(f"Decide: {VENDOR}")
    page.get_by_label(re.compile("^Approve with conditions")).check()
    first = page.get_by_role("group", name="Condition 1")
    first.get_by_label("What must be met").fill(CONDITION)
    first.get_by_label("Due", exact=True).fill(due.isoformat())
    page.get_by_label("Approval holds until").fill((due + timedelta(days=120)).isoformat())
    page.get_by_label(re.compile("^Why you decide otherwise")).fill("One weakness is open until its date.")
    page.get_by_label("Words that go above the findings").fill("Thank you for clear answers.")
    hana.gives_code(page.locator("#decide"))
    hana.shoots("16-decide")
    hana.presses(re.compile("^Sign"))
    hana.reads("is decided. The gate answers by it from now on, and the vendor is told.")
    hana.shoots("16-decided")


def a_vendor_is_paused(story: Story) -> None:
    """One person pauses."""
    ines = story.person("Ines Valdarno")
    page = ines.page
    page.goto(story.url(f"/lab/vendors/{SLUG}"))
    ines.follows(re.compile("^Pause"))
    page.get_by_label("Why you pause").fill("Breach reported at 08:40.")
    ines.gives_code_if_asked(page.locator("main form"))
    ines.presses(f"Pause {VENDOR}")
    ines.reads(f"{VENDOR} is paused.")
    ines.shoots("18-paused")


def two_end_the_pause(story: Story) -> None:
    """A lead approver asks with a plan, and another confirms."""
    hana, theo = story.person("Hana Kobayashi"), story.person("Theo Brandvold")
    address = story.url(f"/lab/vendors/{SLUG}")
    hana.page.goto(address)
    hana.follows("Ask to end the pause")
    hana.page.get_by_label("The plan").fill("The key was replaced.")
    hana.gives_code_if_asked(hana.page.locator("main form"))
    hana.presses("Ask to end the pause")
    hana.reads("You asked, so you cannot confirm.")
    theo.page.goto(address)
    theo.follows("Read the plan and confirm")
    theo.gives_code_if_asked(theo.page.locator("main form"))
    theo.presses("Confirm and end the pause")
    theo.reads("The pause is over. What was decided before holds again.")
    theo.shoots("19-resumed")

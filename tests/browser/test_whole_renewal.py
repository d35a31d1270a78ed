"""A whole renewal against a server that is killed twice on the way: few presses, and nothing that was typed is lost.

Everybody's presses are counted by the page itself. The server is a process of its own, on a folder and a
port of its own, started as an operator starts it; it is killed with everything that belongs to it, and started again.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.evidence import service as evidence
from portal.kernel.actor import system
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import compile_yaml
from portal.settings import Settings
from portal.terms import AssessmentState, Role
from portal.vendors import service as vendors
from portal.wiring import House
from tests.browser.counting import Job
from tests.browser.story.installation import Installation, installed
from tests.factories.assessments import make_assessment
from tests.factories.attestations import Desk
from tests.factories.identity import Person, code_of, person, session_token
from tests.factories.vendors import make_engagement, make_vendor
from tests.rules import files

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

SYSTEM = system("test")
SHIPPED = Path(__file__).parents[2] / "questionnaires/ai-contractor"
MOST_PRESSES = 45
PATIENCE = 20_000
AWAY = r"ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED"
"""What a browser says of a server that is gone."""


@dataclass
class Renewal:
    """The running server, the vendor's desk at its renewal, and everything that was typed on the way."""

    running: Installation
    desk: Desk
    jobs: list[Job] = field(default_factory=list)
    typed: dict[str, str] = field(default_factory=dict)

    @property
    def house(self) -> House:
        """A house on the server's database, made anew, because the server may have been away."""
        return House(Settings.from_env(self.running.environment))

    @property
    def presses(self) -> list[str]:
        """Everything that anybody pressed with the pointer."""
        return [each for job in self.jobs for each in job.presses]

    @property
    def home(self) -> str:
        """The address of the assessment."""
        return f"{self.running.url}/assessments/{self.desk.assessment_id}"

    def is_killed(self) -> None:
        """End the server and all that belongs to it without a word, as a power cut does."""
        process = self.running.process
        assert process is not None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def comes_back(self) -> None:
        """Start it again on what it left."""
        self.running.start()


@pytest.fixture
def renewal(tmp_path: Path) -> Iterator[Renewal]:
    """A vendor that signed version 1, was decided on, and is asked version 2."""
    with installed(tmp_path) as running:
        house = House(Settings.from_env(running.environment))
        made = _signed_before(house)
        yield Renewal(running, _asked_again(house, made))
        house.engine.dispose()


def _signed_before(house: House) -> Desk:
    with house.ledger.begin(SYSTEM) as tx:
        vendor = make_vendor(tx)
        engagement = make_engagement(tx, vendor, data_classes=[4], access_modes=["A3"])
        row = make_assessment(tx, vendor=vendor, engagement=engagement, slug="ai-contractor")
        questionnaire = questionnaires.compiled(tx, row.questionnaire_id)
        ids = vendor.id, engagement.id, row.id
    made = Desk(
        house=house,
        vendor_id=ids[0],
        engagement_id=ids[1],
        assessment_id=ids[2],
        questionnaire=questionnaire,
        respondent=person(house, roles=[Role.RESPONDENT], vendor=ids[0], name="Priya Raghunath"),
        admin=person(house, roles=[Role.VENDOR_ADMIN, Role.RESPONDENT], vendor=ids[0], name="Marisol Dufour"),
        signatory=person(house, roles=[Role.SIGNATORY], vendor=ids[0], name="Daniel Osei"),
    )
    made.complete()
    made.sign()
    with made.at(SYSTEM) as (tx, row):
        assessments.take_into_review(tx, assessment=row)
        assessments.recommend(tx, assessment=row)
        assessments.decide(tx, assessment=row)
    return made


def _asked_again(house: House, made: Desk) -> Desk:
    with house.ledger.begin(SYSTEM) as tx:
        version = questionnaires.publish(tx, source=(SHIPPED / "v2.yaml").read_bytes(), name="ai-contractor")
        row = make_assessment_on(tx, made, version)
        return replace(made, assessment_id=row.id, questionnaire=questionnaires.compiled(tx, version.id))


def make_assessment_on(tx: Any, made: Desk, version: Any) -> Any:
    """Ask the same engagement a version, as the lab does at a renewal."""
    return assessments.request(
        tx,
        vendor=vendors.get(tx, made.vendor_id, Action.VENDOR_READ),
        engagement=vendors.engagement(tx, made.engagement_id, Action.VENDOR_READ),
        questionnaire_version=version,
        due_on=tx.now.date().replace(year=tx.now.year + 1),
    )


@dataclass
class AtWork:
    """One person at a browser that counts what they press."""

    renewal: Renewal
    page: Page
    someone: Person

    def opens(self, path: str = "") -> None:
        self.page.goto(self.renewal.home + path)

    def press(self, role: Any, name: str | re.Pattern[str], within: Locator | None = None) -> None:
        (within or self.page.locator("main")).get_by_role(role, name=name).first.click()

    def card(self, key: str) -> Locator:
        return self.page.locator(f"#q-{key.replace('.', '-')}")

    def answers(self, key: str, *, choose: str = "", number: str = "", text: str, wait: bool = True) -> None:
        """Answer a question by mouse and keyboard, and leave the field."""
        card = self.card(key)
        if choose:
            card.locator(f'label:has(input[name="choice"][value="{choose}"])').click()
        if number:
            card.locator('input[name="number"]').click()
            self.page.keyboard.type(number)
        card.get_by_label("How do you know?").click()
        self.page.keyboard.type(text)
        self.renewal.typed[key] = text
        if wait:
            card.get_by_label("How do you know?").blur()
            self.saved()

    def saved(self) -> None:
        expect(self.page.locator("[data-save-words]")).to_have_text(
            re.compile(r"All changes saved at \d\d:\d\d"), timeout=PATIENCE
        )

    def uploads(self, key: str, path: Path) -> None:
        """Attach a file of one's own machine to an answer."""
        with self.page.expect_file_chooser() as chooser:
            self.card(key).locator("input[type=file]").click()
        chooser.value.set_files(path)
        expect(self.card(key).locator(f"#evl-{key.replace('.', '-')}")).to_contain_text(path.name, timeout=PATIENCE)


@pytest.fixture
def sits_down(renewal: Renewal, new_page: Callable[..., Page]) -> Callable[[Person], AtWork]:
    """A factory of people at browsers whose presses are counted."""

    def open_as(someone: Person) -> AtWork:
        page = new_page(tolerate=(AWAY,))
        renewal.jobs.append(Job(page))
        token = session_token(renewal.desk.house, someone, data={"csrf_token": "f" * 40})
        page.context.add_cookies([{"name": "gatehouse", "value": token, "url": renewal.running.url}])
        return AtWork(renewal, page, someone)

    return open_as


def test_a_whole_renewal_takes_few_presses_and_loses_nothing_when_the_server_dies_twice(
    renewal: Renewal, sits_down: Callable[[Person], AtWork], tmp_path: Path
) -> None:
    marisol = sits_down(renewal.desk.admin)
    confirmed = _confirms_what_is_unchanged(marisol)
    _gives_a_section_away(marisol)

    _goes_on(marisol, "1.4")
    marisol.answers(
        "gov.assurance.level", choose=_best("gov.assurance.level"), text="The report of our auditor, all five criteria."
    )
    marisol.uploads("gov.assurance.level", _file(tmp_path, "soc2-report.pdf"))

    _goes_on(marisol, "5.9")
    # Half a sentence is typed when the server dies; it is still in the browser, and gets there by itself.
    marisol.answers("wrk.offboard.hours", number="4", text="The HR record starts a job, ", wait=False)
    renewal.is_killed()
    marisol.page.keyboard.type("which disables every account.")
    renewal.typed["wrk.offboard.hours"] += "which disables every account."
    marisol.card("wrk.offboard.hours").get_by_label("How do you know?").blur()
    expect(marisol.page.locator("[data-save-words]")).to_contain_text("Not saved yet", timeout=PATIENCE)
    renewal.comes_back()
    marisol.saved()

    _goes_on(marisol, "11.2")
    marisol.answers("ret.days", number="20", text="The deletion job and its log, sampled each quarter.")
    _goes_on(marisol, "14.11")
    marisol.answers("ssc.extensions", choose="yes", text="A list of forty, pushed by the device management.")

    priya = sits_down(renewal.desk.respondent)
    priya.opens("/s/inc")
    priya.answers("inc.exercise", choose="yes", text="In May, with the whole on-call rota.")
    priya.uploads("inc.exercise", _file(tmp_path, "exercise-minutes.pdf"))
    # It dies again in the middle of the colleague's number.
    priya.answers("inc.credentials.hours", number="2", text="Measured in the exercise of May.", wait=False)
    renewal.is_killed()
    priya.card("inc.credentials.hours").get_by_label("How do you know?").blur()
    renewal.comes_back()
    priya.saved()

    # What the new answers brought up was answered before, so that a word is enough.
    marisol.opens()
    rest = marisol.page.get_by_role("link", name=re.compile("^Check the .*side by side"))
    if rest.count():
        confirmed += _confirms(marisol)
    expect(marisol.page.get_by_role("link", name=re.compile("^Check and sign"))).to_be_visible()

    daniel = sits_down(renewal.desk.signatory)
    daniel.opens("/check")
    _signs(daniel)

    assert len(renewal.presses) <= MOST_PRESSES, "\n".join(renewal.presses)
    with renewal.house.ledger.begin(SYSTEM) as tx:
        row = assessments.get(tx, renewal.desk.assessment_id, Action.ASSESSMENT_READ)
        assert row.state is AssessmentState.SUBMITTED
        stored = {key: line.comment for key, line in attestations.answers_of(tx, row).items()}
        names = {each.file_name for each in evidence.library(tx, vendor_id=row.vendor_id)}
    assert lost(renewal.typed, stored) == {}
    assert len(renewal.typed) == 6
    assert len(stored) >= confirmed + len(renewal.typed)
    assert {"soc2-report.pdf", "exercise-minutes.pdf"} <= names
    # The check finds what is missing, by a letter or altogether.
    assert lost({"ret.days": renewal.typed["ret.days"] + "."}, stored) != {}
    assert lost({"gov.nowhere": "Typed, and nowhere to be found."}, stored) != {}
    print(f"{len(renewal.presses)} presses, {confirmed} confirmed, {len(renewal.typed)} typed")


def lost(typed: Mapping[str, str], stored: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return what was typed and is not stored as it was typed, each with what is there instead."""
    return {key: (text, stored.get(key, "")) for key, text in typed.items() if stored.get(key, "") != text}


def _confirms_what_is_unchanged(marisol: AtWork) -> int:
    marisol.opens()
    marisol.press("link", "Settle the facts first")
    marisol.press("button", re.compile("^Confirm all .* facts as they stand"))
    expect(marisol.page.get_by_role("status").first).to_contain_text("facts are confirmed.")
    marisol.press("link", "Go to the questions")
    return _confirms(marisol)


def _confirms(marisol: AtWork) -> int:
    marisol.press("link", re.compile("^Check the .*side by side"))
    marisol.press("button", re.compile("^Confirm .*answers?"))
    words = marisol.page.get_by_role("status").filter(has_text="confirmed").inner_text()
    found = re.search(r"(\d+) answers? (is|are) confirmed", words)
    assert found, words
    return int(found[1])


def _gives_a_section_away(marisol: AtWork) -> None:
    marisol.opens("/s/inc")
    marisol.press("link", "Give this section to a colleague")
    marisol.press("radio", "Priya Raghunath")
    marisol.press("button", "Give the section")
    expect(marisol.page.get_by_role("status").first).to_contain_text("Priya Raghunath has the section now")


def _goes_on(marisol: AtWork, number: str) -> None:
    """Follow the one button of the home, which leads to what is left."""
    if not re.search(r"/renewal$", marisol.page.url):
        marisol.opens()
    marisol.press("link", re.compile(rf"^(Continue|Start): {re.escape(number)}"))


def _signs(daniel: AtWork) -> None:
    for box in daniel.page.get_by_role("group", name="Statements").get_by_role("checkbox").all():
        box.click()
    name = daniel.page.get_by_label("Type your full name to sign")
    name.click()
    daniel.page.keyboard.type("Daniel Osei")
    code = daniel.page.get_by_label("Code from your authenticator app")
    if code.count():
        code.fill(code_of(daniel.renewal.house, daniel.someone))
    daniel.press("button", "Sign and submit")
    expect(daniel.page.get_by_role("heading", name="What was signed")).to_be_visible(timeout=PATIENCE)


def _best(key: str) -> str:
    """Return the strongest answer to a question of the version that is asked."""
    question = compile_yaml((SHIPPED / "v2.yaml").read_bytes(), "v2.yaml").question(key)
    return max(question.choices, key=lambda option: option.credit or 0).key


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(files.pdf(pages=2, extra={100: b"(" + name.encode() + b")"}))
    return path

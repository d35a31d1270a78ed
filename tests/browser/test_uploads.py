"""Uploads in a real browser: cut off and gone on with, paused, cancelled, offline, refused, as a person sees them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Response, Route, expect

from portal.evidence.models import Evidence
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.kernel.objects import Part
from portal.kernel.objects.s3 import S3Store
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.settings import Settings
from portal.terms import EvidenceState
from portal.vendors import service as vendors
from portal.wiring import House, make_app
from tests.browser.counting import Job
from tests.browser.gallery import serving
from tests.factories.assessments import make_assessment
from tests.factories.identity import FACTORY, Person, person, session_token
from tests.factories.vendors import make_vendor
from tests.rules import files
from tests.s3 import servers

pytestmark = pytest.mark.browser

PART = 8_000_000
BLOCK = bytes(range(1, 251)) * 4_000


@pytest.fixture
def priya(house: House) -> Person:
    with house.ledger.begin(FACTORY) as tx:
        vendor_id = make_vendor(tx).id
    return person(house, roles=["respondent", "vendor_admin"], vendor=vendor_id, name="Priya Raghunath")


def report(folder: Path, size: int, name: str = "soc2-type2-2026-ashgrove-pell.pdf") -> Path:
    """A PDF of about this size, nearly all of it one picture."""
    path = folder / name
    path.write_bytes(
        files.pdf(pages=2, extra={100: b"<< /Length %d >>\nstream\n" % size + BLOCK * (size // 1_000_000)})
    )
    return path


class Counted:
    """The store of the test, which counts the parts that arrive and holds back those after a number."""

    def __init__(self, accept: Callable[..., Part]) -> None:
        self._accept = accept
        self._lock = Lock()
        self.arrived: Counter[int] = Counter()
        self.hold_after = 1_000
        self.reached, self.go_on = Event(), Event()

    def holds_after(self, number: int) -> None:
        """Begin to count anew, and hold back what comes after so many parts."""
        self.hold_after = number
        self.arrived.clear()
        self.reached, self.go_on = Event(), Event()

    def __call__(self, token: str, stream: Any) -> Part:
        if len(self.arrived) >= self.hold_after:
            self.reached.set()
            self.go_on.wait(30)
        part = self._accept(token, stream)
        with self._lock:
            self.arrived[part.number] += 1
        return part


@pytest.fixture
def store(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    counted = Counted(house.store.accept_part)
    monkeypatch.setattr(house.store, "accept_part", counted)
    yield counted
    counted.go_on.set()


def rows(house: House) -> list[Evidence]:
    with house.ledger.begin(system("test")) as tx:
        return list(tx.session.query(Evidence).order_by(Evidence.created_at))


def choose(page: Page, *paths: Path, kind: str = "SOC2") -> None:
    page.get_by_label("Type of evidence").select_option(kind)
    page.locator("#upload-file").set_input_files(list(paths))


def pick(page: Page, button: str, path: Path) -> None:
    """Press a button that opens the dialog, and choose this file in it."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=button).click()
    chooser.value.set_files(path)


def test_200_megabytes_go_on_after_a_reload_where_they_stopped(
    visit: Callable[..., Page],
    house: House,
    priya: Person,
    store: Counted,
    tmp_path: Path,
    shot: Callable[..., Path],
    axe: Callable[..., None],
) -> None:
    path = report(tmp_path, 199_000_000)
    store.holds_after(12)
    page = visit(priya, "/evidence")
    choose(page, path)
    assert store.reached.wait(60)
    row = page.locator("[data-upload-rows] .evrow")
    expect(row).to_contain_text(" of 199.0 MB, about")
    expect(row.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("link", name="Help").first.focus()
    axe(page)
    shot(page, "upload-sending-light-1440")

    page.reload()
    store.go_on.set()
    waiting = page.get_by_role("region", name="Unfinished uploads")
    expect(waiting).to_contain_text("of 199.0 MB arrived. Choose the file again to go on")
    axe(page)
    shot(page, "upload-unfinished-light-1440")
    pick(page, "Choose the file again", path)
    expect(page.locator("#arrived")).to_contain_text(path.name, timeout=60_000)

    (kept,) = rows(house)
    assert (kept.state, kept.size, kept.page_count) == (EvidenceState.ATTACHED, path.stat().st_size, 2)
    assert sorted(store.arrived) == list(range(1, 26))
    assert sum(store.arrived.values()) <= 26
    expect(waiting).to_have_text("")


def test_an_upload_is_paused_goes_on_survives_an_outage_and_refuses_another_file(
    visit: Callable[..., Page],
    house: House,
    priya: Person,
    store: Counted,
    tmp_path: Path,
    shot: Callable[..., Path],
    axe: Callable[..., None],
    no_sideways: Callable[[Page], None],
) -> None:
    path, other = report(tmp_path, 31_000_000), report(tmp_path, 9_000_000, "another.pdf")
    store.holds_after(2)
    page = visit(priya, "/evidence", width=390, tolerate=("net::ERR_INTERNET_DISCONNECTED",))
    choose(page, path)
    assert store.reached.wait(30)
    row = page.locator("[data-upload-rows] .evrow")
    no_sideways(page)
    shot(page, "upload-sending-light-390")

    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("Paused at 51 %")
    expect(row.get_by_role("button", name="Resume")).to_be_focused()
    axe(page)
    shot(page, "upload-paused-light-390")

    page.context.set_offline(True)
    row.get_by_role("button", name="Resume").click()
    expect(row).to_contain_text("You are offline. 16.0 of 31.0 MB arrived. It goes on when the connection returns")
    shot(page, "upload-offline-light-390")
    page.context.set_offline(False)
    store.go_on.set()
    expect(page.locator("#arrived")).to_contain_text(path.name, timeout=30_000)
    assert sorted(store.arrived) == [1, 2, 3, 4]
    assert sum(store.arrived.values()) <= 5

    store.holds_after(1)
    choose(page, again := report(tmp_path, 19_000_000, "second.pdf"))
    assert store.reached.wait(30)
    page.reload()
    store.go_on.set()
    pick(page, "Choose the file again", other)
    waiting = page.get_by_role("region", name="Unfinished uploads")
    expect(waiting).to_contain_text("This is another file. Choose second.pdf again, or cancel this upload")
    shot(page, "upload-another-light-390")
    pick(page, "Choose the file again", again)
    expect(page.locator("#arrived")).to_contain_text("second.pdf", timeout=30_000)
    assert [each.state for each in rows(house)] == [EvidenceState.ATTACHED] * 2


def test_an_upload_is_cancelled_here_and_after_a_reload(
    visit: Callable[..., Page], house: House, priya: Person, store: Counted, tmp_path: Path
) -> None:
    page = visit(priya, "/evidence")
    for name in ("one.pdf", "two.pdf"):
        store.holds_after(1)
        choose(page, report(tmp_path, 19_000_000, name))
        rows_here = page.locator("[data-upload-rows]")
        expect(rows_here).to_contain_text("of 19.0 MB", timeout=15_000)
        assert store.reached.wait(20)
        if name == "two.pdf":
            page.reload()
        with page.expect_response(lambda answer: answer.url.endswith("/cancel")):
            page.get_by_role("button", name=f"Cancel upload of {name}").click()
        expect(page.locator(".evrow")).to_have_count(0)
        store.go_on.set()
    page.reload()

    expect(page.get_by_role("region", name="Unfinished uploads")).to_have_count(0)
    assert [(each.state, each.refusal) for each in rows(house)] == [
        (EvidenceState.REFUSED, "You cancelled this upload")
    ] * 2
    assert list(house.store.unfinished("")) == []


def test_several_dropped_files_wait_for_their_type_and_a_refused_one_says_why(
    visit: Callable[..., Page], house: House, priya: Person, shot: Callable[..., Path], axe: Callable[..., None]
) -> None:
    page = visit(priya, "/evidence")
    bodies = {"bridge-letter.pdf": files.pdf(), "insurance-schedule.pdf": files.pdf(trailer="/Encrypt 9 0 R")}
    page.evaluate(
        """files => {
          const given = new DataTransfer();
          for (const [name, text] of files) given.items.add(new File([Uint8Array.from(text)], name));
          const dropped = new DragEvent("drop", {bubbles: true, dataTransfer: given});
          document.querySelector("[data-drop]").dispatchEvent(dropped);
        }""",
        [[name, list(body)] for name, body in bodies.items()],
    )
    rows_here = page.locator("[data-upload-rows]")
    expect(rows_here.get_by_text("Choose its type above to begin")).to_have_count(2)
    page.get_by_label("Type of evidence").select_option("BL")

    expect(page.locator("#arrived")).to_contain_text("bridge-letter.pdf")
    expect(rows_here).to_contain_text("The file is password-protected. Remove the password and upload it again")
    axe(page)
    shot(page, "upload-refused-light-1440")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose another file").click()
    chooser.value.set_files({"name": "schedule.pdf", "mimeType": "application/pdf", "buffer": files.pdf(pages=2)})
    expect(page.locator("#arrived")).to_contain_text("schedule.pdf")
    expect(rows_here).to_have_text("")
    assert [each.state for each in rows(house)].count(EvidenceState.ATTACHED) == 2


@pytest.mark.parametrize("script", [True, False], ids=["presses", "keys, no script"])
def test_j4_an_answer_with_a_new_file_takes_two_presses_and_no_page_load(
    visit: Callable[..., Page],
    house: House,
    priya: Person,
    tmp_path: Path,
    shot: Callable[..., Path],
    script: bool,
) -> None:
    with house.ledger.begin(FACTORY) as tx:
        assessment = make_assessment(tx, vendor=vendors.get(tx, priya.vendor_id, Action.VENDOR_READ))
        asked = questionnaires.compiled(tx, assessment.questionnaire_id)
    question = next(each for each in asked.questions if each.kind == "ynp" and each.evidence.kinds and not each.when)
    page = visit(priya, f"/assessments/{assessment.id}/s/{question.section}", script=script)
    job = Job(page, script=script)
    card = page.get_by_label(f"Question {question.number},")
    first, picker = card.get_by_role("radio").first, card.get_by_label(f"Upload a file for {question.number}")
    words = "Checked each quarter by the security team."

    if script:
        job.press(first)
    else:
        first.focus()
        job.key("Space")
    card.get_by_label("How do you know?").focus()
    page.keyboard.type(words)
    if not script:
        job.key("Tab")
        expect(card.get_by_role("button", name=f"Save answer {question.number}")).to_be_focused()
        with page.expect_navigation():
            job.key("Enter")
    with page.expect_file_chooser() as chooser:
        job.press(picker) if script else job.key("Enter", at=picker)
    chooser.value.set_files(report(tmp_path, 5_000_000, "policy.pdf"))
    if script:
        expect(card).to_contain_text("5.0 MB. Attached to your answer.")
        expect(page.get_by_text("All changes saved").first).to_be_visible()
        job.costs(clicks=2, loads=0)
        shot(page, "upload-in-a-section-light-1440", full=False)
        page.reload()
    else:
        card.get_by_role("button", name=f"Upload for {question.number}").focus()
        job.key("Enter")
        job.costs(loads=2)

    expect(card.get_by_role("button", name="Remove policy.pdf")).to_be_visible()
    expect(first).to_be_checked()
    expect(card.get_by_label("How do you know?")).to_have_value(words)
    (kept,) = rows(house)
    assert (kept.state, kept.kind) == (EvidenceState.ATTACHED, question.evidence.kinds[0])


def test_parts_go_to_a_real_s3_server_and_none_of_them_twice(
    settings: Settings, database_url: str, clock: FixedClock, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    with servers.moto() as server:
        bucket = server.new_bucket()
        settings = replace(settings, s3_bucket=bucket.bucket, s3_endpoint_url=bucket.endpoint_url)
        store = S3Store(bucket, clock=lambda: clock.read(None))  # type: ignore[arg-type]
        house = House(settings, database_url=database_url, clock=clock, store=store)
        with house.ledger.begin(FACTORY) as tx:
            vendor_id = make_vendor(tx).id
        who = person(house, roles=["respondent"], vendor=vendor_id, name="Priya Raghunath")
        arrived: Counter[str] = Counter()

        def note(response: Response) -> None:
            if response.request.method == "PUT" and response.ok:
                arrived[parse_qs(urlsplit(response.url).query)["partNumber"][0]] += 1

        begun: list[str] = []

        def hold(route: Route) -> None:
            begun.append(route.request.url)
            if route.request.method != "PUT" or len(begun) <= 2:
                route.continue_()

        with serving(make_app(settings, house)) as address:
            page = new_page(tolerate=("net::ERR_",))
            token = session_token(house, who, data={"csrf_token": "f" * 40})
            page.context.add_cookies([{"name": "gatehouse", "value": token, "url": address}])
            page.on("response", note)
            page.goto(address + "/evidence")
            page.route(re.compile("partNumber="), hold)
            path = report(tmp_path, 23_000_000)
            choose(page, path)
            expect(page.locator("[data-upload-rows]")).to_contain_text("of 23.0 MB", timeout=15_000)
            # In this order: to give the way free lets go what waits there.
            page.reload()
            page.unroute_all()
            expect(page.get_by_role("region", name="Unfinished uploads")).to_contain_text("of 23.0 MB arrived")
            pick(page, "Choose the file again", path)
            expect(page.locator("#arrived")).to_contain_text(path.name, timeout=30_000)

        assert set(arrived.values()) == {1}
        assert [each.state for each in rows(house)] == [EvidenceState.ATTACHED]
        house.engine.dispose()

"""The pages of one vendor: the gate's answers with their reasons, whom it leans on, its history, each role its own."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from portal.gate import counting
from portal.gate import service as gate
from portal.identity import service as identity
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.reviews.service import Condition
from portal.terms import Outcome, Role, Scope, Severity
from portal.vendors.models import Vendor
from portal.wiring import House
from tests.factories.attestations import desk
from tests.factories.entered import make_report
from tests.factories.identity import person
from tests.factories.reviews import Bench, bench
from tests.factories.vendors import make_engagement, make_vendor
from tests.sites.conftest import Client

PAGE = "/lab/vendors/quillmark-annotation"
TABS = ("assessments", "findings", "access", "access/why", "evidence", "fourth-parties", "people", "history")


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))).replace(" ,", ",")


def decided(made: Bench, **given: Any) -> None:
    made.claim()
    made.flag(made.open_keys()[0], severity=Severity.HIGH, due_on=date(2027, 1, 15), credit=80)
    made.accept_rest()
    made.recommend()
    condition = Condition(text="Close the gap", due_on=date(2026, 12, 15))
    proposed = {"outcome": Outcome.APPROVE_WITH_CONDITIONS, "reason": "Small.", "conditions": (condition,), **given}
    made.propose(made.lead, **proposed)


@pytest.fixture
def made(house: House) -> Bench:
    return bench(house)


@pytest.fixture
def lead(made: Bench, signed_in: Callable[..., Client]) -> Client:
    return signed_in(made.lead)


def client_of(house: House, name: str, vendor_ids: list[UUID] | None = None) -> UUID:
    with house.ledger.begin(system("test")) as tx:
        made, _token = identity.create_client(
            tx, name=name, scopes=[Scope.GATE_READ], vendor_ids=vendor_ids, expires_at=tx.now + timedelta(days=30)
        )
        return made.id


@pytest.mark.parametrize("tab", TABS)
def test_each_page_opens_and_says_where_one_is(lead: Client, tab: str) -> None:
    answer = lead.get(f"{PAGE}/{tab}")

    assert answer.status_code == 200
    body = answer.get_data(as_text=True)
    assert body.count("<h1>") == 1
    assert lead.get(f"/lab/vendors/nobody/{tab}").status_code == 404


def test_the_tabs_count_what_is_behind_them_and_earlier_anchors_still_lead_somewhere(made: Bench, lead: Client) -> None:
    decided(made)

    body = lead.get(PAGE).get_data(as_text=True)

    tabs = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body.split('aria-label="Vendor"')[1].split("</nav>")[0]))
    assert re.search(
        r"Overview Assessments 1 Findings 1 Data access \d+ Evidence \d+ Fourth parties 0 People \d+ History", tabs
    )
    for anchor in (
        "engagements",
        "assessments",
        "score",
        "findings",
        "evidence",
        "behind",
        "people",
        "history",
        "about",
        "gate",
    ):
        assert len(re.findall(rf'id="{anchor}"', body)) == 1, anchor


def test_the_gate_says_who_asked_why_and_until_when(house: House, made: Bench, lead: Client) -> None:
    decided(made)
    iam, other = client_of(house, "IAM"), client_of(house, "Data platform")
    with house.ledger.begin(system("test")) as tx:
        hour = counting.last_day(tx.now) + timedelta(hours=2)
        slug = "quillmark-annotation"
        counting.add(
            tx,
            {
                counting.Call(hour, iam, slug, "D3", "A2", allowed=True): 1204,
                counting.Call(hour - timedelta(hours=3), iam, slug, "D3", "A2", allowed=True): 9,
                counting.Call(hour, other, slug, "", "A2", allowed=False): 3,
            },
        )

    said = text(lead.get(PAGE))

    assert re.search(r"IAM Confidential D3 A2 Allow.*?: why D3 A2 Decision D-\d+, .*? 1,204", said)
    assert "3 calls named no known class or mode" in said
    assert re.search(r'href="/lab/decisions/[0-9a-f-]{36}"', lead.get(PAGE).get_data(as_text=True))
    assert "not connected" in said


def test_each_system_is_told_by_itself_and_one_whose_token_names_others_is_told_no(
    house: House, made: Bench, lead: Client
) -> None:
    decided(made)
    client_of(house, "IAM")
    with house.ledger.begin(system("test")) as tx:
        elsewhere = make_vendor(tx, "Northpier Labelling").id
    client_of(house, "Labelling tool", [elsewhere])

    said = text(lead.get(f"{PAGE}/access"))

    assert re.search(r"IAM Confidential D3 A2 Allow", said)
    assert "Labelling tool everything Deny Its token does not name this vendor" in said


def test_the_arithmetic_says_which_step_fails_and_agrees_with_the_gate(
    made: Bench, house: House, lead: Client, clock: FixedClock
) -> None:
    decided(made)
    now = text(lead.get(f"{PAGE}/access/why?class=D3&mode=A2"))
    later = text(lead.get(f"{PAGE}/access/why?class=D3&mode=A2&at=2026-12-16"))
    past = text(lead.get(f"{PAGE}/access/why?class=D3&mode=A2&at=2026-11-01"))
    outside = text(lead.get(f"{PAGE}/access/why?class=D5&mode=A2"))

    assert "The answer now" in now
    assert "What was decided? Decision D-" in now
    assert "The gate says: Approved with conditions." in now
    assert "The answer then, if nothing changes" in later
    assert re.search(r"Close the gap, open, was due 15 December 2026 .*? No", later)
    assert "The gate says: A condition is overdue." in later
    assert "Nobody has decided yet No" in re.sub(r" – no end", "", past)
    assert "Decisions and pauses are those of that day" in past
    assert "Not engaged" not in now
    assert re.search(r"Is it engaged for this class and mode\? .*? No", outside)


def test_a_pause_is_the_first_step_that_fails(house: House, made: Bench, lead: Client) -> None:
    decided(made)
    with house.ledger.begin(made.lead.fresh) as tx:
        gate.pause(tx, vendor=tx.session.get_one(Vendor, made.desk.vendor_id), reason="Odd sign-ins")

    said = text(lead.get(f"{PAGE}/access/why?class=D3&mode=A2"))

    assert re.search(r"Is access paused\? Paused .*? No", said)
    assert "The gate says: Paused." in said
    assert "Pause access" not in text(lead.get(PAGE))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("class=D9", "Choose a data class from the list"),
        ("mode=", "Choose an access mode from the list"),
        ("at=soon", "Enter a day within the last and the next five years"),
        ("at=9999-01-01", "Enter a day within the last and the next five years"),
    ],
)
def test_what_cannot_be_worked_out_is_said_at_the_field(lead: Client, query: str, words: str) -> None:
    answer = lead.get(f"{PAGE}/access/why?{query}")
    assert answer.status_code == 422
    assert words in text(answer)


def test_fourth_parties_come_from_reports_and_say_who_else_leans_on_them(
    house: House, made: Bench, signed_in: Callable[..., Client]
) -> None:
    other = desk(house, name="Northpier Labelling")
    make_report(house, made.desk.respondent)
    make_report(house, other.respondent)

    said = text(signed_in(made.lead).get(f"{PAGE}/fourth-parties"))

    assert "Harrow Cloud hosting" in said
    assert "1 other vendor Northpier Labelling" in said
    assert "Harrow Cloud" in text(signed_in(made.lead).get(PAGE))
    assert "Harrow Cloud" not in text(signed_in(made.admin).get(PAGE)), "a program admin reads no evidence"
    assert signed_in(made.admin).get(f"{PAGE}/fourth-parties").status_code == 403


def test_the_history_tells_in_sentences_with_filters_in_the_address(made: Bench, lead: Client) -> None:
    decided(made)

    whole = text(lead.get(f"{PAGE}/history"))
    asked = text(lead.get(f"{PAGE}/history?about=gate"))

    assert re.search(r"made decision D-\d+ on Quillmark Annotation final: approve with conditions", whole)
    assert "signed revision 1 of the answers of Quillmark Annotation" in whole
    assert "changed what the gate says of Quillmark Annotation" in asked
    assert "signed revision" not in asked
    assert "No event of Quillmark Annotation fits" in text(lead.get(f"{PAGE}/history?to=2020-01-01"))
    assert lead.get(f"{PAGE}/history?about=nonsense").status_code == 422
    assert lead.get(f"{PAGE}/history?from=2026-13-01").status_code == 422
    assert lead.get(f"{PAGE}/history?from=2026-02-01&to=2026-01-01").status_code == 422
    assert lead.get(f"{PAGE}/history?before=x").status_code == 200


def test_the_history_is_taken_out_as_a_file_with_the_filter_in_its_name(made: Bench, lead: Client) -> None:
    decided(made)

    table = lead.get(f"{PAGE}/history/export?kind=csv&about=decision")
    lines = lead.get(f"{PAGE}/history/export?from=2026-11-01")

    assert 'filename="quillmark-annotation-history-about-decision.csv"' in table.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(table.get_data(as_text=True))))
    assert {row["about"] for row in rows} == {"Decisions"}
    assert rows[0]["at"].endswith("+00:00")
    events = [json.loads(line) for line in lines.get_data(as_text=True).splitlines()]
    assert [each["number"] for each in events] == sorted(each["number"] for each in events)
    assert lead.get(f"{PAGE}/history/export?from=never").status_code == 422


def test_each_role_reads_its_own_strands(made: Bench, signed_in: Callable[..., Client]) -> None:
    decided(made)
    admin = signed_in(made.admin)

    said = text(admin.get(f"{PAGE}/history"))

    assert "changed what the gate says" in said
    for hidden in ("decision D-", "claimed the review", "Review and findings"):
        assert hidden not in said
    assert admin.get(f"{PAGE}/history?about=decision").status_code == 422
    assert "decision D-" not in admin.get(f"{PAGE}/history/export?kind=csv").get_data(as_text=True)


def test_nobody_of_a_vendor_finds_these_pages(made: Bench, signed_in: Callable[..., Client]) -> None:
    theirs = signed_in(made.desk.admin)
    for tab in (*TABS, "history/export"):
        assert theirs.get(f"{PAGE}/{tab}").status_code == 404, tab


def test_a_new_vendor_is_told_its_next_step_with_the_button(house: House, signed_in: Callable[..., Client]) -> None:
    with house.ledger.begin(system("test")) as tx:
        vendor = make_vendor(tx, "Northpier Labelling")
    client = signed_in(person(house, roles=[Role.REVIEWER]))
    page = "/lab/vendors/northpier-labelling"

    assert "Engage it for a project" in text(client.get(page))
    assert f'href="{page}/engagements/new">Engage it for a project' in client.get(page).get_data(as_text=True)
    with house.ledger.begin(system("test")) as tx:
        make_engagement(tx, tx.session.get_one(Vendor, vendor.id))
    assert f'href="{page}/people#invite">Invite its vendor admin' in client.get(page).get_data(as_text=True)

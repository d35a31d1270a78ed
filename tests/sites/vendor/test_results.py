"""The outcome as it was published, and the page of each state of an assessment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.assessments import service as assessments
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.wiring import House
from tests.factories.attestations import Desk
from tests.factories.identity import person
from tests.factories.vendors import make_vendor
from tests.sites.conftest import Client

BODY: dict[str, Any] = {
    "decision": "approve_with_conditions",
    "number": 412,
    "decided_on": "2026-12-18",
    "valid_until": "2027-12-18",
    "score": "78.4",
    "score_whole": 78,
    "threshold": 80,
    "tier": 1,
    "zones": {"consider": 65, "approve": 80},
    "domains": [
        {"key": "iam", "title": "Identity and access", "score": "91.0", "threshold": 60},
        {"key": "end", "title": "Endpoints", "score": "32.5", "threshold": 60},
    ],
    "findings": [
        {
            "name": "F-2",
            "question_key": "gov.owner",
            "number": "1.1",
            "label": "Bridge letter",
            "severity": "medium",
            "what": "The period ended.",
            "closes_when": "A bridge letter covers the gap.",
            "due_on": "2027-01-29",
            "gain": "1.5",
        },
        {
            "name": "F-1",
            "question_key": "end.managed",
            "number": "6.2",
            "label": "Managed laptops",
            "severity": "high",
            "what": "65 of 279 laptops lack <b>encryption</b>.",
            "closes_when": "An export shows all.",
            "due_on": "2027-01-15",
            "gain": "4.0",
        },
    ],
    "conditions": [{"text": "Encrypt the laptops.", "due_on": "2027-01-15", "closes_at": "D4", "access_mode": None}],
    "access": [
        {"data_class": "D3", "access_mode": "A2", "open": True, "because": ""},
        {"data_class": "D4", "access_mode": "A4", "open": False, "because": "Opens when F-1 is closed"},
    ],
    "signed_by": ["Ines Valdarno", "Hana Kobayashi"],
    "letter": "Strong leaver process.",
    "revision": 1,
    "attestation_digest": "9f2c" + "0" * 56 + "41ab",
}


def publish(made: Desk, **changed: Any) -> str:
    with made.at(system("test")) as (tx, row):
        told = assessments.publish_outcome(tx, assessment=row, number=412, body={**BODY, **changed})
        return f"/results/{told.id}"


def test_a_result_says_what_was_decided_why_and_what_to_fix_first(quillmark: Desk, priya: Client) -> None:
    page = priya.get(publish(quillmark)).get_data(as_text=True)

    assert "<h1" in page
    assert "Approved with conditions</h1>" in page
    assert "1.6 points short of full approval" in page
    assert page.index("F-1 6.2 Managed laptops") < page.index("F-2 1.1 Bridge letter")
    assert page.index("Endpoints") < page.index("Identity and access")
    assert "27.5 below" in page
    assert "83.9" in page
    assert "65 of 279 laptops lack &lt;b&gt;encryption&lt;/b&gt;." in page
    assert "D4 Restricted" in page
    assert "Opens when F-1 is closed" in page
    assert "Ines Valdarno and Hana Kobayashi" in page
    assert "Ask for a second look" in page


def test_a_refusal_has_the_same_page_and_says_so(quillmark: Desk, priya: Client) -> None:
    page = priya.get(publish(quillmark, decision="reject", conditions=[], valid_until=None)).get_data(as_text=True)

    assert "Not approved</h1>" in page
    assert "does not approve this work as it stands" in page


def test_a_result_without_findings_or_score_still_opens(quillmark: Desk, priya: Client) -> None:
    bare = publish(quillmark, findings=[], domains=[], score=None, zones={}, access=[], conditions=[], letter="")
    answer = priya.get(bare)

    assert answer.status_code == 200
    assert "There is no open finding." in answer.get_data(as_text=True)


def test_results_are_listed_and_lead_to_each(quillmark: Desk, priya: Client) -> None:
    assert "No result yet" in priya.get("/results").get_data(as_text=True)
    path = publish(quillmark)
    assert path in priya.get("/results").get_data(as_text=True)


def card(made: Desk, **body: Any) -> None:
    told = {"paused": False, "act": None, "valid_until": None, "conditions": [], **body}
    with made.house.ledger.begin(system("test")) as tx:
        assessments.publish_card(tx, vendor_id=made.vendor_id, engagement_id=made.engagement_id, body=told)


def test_the_home_says_what_the_gate_says_and_lapses_by_the_clock(
    quillmark: Desk, signed_in: Callable[..., Client], clock: FixedClock
) -> None:
    def home() -> str:
        return signed_in(quillmark.respondent).get("/").get_data(as_text=True)

    assert "Nothing is decided yet." in home()
    card(quillmark, act="approve", valid_until="2026-12-31")
    assert "Nothing is paused." in home()
    clock.advance(days=60)
    assert "Your approval has ended." in home()
    card(quillmark, act="revoke")
    assert "Your approval was taken back." in home()
    card(quillmark, paused=True, act="approve", valid_until="2027-12-31")
    assert "Access is paused." in home()


def test_the_home_says_when_evidence_ends_before_the_approval_and_what_to_do(
    quillmark: Desk, signed_in: Callable[..., Client], clock: FixedClock
) -> None:
    def home() -> str:
        return signed_in(quillmark.respondent).get("/").get_data(as_text=True)

    card(quillmark, act="approve", valid_until="2027-12-31", evidence_until="2026-12-31")
    assert "31 December 2026" in home()
    assert "when evidence lapses that it rests on" in home()
    clock.advance(days=37)
    assert "Nothing is paused." in home()
    clock.advance(days=1)
    assert "Your access has ended: evidence has lapsed." in home()
    card(quillmark, act="approve", valid_until="2027-12-31", evidence_until="0001-01-01")
    assert "Your access has ended: evidence has lapsed." in home()
    assert "It held until" not in home()


def test_an_overdue_assessment_says_so(quillmark: Desk, signed_in: Callable[..., Client], clock: FixedClock) -> None:
    clock.advance(days=40)

    assert "This was due on" in signed_in(quillmark.respondent).get("/").get_data(as_text=True)


def test_a_vendor_that_is_asked_nothing_is_told_so(house: House, signed_in: Callable[..., Client]) -> None:
    with house.ledger.begin(system("test")) as tx:
        vendor = make_vendor(tx, "Marrowstone Labs").id
    client = signed_in(person(house, roles=["respondent"], vendor=vendor))

    assert "Nothing is asked of you" in client.get("/").get_data(as_text=True)
    assert client.get("/check").status_code == 404
    assert client.get("/results").status_code == 200
    assert client.get("/team").status_code == 200


def test_the_short_addresses_lead_to_the_current_assessment(quillmark: Desk, priya: Client) -> None:
    here = f"/assessments/{quillmark.assessment_id}"

    assert priya.get("/s/gov").location.endswith(f"{here}/s/gov")
    assert priya.get("/check").location.endswith(f"{here}/check")

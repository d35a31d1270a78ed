"""What the lab asks of a library stands on top of it, each with the way to settle it."""

from __future__ import annotations

from datetime import timedelta

from portal.evidence import service
from portal.policy import Action
from portal.wiring import House
from tests.conftest import NOW
from tests.factories.evidence import make_evidence
from tests.factories.identity import Person
from tests.sites.conftest import Client

TODAY = NOW.date()


def report_ended(days_ago: int) -> dict[str, str]:
    """The details of a Type 2 report whose period ended then."""
    end = TODAY - timedelta(days=days_ago)
    return {
        "report_type": "type2",
        "period_start": (end - timedelta(days=364)).isoformat(),
        "period_end": end.isoformat(),
        "opinion": "unqualified",
    }


def test_an_empty_library_is_asked_for_nothing(as_ada: Client) -> None:
    assert "asks for" not in as_ada.get("/evidence").text


def test_a_file_that_was_sent_back_is_asked_for_again_in_the_reviewers_words(
    as_ada: Client, house: House, ada: Person, hana: Person
) -> None:
    row = make_evidence(house, ada)
    with house.ledger.begin(hana.actor) as tx:
        found = service.get(tx, row.id, Action.EVIDENCE_JUDGE)
        service.reject(tx, evidence=found, note="Page 2 is missing.", row_version=found.row_version)
    page = as_ada.get("/evidence").text
    assert "access-policy.pdf was sent back" in page
    assert "Page 2 is missing." in page
    assert f"/evidence?replace={row.id}" in page


def test_a_young_report_asks_for_nothing_in_the_looser_tiers(as_ada: Client, house: House, ada: Person) -> None:
    make_evidence(house, ada, name="soc2.pdf", kind="SOC2", details=report_ended(120))
    assert "asks for" not in as_ada.get("/evidence").text


def test_a_report_that_nears_its_end_asks_for_the_next(as_ada: Client, house: House, ada: Person) -> None:
    make_evidence(house, ada, name="soc2.pdf", kind="SOC2", details=report_ended(300))
    page = as_ada.get("/evidence").text
    assert "The report after soc2.pdf" in page
    assert "A bridge letter" not in page


def test_a_report_that_ended_asks_for_a_letter_while_one_helps(as_ada: Client, house: House, ada: Person) -> None:
    make_evidence(house, ada, name="soc2.pdf", kind="SOC2", details=report_ended(395))
    page = as_ada.get("/evidence").text
    assert "A bridge letter for soc2.pdf" in page
    letter = as_ada.get("/evidence?type=BL").text
    assert '<option value="BL"' in letter.split('name="kind"')[1][:200]


def test_after_the_fifteenth_month_no_letter_is_asked_for(as_ada: Client, house: House, ada: Person) -> None:
    make_evidence(house, ada, name="soc2.pdf", kind="SOC2", details=report_ended(470))
    page = as_ada.get("/evidence").text
    assert "The report after soc2.pdf" in page
    assert "A bridge letter" not in page


def test_nobody_of_another_vendor_is_asked(as_otto: Client, house: House, ada: Person) -> None:
    make_evidence(house, ada, name="soc2.pdf", kind="SOC2", details=report_ended(395))
    assert "soc2.pdf" not in as_otto.get("/evidence").text

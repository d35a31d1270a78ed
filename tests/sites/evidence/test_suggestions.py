"""What was read in a file stands beside the fields of its form, and counts once a person saved it."""

from __future__ import annotations

import re

from portal.jobs.reading import read_file
from portal.wiring import House
from tests.factories.evidence import make_evidence, row_of
from tests.factories.identity import Person
from tests.factories.pdfs import scanned_pdf
from tests.factories.reports import Report, report
from tests.sites.conftest import Client

REPORT = report(1001, type=2, opinion="unqualified", traps=("adverse", "prior"))


def read_report(house: House, who: Person, found: Report = REPORT):  # type: ignore[no-untyped-def]
    row = make_evidence(house, who, found.pdf(), kind="SOC2", details={}, name="soc2.pdf")
    read_file(house, evidence_id=str(row.id))
    return row


def inputs(page: str) -> dict[str, str]:
    """The values that the form shows, as a browser would send them."""
    body = page[page.index('<form class="stack') :]
    found = {
        match[1]: match[2]
        for match in re.finditer(r'<input class="input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', body)
    }
    found |= dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', body))
    for name, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', body, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    for name, text in re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', body, re.DOTALL):
        found[name] = text.strip()
    ticked = re.findall(r'<input type="checkbox" name="([^"]+)" value="([^"]*)"[^>]* checked', body)
    found |= dict(ticked)
    return found


def test_a_suggestion_names_its_page_and_counts_once_it_is_saved(
    as_ada: Client, as_hana: Client, house: House, ada: Person
) -> None:
    row = read_report(house, ada)
    page = as_ada.get(f"/evidence/{row.id}/details").text
    assert "Nothing of it counts until you save" in page
    assert f'value="{REPORT.truth["period_end"]}"' in page
    assert "Suggested." in page
    assert row_of(house, row.id).sources == {}

    form = inputs(page) | {"detail-auditor": "Another Firm LLP"}
    answer = as_ada.post(f"/evidence/{row.id}/details", data=form)

    assert answer.status_code == 303, answer.text
    stored = row_of(house, row.id)
    assert stored.details["period_end"] == REPORT.truth["period_end"]
    assert stored.sources["period_end"]["confirmed_by"] == str(ada.id)
    assert stored.sources["period_end"]["page"] >= 1
    assert "auditor" not in stored.sources
    shown = as_hana.get(f"/lab/evidence/{row.id}").text
    assert "Confirmed by Ada Quill" in shown
    assert stored.sources["period_end"]["quote"][:40].split("’")[0] in shown


def test_what_was_cleared_is_not_filled_in_again(as_ada: Client, house: House, ada: Person) -> None:
    row = read_report(house, ada)
    form = inputs(as_ada.get(f"/evidence/{row.id}/details").text) | {"detail-auditor": ""}
    as_ada.post(f"/evidence/{row.id}/details", data=form)

    again = as_ada.get(f"/evidence/{row.id}/details").text

    assert inputs(again).get("detail-auditor", "") == ""
    assert f"{REPORT.truth['auditor'].split(' &')[0]}" in again


def test_a_scan_is_said_to_be_one(as_ada: Client, as_hana: Client, house: House, ada: Person) -> None:
    row = make_evidence(house, ada, scanned_pdf(), kind="SOC2", details={}, name="scan.pdf")
    waiting = as_ada.get(f"/evidence/{row.id}/details").text
    read_file(house, evidence_id=str(row.id))

    page = as_ada.get(f"/evidence/{row.id}/details").text

    assert "We are reading this file" in waiting
    assert "This PDF is a scan without text, so we cannot read the dates from it. Fill them in below." in page
    assert "Suggested." not in page
    assert "a scan without text" in as_hana.get(f"/lab/evidence/{row.id}").text

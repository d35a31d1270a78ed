"""The form for what a file is, what stands inside a report on both sides, and the tasks of the lab."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
import sqlalchemy as sa

from portal.evidence.rules import KINDS
from portal.kernel.actor import system
from portal.terms import EvidenceState
from portal.vendors.models import Vendor
from portal.wiring import House
from tests.factories.entered import REPORT, make_report, rows_of
from tests.factories.evidence import make_evidence, row_of
from tests.factories.identity import Person, person
from tests.sites.conftest import Client


def words(client: Client, path: str) -> str:
    """What a page says, without its markup."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))))


@pytest.fixture
def as_auditor(signed_in: Callable[..., Client], house: House) -> Client:
    return signed_in(person(house, roles=["auditor"], name="Aud It"))


def test_each_kind_has_its_form_with_every_field(as_ada: Client, house: House, ada: Person) -> None:
    row = make_evidence(house, ada)
    for kind in KINDS.values():
        page = as_ada.get(f"/evidence/{row.id}/details?kind={kind.code}").get_data(as_text=True)
        for field in kind.fields:
            assert f'id="{field.id}"' in page or f'id="{field.id}-0"' in page, (kind.code, field.name)


def test_rows_come_and_go_without_anything_being_saved(as_ada: Client, house: House, ada: Person) -> None:
    row = make_evidence(house, ada, kind="SOC2", details={})
    path, typed = f"/evidence/{row.id}/details", {**REPORT, "kind": "SOC2", "row_version": str(row.row_version)}

    more = as_ada.post(path, data={**typed, "add": "exception_rows"}).get_data(as_text=True)
    assert 'name="detail-exception_rows-1-control"' in more
    assert 'value="LA-4"' in more
    less = as_ada.post(path, data={**typed, "drop": "exception_rows-0"}).get_data(as_text=True)
    assert "detail-exception_rows-0-control" not in less
    assert row_of(house, row.id).details == {}


def test_a_problem_in_a_row_is_said_at_its_cell(as_ada: Client, house: House, ada: Person) -> None:
    row = make_evidence(house, ada, kind="SOC2", details={})
    typed = {**REPORT, "kind": "SOC2", "row_version": str(row.row_version), "detail-exception_rows-0-text": ""}
    answer = as_ada.post(f"/evidence/{row.id}/details", data=typed)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert '<a href="#detail-exception_rows-0-text">Row 1: Enter what the auditor found</a>' in page
    assert 'id="detail-exception_rows-0-text-error"' in page
    assert 'value="LA-4"' in page


def test_the_vendor_sees_what_it_entered_and_that_it_does_not_add_up(
    as_ada: Client, as_hana: Client, house: House, ada: Person
) -> None:
    paper = make_report(house, ada)
    exception = rows_of(house, ada, paper).exceptions[0].id
    given = {"verdict": "no", "note": "Too many leavers for us", "row_version": "1"}
    assert as_hana.post(f"/lab/evidence/exceptions/{exception}", data=given).status_code == 303

    said = words(as_ada, f"/evidence/{paper}")
    assert "The report lists 2 exceptions; 1 is entered." in said
    assert "Two leavers kept access" in said
    assert "Restricted use." in said
    assert "Harrow Cloud , hosting carved out" in said
    assert "Too many leavers" not in said
    assert "Not acceptable Assess again the exception in LA-4" in words(as_hana, f"/lab/evidence/{paper}")


def test_silence_on_exceptions_is_called_unknown(as_ada: Client, as_hana: Client, house: House, ada: Person) -> None:
    empty = {"exceptions_listed": "", "exceptions": "", "exception_rows-0-control": "", "exception_rows-0-text": ""}
    paper = make_report(house, ada, **{**empty, "exception_rows-0-response": ""})
    assert "Unknown: nobody has said yet" in words(as_ada, f"/evidence/{paper}")
    assert "Unknown: the vendor has not said" in words(as_hana, f"/lab/evidence/{paper}")


def test_a_qualified_report_waits_for_its_criteria(as_hana: Client, house: House, ada: Person) -> None:
    paper = make_report(house, ada)
    version = str(row_of(house, paper).row_version)
    refused = as_hana.post(f"/lab/evidence/{paper}", data={"verdict": "verify", "row_version": version})
    assert refused.status_code == 409
    assert "Name the criteria" in refused.get_data(as_text=True)
    where = f"/lab/evidence/{paper}/criteria"
    version = str(row_of(house, paper).row_version)
    assert as_hana.post(where, data={"criteria": " ", "row_version": version}).status_code == 422
    assert as_hana.post(where, data={"criteria": "CC6.2", "row_version": version}).status_code == 303
    assert "The opinion is qualified on CC6.2." in words(as_hana, f"/lab/evidence/{paper}")
    version = str(row_of(house, paper).row_version)
    done = as_hana.post(f"/lab/evidence/{paper}", data={"verdict": "verify", "row_version": version})
    assert done.status_code == 303
    assert row_of(house, paper).state is EvidenceState.VERIFIED


def test_a_reviewer_reads_the_report_right(as_hana: Client, house: House, ada: Person) -> None:
    paper = make_report(house, ada)
    where = f"/lab/evidence/{paper}/report"
    typed = {name: value for name, value in REPORT.items() if "_rows-" in name}
    typed |= {"row_version": str(row_of(house, paper).row_version), "detail-exception_rows-0-control": "LA-5"}
    assert 'value="LA-4"' in as_hana.get(where).get_data(as_text=True)
    more = as_hana.post(where, data={**typed, "add": "user_control_rows"}).get_data(as_text=True)
    assert 'name="detail-user_control_rows-1-text"' in more
    short = {**typed, "detail-carve_out_rows-0-method": ""}
    assert as_hana.post(where, data=short).status_code == 422
    assert as_hana.post(where, data=typed).status_code == 303
    assert rows_of(house, ada, paper).exceptions[0].control == "LA-5"


def test_tasks_are_found_by_owner_and_done(
    as_hana: Client, as_auditor: Client, house: House, ada: Person, hana: Person
) -> None:
    paper = make_report(house, ada)
    task = f"/lab/evidence/tasks/{rows_of(house, ada, paper).controls[0].id}"
    control = "Review the accounts of your own staff"
    assert control in words(as_hana, "/lab/evidence/tasks?who=nobody")

    given = {"owner": str(hana.id), "due_on": "2026-12-31", "state": "open", "note": "", "row_version": "1"}
    wrong = as_hana.post(task, data={**given, "due_on": "soon", "state": "maybe", "owner": "x"})
    assert wrong.status_code == 422
    assert "Choose how far the control has come" in wrong.get_data(as_text=True)
    assert as_hana.post(task, data=given).status_code == 303
    assert as_hana.post(task, data=given).status_code == 409
    assert control in words(as_hana, f"/lab/evidence/tasks?who={hana.id}")
    assert control not in words(as_hana, "/lab/evidence/tasks?who=nobody")
    assert "Hana Veldkamp, due 31 Dec 2026" in words(as_hana, f"/lab/evidence/{paper}")

    assert "Save the task" not in words(as_auditor, task)
    assert as_auditor.post(task, data={**given, "row_version": "2"}).status_code == 403
    assert as_hana.post(task, data={**given, "state": "done", "row_version": "2"}).status_code == 303
    assert control in words(as_hana, "/lab/evidence/tasks?state=settled")
    assert "No control is like that" in words(as_hana, "/lab/evidence/tasks")


def test_who_stands_behind_a_vendor_is_said_on_its_page(as_hana: Client, house: House, ada: Person) -> None:
    make_report(house, ada)
    with house.ledger.begin(system("test")) as tx:
        slug = tx.session.execute(sa.select(Vendor.slug).where(Vendor.id == ada.vendor_id)).scalar_one()
    assert "Harrow Cloud" in words(as_hana, f"/lab/vendors/{slug}")
    said = words(as_hana, f"/lab/vendors/{slug}/fourth-parties")
    assert "Harrow Cloud hosting unknown Carved out" in said
    assert "no other vendor" in said


def test_the_parts_of_a_report_are_nothing_to_a_vendor(as_ada: Client, house: House, ada: Person) -> None:
    paper = make_report(house, ada)
    inside = rows_of(house, ada, paper)
    for path in (
        "/lab/evidence/tasks",
        f"/lab/evidence/tasks/{inside.controls[0].id}",
        f"/lab/evidence/exceptions/{inside.exceptions[0].id}",
        f"/lab/evidence/{paper}/report",
        f"/lab/evidence/{paper}/criteria",
    ):
        assert as_ada.get(path).status_code in (403, 404), path


def test_a_certificate_stands_beside_the_register_on_both_sides(
    as_ada: Client, as_hana: Client, house: House, ada: Person
) -> None:
    paper = make_evidence(house, ada, kind="DEL", details={"deleted_on": "2026-01-01", "datasets": "Batch 7"})
    for client, path in ((as_ada, f"/evidence/{paper.id}"), (as_hana, f"/lab/evidence/{paper.id}")):
        said = words(client, path)
        assert "There is no register of data to compare it with" in said
        assert "Batch 7" in said


def test_what_was_stored_before_is_still_said(as_ada: Client, house: House, ada: Person) -> None:
    dated = {"report_type": "type1", "as_of": "2026-09-30", "opinion": "unqualified"}
    flat = {"licence": "No. 48213, Oregon", "categories": "Security", "carved_out": "Harrow Cloud", "exceptions": "1"}
    paper = make_evidence(house, ada, kind="SOC2", details={**dated, **flat})
    said = words(as_ada, f"/evidence/{paper.id}")
    assert "Auditor’s licence number No. 48213 State or body of the licence Oregon" in said
    assert "Subservice organisations Harrow Cloud, Carved out" in said
    form = as_ada.get(f"/evidence/{paper.id}/details").get_data(as_text=True)
    assert 'name="detail-carve_out_rows-0-organisation" type="text" value="Harrow Cloud"' in form


def test_a_reviewer_says_that_the_check_began(as_hana: Client, house: House, ada: Person) -> None:
    paper = make_evidence(house, ada)
    assert "Start checking" in words(as_hana, f"/lab/evidence/{paper.id}")
    assert as_hana.post(f"/lab/evidence/{paper.id}/take-up").status_code == 303
    said = words(as_hana, f"/lab/evidence/{paper.id}")
    assert "You are checking this file." in said
    assert "Start checking" not in said
    assert row_of(house, paper.id).taken_up_at is not None

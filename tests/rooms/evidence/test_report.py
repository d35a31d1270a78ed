"""What stands inside a report: entered by its vendor, corrected and assessed by the lab, worked on as tasks."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from portal.audit.models import AuditEvent
from portal.evidence import report, report_lines, service
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ids import uuid7
from portal.kernel.objects import ObjectStore
from portal.kernel.objects.disk import DiskStore
from portal.policy import Action
from portal.settings import Settings
from portal.terms import UserControlState
from portal.wiring import House
from tests.factories.evidence import make_evidence, row_of
from tests.factories.identity import Person

SOC2 = {
    "detail-report_type": "type2",
    "detail-period_start": "2025-10-01",
    "detail-period_end": "2026-09-30",
    "detail-opinion": "unqualified",
    "detail-exceptions": "2",
    "detail-exception_rows-0-control": "LA-4",
    "detail-exception_rows-0-criterion": "CC6.2",
    "detail-exception_rows-0-text": "Two leavers kept access",
    "detail-exception_rows-0-rate": "2 of 25",
    "detail-exception_rows-0-questions": "dat.inventory",
    "detail-carve_out_rows-0-organisation": "Harrow Cloud, Inc.",
    "detail-carve_out_rows-0-purpose": "hosting",
    "detail-carve_out_rows-0-method": "carve_out",
    "detail-user_control_rows-0-text": "Review the accounts of your own staff each quarter",
    "detail-user_control_rows-1-text": "Send data over TLS only",
}
TWICE = {"carve_out_rows-1-organisation": "harrow cloud", "carve_out_rows-1-method": "inclusive"}


@pytest.fixture
def store(settings: Settings, clock: FixedClock) -> ObjectStore:
    """Rows know no store: one is enough."""
    return DiskStore(
        settings.evidence_path,
        secret_keys=settings.secret_keys,
        clock=lambda: clock.read(None),  # type: ignore[arg-type]
        new_id=uuid7,
    )


@pytest.fixture
def paper(house: House, ada: Person) -> UUID:
    row = make_evidence(house, ada, name="soc2.pdf", kind="SOC2", details={})
    describe(house, ada, row.id)
    return row.id


def describe(house: House, who: Person, evidence_id: UUID, **changed: str) -> None:
    with house.ledger.begin(who.actor) as tx:
        row = service.get(tx, evidence_id, Action.EVIDENCE_UPLOAD)
        raw = {**SOC2, **{f"detail-{name}": value for name, value in changed.items()}}
        service.describe(tx, evidence=row, kind="SOC2", title="", raw=raw, row_version=row.row_version)


def entered(house: House, who: Person, evidence_id: UUID) -> report_lines.ReportLines:
    with house.ledger.begin(who.actor) as tx:
        return report_lines.entered(tx, evidence_id)


def facts(house: House, *names: str) -> list[str]:
    with house.ledger.begin(system("test")) as tx:
        found = tx.session.execute(sa.select(AuditEvent.fact).order_by(AuditEvent.seq)).scalars()
        return [each for each in found if each in names]


def control_of(house: House, who: Person, evidence_id: UUID, at: int = 0) -> report_lines.TaskLine:
    with house.ledger.begin(who.actor) as tx:
        return report_lines.tasks_of(tx, evidence_id)[at]


def work(house: House, who: Person, line: report_lines.TaskLine, **changed: object) -> None:
    given = {
        "owner_id": line.owner_id,
        "due_on": line.due_on,
        "state": line.state,
        "note": line.note,
        "row_version": line.row_version,
        **changed,
    }
    with house.ledger.begin(who.actor) as tx:
        control = report.get_control(tx, line.id, Action.EVIDENCE_JUDGE)
        report.work_on(tx, control=control, **given)  # type: ignore[arg-type]


def tasks(house: House, who: Person, **wanted: object) -> list[str]:
    with house.ledger.begin(who.actor) as tx:
        return [each.text for each in report_lines.tasks(tx, **wanted).lines]  # type: ignore[arg-type]


def test_what_the_vendor_enters_becomes_rows_and_no_details(house: House, ada: Person, paper: UUID) -> None:
    found = entered(house, ada, paper)
    assert [(each.control, each.rate, list(each.questions)) for each in found.exceptions] == [
        ("LA-4", "2 of 25", ["dat.inventory"])
    ]
    assert [each.organisation for each in found.carve_outs] == ["Harrow Cloud, Inc."]
    assert len(found.controls) == 2
    row = row_of(house, paper)
    assert row.restricted
    assert not {"exception_rows", "carve_out_rows", "user_control_rows"} & row.details.keys()
    assert facts(house, "report_entered") == ["report_entered"]


def test_a_row_that_stays_keeps_its_id_and_one_that_goes_ends(house: House, ada: Person, paper: UUID) -> None:
    was = entered(house, ada, paper)
    ids = {
        "exception_rows-0-id": str(was.exceptions[0].id),
        "user_control_rows-0-id": str(was.controls[0].id),
        "user_control_rows-1-text": "",
        "carve_out_rows-0-id": str(uuid4()),
    }
    describe(house, ada, paper, **ids)
    now = entered(house, ada, paper)
    assert now.exceptions == was.exceptions
    assert [each.id for each in now.controls] == [was.controls[0].id]
    assert now.carve_outs[0].id != was.carve_outs[0].id


def test_entering_the_same_again_is_no_event(house: House, ada: Person, paper: UUID) -> None:
    was = entered(house, ada, paper)
    ids = {f"exception_rows-{at}-id": str(each.id) for at, each in enumerate(was.exceptions)}
    ids |= {f"carve_out_rows-{at}-id": str(each.id) for at, each in enumerate(was.carve_outs)}
    ids |= {f"user_control_rows-{at}-id": str(each.id) for at, each in enumerate(was.controls)}
    describe(house, ada, paper, **ids)
    assert facts(house, "report_entered") == ["report_entered"]


def test_one_organisation_is_entered_once_however_it_is_written(house: House, ada: Person, paper: UUID) -> None:
    with pytest.raises(Refused) as refusal:
        describe(house, ada, paper, **TWICE)
    assert refusal.value.problems == {
        "detail-carve_out_rows": ["Row 2: harrow cloud is entered twice. Keep one row for each organisation"]
    }
    assert len(entered(house, ada, paper).carve_outs) == 1


def test_a_file_that_turns_out_to_be_no_report_keeps_no_rows(
    house: House, ada: Person, hana: Person, paper: UUID
) -> None:
    with house.ledger.begin(ada.actor) as tx:
        row = service.get(tx, paper, Action.EVIDENCE_UPLOAD)
        raw = {"detail-approved_on": "2026-01-01"}
        service.describe(tx, evidence=row, kind="POL", title="", raw=raw, row_version=row.row_version)
    assert entered(house, ada, paper).is_empty
    assert tasks(house, hana) == []
    assert not row_of(house, paper).restricted


def test_a_reviewer_corrects_a_report_and_the_vendor_does_not(
    house: House, ada: Person, hana: Person, paper: UUID
) -> None:
    raw = {"detail-exception_rows-0-control": "LA-9", "detail-exception_rows-0-text": "No review in March"}
    with house.ledger.begin(hana.actor) as tx:
        row = service.get(tx, paper, Action.EVIDENCE_JUDGE)
        report.correct(tx, evidence=row, raw=raw, row_version=row.row_version)
    now = entered(house, ada, paper)
    assert [each.control for each in now.exceptions] == ["LA-9"]
    assert now.controls == []
    assert facts(house, "report_entered", "report_corrected") == ["report_entered", "report_corrected"]
    with house.ledger.begin(hana.actor) as tx, pytest.raises(Conflict):
        report.correct(tx, evidence=service.get(tx, paper, Action.EVIDENCE_JUDGE), raw=raw, row_version=1)
    with house.ledger.begin(ada.actor) as tx, pytest.raises(Forbidden):
        report.correct(tx, evidence=service.get(tx, paper, Action.EVIDENCE_READ), raw=raw, row_version=9)


def test_an_exception_is_assessed_and_assessed_anew_when_its_words_change(
    house: House, ada: Person, hana: Person, paper: UUID
) -> None:
    exception_id = entered(house, ada, paper).exceptions[0].id
    with house.ledger.begin(hana.actor) as tx:
        row = report.get_exception(tx, exception_id, Action.EVIDENCE_JUDGE)
        with pytest.raises(Refused):
            report.assess(tx, exception=row, acceptable=True, note=" ", row_version=1)
        report.assess(tx, exception=row, acceptable=True, note="Both left before our work began", row_version=1)
        with pytest.raises(Conflict):
            report.assess(tx, exception=row, acceptable=False, note="Late", row_version=1)
        assert report_lines.assessments(tx, paper)[exception_id].acceptable is True
    describe(
        house,
        ada,
        paper,
        **{"exception_rows-0-id": str(exception_id), "exception_rows-0-text": "Twelve leavers kept access"},
    )
    with house.ledger.begin(hana.actor) as tx:
        assert report_lines.assessments(tx, paper)[exception_id].acceptable is None
    assert facts(house, "exception_assessed") == ["exception_assessed"]


def test_a_qualified_opinion_is_verified_only_with_its_criteria(
    house: House, ada: Person, hana: Person, paper: UUID
) -> None:
    describe(house, ada, paper, opinion="qualified")
    with house.ledger.begin(hana.actor) as tx, pytest.raises(Conflict, match="Name the criteria"):
        row = service.get(tx, paper, Action.EVIDENCE_JUDGE)
        service.verify(tx, evidence=row, row_version=row.row_version)
    with house.ledger.begin(hana.actor) as tx:
        row = service.get(tx, paper, Action.EVIDENCE_JUDGE)
        with pytest.raises(Refused):
            report.name_criteria(tx, evidence=row, criteria="", row_version=row.row_version)
        report.name_criteria(tx, evidence=row, criteria="CC6.1, CC6.2", row_version=row.row_version)
        service.verify(tx, evidence=row, row_version=row.row_version)
    assert facts(house, "criteria_named", "evidence_verified") == ["criteria_named", "evidence_verified"]


def test_a_file_is_taken_up_once_and_anew_after_it_was_described_anew(
    house: House, ada: Person, hana: Person, paper: UUID
) -> None:
    with house.ledger.begin(hana.actor) as tx:
        row = service.get(tx, paper, Action.EVIDENCE_JUDGE)
        assert service.take_up(tx, evidence=row)
        assert not service.take_up(tx, evidence=row)
        service.reject(tx, evidence=row, note="Another company", row_version=row.row_version)
    describe(house, ada, paper)
    assert row_of(house, paper).taken_up_at is None
    assert facts(house, "evidence_taken_up") == ["evidence_taken_up"]
    with house.ledger.begin(ada.actor) as tx, pytest.raises(Forbidden):
        service.take_up(tx, evidence=service.get(tx, paper, Action.EVIDENCE_READ))


def test_a_control_left_to_us_is_given_to_somebody_and_settled(
    house: House, ada: Person, hana: Person, paper: UUID
) -> None:
    line = control_of(house, hana, paper)
    with pytest.raises(Refused) as refusal:
        work(house, hana, line, owner_id=ada.id)
    assert list(refusal.value.problems) == ["owner"]
    with pytest.raises(Refused) as refusal:
        work(house, hana, line, state=UserControlState.NOT_NEEDED)
    assert refusal.value.problems == {"note": ["Say why the control is not needed"]}
    work(house, hana, line, owner_id=hana.id, due_on=date(2026, 12, 31))
    with pytest.raises(Conflict):
        work(house, hana, line, note="from an older page")
    assert tasks(house, hana, owner_id=hana.id) == [line.text]
    assert tasks(house, hana, unowned=True) == ["Send data over TLS only"]
    work(house, hana, control_of(house, hana, paper), state=UserControlState.DONE)
    now = control_of(house, hana, paper)
    assert (now.settled_by, now.settled_at is not None) == (hana.id, True)
    assert tasks(house, hana) == ["Send data over TLS only"]
    assert facts(house, "user_control_assigned", "user_control_settled") == [
        "user_control_assigned",
        "user_control_settled",
    ]


def test_a_newer_report_takes_the_older_ones_place_and_its_owners(
    house: House, ada: Person, hana: Person, paper: UUID
) -> None:
    work(house, hana, control_of(house, hana, paper), owner_id=hana.id)
    older = row_of(house, paper)
    newer = make_evidence(house, ada, name="soc2-2027.pdf", kind="SOC2", details={}, supersedes=older)
    describe(house, ada, newer.id, **{"carve_out_rows-0-organisation": "HARROW CLOUD", "user_control_rows-1-text": ""})
    with house.ledger.begin(hana.actor) as tx:
        found = report_lines.tasks(tx)
        behind = report_lines.stands_behind(tx, older.vendor_id)
    assert [(each.evidence_id, each.owner_id) for each in found.lines] == [(newer.id, hana.id)]
    assert [(each.organisation, each.evidence_id) for each in behind] == [("HARROW CLOUD", newer.id)]


def test_a_removed_report_leaves_no_tasks(house: House, ada: Person, hana: Person, paper: UUID) -> None:
    line = control_of(house, hana, paper)
    with house.ledger.begin(ada.actor) as tx:
        service.remove(tx, evidence=service.get(tx, paper, Action.EVIDENCE_DELETE))
    assert tasks(house, hana) == []
    with house.ledger.begin(hana.actor) as tx, pytest.raises(NotFound):
        report.get_control(tx, line.id, Action.EVIDENCE_READ)


def test_another_vendor_learns_nothing_of_a_report(house: House, stranger: Person, paper: UUID, hana: Person) -> None:
    line = control_of(house, hana, paper)
    with house.ledger.begin(stranger.actor) as tx:
        assert report_lines.entered(tx, paper).is_empty
        with pytest.raises(NotFound):
            report.get_control(tx, line.id, Action.EVIDENCE_READ)

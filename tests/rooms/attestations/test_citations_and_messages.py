"""Files named as proof, and the conversation about a question."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.attestations.models import Citation
from portal.attestations.rules import SectionState
from portal.evidence.models import Evidence
from portal.kernel.actor import system
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.terms import Acceptance, EvidenceState, ScanState, Side
from portal.wiring import House
from tests.factories.attestations import Desk, make_file
from tests.factories.attestations import desk as new_desk
from tests.factories.identity import person

KEY = "gov.owner"


def cited(desk: Desk) -> dict[str, list[str]]:
    with desk.at(desk.respondent.actor) as (tx, row):
        found = attestations.citations_of(tx, row)
    return {key: [each.pages for each in lines] for key, lines in found.items()}


def test_a_file_is_attached_at_its_pages(desk: Desk) -> None:
    desk.cite(KEY, desk.file(), "3,5 - 7")
    assert cited(desk) == {KEY: ["3, 5–7"]}


def test_attaching_a_file_twice_is_attaching_it_once(desk: Desk) -> None:
    evidence_id = desk.file()
    assert desk.cite(KEY, evidence_id, "3") == desk.cite(KEY, evidence_id, "3")
    assert cited(desk) == {KEY: ["3"]}


def test_other_pages_are_another_citation_without_the_old_acceptance(desk: Desk) -> None:
    evidence_id = desk.file()
    first = desk.cite(KEY, evidence_id, "3")
    with desk.house.ledger.begin(system("test")) as tx:
        row = tx.session.get_one(Citation, first)
        row.acceptance, row.judged_by, row.judged_at = Acceptance.ACCEPTED, tx.new_id(), tx.now

    second = desk.cite(KEY, evidence_id, "9")

    assert second != first
    assert cited(desk) == {KEY: ["9"]}
    with desk.house.ledger.begin(system("test")) as tx:
        assert tx.session.get_one(Citation, second).acceptance is Acceptance.UNJUDGED


def test_another_passage_is_another_citation_and_is_signed_with_the_rest(desk: Desk) -> None:
    evidence_id = desk.file()
    first = desk.cite(KEY, evidence_id, "3")
    with desk.at(desk.respondent.actor) as (tx, row):
        evidence = tx.session.get_one(Evidence, evidence_id)
        told = {
            "assessment": row,
            "question_key": KEY,
            "evidence": evidence,
            "pages": "3",
            "quote": " Within\n4 hours. ",
        }
        second = attestations.cite(tx, **told)
        assert attestations.cite(tx, **told).id == second.id != first
        assert second.quote == "Within 4 hours."
    desk.complete()

    signed = desk.sign()

    with desk.house.ledger.begin(system("test")) as tx:
        frozen = attestations.attested(tx, signed)
        assert [(each.pages, each.quote) for each in frozen.snapshot.citations] == [("3", "Within 4 hours.")]
        assert attestations.digest_of(tx, signed) == frozen.digest


def test_what_is_wrong_with_pages_and_passage_is_told_together(desk: Desk) -> None:
    with pytest.raises(Refused) as refusal, desk.at(desk.respondent.actor) as (tx, row):
        evidence = tx.session.get_one(Evidence, desk.file())
        attestations.cite(tx, assessment=row, question_key=KEY, evidence=evidence, pages="40", quote="x" * 501)
    assert sorted(refusal.value.problems) == ["pages", "quote"]


def test_a_removed_file_stays_in_the_library_and_can_come_back(desk: Desk) -> None:
    evidence_id = desk.file()
    first = desk.cite(KEY, evidence_id)
    for _ in range(2):
        with desk.at(desk.respondent.actor) as (tx, row):
            attestations.uncite(tx, assessment=row, citation_id=first)
    assert cited(desk) == {}
    assert desk.cite(KEY, evidence_id) != first
    with desk.house.ledger.begin(system("test")) as tx:
        told = sa.text("SELECT fact FROM audit_event WHERE fact ~ 'cit' ORDER BY seq")
        assert tx.session.execute(told).scalars().all() == ["evidence_cited", "citation_removed", "evidence_cited"]


@pytest.mark.parametrize("pages", ["13", "0", "3-2", "page three", "1,,2", "3" * 200, "99999999", "-1"])
def test_pages_that_are_not_in_the_file_are_told_at_the_field(desk: Desk, pages: str) -> None:
    with pytest.raises(Refused) as refusal:
        desk.cite(KEY, desk.file(), pages)
    assert list(refusal.value.problems) == ["pages"]


@pytest.mark.parametrize(
    "fields",
    [
        {"state": EvidenceState.REJECTED},
        {"state": EvidenceState.INTEGRITY_FAILURE},
        {"scan": ScanState.INFECTED},
    ],
)
def test_a_file_that_proves_nothing_is_not_attached(desk: Desk, fields: dict[str, object]) -> None:
    if fields.get("state") is EvidenceState.REJECTED:
        fields = {**fields, "judged_by": desk.respondent.id, "judged_at": "2026-11-24T09:00Z"}
    with pytest.raises(Refused, match="cannot be used"):
        desk.cite(KEY, desk.file(**fields))
    assert cited(desk) == {}


def test_an_answer_names_twenty_files_at_most(desk: Desk) -> None:
    for _ in range(20):
        desk.cite(KEY, desk.file())
    with pytest.raises(Conflict, match="has 20 files already"):
        desk.cite(KEY, desk.file())


def test_another_vendors_file_and_citation_do_not_exist(house: House, desk: Desk) -> None:
    """AZ-01."""
    other = new_desk(house, name="Hollowbrook Linguistics")
    theirs, citation_id = other.file(), other.cite(KEY, other.file())
    with house.ledger.begin(system("test")) as tx:
        row = assessments.get(tx, desk.assessment_id, assessments.Action.ASSESSMENT_READ)
        with pytest.raises(NotFound):
            attestations.cite(
                tx, assessment=row, question_key=KEY, evidence=tx.session.get_one(Evidence, theirs), pages=""
            )
    with desk.at(desk.respondent.actor) as (tx, row):
        assert tx.session.get(Evidence, theirs) is None
        with pytest.raises(NotFound):
            attestations.uncite(tx, assessment=row, citation_id=citation_id)


def test_files_are_attached_only_to_sections_that_are_mine(desk: Desk) -> None:
    with desk.at(desk.admin.actor) as (tx, row):
        assessments.assign_section(tx, assessment=row, section="gov", user_id=desk.admin.id)
    with pytest.raises(Forbidden):
        desk.cite(KEY, desk.file())


def test_both_sides_talk_and_names_stay_with_the_words(desk: Desk) -> None:
    lead = person(desk.house, roles=["lead_approver"], name="Hana Kobayashi")
    with desk.at(lead.actor) as (tx, row):
        attestations.post_message(tx, assessment=row, question_key=KEY, body="Who is it?\r\n")
    desk.reply(KEY)

    with desk.at(desk.respondent.actor) as (tx, row):
        found = [(each.side, each.author_name, each.body) for each in attestations.thread(tx, row, KEY)]
        lab_accounts = tx.session.execute(sa.text("SELECT count(*) FROM user_account WHERE side = 'lab'")).scalar_one()
    assert found == [
        (Side.LAB, "Hana Kobayashi", "Who is it?"),
        (Side.VENDOR, "Priya Raghunath", "Two people, and it alerts us."),
    ]
    assert lab_accounts == 0


def test_a_reviewer_writes_only_where_the_review_is_theirs(desk: Desk) -> None:
    mine = person(desk.house, roles=["reviewer"], name="Ines Valdarno")
    with pytest.raises(Forbidden), desk.at(mine.actor) as (tx, row):
        attestations.post_message(tx, assessment=row, question_key=KEY, body="Who?")
    with desk.at(mine.actor) as (tx, row):
        line = attestations.post_message(tx, assessment=row, question_key=KEY, body="Who?", reviewer_id=mine.id)
    assert line.side is Side.LAB


@pytest.mark.parametrize("body", ["", "  \n ", "\u202e\u200b", "x" * 4_001])
def test_an_empty_or_endless_message_is_told_at_the_field(desk: Desk, body: str) -> None:
    with pytest.raises(Refused) as refusal, desk.at(desk.respondent.actor) as (tx, row):
        attestations.post_message(tx, assessment=row, question_key=KEY, body=body)
    assert list(refusal.value.problems) == ["body"]


def test_what_the_lab_stated_can_be_talked_about(desk: Desk) -> None:
    with desk.at(desk.admin.actor) as (tx, row):
        attestations.post_message(tx, assessment=row, question_key="scp.services", body="We also evaluate.")
        assert list(attestations.messages_of(tx, row)) == ["scp.services"]
    for key in ("scp.nothing", "gov.nothing"):
        with pytest.raises(NotFound), desk.at(desk.admin.actor) as (tx, row):
            attestations.post_message(tx, assessment=row, question_key=key, body="Hello")


def test_a_message_of_exactly_the_limit_is_taken(desk: Desk) -> None:
    with desk.at(desk.respondent.actor) as (tx, row):
        line = attestations.post_message(tx, assessment=row, question_key=KEY, body="x" * 4_000)
    assert len(line.body) == 4_000


def test_nobody_writes_about_what_was_cancelled(desk: Desk) -> None:
    with desk.at(system("test")) as (tx, row):
        assessments.cancel(tx, assessment=row, reason="The project ended.")
    with pytest.raises(Conflict, match="cancelled"):
        desk.reply(KEY)


def test_the_task_list_says_that_the_lab_asked_until_somebody_replies(desk: Desk) -> None:
    desk.complete()
    desk.sign()
    desk.send_back(KEY)

    def word() -> str:
        with desk.at(desk.respondent.actor) as (tx, row):
            return attestations.progress(tx, row)[0].state.word("Orrery")

    assert word() == "Orrery asked"
    desk.reply(KEY)
    assert word() == SectionState.COMPLETE.word("Orrery") == "Complete"


def test_a_lab_person_reads_the_same_lines(desk: Desk) -> None:
    desk.cite(KEY, desk.file())
    desk.save(KEY, {"choice": "yes"})
    auditor = person(desk.house, roles=["auditor"], name="Olu Adeyemi")
    with desk.at(auditor.actor) as (tx, row):
        assert attestations.answers_of(tx, row)[KEY].by == "Priya Raghunath"
        assert len(attestations.citations_of(tx, row)[KEY]) == 1


def test_a_spreadsheet_is_named_by_words(desk: Desk) -> None:
    with desk.house.ledger.begin(system("test")) as tx:
        sheet = make_file(
            tx, vendor_id=desk.vendor_id, uploaded_by=desk.respondent.id, file_name="list.xlsx", page_count=None
        ).id
    desk.cite(KEY, sheet, " Sheet 2,  rows 3–9 ")
    assert cited(desk) == {KEY: ["Sheet 2, rows 3–9"]}

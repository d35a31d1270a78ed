"""Answers out as a workbook and back in: what changes, what does not, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from openpyxl import Workbook

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.audit.models import AuditEvent
from portal.exchange import comparing, export, offline
from portal.exchange.rules.merge import Choice
from portal.exchange.workbook import xlsx_bytes
from portal.kernel.errors import Conflict, NotFound, Refused, TooMany
from portal.kernel.secrets import Keyring
from portal.terms import Role
from portal.wiring import House
from tests.factories import carrying, office
from tests.factories.attestations import LAB, Desk, good_answer
from tests.factories.attestations import desk as make_desk
from tests.factories.identity import person

NDA, LINKS, DAYS, MFA, VDP = "wrk.nda", "gdl.links", "ret.days", "iam.mfa.workforce", "inf.vdp"


@pytest.fixture
def desk(house: House) -> Desk:
    """A vendor that answered everything and has not signed."""
    made = make_desk(house)
    made.complete()
    return made


def outcomes(line: offline.ImportLine) -> dict[str, str]:
    """Return what the comparison says of each question that it names."""
    return {each.key: str(each.outcome) for each in line.report.lines}


def round_trip(desk: Desk, data: bytes, folder: Path, what: str = "xlsx") -> offline.ImportLine:
    """Bring a file in."""
    return office.stage(desk, office.read(data, folder, what), what=what)


@pytest.mark.parametrize("what", ["xlsx", "csv"])
def test_an_unedited_export_changes_nothing(desk: Desk, tmp_path: Path, what: str) -> None:
    before = office.answers(desk)

    line = round_trip(desk, office.exported(desk, what=what), tmp_path, what)

    assert (line.report.lines, line.report.strange, line.report.unchanged) == ((), (), len(desk.visible()))
    assert office.apply(desk, line).taken == ()
    assert office.answers(desk) == before


def test_the_same_answers_at_the_same_time_make_the_same_bytes(desk: Desk) -> None:
    assert office.exported(desk) == office.exported(desk)


def test_exactly_what_was_edited_changes_and_a_second_time_nothing_does(desk: Desk, tmp_path: Path) -> None:
    before = office.answers(desk)
    numbers = [each.key for each in desk.visible() if each.kind == "num"][:4]
    choices = [each.key for each in desk.visible() if each.kind == "ynp"][:6]
    edits: dict[str, Any] = {**dict.fromkeys(numbers, 7), **dict.fromkeys(choices, "Nein")}
    data = office.answering(office.exported(desk), edits)

    first = round_trip(desk, data, tmp_path)
    applied = office.apply(desk, first)
    after = office.answers(desk)

    assert outcomes(first) == dict.fromkeys(edits, "take")
    assert set(applied.taken) == set(edits) == {key for key in after if after[key] != before[key]}
    assert after[numbers[0]] == {**before[numbers[0]], "number": "7"}
    assert after[choices[0]] == {**before[choices[0]], "choice": "no"}

    again = round_trip(desk, data, tmp_path)
    assert outcomes(again) == {}
    assert (office.apply(desk, again).taken, office.answers(desk)) == ((), after)


def test_another_programs_habits_change_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.save(DAYS, {"number": "30", "comment": "=cmd|' /C calc'!A0", "details": ""})
    data = office.resaved(office.exported(desk))

    assert (outcomes(round_trip(desk, data, tmp_path)), office.answers(desk)[DAYS]["number"]) == ({}, "30")


def test_edits_survive_sorting_moved_columns_and_deleted_rows(desk: Desk, tmp_path: Path) -> None:
    data = office.answering(office.exported(desk), {DAYS: 45, NDA: "no"})
    data = office.resaved(data, keep=lambda name: not name.startswith("seg."))

    line = round_trip(desk, data, tmp_path)

    assert outcomes(line) == {NDA: "take", DAYS: "take"}
    assert line.report.absent >= 2
    office.apply(desk, line)
    assert office.answers(desk)["seg.reuse"]["choice"] == "yes"


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-16"), (";", "cp1252")]
)
def test_a_csv_file_comes_back_as_programs_of_other_countries_save_it(
    desk: Desk, tmp_path: Path, delimiter: str, encoding: str
) -> None:
    data = office.csv_edited(office.exported(desk, what="csv"), {DAYS: "45"}, delimiter=delimiter, encoding=encoding)

    assert outcomes(round_trip(desk, data, tmp_path, "csv")) == {DAYS: "take"}


def test_a_csv_file_has_a_mark_a_head_and_crlf(desk: Desk) -> None:
    data = office.exported(desk, what="csv")

    assert data.startswith(
        b"\xef\xbb\xbfquestion_id,rev,domain,question,help,type,options,required now,answer,details,"
    )
    assert data.count(b"\r\n") > len(desk.visible())
    assert data.endswith(b"\r\n")


def test_what_changed_only_online_is_kept(desk: Desk, tmp_path: Path) -> None:
    data = office.exported(desk)
    desk.save(DAYS, {"number": "60"})

    line = round_trip(desk, data, tmp_path)

    assert outcomes(line) == {DAYS: "keep"}
    assert office.apply(desk, line).kept == (DAYS,)
    assert office.answers(desk)[DAYS] == {"number": "60"}


def test_a_conflict_is_shown_with_both_and_waits_for_a_choice(desk: Desk, tmp_path: Path) -> None:
    data = office.answering(office.exported(desk), {DAYS: 45, NDA: "no"})
    desk.save(DAYS, {"number": "60"})
    line = round_trip(desk, data, tmp_path)
    conflict = next(each for each in line.report.lines if each.key == DAYS)

    with pytest.raises(Refused) as refusal:
        office.apply(desk, line)

    assert (conflict.outcome, conflict.mine["number"], conflict.seen["number"]) == ("conflict", "45", "60")
    assert list(refusal.value.problems) == [f"choice.{DAYS}"]
    assert office.answers(desk)[NDA]["choice"] == "yes"


@pytest.mark.parametrize(("choice", "number"), [(Choice.MINE, "45"), (Choice.THEIRS, "60")])
def test_the_chosen_one_of_two_stands(desk: Desk, tmp_path: Path, choice: Choice, number: str) -> None:
    data = office.answering(office.exported(desk), {DAYS: 45})
    desk.save(DAYS, {"number": "60"})
    line = round_trip(desk, data, tmp_path)

    office.apply(desk, line, {DAYS: choice})

    assert office.answers(desk)[DAYS]["number"] == number


def test_what_changed_after_the_comparison_is_left_and_named(desk: Desk, tmp_path: Path) -> None:
    line = round_trip(desk, office.answering(office.exported(desk), {DAYS: 45, NDA: "no"}), tmp_path)
    desk.save(DAYS, {"number": "60"})

    applied = office.apply(desk, line)

    assert applied.taken == (NDA,)
    assert [key for key, _ in applied.left] == [DAYS]
    assert "changed after you read this comparison" in applied.left[0][1]
    assert office.answers(desk)[DAYS] == {"number": "60"}


def test_a_comparison_with_questions_that_are_no_longer_asked_is_not_applied(house: House, tmp_path: Path) -> None:
    old = carrying.first_desk(house)
    carrying.state(old)
    carrying.say(old)
    line = round_trip(old, office.answering(office.exported(old), {"ppl.badges": "no"}), tmp_path)
    version_id = carrying.publish(house, carrying.V2)
    with old.at(carrying.FACTORY) as (tx, row):
        seen = attestations.migration_preview(tx, row, version_id).digest
        attestations.migrate(tx, assessment=row, version_id=version_id, row_version=row.row_version, seen_digest=seen)
    before = office.answers(old)

    with pytest.raises(Conflict, match="moved this assessment to another version"):
        office.apply(old, line)

    assert office.answers(old) == before


def test_a_file_is_applied_once(desk: Desk, tmp_path: Path) -> None:
    line = round_trip(desk, office.answering(office.exported(desk), {DAYS: 45}), tmp_path)
    first = office.apply(desk, line)
    desk.save(DAYS, {"number": "60"})

    again = office.apply(desk, line)

    assert list(again.taken) == list(first.taken) == [DAYS]
    assert office.answers(desk)[DAYS] == {"number": "60"}


def test_every_answer_is_written_as_the_form_writes_it(desk: Desk, tmp_path: Path) -> None:
    line = round_trip(desk, office.answering(office.exported(desk), {DAYS: 45}), tmp_path)

    office.apply(desk, line)

    with desk.at(desk.admin.actor) as (tx, row):
        history = attestations.history(tx, row, DAYS)
        told = tx.session.execute(sa.select(AuditEvent.fact).order_by(AuditEvent.seq.desc()).limit(2)).scalars().all()
    assert [(each.version, each.by) for each in history] == [(2, "Priya Raghunath"), (1, "Marisol Dufour")]
    assert list(told) == ["answers_imported", "answer_saved"]


def test_clear_blanks_and_an_empty_cell_does_not(desk: Desk, tmp_path: Path) -> None:
    data = office.edited(
        office.exported(desk), {(DAYS, "answer"): "(clear)", (DAYS, "details"): "", (NDA, "answer"): ""}
    )

    office.apply(desk, round_trip(desk, data, tmp_path))

    assert office.answers(desk)[DAYS] == {"comment": good_answer(desk.questionnaire.question(DAYS))["comment"]}
    assert office.answers(desk)[NDA]["choice"] == "yes"


def test_rows_are_added_to_tables_on_their_sheets(desk: Desk, tmp_path: Path) -> None:
    data = office.exported(desk)

    def add(book: Workbook) -> None:
        page = next(book[name] for name in book.sheetnames if book[name]["A1"].value == "sub.list#suppliers")
        page["B3"], page["C3"], page["E3"] = "Corvid Cloud", "storage", "D3 Confidential"

    office.apply(desk, round_trip(desk, office.saved(data, add), tmp_path))

    assert office.answers(desk)["sub.list"]["details"]["suppliers"] == [
        {"name": "Corvid Cloud", "purpose": "storage", "data_class": "d3"}
    ]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("question", "The grey column “question” was changed in this line"),
        ("options", "The grey column “options” was changed"),
        ("required now", "This line is not from this file"),
        ("row_hash", "This line is not from this file"),
    ],
)
def test_a_line_with_a_changed_grey_cell_is_listed_and_not_taken(
    desk: Desk, tmp_path: Path, column: str, words: str
) -> None:
    data = office.edited(office.exported(desk), {(DAYS, "answer"): 45, (NDA, "answer"): "no", (DAYS, column): "v9.x"})

    line = round_trip(desk, data, tmp_path)

    assert outcomes(line) == {NDA: "take", DAYS: "refused"}
    assert words in next(each.why[0] for each in line.report.lines if each.key == DAYS)


def test_a_line_copied_from_an_older_file_is_not_taken(desk: Desk, house: House, tmp_path: Path) -> None:
    older = office.exported(desk)
    desk.save(DAYS, {"number": "60"})
    house.clock.instant = house.clock.instant.replace(minute=30)  # type: ignore[attr-defined]
    marks = {name: line.mark for name, line in office.read(older, tmp_path).lines}
    data = office.edited(office.exported(desk), {(DAYS, "row_hash"): marks[DAYS], (DAYS, "answer"): 45})

    assert outcomes(round_trip(desk, data, tmp_path)) == {DAYS: "refused"}


def test_unknown_and_doubled_lines_are_listed_and_not_taken(desk: Desk, tmp_path: Path) -> None:
    def spoil(book: Workbook) -> None:
        page = book["Answers"]
        rows = [[cell.value for cell in row] for row in page.iter_rows()]
        double = next(row for row in rows if row[0] == DAYS)
        page.append([*double[:8], 45, *double[9:]])
        page.append(["wrk.nobody", *double[1:]])
        page.append([None] * 8 + ["an answer without a question"])

    line = round_trip(desk, office.saved(office.exported(desk), spoil), tmp_path)

    assert outcomes(line) == {DAYS: "refused"}
    assert line.report.lines[0].why == (comparing.TWICE,) or list(line.report.lines[0].why) == [comparing.TWICE]
    assert [words for words in line.report.strange if "“wrk.nobody” is not in this questionnaire" in words]
    assert [words for words in line.report.strange if "there is no question_id" in words]


def meta(desk: Desk, change: Mapping[str, str]) -> bytes:
    """Return an export with other values on its hidden sheet."""

    def spoil(book: Workbook) -> None:
        for row in book["_meta"].iter_rows():
            if row[0].value in change:
                row[1].value = change[str(row[0].value)]

    return office.saved(office.exported(desk), spoil)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"signature": "A" * 43}, "does not prove that it was downloaded here"),
        ({"base_revision": "7"}, "does not prove that it was downloaded here"),
        ({"exported_at": "yesterday"}, "does not prove that it was downloaded here"),
        ({"questionnaire": "0" * 64}, "does not prove that it was downloaded here"),
        ({"format": "gatehouse-offline 9"}, "made by another version of this page"),
    ],
)
def test_a_forged_origin_is_refused(desk: Desk, tmp_path: Path, change: dict[str, str], words: str) -> None:
    with pytest.raises(Refused, match=words):
        round_trip(desk, meta(desk, change), tmp_path)


def test_a_file_of_another_vendor_is_refused(desk: Desk, house: House, tmp_path: Path) -> None:
    other = make_desk(house, name="Brightcrowd")

    with pytest.raises(Refused, match="belongs to another assessment"):
        round_trip(desk, office.exported(other), tmp_path)


def test_a_file_of_other_questions_is_refused(desk: Desk, house: House, tmp_path: Path) -> None:
    with desk.at(desk.respondent.actor) as (tx, row):
        book = export.gather(tx, row, keyring=house.keyring, lab=LAB)
    stamp = replace(book.stamp, questionnaire_digest="0" * 64)
    forged = replace(book, stamp=stamp, signature=export.signature_of(house.keyring, stamp))

    with pytest.raises(Refused, match="The questions have changed since"):
        round_trip(desk, xlsx_bytes(forged), tmp_path)


def test_a_file_stays_good_when_the_secret_key_is_renewed(desk: Desk, tmp_path: Path) -> None:
    old, new = Keyring(["o" * 40]), Keyring(["n" * 40, "o" * 40])
    with desk.at(desk.respondent.actor) as (tx, row):
        data = xlsx_bytes(export.gather(tx, row, keyring=old, lab=LAB))
    upload = office.read(office.answering(data, {DAYS: 45}), tmp_path)
    with desk.at(desk.respondent.actor) as (tx, row):
        given: dict[str, Any] = {
            "assessment": row,
            "upload": upload,
            "what": "xlsx",
            "file_name": "a",
            "sha256": "a" * 64,
        }
        staged = offline.stage(tx, keyring=new, **given)

        assert [each["outcome"] for each in staged.report["lines"]] == ["take"]


def test_a_section_of_a_colleague_is_not_written(desk: Desk, house: House, tmp_path: Path) -> None:
    other = person(house, roles=[Role.RESPONDENT], vendor=desk.vendor_id, name="Tomasz Okoro")
    with desk.at(desk.admin.actor) as (tx, row):
        assessments.assign_section(tx, assessment=row, section="ret", user_id=other.id)

    line = round_trip(desk, office.answering(office.exported(desk), {DAYS: 45, NDA: "no"}), tmp_path)

    assert outcomes(line) == {NDA: "take", DAYS: "refused"}
    assert "This section belongs to Tomasz Okoro. You can read it" in line.report.lines[-1].why


def test_only_what_came_back_can_change(desk: Desk, tmp_path: Path) -> None:
    desk.sign()
    desk.send_back(DAYS)

    line = round_trip(desk, office.answering(office.exported(desk), {DAYS: 45, NDA: "no"}), tmp_path)

    assert outcomes(line) == {NDA: "refused", DAYS: "take"}
    assert "did not come back to you" in line.report.lines[0].why[0]


def test_nothing_comes_in_once_it_is_signed(desk: Desk, tmp_path: Path) -> None:
    data = office.answering(office.exported(desk), {DAYS: 45})
    line = round_trip(desk, data, tmp_path)
    desk.sign()

    with pytest.raises(Conflict):
        round_trip(desk, data, tmp_path)
    with pytest.raises(Conflict):
        office.apply(desk, line)


def test_a_file_may_bring_up_a_question_and_answer_it(house: House, tmp_path: Path) -> None:
    desk = make_desk(house, slug="ai-contractor")
    desk.settle_scoping()
    data = office.answering(office.exported(desk), {"gov.assurance.level": "iso27001", "gov.assurance.scope": "yes"})
    option = next(each for each in desk.questionnaire.question("gov.assurance.level").choices if each.credit == 80)
    data = office.answering(data, {"gov.assurance.level": option.label})

    office.apply(desk, round_trip(desk, data, tmp_path))

    assert office.answers(desk) == {
        "gov.assurance.level": {"choice": option.key},
        "gov.assurance.scope": {"choice": "yes"},
    }


def test_an_answer_that_the_file_itself_rules_out_is_refused(house: House, tmp_path: Path) -> None:
    desk = make_desk(house, slug="ai-contractor")
    desk.settle_scoping()
    data = office.answering(office.exported(desk), {"gov.assurance.level": "none", "gov.assurance.scope": "yes"})

    line = round_trip(desk, data, tmp_path)

    assert outcomes(line) == {"gov.assurance.level": "take", "gov.assurance.scope": "refused"}
    assert "not asked with the answers in this file" in line.report.lines[1].why[0]


def test_files_are_named_attached_or_left_to_do(desk: Desk, tmp_path: Path) -> None:
    kept = desk.file(file_name="deletion.pdf")
    desk.file(file_name="twice.pdf")
    desk.file(file_name="twice.pdf")
    names = "deletion.pdf (pages 3–4); twice.pdf\nmissing.pdf"
    data = office.edited(office.exported(desk), {(DAYS, "evidence references"): names})

    line = round_trip(desk, data, tmp_path)
    applied = office.apply(desk, line)

    assert applied.files == 1
    assert [words.partition(" on the page")[0] for words in line.report.lines[0].todo] == [
        "Attach “twice.pdf”",
        "Upload “missing.pdf”",
    ]
    with desk.at(desk.admin.actor) as (tx, row):
        assert [each.evidence_id for each in attestations.citations_of(tx, row)[DAYS]] == [kept]
    assert outcomes(round_trip(desk, office.exported(desk), tmp_path)) == {}


def test_a_stranger_does_not_know_of_a_file(desk: Desk, house: House, tmp_path: Path) -> None:
    line = round_trip(desk, office.exported(desk), tmp_path)
    other = make_desk(house, name="Brightcrowd")

    with other.at(other.respondent.actor) as (tx, row), pytest.raises(NotFound):
        offline.get(tx, row, line.id)


def test_files_cannot_be_brought_in_without_end(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline, "MOST_A_DAY", 1)
    upload = office.read(office.exported(desk), tmp_path)
    office.stage(desk, upload)

    with pytest.raises(TooMany, match="Try again tomorrow"):
        office.stage(desk, upload)


def test_true_days_and_numbers_are_read(house: House, tmp_path: Path) -> None:
    desk = make_desk(house, slug="ai-contractor")
    desk.settle_scoping()
    fields = {"gov.insurance.cyber": 2.5, "gov.insurance.cyber#expiry": date(2027, 5, 31)}

    office.apply(desk, round_trip(desk, office.answering(office.exported(desk), fields), tmp_path))

    assert office.answers(desk)["gov.insurance.cyber"] == {"number": "2.5", "details": {"expiry": "2027-05-31"}}

"""A running assessment stays on its version until the lab moves it; then no answer is lost."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.attestations import library
from portal.attestations import service as attestations
from portal.attestations.facts import AssessmentMigrated
from portal.attestations.models import AssessmentMigration
from portal.evidence.models import Evidence
from portal.kernel.actor import Actor
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.questionnaires import service as questionnaires
from portal.terms import Role
from portal.wiring import House
from tests.factories import carrying
from tests.factories.attestations import Desk
from tests.factories.carrying import ANSWERS, FACTORY, HEAD, PEOPLE, V1, V2, carried_of, plan_of
from tests.factories.identity import Person, person

KEPT = ("acc.mfa", "acc.sso", "acc.leavers", "acc.reviews", "ppl.desks")
AGAIN = ("ppl.vetting", "ppl.training")


@pytest.fixture
def desk(house: House) -> Desk:
    """A vendor that answered everything of version 1 and signed nothing."""
    made = carrying.first_desk(house)
    carrying.state(made)
    carrying.say(made)
    return made


@pytest.fixture
def second(desk: Desk) -> UUID:
    """Version 2, published meanwhile."""
    return carrying.publish(desk.house, V2)


@pytest.fixture
def lead(house: House) -> Person:
    return person(house, roles=[Role.LEAD_APPROVER], name="Hana Novak")


def preview(desk: Desk, version_id: UUID, actor: Actor = FACTORY) -> attestations.MigrationPreview:
    with desk.at(actor) as (tx, row):
        return attestations.migration_preview(tx, row, version_id)


def move(desk: Desk, version_id: UUID, actor: Actor = FACTORY, **given: Any) -> Desk:
    seen = preview(desk, version_id).digest
    with desk.at(actor) as (tx, row):
        form = {"row_version": row.row_version, "seen_digest": seen, **given}
        attestations.migrate(tx, assessment=row, version_id=version_id, **form)
        return replace(desk, questionnaire=questionnaires.compiled(tx, version_id))


def contents(desk: Desk) -> dict[str, Any]:
    with desk.at(FACTORY) as (tx, row):
        return {key: line.answer for key, line in attestations.answers_of(tx, row).items() if not line.answer.is_blank}


def test_publishing_a_version_changes_nothing_for_those_who_answer_the_one_before(desk: Desk, second: UUID) -> None:
    """QN-01, G12."""
    with desk.at(desk.admin.actor) as (tx, row):
        assert row.questionnaire_id != second
        assert "ppl.badges" in {each.key for each in attestations.standing(tx, row).visible()}
    desk.save("ppl.badges", {"choice": "yes", "comment": "Since May."})


def test_the_preview_says_what_a_move_does(desk: Desk, second: UUID) -> None:
    seen = preview(desk, second)

    assert (seen.from_label, seen.to_label) == ("renewal v1", "renewal v2")
    assert seen.kept == KEPT
    assert seen.re_attest == AGAIN
    assert seen.archived == ("ppl.badges",)
    assert seen.new == ("ppl.phones",)
    assert seen.facts == ("scp.office",)
    assert {change.key for change in seen.changes} >= {*AGAIN, "ppl.badges", "ppl.phones", "scp.office"}
    assert contents(desk).keys() == ANSWERS.keys()


def test_a_move_keeps_every_answer_whose_claim_did_not_change(desk: Desk, second: UUID, lead: Person) -> None:
    before = contents(desk)
    moved = move(desk, second, lead.actor)

    assert contents(moved) == {key: before[key] for key in KEPT}
    lines = carried_of(moved)
    assert {key: line.answer for key, line in lines.items()} == {key: before[key] for key in (*AGAIN, "ppl.badges")}
    assert {key: line.fate for key, line in lines.items()} == {
        "ppl.vetting": attestations.Fate.RE_ATTEST,
        "ppl.training": attestations.Fate.RE_ATTEST,
        "ppl.badges": attestations.Fate.ARCHIVED,
    }
    assert (lines["ppl.vetting"].source_label, lines["ppl.vetting"].answered_by) == ("renewal v1", "Priya Raghunath")


def test_what_is_answered_again_keeps_its_history(desk: Desk, second: UUID) -> None:
    moved = move(desk, second)
    moved.save("ppl.vetting", {"choice": "yes", "comment": "All of them now."})

    with moved.at(moved.admin.actor) as (tx, row):
        edits = attestations.history(tx, row, "ppl.vetting")
    assert [(edit.version, edit.answer.choice) for edit in edits] == [(3, "yes"), (2, None), (1, "partial")]
    assert carried_of(moved)["ppl.vetting"].is_settled


def test_a_moved_assessment_is_answered_and_signed_on_the_new_version(desk: Desk, second: UUID) -> None:
    moved = move(desk, second)
    carrying.state(moved)
    carrying.say(moved, carrying.REST)
    moved.cite("acc.mfa", moved.file())
    signed = moved.sign()

    with moved.at(moved.admin.actor) as (tx, _):
        snapshot = attestations.attested(tx, signed).snapshot
    assert snapshot.questionnaire_digest == moved.questionnaire.digest
    assert "ppl.badges" not in snapshot.answers


def test_a_move_is_recorded_with_both_digests(desk: Desk, second: UUID, lead: Person) -> None:
    """QN-01."""
    with desk.at(lead.actor) as (tx, row):
        seen = attestations.migration_preview(tx, row, second).digest
        attestations.migrate(tx, assessment=row, version_id=second, row_version=row.row_version, seen_digest=seen)
        (fact,) = [each for each in tx.facts if isinstance(each, AssessmentMigrated)]
    with desk.at(FACTORY) as (tx, row):
        (kept,) = attestations.migrations_of(tx, row)
        after = questionnaires.compiled(tx, second).digest

    assert (
        (fact.from_digest, fact.to_digest) == (kept.from_digest, kept.to_digest) == (desk.questionnaire.digest, after)
    )
    assert (fact.kept, fact.re_attest, fact.archived, kept.moved_by) == (5, 2, 1, lead.id)
    assert kept.mapping["re_attest"] == {"ppl.training": ["option"], "ppl.vetting": ["claim"]}
    assert kept.mapping["facts"]["scp.office"]["value"] == "no"


def test_a_fact_that_asks_something_else_is_stated_again(desk: Desk, second: UUID) -> None:
    moved = move(desk, second)

    with moved.at(moved.admin.actor) as (tx, row):
        lines = {line.key: line for line in assessments.scoping_of(tx, row)}
        assert assessments.facts_of(tx, row).office
    assert not lines["scp.office"].stated
    assert (lines["scp.workforce"].is_settled, lines["scp.access"].is_settled) == (True, True)
    assert "State “Offices”" in carrying.blockers(moved)


def test_files_and_conversations_stay_with_their_questions(desk: Desk, second: UUID) -> None:
    file = desk.file()
    for key in ("acc.mfa", "ppl.badges", "ppl.vetting"):
        desk.cite(key, file)
        with desk.at(desk.respondent.actor) as (tx, row):
            attestations.post_message(tx, assessment=row, question_key=key, body="Is this the right one?")
    moved = move(desk, second)

    with moved.at(moved.admin.actor) as (tx, row):
        assert attestations.citations_of(tx, row).keys() == {"acc.mfa", "ppl.badges", "ppl.vetting"}
        assert attestations.messages_of(tx, row).keys() == {"acc.mfa", "ppl.badges", "ppl.vetting"}
        uses = library.uses_of(tx, moved.vendor_id)[file]
    assert {each.question_key for each in uses} == {"acc.mfa", "ppl.vetting"}


def test_the_sections_that_vanish_are_taken_back(desk: Desk) -> None:
    with desk.at(desk.admin.actor) as (tx, row):
        for section in ("acc", "ppl"):
            assessments.assign_section(tx, assessment=row, section=section, user_id=desk.respondent.id)
    one = HEAD.replace("version: 1\ntitle", "version: 2\ntitle") + PEOPLE + V1.partition(PEOPLE)[2]
    one = one.replace("sections: 2, questions: 9", "sections: 1, questions: 5").replace(
        "domain_weight: 5, question_weight: 18", "domain_weight: 2, question_weight: 10"
    )
    moved = move(desk, carrying.publish(desk.house, one))

    with moved.at(moved.admin.actor) as (tx, row):
        assert assessments.assignees(tx, row) == {"ppl": [moved.respondent.id]}
    assert carried_of(moved).keys() == {"acc.mfa", "acc.sso", "acc.leavers", "acc.reviews"}


def test_a_question_that_comes_back_waits_with_what_it_said(desk: Desk, second: UUID) -> None:
    third = V1.replace("version: 1\ntitle", "version: 3\ntitle")
    moved = move(move(desk, second), carrying.publish(desk.house, third))

    assert plan_of(moved).to_confirm == ("ppl.vetting", "ppl.training", "ppl.badges")
    assert carrying.confirm(moved).done == ("ppl.vetting", "ppl.training", "ppl.badges")
    assert contents(moved).keys() == ANSWERS.keys()


def test_what_waits_is_judged_by_the_new_version(house: House) -> None:
    first, _ = carrying.signed_desk(house)
    again = carrying.again(first, V1.replace("version: 1\ntitle", "version: 2\ntitle"))
    assert "ppl.vetting" in plan_of(again).to_confirm
    moved = move(again, carrying.publish(house, V2.replace("version: 2\ntitle", "version: 3\ntitle")))

    assert plan_of(moved).to_confirm == KEPT
    assert plan_of(moved).re_attest == AGAIN
    assert plan_of(moved).archived == ("ppl.badges",)


def test_nothing_moves_once_it_is_signed(desk: Desk, second: UUID) -> None:
    seen = preview(desk, second).digest
    desk.cite("acc.mfa", desk.file())
    desk.sign()

    with pytest.raises(Conflict, match="nobody has signed"), desk.at(FACTORY) as (tx, row):
        attestations.migrate(tx, assessment=row, version_id=second, row_version=row.row_version, seen_digest=seen)


@pytest.mark.parametrize("given", [{"row_version": 99}, {"seen_digest": "0" * 64}])
def test_what_the_page_did_not_show_is_not_moved(desk: Desk, second: UUID, given: dict[str, Any]) -> None:
    with pytest.raises(Conflict, match="Nothing was moved"):
        move(desk, second, **given)

    assert contents(desk).keys() == ANSWERS.keys()


def test_an_answer_that_would_be_lost_from_sight_stops_a_move(desk: Desk, second: UUID) -> None:
    desk.save("ppl.badges", {})
    seen = preview(desk, second).digest
    desk.save("ppl.badges", {"choice": "no"})

    with pytest.raises(Conflict, match="Nothing was moved"):
        move(desk, second, seen_digest=seen)


def test_it_moves_forward_only_and_within_its_questionnaire(desk: Desk, second: UUID) -> None:
    moved = move(desk, second)
    first = carrying.publish(desk.house, V1)

    with pytest.raises(Refused, match="newer"):
        preview(moved, first)
    with pytest.raises(Refused, match="newer"):
        preview(moved, second)
    with pytest.raises(NotFound):
        preview(moved, carrying.full(desk.house))


def test_the_vendor_does_not_move_it(desk: Desk, second: UUID) -> None:
    with pytest.raises(Forbidden):
        move(desk, second, desk.admin.actor)


def test_files_that_are_the_answer_to_another_request_than_before_are_taken_from_it(house: House) -> None:
    report = carrying.question("acc.mfa", "Report", "Attach the report.", "file").replace("weight: 2", "weight: 0")
    asks = V1.replace(carrying.MFA, report).replace("question_weight: 18", "question_weight: 16")
    asks = asks.replace(carrying.SSO, carrying.SSO.replace('        requires: "ans(acc.mfa)=yes"\n', ""))
    desk = carrying.first_desk(house, asks)
    file = desk.file()
    desk.cite("acc.mfa", file, "2")
    later = asks.replace("version: 1\ntitle", "version: 2\ntitle")
    later = later.replace(report, report.replace("revision: 1", "revision: 2"))
    moved = move(desk, carrying.publish(house, later))

    line = carried_of(moved)["acc.mfa"]
    assert (line.fate, [each.pages for each in line.citations]) == (attestations.Fate.RE_ATTEST, ["2"])
    assert plan_of(moved).re_attest == ("acc.mfa",)
    with moved.at(moved.admin.actor) as (tx, row):
        assert attestations.citations_of(tx, row) == {}
        assert tx.session.get_one(Evidence, file).removed_at is None


def test_moves_only_grow(desk: Desk, second: UUID) -> None:
    move(desk, second)

    with pytest.raises(sa.exc.DBAPIError, match="permission denied"), desk.at(FACTORY) as (tx, _):
        tx.session.execute(sa.update(AssessmentMigration).values(moved_by=None))


def test_a_preview_is_a_value(desk: Desk, second: UUID) -> None:
    seen = preview(desk, second)

    with pytest.raises(dataclasses.FrozenInstanceError):
        seen.kept = ()  # type: ignore[misc]

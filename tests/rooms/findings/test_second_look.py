"""A second look: asked for once and in time, answered by somebody who took no part, and nothing is edited by it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.findings import second_look
from portal.findings.models import SecondLook
from portal.findings.second_look import SecondLookLine, answer_by
from portal.kernel.clock import FixedClock
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.policy import Action
from portal.reviews import second_look as answering
from portal.reviews import service as reviews
from portal.reviews.models import Decision
from portal.terms import AssessmentState, Role, SecondAnswer
from portal.vendors.models import Vendor
from portal.wiring import House
from tests.factories.attestations import desk
from tests.factories.identity import Person, person
from tests.factories.remedies import SYSTEM, ask_gate, conditional, outcome_of, proof_file, send, verify
from tests.factories.reviews import Bench


def ask(made: Bench, who: Person | None = None, **given: Any) -> SecondLookLine:
    wish = {"reason": "The export was of another tenant.", "about": ["F-1"], **given}
    with made.house.ledger.begin((who or made.desk.signatory).actor) as tx:
        outcome = assessments.outcome(tx, outcome_of(made).id, Action.SECOND_LOOK_ASK)
        return second_look.ask(tx, outcome=outcome, **wish)


def answer(made: Bench, look_id: UUID, who: Person, said: SecondAnswer = SecondAnswer.UPHELD, **given: Any) -> None:
    with made.house.ledger.begin(who.actor) as tx:
        row = answering.get(tx, look_id, Action.SECOND_LOOK_ANSWER)
        fields = {"words": "The file names another tenant.", "row_version": row.row_version, **given}
        answering.answer(tx, look=row, said=said, **fields)


def stranger(house: House, **given: Any) -> Person:
    """A person of the lab who had nothing to do with it."""
    return person(house, roles=[Role.LEAD_APPROVER], **{"name": "Ada Lindqvist", **given})


def test_a_vendor_asks_once_and_reads_by_when_it_is_answered(house: House) -> None:
    made = conditional(house)
    line = ask(made)
    assert line.due_on == answer_by(house.instant().date())
    assert (line.findings, line.answer) == (("F-1",), None)
    with pytest.raises(Conflict, match="asked for already"):
        ask(made, made.desk.admin)


def test_five_working_days_leave_the_weekend_out() -> None:
    assert answer_by(date(2026, 11, 26)) == date(2026, 12, 3)  # a Thursday
    assert answer_by(date(2026, 11, 28)) == date(2026, 12, 4)  # a Saturday


def test_the_time_to_ask_ends(house: House, clock: FixedClock) -> None:
    made = conditional(house)
    clock.advance(days=20)
    told = outcome_of(made)
    assert second_look.last_day(told.published_at) == house.instant().date()
    clock.advance(days=1)
    with pytest.raises(Conflict, match="is over"):
        ask(made)


@pytest.mark.parametrize("wish", [{"reason": " "}, {"reason": "x" * 4_001}, {"about": ["F-9"]}])
def test_a_wish_without_words_or_about_nothing_is_refused(house: House, wish: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        ask(conditional(house), **wish)


def test_a_respondent_does_not_ask_in_the_vendors_name(house: House) -> None:
    made = conditional(house)
    with pytest.raises(Forbidden):
        ask(made, made.desk.respondent)


def test_another_vendor_knows_nothing_of_it(house: House) -> None:
    made = conditional(house)
    other = desk(house, name="Tessellate")
    with pytest.raises(NotFound):
        ask(made, other.signatory)


def test_asking_changes_nothing_at_the_gate(house: House) -> None:
    made = conditional(house)
    before = ask_gate(made)
    ask(made)
    assert (ask_gate(made).reasons, ask_gate(made).sequence) == (before.reasons, before.sequence)


def test_the_answer_holds_the_decision_with_words(house: House) -> None:
    made = conditional(house)
    line = ask(made)
    who = stranger(house)
    answer(made, line.id, who)
    with house.ledger.begin(made.desk.signatory.actor) as tx:
        told = second_look.of_outcome(tx, line.outcome_id)
    assert told is not None
    assert (told.answer, told.words, told.answered_by_name) == (
        SecondAnswer.UPHELD,
        "The file names another tenant.",
        who.full_name,
    )
    with pytest.raises(Conflict, match="answered this already"):
        answer(made, line.id, stranger(house, name="Olu Bankole"))


def test_decided_anew_asks_the_vendor_again_and_leaves_the_old_decision(house: House) -> None:
    made = conditional(house)
    line = ask(made)
    before = ask_gate(made)
    answer(made, line.id, stranger(house), SecondAnswer.ANEW)

    with house.ledger.begin(SYSTEM) as tx:
        look = tx.session.get_one(SecondLook, line.id)
        assert look.anew_id is not None
        new, old = tx.session.get_one(Assessment, look.anew_id), tx.session.get_one(Assessment, line.assessment_id)
        assert (new.state, old.state) == (AssessmentState.DRAFT, AssessmentState.DECIDED)
        assert (new.questionnaire_id, new.engagement_id) == (old.questionnaire_id, old.engagement_id)
        assert tx.session.execute(sa.select(sa.func.count()).select_from(Decision)).scalar_one() == 1
    assert ask_gate(made).sequence == before.sequence


def test_decided_anew_goes_on_with_what_is_asked_already(house: House) -> None:
    made = conditional(house)
    first = ask(made)
    with house.ledger.begin(SYSTEM) as tx:
        running = answering._ask_anew(tx, tx.session.get_one(SecondLook, first.id), None)
    answer(made, first.id, stranger(house), SecondAnswer.ANEW)
    with house.ledger.begin(SYSTEM) as tx:
        assert tx.session.get_one(SecondLook, first.id).anew_id == running


def refused(made: Bench, look_id: UUID, who: Person) -> str:
    with pytest.raises(Forbidden) as refusal:
        answer(made, look_id, who)
    return refusal.value.message


def test_whoever_took_part_does_not_answer(house: House) -> None:
    made = conditional(house, tier=1)
    verify(made, send(made, proof_file(made)), who=made.other)
    look_id = ask(made).id
    assert "reviewed this" in refused(made, look_id, made.reviewer)
    assert "proposed this decision" in refused(made, look_id, made.lead)
    assert "signed this decision" in refused(made, look_id, made.second)
    assert "judged a proof in it" in refused(made, look_id, made.other)
    answer(made, look_id, made.third)


def test_who_is_tied_to_the_vendor_does_not_answer(house: House) -> None:
    made = conditional(house)
    look_id = ask(made).id
    with house.ledger.begin(made.third.actor) as tx:
        vendor = tx.session.get_one(Vendor, made.desk.vendor_id)
        reviews.declare_conflict(tx, vendor=vendor, reason="My brother works there")
    assert "conflict of interest" in refused(made, look_id, made.third)


@pytest.mark.parametrize("role", [Role.PROGRAM_ADMIN, Role.AUDITOR])
def test_who_neither_reviews_nor_leads_does_not_answer(house: House, role: Role) -> None:
    made = conditional(house)
    look_id = ask(made).id
    with pytest.raises(Forbidden):
        answer(made, look_id, person(house, roles=[role]))


def test_an_answer_needs_words(house: House) -> None:
    made = conditional(house)
    look_id = ask(made).id
    with pytest.raises(Refused) as refusal:
        answer(made, look_id, stranger(house), words=" ")
    assert list(refusal.value.problems) == ["words"]

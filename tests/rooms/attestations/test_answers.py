"""Answering one question at a time, with nothing lost and nobody's words written over."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.attestations.models import AnswerEdit
from portal.kernel.actor import Actor, ActorKind, system
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.policy import Action
from portal.questionnaires.rules import QuestionState
from portal.terms import AssessmentState
from portal.vendors.models import Engagement, Vendor
from portal.wiring import House
from tests.factories.assessments import make_assessment
from tests.factories.attestations import Desk
from tests.factories.attestations import desk as desk_of
from tests.factories.identity import person

KEY = "gov.owner"


def stored(desk: Desk, key: str = KEY) -> attestations.AnswerLine | None:
    with desk.at(desk.admin.actor) as (tx, row):
        return attestations.answers_of(tx, row).get(key)


def test_the_first_answer_begins_the_assessment(desk: Desk) -> None:
    line = desk.save(KEY, {"choice": "yes", "comment": "Our chief of security."})

    assert (line.version, line.by, line.answer.choice) == (1, "Priya Raghunath", "yes")
    with desk.at(desk.admin.actor) as (_, row):
        assert row.state is AssessmentState.IN_PROGRESS
        assert row.first_touched_at is not None


def test_a_draft_may_be_incomplete_so_that_typed_text_is_kept(desk: Desk) -> None:
    desk.save(KEY, {"choice": "partial"})
    line = stored(desk)
    assert line is not None
    assert (line.value, line.comment) == ({"choice": "partial"}, "")


def test_every_write_is_kept_with_its_writer(desk: Desk) -> None:
    desk.save(KEY, {"choice": "yes"})
    desk.save(KEY, {"choice": "no", "comment": "Not any more."}, actor=desk.admin.actor)

    with desk.at(desk.respondent.actor) as (tx, row):
        found = [
            (each.version, each.answer.choice, each.answer.comment, each.by)
            for each in attestations.history(tx, row, KEY)
        ]
    assert found == [(2, "no", "Not any more.", "Marisol Dufour"), (1, "yes", "", "Priya Raghunath")]


def test_the_trail_holds_a_fingerprint_and_not_the_text(desk: Desk) -> None:
    desk.save(KEY, {"choice": "yes", "comment": "The vault is in Lisbon."})
    with desk.house.ledger.begin(system("test")) as tx:
        statement = sa.text("SELECT payload FROM audit_event WHERE fact = 'answer_saved'")
        (payload,) = tx.session.execute(statement).scalars()
    assert "digest" in payload
    assert "Lisbon" not in payload


def test_an_emptied_answer_is_blank_and_its_history_stays(desk: Desk) -> None:
    desk.save(KEY, {"choice": "yes", "comment": "Our chief of security."})
    line = desk.save(KEY, {})

    assert (line.version, line.answer.is_blank) == (2, True)
    with desk.at(desk.admin.actor) as (tx, row):
        assert attestations.standing(tx, row).states()[KEY] is QuestionState.BLANK
        assert len(attestations.history(tx, row, KEY)) == 2


def test_a_save_that_changes_nothing_is_no_new_version(desk: Desk) -> None:
    desk.save(KEY, {"choice": "yes"})
    with desk.at(desk.respondent.actor) as (tx, row):
        again = attestations.save_answer(tx, assessment=row, question_key=KEY, raw={"choice": "yes"}, version=0)
        edits = tx.session.execute(sa.select(sa.func.count()).select_from(AnswerEdit)).scalar_one()
    assert (again.version, edits) == (1, 1)


def test_an_empty_form_on_an_unanswered_question_does_not_begin_anything(desk: Desk) -> None:
    assert desk.save(KEY, {}).version == 0
    with desk.at(desk.admin.actor) as (_, row):
        assert row.state is AssessmentState.DRAFT


def test_a_late_writer_gets_both_texts_and_nothing_is_written_over(desk: Desk) -> None:
    """R16."""
    desk.save(KEY, {"choice": "yes", "comment": "Hers."}, actor=desk.admin.actor)

    with pytest.raises(Conflict, match="Marisol Dufour changed the answer to “Executive owner”") as refusal:
        desk.save(KEY, {"choice": "no", "comment": "His."}, version=0)

    current = refusal.value.current
    assert (current["version"], current["by"], current["theirs"].comment) == (1, "Marisol Dufour", "Hers.")
    line = stored(desk)
    assert line is not None
    assert line.comment == "Hers."


@pytest.mark.parametrize("version", [-1, 2, 10**6])
def test_a_version_that_never_was_is_a_conflict(desk: Desk, version: int) -> None:
    desk.save(KEY, {"choice": "yes"})
    with pytest.raises(Conflict):
        desk.save(KEY, {"choice": "no"}, version=version)


def test_what_cannot_be_read_is_told_at_its_field(desk: Desk) -> None:
    with pytest.raises(Refused) as refusal:
        desk.save(KEY, {"choice": "perhaps", "planned_on": "soon"})
    assert set(refusal.value.problems) == {"choice", "planned_on"}
    assert stored(desk) is None


def test_answers_to_different_questions_keep_their_own_versions(desk: Desk) -> None:
    other = desk.visible()[1].key
    with desk.at(desk.admin.actor) as (_, row):
        before = row.row_version
    desk.save(KEY, {"choice": "yes"})
    assert desk.save(other, {"comment": "Later."}, version=0).version == 1
    desk.save(KEY, {"choice": "no"})
    with desk.at(desk.admin.actor) as (_, row):
        assert row.row_version == before + 1


def test_a_section_that_was_given_to_others_is_not_mine_to_answer(desk: Desk) -> None:
    with desk.at(desk.admin.actor) as (tx, row):
        assessments.assign_section(tx, assessment=row, section="gov", user_id=desk.admin.id)

    with pytest.raises(Forbidden):
        desk.save(KEY, {"choice": "yes"})
    assert desk.save(KEY, {"choice": "yes"}, actor=desk.admin.actor).version == 1
    with desk.at(desk.admin.actor) as (tx, row):
        assessments.assign_section(tx, assessment=row, section="gov", user_id=desk.respondent.id)
    assert desk.save(KEY, {"choice": "no"}).version == 2


def test_signatories_and_the_lab_do_not_answer(desk: Desk) -> None:
    reviewer = person(desk.house, roles=["reviewer"], name="Ines Valdarno")
    for actor in (desk.signatory.fresh, reviewer.actor):
        with pytest.raises(Forbidden):
            desk.save(KEY, {"choice": "yes"}, actor=actor)


def test_another_vendor_cannot_tell_that_it_exists(house: House, desk: Desk) -> None:
    """AZ-01."""
    desk.save(KEY, {"choice": "yes", "comment": "CANARY"})
    other = desk_of(house, name="Hollowbrook Linguistics")
    with house.ledger.begin(other.admin.actor) as tx:
        with pytest.raises(NotFound):
            assessments.get(tx, desk.assessment_id, Action.ASSESSMENT_READ)
        for table in ("answer", "answer_edit", "message", "citation", "attestation"):
            rows = tx.session.execute(sa.text(f"SELECT vendor_id FROM {table}")).scalars().all()  # noqa: S608
            assert desk.vendor_id not in rows


def test_a_row_in_hand_does_not_let_a_stranger_write(house: House, desk: Desk) -> None:
    """AZ-01: the policy looks at the row, not only at how it was found."""
    stranger = Actor(
        ActorKind.PERSON, house.new_id(), "Mallory", vendor_id=house.new_id(), roles=frozenset({"vendor_admin"})
    )
    with house.ledger.begin(system("test")) as tx:
        row = assessments.get(tx, desk.assessment_id, Action.ASSESSMENT_READ)
        tx.actor = stranger
        with pytest.raises(NotFound):
            attestations.save_answer(tx, assessment=row, question_key=KEY, raw={"choice": "yes"}, version=0)
        with pytest.raises(NotFound):
            attestations.post_message(tx, assessment=row, question_key=KEY, body="Hello")
        tx.actor = system("test")


@pytest.mark.parametrize("key", ["gov.nothing", "", "gov", "scp.services", "\x00", "x" * 5_000])
def test_a_question_that_is_not_asked_is_not_found(desk: Desk, key: str) -> None:
    with pytest.raises(NotFound):
        desk.save(key, {"choice": "yes"})


def test_a_question_of_another_tier_is_not_found(long_desk: Desk) -> None:
    key = next(each.key for each in long_desk.questionnaire.questions if 2 not in each.tiers)
    with pytest.raises(NotFound):
        long_desk.save(key, {"choice": "yes"})


def test_a_hidden_question_takes_no_answer_and_keeps_the_one_it_had(long_desk: Desk) -> None:
    parent, child = next(
        (key, each.key)
        for each in long_desk.questionnaire.questions
        if each.requires is not None and 2 in each.tiers
        for key in each.requires.keys
        if long_desk.questionnaire.question(key).choices
    )
    options = sorted(long_desk.questionnaire.question(parent).choices, key=lambda option: option.credit or 0)
    with pytest.raises(Conflict, match="does not apply any more"):
        long_desk.save(child, {"comment": "Too early."})
    long_desk.save(parent, {"choice": options[-1].key})
    long_desk.save(child, {"comment": "Kept."})

    long_desk.save(parent, {"choice": options[0].key})

    line = stored(long_desk, child)
    assert line is not None
    assert line.comment == "Kept."
    with pytest.raises(Conflict, match="Nothing was saved"):
        long_desk.save(child, {"comment": "Changed."})


@pytest.mark.parametrize("verb", ["cancel", "sign"])
def test_nothing_is_answered_once_it_is_out_of_hand(desk: Desk, verb: str) -> None:
    desk.complete()
    if verb == "sign":
        desk.sign()
    else:
        with desk.at(system("test")) as (tx, row):
            assessments.cancel(tx, assessment=row, reason="The project ended.")
    before = stored(desk)

    for raw in ({"choice": "no"}, {}):
        with pytest.raises(Conflict, match="Nothing was changed"):
            desk.save(KEY, raw)
    assert stored(desk) == before


def test_outdated_statements_offer_what_was_signed_before(house: House) -> None:
    made = desk_of(house)
    made.complete()
    made.sign()
    with house.ledger.begin(system("test")) as tx:
        first = assessments.get(tx, made.assessment_id, Action.ASSESSMENT_READ)
        again = make_assessment(
            tx,
            vendor=tx.session.get_one(Vendor, first.vendor_id),
            engagement=tx.session.get_one(Engagement, first.engagement_id),
            slug="incident-reattestation",
        )
        again_id = again.id
    with house.ledger.begin(made.respondent.actor) as tx:
        row = assessments.get(tx, again_id, Action.ASSESSMENT_READ)
        line = attestations.save_answer(
            tx, assessment=row, question_key="rea.statements", raw={"choices": [KEY]}, version=0
        )
        assert line.answer.choices == (KEY,)
        with pytest.raises(Refused):
            attestations.save_answer(
                tx, assessment=row, question_key="rea.statements", raw={"choices": ["gov.nothing"]}, version=1
            )

"""What is agreed about a finding beside its proof: the plan, the due date, who sees to it, why points are replaced."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from portal.findings import planning, queries, remedies
from portal.findings import service as findings
from portal.findings.queries import View
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.policy import Action
from portal.reviews import following
from portal.reviews import remedies as judging
from portal.terms import FindingAct, PlanState, Role, Severity
from portal.wiring import House
from tests.factories.accepting import agree, move_due, plan, return_plan
from tests.factories.attestations import desk
from tests.factories.identity import person
from tests.factories.remedies import SYSTEM, ask_gate, conditional, finding, proof_file, send, standing_of
from tests.factories.reviews import Bench, bench, wrong


def acts(made: Bench) -> list[FindingAct]:
    with made.house.ledger.begin(SYSTEM) as tx:
        return [each.act for each in planning.steps_of(tx, [finding(made).id]).get(finding(made).id, ())]


def test_a_vendor_says_what_it_will_do_and_the_lab_agrees(house: House) -> None:
    made = conditional(house)
    due = finding(made).due_on
    agree(made, plan(made), note="Send the export of every site.")

    assert finding(made).plan is PlanState.AGREED
    assert finding(made).due_on == due
    told = standing_of(made)["findings"][0]["plan"]
    assert (told["state"], told["words"], told["by_day"], told["said"]) == (
        "agreed",
        "New laptops for the site.",
        "2027-01-10",
        "Send the export of every site.",
    )
    assert not ask_gate(made).allow


def test_a_returned_plan_says_why_and_a_better_one_follows(house: House) -> None:
    made = conditional(house)
    return_plan(made, plan(made), note="Which site first?")
    assert standing_of(made)["findings"][0]["plan"]["said"] == "Which site first?"
    agree(made, plan(made, words="Manila first, on 4 January."))
    assert acts(made) == [
        FindingAct.PLAN_SENT,
        FindingAct.PLAN_RETURNED,
        FindingAct.PLAN_SENT,
        FindingAct.PLAN_AGREED,
    ]


def test_a_plan_needs_words_and_a_day_and_a_return_needs_words(house: House) -> None:
    made = conditional(house)
    with pytest.raises(Refused) as refusal:
        plan(made, words=" ", by_day=date(2020, 1, 1))
    assert set(refusal.value.problems) == {"words", "by_day"}
    step = plan(made)
    with pytest.raises(Refused) as refusal:
        return_plan(made, step, note=" ")
    assert set(refusal.value.problems) == {"note"}


def test_whoever_agrees_agrees_to_the_plan_that_was_shown(house: House) -> None:
    made = conditional(house)
    first = plan(made)
    plan(made, words="Something else.")
    with pytest.raises(Conflict):
        agree(made, first)
    assert finding(made).plan is PlanState.SENT


def test_with_proof_on_its_way_no_plan_is_needed(house: House) -> None:
    made = conditional(house)
    send(made, proof_file(made))
    with pytest.raises(Conflict, match="is with us"):
        plan(made)


def test_a_moved_day_stays_in_the_history_and_the_gate_keeps_its_own(house: House) -> None:
    made = conditional(house)
    with made.house.ledger.begin(SYSTEM) as tx:
        before = tx.session.execute(sa.text("SELECT conditions FROM clearance ORDER BY sequence DESC LIMIT 1")).scalar()
    move_due(made, date(2027, 3, 1))

    assert finding(made).due_on == date(2027, 3, 1)
    with made.house.ledger.begin(SYSTEM) as tx:
        (step,) = planning.steps_of(tx, [finding(made).id])[finding(made).id]
        after = tx.session.execute(sa.text("SELECT conditions FROM clearance ORDER BY sequence DESC LIMIT 1")).scalar()
    assert (step.was_day, step.day, step.words) == (date(2027, 1, 15), date(2027, 3, 1), "The supplier is late.")
    assert after == before
    assert standing_of(made)["findings"][0]["due_on"] == "2027-03-01"


def test_a_day_moves_with_a_reason_only_and_never_into_the_past(house: House) -> None:
    made = conditional(house)
    with pytest.raises(Refused) as refusal:
        move_due(made, date(2020, 3, 1), reason="")
    assert set(refusal.value.problems) == {"due_on", "note"}
    assert acts(made) == []


def test_steps_only_grow(house: House) -> None:
    made = conditional(house)
    plan(made)
    with pytest.raises(DatabaseError, match="finding_step"), house.ledger.begin(SYSTEM) as tx:
        tx.session.execute(sa.text("UPDATE finding_step SET words = 'other'"))


def test_who_sees_to_it_works_at_the_vendor_and_who_follows_it_judges_findings(house: House) -> None:
    made = conditional(house)
    with house.ledger.begin(made.lead.actor) as tx:
        row = judging.get(tx, finding(made).id, Action.FINDING_FOLLOW)
        with pytest.raises(Refused, match=""):
            following.name_owner(tx, finding=row, person_id=made.lead.id, row_version=row.row_version)
        with pytest.raises(Refused, match=""):
            following.name_follower(tx, finding=row, person_id=made.desk.respondent.id, row_version=row.row_version)
        following.name_owner(tx, finding=row, person_id=made.desk.signatory.id, row_version=row.row_version)
        following.name_follower(tx, finding=row, person_id=made.other.id, row_version=row.row_version)
    assert (finding(made).owner_id, finding(made).follower_id) == (made.desk.signatory.id, made.other.id)
    with house.ledger.begin(SYSTEM) as tx:
        name = planning.steps_of(tx, [finding(made).id])[finding(made).id][0].person_name
    assert standing_of(made)["findings"][0]["owner"] == name


def test_who_is_tied_to_the_vendor_follows_nothing_of_it(house: House) -> None:
    made = conditional(house)
    step = plan(made)
    tied = person(house, roles=[Role.REVIEWER], email="someone@mail.example.com", name="Tia Reyes")
    with house.ledger.begin(SYSTEM) as tx:
        tx.session.execute(
            sa.text("UPDATE vendor SET mail_domains = '{mail.example.com}' WHERE id = :id"),
            {"id": made.desk.vendor_id},
        )
    with pytest.raises(Forbidden):
        agree(made, step, who=tied)
    assert finding(made).plan is PlanState.SENT


def test_the_other_vendor_knows_nothing_of_a_plan(house: House) -> None:
    made, stranger = conditional(house), desk(house, name="Hollowbrook Linguistics")
    with pytest.raises(NotFound), house.ledger.begin(stranger.respondent.actor) as tx:
        remedies.of_vendor(tx, finding(made).id, Action.FINDING_ANSWER)


def test_points_are_replaced_with_a_reason_and_never_without(house: House) -> None:
    made = bench(house, tier=2)
    made.claim()
    key = made.desk.visible()[0].key
    fields = {"vendor_id": made.desk.vendor_id, "assessment_id": made.desk.assessment_id, "revision": 1}
    with house.ledger.begin(made.reviewer.actor) as tx:
        with pytest.raises(Refused) as refusal:
            findings.draft(tx, question_key=key, wrong=wrong(credit=40, credit_reason=" "), **fields)
        assert set(refusal.value.problems) == {"credit_reason"}
        findings.draft(
            tx,
            question_key=key,
            wrong=wrong(credit=40, credit_reason="Three of five sites are in it.", blocks=((3, "A2"), (3, "A2"))),
            **fields,
        )
        told = findings.credits_of(tx, made.desk.assessment_id)[key]
        assert (told.credit, told.author, told.reason) == (40, made.reviewer.id, "F-1: Three of five sites are in it.")
        (line,) = findings.of_assessment(tx, made.desk.assessment_id)
        assert (line.blocks, line.follower_id) == (((3, "A2"),), made.reviewer.id)


def test_what_a_finding_blocks_is_access_that_there_is(house: House) -> None:
    made = bench(house, tier=2)
    made.claim()
    with pytest.raises(Refused) as refusal, house.ledger.begin(made.reviewer.actor) as tx:
        findings.draft(
            tx,
            vendor_id=made.desk.vendor_id,
            assessment_id=made.desk.assessment_id,
            revision=1,
            question_key=made.desk.visible()[0].key,
            wrong=wrong(blocks=((9, "A2"),), owner_id=made.lead.id),
        )
    assert set(refusal.value.problems) == {"blocks", "owner_id"}


def test_each_view_holds_what_it_says_and_pages_go_on_after_the_last(house: House) -> None:
    made = conditional(house, keys=("iam.mfa.workforce", "inf.rest", "gov.owner"))
    plan(made)
    with house.ledger.begin(made.reviewer.actor) as tx:
        counts = queries.counts(tx)
        assert (counts[View.PLAN], counts[View.MINE], counts[View.OPEN], counts[View.OVERDUE]) == (1, 3, 3, 0)
        first = queries.page(tx, view=View.OPEN, limit=2)
        second = queries.page(tx, view=View.OPEN, limit=2, after=first.after)
        assert [each.number for each in (*first.lines, *second.lines)] == [1, 2, 3]
        assert second.after is None
        assert queries.counts(tx, severity=Severity.LOW)[View.OPEN] == 0
    with house.ledger.begin(made.lead.actor) as tx:
        assert queries.counts(tx)[View.MINE] == 0

"""Moving an assessment: only the documented pairs, one winner, one fact."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import product
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.assessments import rules
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.assessments.rules import Move
from portal.audit.models import AuditEvent
from portal.kernel.errors import Conflict, Forbidden, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.terms import AssessmentState
from portal.wiring import House
from tests.factories.assessments import make_assessment
from tests.factories.vendors import make_vendor
from tests.rooms.assessments.people import ADMIN, LEAD, of_vendor

S = AssessmentState

ROADS: dict[S, tuple[Move, ...]] = {
    S.DRAFT: (),
    S.IN_PROGRESS: (Move.TOUCH,),
    S.SUBMITTED: (Move.TOUCH, Move.SUBMIT),
    S.IN_REVIEW: (Move.TOUCH, Move.SUBMIT, Move.TAKE_INTO_REVIEW),
    S.CHANGES_REQUESTED: (Move.TOUCH, Move.SUBMIT, Move.TAKE_INTO_REVIEW, Move.REQUEST_CHANGES),
    S.RECOMMENDED: (Move.TOUCH, Move.SUBMIT, Move.TAKE_INTO_REVIEW, Move.RECOMMEND),
    S.DECIDED: (Move.TOUCH, Move.SUBMIT, Move.TAKE_INTO_REVIEW, Move.RECOMMEND, Move.DECIDE),
    S.CANCELLED: (Move.CANCEL,),
    S.WITHDRAWN: (Move.TOUCH, Move.SUBMIT, Move.WITHDRAW),
}
VENDORS_OWN = frozenset({Move.TOUCH, Move.SUBMIT, Move.WITHDRAW})


def make_move(house: House, assessment_id: UUID, vendor_id: UUID, move: Move, row_version: int | None = None) -> None:
    """Make one move as the strongest person allowed to."""
    actor = of_vendor(vendor_id, "vendor_admin", "signatory", "respondent") if move in VENDORS_OWN else LEAD
    with house.ledger.begin(actor) as tx:
        assessment = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
        revision = rules.next_revision(assessment.state, assessment.revision)
        commands: dict[Move, Callable[[], None]] = {
            Move.TOUCH: lambda: assessments.touch(tx, assessment=assessment),
            Move.SUBMIT: lambda: assessments.submit(
                tx, assessment=assessment, revision=revision, row_version=row_version
            ),
            Move.TAKE_INTO_REVIEW: lambda: assessments.take_into_review(
                tx, assessment=assessment, row_version=row_version
            ),
            Move.REQUEST_CHANGES: lambda: assessments.request_changes(
                tx, assessment=assessment, keys=["gov.owner"], row_version=row_version
            ),
            Move.RECOMMEND: lambda: assessments.recommend(tx, assessment=assessment, row_version=row_version),
            Move.RETURN_TO_REVIEW: lambda: assessments.return_to_review(
                tx, assessment=assessment, reason="Look at 3.1 again", row_version=row_version
            ),
            Move.DECIDE: lambda: assessments.decide(tx, assessment=assessment, row_version=row_version),
            Move.CANCEL: lambda: assessments.cancel(
                tx, assessment=assessment, reason="No longer needed", row_version=row_version
            ),
            Move.WITHDRAW: lambda: assessments.withdraw(
                tx, assessment=assessment, reason="Signed too early", row_version=row_version
            ),
        }
        commands[move]()


def standing(house: House, assessment_id: UUID) -> tuple[object, ...]:
    columns = list(Assessment.__table__.columns)
    with house.ledger.begin(ADMIN) as tx:
        row = tx.session.execute(sa.select(*columns).where(Assessment.id == assessment_id)).one()
        events = tx.session.execute(sa.select(sa.func.count()).select_from(AuditEvent)).scalar_one()
        return (*row, events)


def brought_to(house: House, state: S, vendor: str = "Quillmark Annotation") -> tuple[UUID, UUID]:
    with house.ledger.begin(ADMIN) as tx:
        assessment = make_assessment(tx, vendor=make_vendor(tx, vendor))
        found = assessment.id, assessment.vendor_id
    for move in ROADS[state]:
        make_move(house, *found, move)
    return found


@pytest.mark.parametrize("state", S)
def test_wf_01_only_the_documented_moves_succeed_and_the_others_change_nothing(house: House, state: S) -> None:
    for move in Move:
        assessment_id, vendor_id = brought_to(house, state, f"Quillmark {move}")
        before = standing(house, assessment_id)

        if rules.may_move(state, move):
            make_move(house, assessment_id, vendor_id, move)
            with house.ledger.begin(ADMIN) as tx:
                assert tx.session.get_one(Assessment, assessment_id).state is rules.MOVES[move].ends
            assert standing(house, assessment_id)[-1] == int(str(before[-1])) + 1, f"{move} is one fact"
        elif move is Move.TOUCH and rules.is_answerable(state):
            make_move(house, assessment_id, vendor_id, move)
            assert standing(house, assessment_id) == before
        else:
            with pytest.raises(Conflict) as refusal:
                make_move(house, assessment_id, vendor_id, move)
            assert refusal.value.message == rules.not_now(state)
            assert refusal.value.current["state"] == state.value
            assert standing(house, assessment_id) == before


@pytest.mark.parametrize(("state", "move"), [(s, m) for s, m in product(S, Move) if rules.may_move(s, m)][:4])
def test_a_form_made_from_an_older_row_is_refused(house: House, state: S, move: Move) -> None:
    assessment_id, vendor_id = brought_to(house, state)
    if move is Move.TOUCH:
        return

    with pytest.raises(Conflict, match="since you opened it"):
        make_move(house, assessment_id, vendor_id, move, row_version=99)


def test_after_questions_came_back_only_they_are_open_and_the_next_signature_is_revision_two(house: House) -> None:
    assessment_id, vendor_id = brought_to(house, S.CHANGES_REQUESTED)
    vendor = of_vendor(vendor_id, "signatory")

    with house.ledger.begin(vendor) as tx:
        assessment = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
        assert assessments.reopened(tx, assessment) == {"gov.owner"}
        with pytest.raises(Conflict):
            assessments.submit(tx, assessment=assessment, revision=1)
        assessments.submit(tx, assessment=assessment, revision=2)
        assert (assessment.state, assessment.revision) == (S.SUBMITTED, 2)
        assert assessments.reopened(tx, assessment) == frozenset()


def test_while_answering_for_the_first_time_everything_is_open(house: House) -> None:
    assessment_id, vendor_id = brought_to(house, S.IN_PROGRESS)

    with house.ledger.begin(of_vendor(vendor_id, "respondent")) as tx:
        assert assessments.reopened(tx, assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)) is None


def test_cancelling_is_for_leads_and_admins_and_needs_a_reason(house: House) -> None:
    assessment_id, vendor_id = brought_to(house, S.DRAFT)

    with pytest.raises(Forbidden), house.ledger.begin(of_vendor(vendor_id, "vendor_admin")) as tx:
        assessments.cancel(
            tx, assessment=assessments.get(tx, assessment_id, Action.ASSESSMENT_READ), reason="We do not want to"
        )
    with pytest.raises(Refused) as refusal, house.ledger.begin(LEAD) as tx:
        assessments.cancel(tx, assessment=assessments.get(tx, assessment_id, Action.ASSESSMENT_CANCEL), reason=" \t")
    assert refusal.value.problems == {"reason": ["Say why you cancel it. The vendor reads this"]}


def test_wf_02_of_two_that_submit_at_once_exactly_one_wins(house: House) -> None:
    assessment_id, vendor_id = brought_to(house, S.IN_PROGRESS)
    gate = threading.Barrier(2)
    said: list[str] = []

    def sign() -> None:
        with house.ledger.begin(of_vendor(vendor_id, "signatory")) as tx:
            assessment = assessments.get(tx, assessment_id, Action.ATTESTATION_SIGN)
            gate.wait(10)
            try:
                assessments.submit(tx, assessment=assessment, revision=1, row_version=2)
                said.append("won")
            except Conflict as refusal:
                said.append(str(refusal.current["state"]))

    threads = [threading.Thread(target=sign) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(said) == ["submitted", "won"]
    with house.ledger.begin(ADMIN) as tx:
        assert submissions(tx) == 1


def test_two_first_answers_at_once_both_go_through(house: House) -> None:
    assessment_id, vendor_id = brought_to(house, S.DRAFT)
    gate = threading.Barrier(2)
    failures: list[Exception] = []

    def answer() -> None:
        try:
            with house.ledger.begin(of_vendor(vendor_id, "respondent")) as tx:
                assessment = assessments.get(tx, assessment_id, Action.ANSWER_WRITE)
                gate.wait(10)
                assessments.touch(tx, assessment=assessment)
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=answer) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert failures == []
    with house.ledger.begin(ADMIN) as tx:
        assert tx.session.get_one(Assessment, assessment_id).state is S.IN_PROGRESS


def submissions(tx: Tx) -> int:
    counted = sa.select(sa.func.count()).select_from(AuditEvent).where(AuditEvent.fact == "assessment_submitted")
    return tx.session.execute(counted).scalar_one()

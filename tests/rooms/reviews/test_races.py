"""WF-03 and its kin: of two at once exactly one wins, and the loser is told how things stand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.gate import service as gate
from portal.gate.models import Clearance
from portal.gate.rules import Question, Reason
from portal.kernel.actor import system
from portal.kernel.errors import Conflict, GatehouseError
from portal.policy import Action
from portal.reviews import service as reviews
from portal.reviews.models import Decision
from portal.terms import DecisionState, Outcome, Role, Verdict
from portal.vendors.models import Vendor
from portal.wiring import House
from tests.factories.identity import person
from tests.factories.reviews import Bench, bench


def at_once(*commands: Callable[[], Any]) -> list[Any]:
    """Run the commands at the same moment; return what each gave or raised, in their order."""
    barrier = threading.Barrier(len(commands))
    results: list[Any] = [None] * len(commands)

    def run(place: int, command: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            results[place] = command()
        except GatehouseError as refusal:
            results[place] = refusal

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(commands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def recommended(house: House, name: str, like: Bench | None = None, *, tier: int = 2) -> Bench:
    made = bench(house, tier=tier, name=name)
    if like is not None:
        for role in ("reviewer", "lead", "second"):
            setattr(made, role, getattr(like, role))
    assert made.lead
    assert made.second
    made.review()
    return made


@pytest.mark.slow
def test_wf_03_of_two_decisions_at_once_one_is_made(house: House) -> None:
    first: Bench | None = None
    for number in range(12):
        b = recommended(house, f"Vendor{number} Labs", first)
        first = first or b
        other = Outcome.REJECT if number % 2 else Outcome.APPROVE
        against: dict[str, Any] = {"reason": "Too early."} if number % 2 else {}

        results = at_once(lambda: b.propose(b.lead), lambda: b.propose(b.second, outcome=other, **against))  # noqa: B023

        lost = [each for each in results if isinstance(each, GatehouseError)]
        assert len(lost) == 1
        assert isinstance(lost[0], Conflict)
        assert lost[0].current["state"] == "decided"
        with house.ledger.begin(system("test")) as tx:
            confirmed = sa.select(sa.func.count()).where(
                Decision.assessment_id == b.desk.assessment_id, Decision.state == DecisionState.CONFIRMED
            )
            cleared = sa.select(Clearance.sequence).where(Clearance.vendor_id == b.desk.vendor_id)
            assert tx.session.execute(confirmed).scalar_one() == 1
            assert tx.session.execute(cleared).scalars().all() == [1]
            assert len(assessments.outcomes_of(tx, b.desk.vendor_id)) == 1


def test_of_two_second_signatures_at_once_one_counts(house: House) -> None:
    b = recommended(house, "Quillmark Annotation", tier=1)
    third = person(house, roles=[Role.LEAD_APPROVER], name="Ruth Adeyemi")
    proposed = b.propose(b.lead)

    results = at_once(lambda: b.sign(b.second, proposed), lambda: b.sign(third, proposed))

    assert sum(isinstance(each, Conflict) for each in results) == 1
    assert b.decision(proposed).state is DecisionState.CONFIRMED


def test_of_two_who_claim_at_once_one_gets_the_review(house: House) -> None:
    b = bench(house)
    assert b.reviewer
    assert b.other

    results = at_once(lambda: b.claim(b.reviewer), lambda: b.claim(b.other))

    assert sum(isinstance(each, Conflict) for each in results) == 1


def withdrawn(b: Bench) -> None:
    with b.desk.at(b.desk.signatory.fresh) as (tx, row):
        assessments.withdraw(tx, assessment=row, reason="Wrong entity")


@pytest.mark.parametrize("_round", range(3))
def test_a_recommendation_and_a_withdrawal_exclude_each_other(house: House, _round: int) -> None:
    b = bench(house)
    b.claim()
    b.accept_rest()

    results = at_once(lambda: b.recommend(), lambda: withdrawn(b))

    assert sum(isinstance(each, Conflict) for each in results) == 1
    with b.at(b.reviewer.actor) as (tx, review):
        state = tx.session.get_one(Assessment, b.desk.assessment_id).state
        assert (review.closed_at is not None) == (state == "withdrawn")


def test_a_decision_wins_over_a_withdrawal(house: House) -> None:
    b = recommended(house, "Quillmark Annotation")

    results = at_once(lambda: b.propose(b.lead), lambda: withdrawn(b))

    assert isinstance(results[1], Conflict)
    assert b.decision(results[0]).state is DecisionState.CONFIRMED


def paused(b: Bench) -> None:
    with b.house.ledger.begin(b.reviewer.fresh) as tx:
        gate.pause(tx, vendor=tx.session.get_one(Vendor, b.desk.vendor_id), reason="Breach reported at 08:40")


@pytest.mark.parametrize("_round", range(3))
def test_wf_15_a_pause_beside_an_approval_still_closes_the_gate(house: House, _round: int) -> None:
    b = recommended(house, "Quillmark Annotation")

    results = at_once(lambda: b.propose(b.lead), lambda: paused(b))

    assert not any(isinstance(each, GatehouseError) for each in results)
    with house.ledger.begin(system("test")) as tx:
        said = gate.answer(tx, Question("quillmark-annotation", "D3", "A2", "overview"))
        numbers = tx.session.execute(sa.select(Clearance.sequence)).scalars().all()
    assert (said.allow, said.sequence) == (False, 2)
    assert said.reasons == (Reason.PAUSED,)
    assert numbers in ([1], [2])


def test_wf_01_what_is_decided_is_not_reviewed_or_decided_again(house: House) -> None:
    b = recommended(house, "Quillmark Annotation")
    decided = b.propose(b.lead)
    with b.at(b.reviewer.actor) as (_, review):
        version = review.row_version

    for act in (
        lambda: b.propose(b.second),
        lambda: b.sign(b.second, decided),
        lambda: b.claim(b.reviewer),
        lambda: b.recommend(),
        lambda: b.judge("gov.owner", Verdict.ACCEPT),
    ):
        with pytest.raises(Conflict):
            act()
    with pytest.raises(Conflict), b.at(b.lead.actor) as (tx, review):
        reviews.return_to_review(tx, review=review, reason="Again", row_version=version)
    with pytest.raises(Conflict), house.ledger.begin(b.lead.actor) as tx:
        reviews.withdraw_decision(tx, decision=reviews.get_decision(tx, decided, Action.REVIEW_READ))

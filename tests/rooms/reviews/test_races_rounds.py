"""WF-01, WF-03, WF-06, WF-10: round after round of two at once, and every invariant after them.

Every round has an assessment of its own; the two racers have connections of their own and start at one barrier.
A dozen rounds every day, fifty with ``--thorough``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import service as attestations
from portal.gate import service as gate
from portal.gate.models import Clearance
from portal.gate.rules import Question, Reason
from portal.kernel.errors import Conflict, Forbidden, GatehouseError
from portal.policy import Action
from portal.reviews import service as reviews
from portal.reviews.models import Decision
from portal.terms import AssessmentState, DecisionState, Outcome, Verdict
from portal.vendors.models import Vendor
from portal.wiring import House
from tests.factories import invariants
from tests.factories.identity import FACTORY
from tests.factories.racing import at_once, loser
from tests.factories.swift import KEYS, MFA, Case, World, sign, signature, stocked

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800), pytest.mark.xdist_group("races")]


@pytest.fixture
def rounds(thorough: bool) -> int:
    """How often a race is run: an order that loses once in ten is then missed once in two hundred thorough runs."""
    return 50 if thorough else 12


@pytest.fixture
def world(house: House, rounds: int) -> Iterator[World]:
    """A small world, whose invariants hold when the test is over."""
    made = stocked(house, recommended={2: rounds // 3 + 1, 3: rounds}, proposed={1: rounds})
    yield made
    invariants.check(house)


def state_of(world: World, case: Case) -> AssessmentState:
    with world.house.ledger.begin(FACTORY) as tx:
        return tx.session.get_one(Assessment, case.assessment_id).state


def decided(world: World, case: Case) -> list[Any]:
    """Return what was decided of a case, and that the gate has one step for it."""
    with world.house.ledger.begin(FACTORY) as tx:
        about = (Decision.assessment_id == case.assessment_id, Decision.state == DecisionState.CONFIRMED)
        outcomes = tx.session.execute(sa.select(Decision.outcome).where(*about)).scalars().all()
        steps = (
            tx.session.execute(sa.select(Clearance.act).where(Clearance.vendor_id == case.vendor_id)).scalars().all()
        )
        assert [each.value for each in steps] == [each.value for each in outcomes]
        assert len(assessments.outcomes_of(tx, case.vendor_id)) == len(outcomes)
        return list(outcomes)


def withdrawn(world: World, case: Case) -> None:
    with world.house.ledger.begin(case.signatory.acting()) as tx:
        row = assessments.get(tx, case.assessment_id, Action.ASSESSMENT_READ)
        assessments.withdraw(tx, assessment=row, reason="Wrong entity")


def paused(world: World, case: Case, by: str = "r2") -> None:
    with world.house.ledger.begin(world.lab[by].acting()) as tx:
        gate.pause(tx, vendor=tx.session.get_one(Vendor, case.vendor_id), reason="Breach reported at 08:40")


def test_WF_03_of_two_decisions_at_once_one_is_made(world: World, rounds: int) -> None:
    """Two leads decide: one approves, the other approves or rejects."""
    for turn in range(rounds):
        case = world.take("recommended", 3 if turn % 3 else 2)
        other = Outcome.REJECT if turn % 2 else Outcome.APPROVE

        results = at_once(
            lambda: world.propose(case, "l1"),  # noqa: B023
            lambda: world.propose(case, "l2", outcome=other),  # noqa: B023
        )

        assert loser(results).current["state"] == "decided"
        won = Outcome.APPROVE if isinstance(results[1], Conflict) else other
        assert decided(world, case) == [won]
        assert state_of(world, case) is AssessmentState.DECIDED


def test_WF_03_of_two_second_signatures_at_once_one_counts(world: World, rounds: int) -> None:
    for _ in range(rounds):
        case, proposed = world.take("proposed", 1)

        results = at_once(
            lambda: world.sign_decision(proposed, "l2"),  # noqa: B023
            lambda: world.sign_decision(proposed, "l3"),  # noqa: B023
        )

        assert loser(results).current["state"] == "confirmed"
        assert decided(world, case) == [Outcome.APPROVE]


def taken_back(world: World, decision_id: Any) -> None:
    with world.house.ledger.begin(world.lab["l1"].acting()) as tx:
        reviews.withdraw_decision(tx, decision=reviews.get_decision(tx, decision_id, Action.REVIEW_READ))


def declined(world: World, decision_id: Any) -> None:
    with world.house.ledger.begin(world.lab["l3"].acting()) as tx:
        decision = reviews.get_decision(tx, decision_id, Action.REVIEW_READ)
        reviews.decline_decision(tx, decision=decision, reason="Too early")


def test_WF_03_a_decision_is_made_or_taken_back(world: World, rounds: int) -> None:
    """The second lead signs while another takes the proposal back or declines. What fell is proposed again."""
    won = {True: 0, False: 0}
    case, proposed = world.take("proposed", 1)
    for turn in range(rounds):
        away = (taken_back, declined)[turn % 2]
        results = at_once(lambda: world.sign_decision(proposed, "l2"), lambda: away(world, proposed))  # noqa: B023

        signed = isinstance(results[1], Conflict)
        won[signed] += 1
        assert loser(results).current["state"] == ("confirmed" if signed else "voided")
        assert decided(world, case) == ([Outcome.APPROVE] if signed else [])
        if signed:
            case, proposed = world.take("proposed", 1)
        else:
            proposed = world.propose(case, "l1")
    assert sum(won.values()) == rounds


@pytest.mark.parametrize("stage", ["recommended", "judged"])
def test_WF_01_a_withdrawal_beside_a_decision_or_a_recommendation(world: World, rounds: int, stage: str) -> None:
    """Until it is recommended the vendor withdraws or the reviewer finishes; from then on the decision is made."""
    for _ in range(rounds if stage == "judged" else rounds // 2):
        case: Case = world.take(stage, 3)
        act = {"recommended": lambda: world.propose(case, "l1"), "judged": lambda: recommend(world, case)}[stage]  # noqa: B023

        results = at_once(act, lambda: withdrawn(world, case))  # noqa: B023

        refusal = loser(results)
        state = state_of(world, case)
        ends = {"recommended": AssessmentState.DECIDED, "judged": AssessmentState.RECOMMENDED}[stage]
        assert state is (ends if refusal is results[1] else AssessmentState.WITHDRAWN)
        assert refusal.current["state"] in {state, "recommended"}
        assert stage == "judged" or refusal is results[1]


def recommend(world: World, case: Case) -> None:
    with world.house.ledger.begin(world.lab["r1"].acting()) as tx:
        review = reviews.latest(tx, case.assessment_id)
        assert review is not None
        reviews.recommend(tx, review=review, note="", row_version=review.row_version)


def test_WF_01_a_pause_beside_a_decision_closes_the_gate(world: World, rounds: int) -> None:
    """Both count, in one order or the other, and the gate is closed after either; a second pause is refused."""
    for turn in range(rounds):
        case = world.take("recommended", 3)
        acts: list[Callable[[], Any]] = [lambda: world.propose(case, "l1"), lambda: paused(world, case)]  # noqa: B023
        if turn % 2:
            acts.append(lambda: paused(world, case, "l2"))  # noqa: B023

        results = at_once(*acts)

        refused = [each for each in results if isinstance(each, GatehouseError)]
        assert [type(each) for each in refused] == [Conflict] * (turn % 2)
        assert decided(world, case) == [Outcome.APPROVE]
        with world.house.ledger.begin(FACTORY) as tx:
            said = gate.answer(tx, Question(case.slug, "D1", "A1", "race"))
        assert (said.allow, said.reasons, said.sequence) == (False, (Reason.PAUSED,), 2)


def test_WF_06_nobody_is_both_of_the_two_who_sign(world: World, rounds: int) -> None:
    """The same lead twice at once, and the reviewer beside a lead: one signature, and the duties stay apart."""
    for turn in range(rounds):
        case, proposed = world.take("proposed", 1)
        beside = ("l1", "r1", "lr")[turn % 3]
        if beside == "lr":
            with world.house.ledger.begin(world.lab["pa"].acting()) as tx:
                vendor = tx.session.get_one(Vendor, case.vendor_id)
                reviews.declare_conflict(tx, vendor=vendor, reason="Worked there", user_id=world.lab["lr"].id)

        results = at_once(
            lambda: world.sign_decision(proposed, "l2"),  # noqa: B023
            lambda: world.sign_decision(proposed, beside),  # noqa: B023
        )

        assert results[0] is DecisionState.CONFIRMED
        # Who comes too late hears that it is decided; whoever came first heard that it is not theirs to sign.
        assert isinstance(results[1], Conflict | Forbidden)
        assert decided(world, case) == [Outcome.APPROVE]


def test_WF_06_who_claims_beside_who_is_given_it(world: World, rounds: int) -> None:
    """A claim beside an assignment, and two claims: one reviewer, who alone judges."""
    for turn in range(rounds):
        case = world.signed(tier=3)
        acts = [lambda: claim(world, case, "r1"), lambda: claim(world, case, "r2")]  # noqa: B023
        if turn % 2:
            acts[1] = lambda: assign(world, case, "r2")  # noqa: B023

        results = at_once(*acts)

        with world.house.ledger.begin(FACTORY) as tx:
            review = reviews.latest(tx, case.assessment_id)
            assert review is not None
            has = review.reviewer_id
        assert loser(results).current["state"] == "in_review"
        assert has == world.lab["r2" if isinstance(results[0], Conflict) else "r1"].id


def claim(world: World, case: Case, who: str) -> None:
    with world.house.ledger.begin(world.lab[who].acting()) as tx:
        review = reviews.latest(tx, case.assessment_id)
        assert review is not None
        reviews.claim(tx, review=reviews.get(tx, review.id, Action.REVIEW_CLAIM), row_version=1)


def assign(world: World, case: Case, who: str) -> None:
    with world.house.ledger.begin(world.lab["pa"].acting()) as tx:
        review = reviews.latest(tx, case.assessment_id)
        assert review is not None
        held = reviews.get(tx, review.id, Action.REVIEW_ASSIGN)
        reviews.assign(tx, review=held, reviewer_id=world.lab[who].id, row_version=1)


def test_WF_10_an_answer_and_a_signature_at_once_never_both_count(world: World, rounds: int) -> None:
    """What is signed is what was read: a save that came first voids the page, one that came later is refused.

    Every third save makes the attestation incomplete, or brings up a question that nobody answered.
    """
    case = world.answered(tier=2)
    told = {"signed": 0, "saved": 0}
    for turn in range(rounds):
        who = case.signatory
        with world.house.ledger.begin(who.acting()) as tx:
            row = assessments.get(tx, case.assessment_id, Action.ASSESSMENT_READ)
            form, lines = signature(tx, row, who), attestations.answers_of(tx, row)
        raw = ({"choice": "no"}, {}, {"choice": "yes", "comment": f"Turn {turn}."})[turn % 3]

        results = at_once(
            lambda: save(world, case, MFA, raw, lines[MFA].version),  # noqa: B023
            lambda: signed(world, case, form),  # noqa: B023
        )

        losing = [each for each in results if isinstance(each, GatehouseError)]
        assert len(losing) == 1, results
        if losing[0] is results[0]:
            told["signed"] += 1
            assert isinstance(losing[0], Conflict)
            assert losing[0].current["state"] == "submitted"
            assert state_of(world, case) is AssessmentState.SUBMITTED
            sent_back(world, case)
        else:
            told["saved"] += 1
            assert isinstance(losing[0], Conflict | attestations.Incomplete)
            assert state_of(world, case) in {AssessmentState.IN_PROGRESS, AssessmentState.CHANGES_REQUESTED}
        mended(world, case)
    assert sum(told.values()) == rounds


def save(world: World, case: Case, key: str, raw: dict[str, Any], version: int) -> None:
    with world.house.ledger.begin(case.signatory.acting()) as tx:
        row = assessments.get(tx, case.assessment_id, Action.ASSESSMENT_READ)
        attestations.save_answer(tx, assessment=row, question_key=key, raw=raw, version=version)


def signed(world: World, case: Case, form: dict[str, Any]) -> None:
    with world.house.ledger.begin(case.signatory.acting()) as tx:
        sign(tx, case.assessment_id, case.signatory, **form)


def sent_back(world: World, case: Case) -> None:
    """Have the reviewer ask about both answers, and the vendor reply."""
    with world.house.ledger.begin(world.lab["r1"].acting()) as tx:
        review = reviews.latest(tx, case.assessment_id)
        assert review is not None
        reviews.claim(tx, review=review)
        said = reviews.verdict_lines(tx, review)
        asked = reviews.attested_of(tx, review).snapshot.answers
        for key in (each for each, answer in asked.items() if answer.is_asked):
            version = said[key].version if key in said else 0
            reviews.judge(tx, review=review, question_key=key, verdict=Verdict.ASK, note="Since when?", version=version)
        reviews.return_questions(tx, review=review, row_version=review.row_version)
    with world.house.ledger.begin(case.signatory.acting()) as tx:
        row = assessments.get(tx, case.assessment_id, Action.ASSESSMENT_READ)
        for key in (MFA, KEYS):
            attestations.post_message(tx, assessment=row, question_key=key, body="Since March.")


def mended(world: World, case: Case) -> None:
    """Answer with yes again, whatever is there."""
    with world.house.ledger.begin(case.signatory.acting()) as tx:
        row = assessments.get(tx, case.assessment_id, Action.ASSESSMENT_READ)
        for key in (MFA, KEYS):
            line = attestations.answers_of(tx, row)[key]
            attestations.save_answer(tx, assessment=row, question_key=key, raw={"choice": "yes"}, version=line.version)

"""Of two at once exactly one wins: two reviewers, a reviewer and the vendor, a verified and a rejected file."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from portal.evidence import service as evidence
from portal.findings.models import Finding, Remedy
from portal.gate.models import Clearance
from portal.kernel import migrate
from portal.kernel.errors import Conflict, GatehouseError
from portal.policy import Action
from portal.terms import FindingState, RemedyAct
from portal.wiring import House
from tests.factories.racing import at_once
from tests.factories.remedies import SYSTEM, ask_gate, conditional, finding, give_back, proof_file, send, verify
from tests.factories.reviews import Bench

ROUNDS = 6


def acts(made: Bench) -> list[RemedyAct]:
    with made.house.ledger.begin(SYSTEM) as tx:
        return list(tx.session.execute(sa.select(Remedy.act).order_by(Remedy.number)).scalars())


def test_of_two_reviewers_at_once_one_closes(house: House) -> None:
    made = conditional(house)
    assert made.reviewer
    assert made.other
    step = send(made, proof_file(made))
    version = finding(made).row_version

    results = at_once(
        lambda: verify(made, step, row_version=version),
        lambda: verify(made, step, who=made.other, row_version=version),
    )

    assert sum(isinstance(each, Conflict) for each in results) == 1
    assert acts(made) == [RemedyAct.SENT, RemedyAct.VERIFIED]
    with house.ledger.begin(SYSTEM) as tx:
        assert tx.session.execute(sa.select(sa.func.count()).select_from(Clearance)).scalar_one() == 2


def test_verified_beside_returned_is_one_of_the_two(house: House) -> None:
    made = conditional(house)
    assert made.reviewer
    assert made.other
    step = send(made, proof_file(made))

    results = at_once(lambda: verify(made, step), lambda: give_back(made, step, who=made.other))

    assert sum(isinstance(each, Conflict) for each in results) == 1
    closed = finding(made).state is FindingState.CLOSED
    assert ask_gate(made).allow is closed
    assert len(acts(made)) == 2


@pytest.mark.slow
def test_a_file_that_is_verified_for_a_finding_beside_its_rejection_never_leaves_the_gate_open(house: House) -> None:
    made = conditional(house)
    assert made.reviewer
    assert made.other

    for _ in range(ROUNDS):
        step = send(made, proof_file(made))

        def reject(file_id: object = step.evidence_id) -> None:
            with house.ledger.begin(made.other.actor) as tx:
                row = evidence.get(tx, file_id, Action.EVIDENCE_JUDGE)  # type: ignore[arg-type]
                evidence.reject(tx, evidence=row, note="Another tenant.", row_version=row.row_version)

        results = at_once(lambda step=step: verify(made, step), reject)

        assert sum(isinstance(each, GatehouseError) for each in results) <= 1
        rejected = not isinstance(results[1], GatehouseError)
        assert ask_gate(made).allow is not rejected
        if not rejected:
            reject()
            assert not ask_gate(made).allow


def test_a_step_back_and_forward_keeps_what_is_closed(house: House) -> None:
    made = conditional(house)
    verify(made, send(made, proof_file(made)))
    migrate.downgrade(house.engine, "0021")
    migrate.upgrade(house.engine)
    with house.ledger.begin(SYSTEM) as tx:
        row = tx.session.execute(sa.select(Finding)).scalar_one()
        assert (row.state, row.remedy) == (FindingState.CLOSED, None)
    assert ask_gate(made).allow

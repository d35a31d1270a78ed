"""A risk that two people accept: it opens what its finding blocked, to its day, and no score and nothing else."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.evidence import service as evidence
from portal.findings import risks
from portal.gate.rules import Reason
from portal.identity import service as identity
from portal.identity.models import UserAccount
from portal.kernel.canonical import digest
from portal.kernel.clock import FixedClock
from portal.kernel.errors import Conflict, Forbidden, GatehouseError, NotFound, Refused, StepUpRequired
from portal.policy import Action
from portal.reviews import documents
from portal.reviews import remedies as judging
from portal.reviews.models import Decision
from portal.reviews.rules import Proposal
from portal.scoring import service as scoring
from portal.terms import AcceptanceState, FindingState, Role
from portal.vendors.models import Engagement
from portal.wiring import House
from tests.factories.accepting import (
    UNTIL,
    accepted,
    confirm,
    held,
    move_due,
    propose,
    revoke,
    risks_of,
    take_back,
)
from tests.factories.identity import person
from tests.factories.racing import at_once
from tests.factories.remedies import (
    ALSO,
    SYSTEM,
    ask_gate,
    conditional,
    finding,
    give_back,
    proof_file,
    score_today,
    send,
    standing_of,
    verify,
)


def test_two_people_open_what_the_finding_blocked_and_the_score_stays(house: House) -> None:
    made = conditional(house)
    before = score_today(made)
    sequence = ask_gate(made).sequence
    acceptance_id = propose(made)
    assert not ask_gate(made).allow

    confirm(made, acceptance_id)

    answer = ask_gate(made)
    assert answer.allow
    assert answer.reasons == (Reason.CLEARED_WITH_CONDITIONS, Reason.RISK_ACCEPTED)
    assert [(each.finding, each.accepted_until) for each in answer.details] == [("F-1", UNTIL)]
    assert answer.sequence > sequence
    assert finding(made).state is FindingState.OPEN
    assert score_today(made) == before
    assert standing_of(made)["findings"][0]["accepted_until"] == UNTIL.isoformat()
    with house.ledger.begin(SYSTEM) as tx:
        (card,) = assessments.cards_of(tx, made.desk.vendor_id)
        assert card.body["conditions"][0]["accepted_until"] == UNTIL.isoformat()
        (line,) = risks.in_force(tx, made.desk.vendor_id)
    assert (line.owner, line.proposer, line.confirmer) == ("Hana Kobayashi", "Ines Valdarno", "Hana Kobayashi")


def test_it_ends_by_the_clock_with_no_worker_alive(house: House, clock: FixedClock) -> None:
    made = conditional(house)
    accepted(made)
    answer = ask_gate(made)
    assert answer.valid_until is not None
    assert answer.valid_until.date() == UNTIL + timedelta(days=1)
    clock.advance(seconds=(answer.valid_until - answer.as_of).total_seconds() - 1)
    assert ask_gate(made).allow
    clock.advance(seconds=1)
    assert not ask_gate(made).allow
    assert Reason.CONDITION_CLOSES in ask_gate(made).reasons


def test_one_of_two_findings_leaves_the_other_closed(house: House) -> None:
    made = conditional(house, keys=("iam.mfa.workforce", ALSO))
    accepted(made)
    answer = ask_gate(made)
    assert not answer.allow
    assert [(each.reason, each.finding) for each in answer.details] == [
        (Reason.RISK_ACCEPTED, "F-1"),
        (Reason.CONDITION_CLOSES, "F-2"),
    ]


def test_who_proposed_it_does_not_confirm_it(house: House) -> None:
    made = conditional(house)
    acceptance_id = propose(made, who=made.second)
    with pytest.raises(Forbidden, match="proposed this"):
        confirm(made, acceptance_id, who=made.second)
    assert not ask_gate(made).allow


def test_only_a_lead_who_did_not_review_confirms_with_a_fresh_factor(house: House) -> None:
    made = conditional(house)
    acceptance_id = propose(made, who=made.other)
    with pytest.raises(Forbidden):
        confirm(made, acceptance_id, who=made.reviewer)
    with pytest.raises(StepUpRequired), house.ledger.begin(made.lead.actor) as tx:
        held(tx, made, acceptance_id, Action.RISK_CONFIRM)
    with pytest.raises(NotFound), house.ledger.begin(made.desk.signatory.fresh) as tx:
        judging.get(tx, finding(made).id, Action.RISK_CONFIRM)


def test_in_tier_1_both_are_leads_who_did_not_review(house: House) -> None:
    made = conditional(house, tier=1)
    with pytest.raises(Forbidden, match="not a lead approver"):
        propose(made, who=made.other)
    acceptance_id = propose(made, who=made.second)
    confirm(made, acceptance_id, who=made.lead)
    assert ask_gate(made, tier=1).allow


def test_who_is_tied_to_the_vendor_neither_proposes_nor_confirms(house: House) -> None:
    made = conditional(house)
    acceptance_id = propose(made)
    with house.ledger.begin(SYSTEM) as tx:
        tx.session.execute(
            sa.text("UPDATE vendor SET mail_domains = ARRAY[split_part(:mail, '@', 2)] WHERE id = :id"),
            {"mail": made.lead.email, "id": made.desk.vendor_id},
        )
    with pytest.raises(Forbidden, match="works or worked at"):
        confirm(made, acceptance_id)
    with pytest.raises(Forbidden, match="works or worked at"):
        propose(made, who=made.lead)


@pytest.mark.parametrize(("days", "fine"), [(90, True), (91, False), (400, False)])
def test_a_knock_out_is_accepted_for_90_days_at_most(house: House, clock: FixedClock, days: int, fine: bool) -> None:
    made = conditional(house)
    until = clock.instant.date() + timedelta(days=days)
    if fine:
        propose(made, until=until)
        assert risks_of(made)[0].knock_out
        return
    with pytest.raises(Refused) as refusal:
        propose(made, until=until)
    assert "90 days" in refusal.value.problems["until"][0]


@pytest.mark.parametrize(("days", "fine"), [(400, True), (401, False)])
def test_another_risk_is_accepted_for_400_days_at_most(house: House, clock: FixedClock, days: int, fine: bool) -> None:
    made = conditional(house, keys=("gov.owner",))
    until = clock.instant.date() + timedelta(days=days)
    if fine:
        propose(made, until=until)
        assert not risks_of(made)[0].knock_out
        return
    with pytest.raises(Refused):
        propose(made, until=until)


def test_it_needs_a_reason_an_owner_of_the_lab_and_a_day(house: House) -> None:
    made = conditional(house)
    with pytest.raises(Refused) as refusal:
        propose(made, reason=" ", owner_id=made.desk.respondent.id, until=None)
    assert set(refusal.value.problems) == {"reason", "owner", "until"}


def test_the_database_refuses_one_person_and_too_long_a_time(house: House) -> None:
    made = conditional(house)
    propose(made)
    changes = (
        "UPDATE risk_acceptance SET until = until + 400",
        "UPDATE risk_acceptance SET state = 'confirmed', confirmed_by = proposed_by, confirmed_at = now()",
    )
    for change in changes:
        with pytest.raises(IntegrityError), house.ledger.begin(SYSTEM) as tx:
            tx.session.execute(sa.text(change))


def test_what_is_confirmed_is_the_document_that_was_proposed(house: House) -> None:
    made = conditional(house)
    acceptance_id = propose(made)
    with house.ledger.begin(SYSTEM) as tx:
        text = tx.session.execute(sa.text("SELECT document FROM risk_acceptance")).scalar_one()
        assert digest(json.loads(text)) == risks_of(made)[0].digest
    with pytest.raises(Conflict, match="changed since you opened"):
        confirm(made, acceptance_id, digest_seen="0" * 64)
    move_due(made, date(2027, 2, 1))
    with pytest.raises(Conflict, match="the finding changed"):
        confirm(made, acceptance_id)
    assert not ask_gate(made).allow


def test_a_proposal_is_taken_back_or_declined_with_a_reason(house: House) -> None:
    made = conditional(house)
    first = propose(made)
    with pytest.raises(Conflict, match="proposed already"):
        propose(made, who=made.other)
    with pytest.raises(Refused):
        take_back(made, first, who=made.lead)
    take_back(made, first, who=made.lead, why="The site is too large.")
    second = propose(made)
    take_back(made, second)
    assert [each.state for each in risks_of(made)] == [AcceptanceState.FALLEN] * 2
    with pytest.raises(Conflict):
        confirm(made, second)


def test_revoking_closes_at_once_and_one_person_is_enough(house: House) -> None:
    made = conditional(house)
    acceptance_id = accepted(made)
    sequence = ask_gate(made).sequence
    with pytest.raises(Refused):
        revoke(made, acceptance_id, why="")
    revoke(made, acceptance_id)
    assert not ask_gate(made).allow
    assert ask_gate(made).sequence > sequence
    assert standing_of(made)["findings"][0]["accepted_until"] is None
    with pytest.raises(Conflict):
        revoke(made, acceptance_id)


def test_who_lost_the_role_leaves_no_half_an_acceptance(house: House) -> None:
    made = conditional(house)
    admin = person(house, roles=[Role.PROGRAM_ADMIN])
    acceptance_id = propose(made, who=made.other)
    with house.ledger.begin(admin.fresh) as tx:
        identity.revoke_role(tx, user=tx.session.get_one(UserAccount, made.other.id), role=Role.REVIEWER)
    assert risks_of(made)[0].state is AcceptanceState.FALLEN
    with pytest.raises(Conflict):
        confirm(made, acceptance_id)


def test_a_finding_that_is_closed_leaves_no_risk_and_blocks_again_if_it_opens_again(house: House) -> None:
    made = conditional(house)
    accepted(made)
    step = send(made, proof_file(made))
    verify(made, step)
    assert ask_gate(made).reasons == (Reason.CLEARED,)
    assert risks_of(made)[0].state is AcceptanceState.REVOKED
    with house.ledger.begin(made.other.actor) as tx:
        row = evidence.get(tx, step.evidence_id, Action.EVIDENCE_JUDGE)
        evidence.reject(tx, evidence=row, note="Another tenant.", row_version=row.row_version)
    assert not ask_gate(made).allow


def test_an_open_finding_alone_has_a_risk_to_accept(house: House) -> None:
    made = conditional(house)
    verify(made, send(made, proof_file(made)))
    with pytest.raises(Conflict, match="no risk"):
        propose(made)


@pytest.mark.parametrize("rival", ["verify", "return", "revoke", "take back", "confirm"])
def test_of_a_confirmation_and_a_rival_the_gate_tells_who_won(house: House, rival: str) -> None:
    made = conditional(house)
    step = send(made, proof_file(made))
    acceptance_id = propose(made, who=made.other)
    assert made.reviewer
    assert made.lead
    assert made.second
    row = finding(made)
    others = {
        "verify": lambda: verify(made, step, row_version=row.row_version),
        "return": lambda: give_back(made, step),
        "revoke": lambda: revoke(made, acceptance_id),
        "take back": lambda: take_back(made, acceptance_id, who=made.other),
        "confirm": lambda: confirm(made, acceptance_id, who=made.second),
    }

    results = at_once(lambda: confirm(made, acceptance_id), others[rival])

    refused = [isinstance(each, GatehouseError) for each in results]
    state = risks_of(made)[0].state
    assert all(isinstance(each, GatehouseError) or each is None for each in results), results
    assert sum(refused) <= 1 or rival == "revoke"
    closed = finding(made).state is FindingState.CLOSED
    assert ask_gate(made).allow is (closed or state is AcceptanceState.CONFIRMED)
    if rival in {"take back", "confirm"}:
        assert sum(refused) == 1
    if rival == "verify":
        assert closed
        assert state in {AcceptanceState.FALLEN, AcceptanceState.REVOKED}


def test_the_vendor_is_told_the_day_and_never_the_reason(house: House) -> None:
    made = conditional(house)
    accepted(made)
    told = json.dumps(standing_of(made))
    assert UNTIL.isoformat() in told
    assert "browser room" not in told


def test_a_document_of_a_decision_names_the_risks_that_are_accepted_and_else_keeps_its_bytes(house: House) -> None:
    made = conditional(house)

    def document() -> dict[str, Any]:
        with made.at(made.lead.actor) as (tx, review):
            decision = tx.session.execute(sa.select(Decision)).scalar_one()
            text = documents.document(
                tx,
                decision_id=decision.id,
                number=decision.number,
                assessment=tx.session.get_one(Assessment, decision.assessment_id),
                review=review,
                engagement=tx.session.get_one(Engagement, decision.engagement_id),
                snapshot=scoring.get(tx, decision.snapshot_id),
                proposal=Proposal(decision.outcome, (), decision.valid_until, "", ""),
                signatures=1,
                proposed_by=decision.proposed_by,
                proposed_at=decision.proposed_at,
            )
        value: dict[str, Any] = json.loads(text)
        return value

    assert "accepted_risks" not in document()
    accepted(made)
    (named,) = document()["accepted_risks"]
    assert (named["finding"], named["until"], named["digest"]) == (1, UNTIL.isoformat(), risks_of(made)[0].digest)

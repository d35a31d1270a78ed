"""Proof closes a finding: the score, the vendor's page and the gate follow in one transaction, each step once."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from portal.evidence import service as evidence
from portal.evidence.models import Evidence
from portal.findings.models import Remedy
from portal.gate import service as gate
from portal.gate.models import Clearance, ClearanceEvidence
from portal.identity import service as identity
from portal.identity.models import UserAccount
from portal.kernel.clock import FixedClock
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused, StepUpRequired
from portal.policy import Action
from portal.reviews import remedies as judging
from portal.reviews import service as reviews
from portal.scoring import queries as scores
from portal.scoring import service as scoring
from portal.scoring.models import ScoreSnapshot
from portal.terms import ClearanceAct, EvidenceState, FindingState, RemedyAct, Role, ScanState
from portal.vendors.models import Engagement, Vendor
from portal.wiring import House
from tests.factories.attestations import desk
from tests.factories.identity import person
from tests.factories.remedies import (
    ALSO,
    FLAGGED,
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
from tests.factories.reviews import Bench


def clearances(made: Bench) -> list[Clearance]:
    with made.house.ledger.begin(SYSTEM) as tx:
        statement = sa.select(Clearance).where(Clearance.vendor_id == made.desk.vendor_id)
        return list(tx.session.execute(statement.order_by(Clearance.sequence)).scalars())


def test_proof_that_is_verified_closes_the_finding_and_opens_the_gate(house: House) -> None:
    made = conditional(house)
    assert not ask_gate(made).allow
    before = score_today(made)

    verify(made, send(made, proof_file(made), pages="2", note="Every laptop is in it."))

    row = finding(made)
    assert (row.state, row.remedy) == (FindingState.CLOSED, RemedyAct.VERIFIED)
    assert row.closed_by == made.reviewer.id
    assert ask_gate(made).allow
    assert ask_gate(made).reasons == ("cleared",)
    assert float(score_today(made)) > float(before)


def test_the_credit_that_the_reviewer_gives_takes_the_place_of_the_findings(house: House) -> None:
    made = conditional(house)
    verify(made, send(made, proof_file(made)), credit=80)

    with made.at(made.reviewer.actor) as (tx, review):
        live = reviews.score_now(tx, review)
        assert live.marks[FLAGGED].credit == 80
        answer = next(each for each in live.inputs.answers if each.key == FLAGGED)
        assert answer.finding is not None
        assert answer.finding.author == str(made.reviewer.id)
        assert answer.finding.reason == "F-1 closed by proof"
        stored = tx.session.execute(sa.select(ScoreSnapshot).where(ScoreSnapshot.cause == "remedied")).scalar_one()
        assert scores.latest(tx, made.desk.assessment_id) is stored
        assert stored.result_digest == live.digest
        assert scoring.replays(stored)


def test_a_credit_below_that_of_the_finding_is_refused(house: House) -> None:
    made = conditional(house)
    with pytest.raises(Refused) as refusal:
        verify(made, send(made, proof_file(made)), credit=50)
    assert "credit" in refusal.value.problems


def test_a_clearance_that_a_proof_lifts_is_the_one_before_but_for_its_condition(house: House) -> None:
    made = conditional(house)
    with house.ledger.begin(SYSTEM) as tx:
        # The engagement grows after the decision: what a proof opens is not more than people decided on.
        tx.session.get_one(Engagement, made.desk.engagement_id).data_classes = [3, 4]
    verify(made, send(made, proof_file(made)))

    before, after = clearances(made)
    assert after.sequence > before.sequence
    assert (after.data_classes, after.access_modes, after.valid_until, after.tier, after.decision_id) == (
        before.data_classes,
        before.access_modes,
        before.valid_until,
        before.tier,
        before.decision_id,
    )
    assert after.conditions == [{**before.conditions[0], "met": True}]
    with house.ledger.begin(SYSTEM) as tx:

        def rests(clearance: Clearance) -> set[Any]:
            statement = sa.select(
                ClearanceEvidence.requirement,
                ClearanceEvidence.evidence_id,
                ClearanceEvidence.pinned_until,
                ClearanceEvidence.holds_until,
            ).where(ClearanceEvidence.clearance_id == clearance.id)
            return {tuple(row) for row in tx.session.execute(statement)}

        assert rests(before)
        assert rests(after) >= rests(before)


def test_one_of_two_findings_leaves_the_other_condition_closed(house: House) -> None:
    made = conditional(house, keys=(FLAGGED, ALSO))
    verify(made, send(made, proof_file(made), number=1))
    assert not ask_gate(made).allow
    verify(made, send(made, proof_file(made), number=2))
    assert ask_gate(made).allow


def test_a_returned_proof_says_why_and_another_one_can_follow(house: House) -> None:
    made = conditional(house)
    give_back(made, send(made, proof_file(made)), note="The Manila site is not in it.")

    told = standing_of(made)["findings"][0]
    assert (told["state"], told["said"]) == ("returned", "The Manila site is not in it.")
    assert not ask_gate(made).allow
    verify(made, send(made, proof_file(made)))
    assert ask_gate(made).allow
    with house.ledger.begin(SYSTEM) as tx:
        acts = tx.session.execute(sa.select(Remedy.act).order_by(Remedy.number)).scalars().all()
    assert acts == ["sent", "returned", "sent", "verified"]


def test_returning_needs_words(house: House) -> None:
    made = conditional(house)
    with pytest.raises(Refused) as refusal:
        give_back(made, send(made, proof_file(made)), note="  ")
    assert list(refusal.value.problems) == ["note"]


def test_a_double_click_sends_once(house: House) -> None:
    made = conditional(house)
    file_id = proof_file(made)
    version = finding(made).row_version
    first = send(made, file_id, note="Here it is.", row_version=version)
    second = send(made, file_id, note="Here it is.", row_version=version)
    assert first.id == second.id


def test_two_people_who_send_at_once_do_not_overwrite_each_other(house: House) -> None:
    made = conditional(house)
    version = finding(made).row_version
    send(made, proof_file(made), row_version=version)
    with pytest.raises(Conflict, match="F-1 changed since you opened the page"):
        send(made, proof_file(made), actor=made.desk.admin.actor, row_version=version)


def test_of_two_reviewers_one_closes_and_the_other_is_told(house: House) -> None:
    made = conditional(house)
    step = send(made, proof_file(made))
    version = finding(made).row_version
    verify(made, step, row_version=version)
    with pytest.raises(Conflict, match="F-1 is closed already"):
        verify(made, step, who=made.other, row_version=version)
    with pytest.raises(Conflict, match="F-1 is closed already"):
        give_back(made, step, who=made.other)
    assert len(clearances(made)) == 2


def test_a_proof_that_the_vendor_replaced_meanwhile_is_not_the_one_that_is_verified(house: House) -> None:
    made = conditional(house)
    step = send(made, proof_file(made))
    version = finding(made).row_version
    send(made, proof_file(made))
    with pytest.raises(Conflict, match="The proof changed since you opened the page"):
        verify(made, step, row_version=version)
    assert finding(made).state is FindingState.OPEN


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": EvidenceState.RECEIVED, "scan": ScanState.PENDING}, "still being checked"),
        ({"state": EvidenceState.REFUSED, "refusal": "Malware"}, "proves nothing"),
        ({"valid_until": date(2026, 11, 1)}, "has ended"),
    ],
)
def test_a_file_that_proves_nothing_now_closes_nothing(house: House, change: dict[str, Any], words: str) -> None:
    made = conditional(house)
    step = send(made, proof_file(made))
    with house.ledger.begin(SYSTEM) as tx:
        row = tx.session.get_one(Evidence, step.evidence_id)
        for name, value in change.items():
            setattr(row, name, value)
    with pytest.raises(Conflict, match=words):
        verify(made, step)
    assert not ask_gate(made).allow


def test_a_newer_revision_of_the_file_is_asked_for(house: House) -> None:
    made = conditional(house)
    step = send(made, proof_file(made))
    proof_file(made, supersedes_id=step.evidence_id)
    with pytest.raises(Conflict, match="replaced this file with a newer one"):
        verify(made, step)


def test_a_file_without_its_dates_closes_the_finding_and_counts_as_attached(house: House) -> None:
    made = conditional(house)
    file_id = proof_file(made, details={})
    verify(made, send(made, file_id))
    assert finding(made).state is FindingState.CLOSED
    with house.ledger.begin(SYSTEM) as tx:
        assert tx.session.get_one(Evidence, file_id).state is EvidenceState.ATTACHED


def test_a_file_that_is_rejected_later_opens_the_finding_and_shuts_the_gate(house: House) -> None:
    made = conditional(house)
    file_id = proof_file(made)
    before = score_today(made)
    verify(made, send(made, file_id))
    with house.ledger.begin(made.other.actor) as tx:
        row = evidence.get(tx, file_id, Action.EVIDENCE_JUDGE)
        evidence.reject(tx, evidence=row, note="It is a picture of another tenant.", row_version=row.row_version)

    assert not ask_gate(made).allow
    row = finding(made)
    assert (row.state, row.remedy, row.closed_at) == (FindingState.OPEN, RemedyAct.UNDONE, None)
    assert standing_of(made)["findings"][0]["said"] == "The file was sent back by a reviewer."
    assert score_today(made) == before
    verify(made, send(made, proof_file(made)))
    assert ask_gate(made).allow


def test_the_proof_of_a_finding_stays_in_the_library(house: House) -> None:
    made = conditional(house)
    file_id = proof_file(made)
    send(made, file_id)
    with pytest.raises(Conflict, match="the proof for F-1"), house.ledger.begin(made.desk.admin.actor) as tx:
        evidence.remove(tx, evidence=evidence.get(tx, file_id, Action.EVIDENCE_DELETE))


def test_a_revoked_approval_stays_revoked(house: House) -> None:
    made = conditional(house)
    step = send(made, proof_file(made))
    with house.ledger.begin(SYSTEM) as tx:
        engagement = tx.session.get_one(Engagement, made.desk.engagement_id)
        gate.clear(
            tx,
            engagement=engagement,
            act=ClearanceAct.REVOKE,
            tier=2,
            decision_id=None,
            conditions=[],
            valid_until=None,
            reason="Breach.",
        )
    verify(made, step)
    assert finding(made).state is FindingState.CLOSED
    assert "revoked" in ask_gate(made).reasons


def test_an_overdue_condition_denies_until_its_proof_is_verified(house: House, clock: FixedClock) -> None:
    made = conditional(house)
    clock.advance(days=60)
    assert "condition_overdue" in ask_gate(made).reasons
    verify(made, send(made, proof_file(made)))
    assert ask_gate(made).allow


def test_who_is_tied_to_the_vendor_judges_no_proof(house: House) -> None:
    made = conditional(house)
    step = send(made, proof_file(made))
    with house.ledger.begin(made.other.actor) as tx:
        reviews.declare_conflict(
            tx, vendor=tx.session.get_one(Vendor, made.desk.vendor_id), reason="My brother works there"
        )
    with pytest.raises(Forbidden, match="conflict of interest"):
        verify(made, step, who=made.other)
    with pytest.raises(Forbidden, match="conflict of interest"):
        give_back(made, step, who=made.other)


@pytest.mark.parametrize("role", [Role.PROGRAM_ADMIN, Role.AUDITOR])
def test_who_neither_reviews_nor_leads_judges_no_proof(house: House, role: Role) -> None:
    made = conditional(house)
    step = send(made, proof_file(made))
    with pytest.raises(Forbidden):
        verify(made, step, who=person(house, roles=[role]))


def test_opening_the_gate_needs_a_fresh_factor(house: House) -> None:
    made = conditional(house)
    step = send(made, proof_file(made))
    with house.ledger.begin(made.reviewer.actor) as tx:
        row = judging.get(tx, step.finding_id)
        with pytest.raises(StepUpRequired):
            judging.verify(tx, finding=row, remedy_id=step.id, row_version=row.row_version)


def test_another_vendor_knows_neither_the_finding_nor_the_file(house: House) -> None:
    made = conditional(house)
    stranger = Bench(house, desk(house, name="Tessellate"))
    with pytest.raises(NotFound):
        send(made, proof_file(made), actor=stranger.desk.respondent.actor)
    with pytest.raises(NotFound):
        send(made, proof_file(stranger))


def test_a_person_who_was_removed_leaves_the_proof_behind(house: House) -> None:
    made = conditional(house)
    step = send(made, proof_file(made))
    with house.ledger.begin(made.desk.admin.fresh) as tx:
        identity.deactivate(tx, user=tx.session.get_one(UserAccount, made.desk.respondent.id))
    verify(made, step)
    assert ask_gate(made).allow


def test_the_page_knows_ahead_when_a_proof_lapses(house: House) -> None:
    made = conditional(house)
    verify(made, send(made, proof_file(made, valid_until=date(2027, 12, 1))))
    steps = standing_of(made)["steps"]
    assert "2027-12-02" in {each["from"] for each in steps}
    whole = [float(each["score"]) for each in steps]
    assert whole == sorted(whole, reverse=True)
    answer = next(each for each in standing_of(made)["answers"] if each["steps"][-1]["proof"] == "ended")
    assert {each["proof"] for each in answer["steps"]} <= {"verified", "attached", "ended"}

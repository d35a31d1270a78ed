"""Deciding: who must sign, that all sign the same, what follows, and what makes a proposal fall."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.evidence.models import Evidence
from portal.findings.models import Finding
from portal.gate import service as gate
from portal.gate.models import Clearance
from portal.gate.rules import Question, Reason
from portal.identity import service as identity
from portal.kernel.actor import Actor, ActorKind, system
from portal.kernel.canonical import digest
from portal.kernel.errors import Conflict, Forbidden, Refused, StepUpRequired
from portal.policy import Action
from portal.reviews import service as reviews
from portal.reviews.models import Decision, DecisionSignature
from portal.reviews.service import Condition
from portal.terms import DecisionState, EvidenceState, FindingState, Outcome, Role, Verdict
from portal.vendors.models import Engagement
from portal.wiring import House
from tests.factories.identity import Person, person
from tests.factories.reviews import Bench, bench, proposal
from tests.factories.touching import touched

CONDITIONS = (Condition("Encrypt every laptop", date(2027, 1, 15), closes_at=3),)


def answer(b: Bench, data_class: str, mode: str) -> gate.Answer:
    with b.house.ledger.begin(system("test")) as tx:
        return gate.answer(tx, Question("quillmark-annotation", data_class, mode, "overview"))


def duties_kept(house: House) -> None:
    """INV-08 and INV-09, from the stored rows alone."""
    with house.ledger.begin(system("test")) as tx:
        decided = tx.session.execute(sa.select(Decision).where(Decision.state == DecisionState.CONFIRMED)).scalars()
        seen = set()
        for decision in decided:
            signatures = (
                tx.session.execute(sa.select(DecisionSignature).where(DecisionSignature.decision_id == decision.id))
                .scalars()
                .all()
            )
            assert len({each.signer_id for each in signatures}) >= decision.signatures_needed
            assert {each.digest for each in signatures} == {decision.digest}
            assert digest(reviews.document_of(decision)) == decision.digest
            assert (decision.assessment_id, decision.revision) not in seen
            seen.add((decision.assessment_id, decision.revision))
        steps = tx.session.execute(
            sa.select(Clearance.sequence).order_by(Clearance.recorded_at, Clearance.sequence)
        ).scalars()
        numbers = list(steps)
        assert numbers == sorted(set(numbers))


def test_in_tier_3_the_reviewer_decides_alone(house: House) -> None:
    b = bench(house, tier=3)
    b.review()

    made = b.decision(b.propose(b.reviewer))

    assert (made.state, made.number, made.outcome) == (DecisionState.CONFIRMED, 101, Outcome.APPROVE)
    assert answer(b, "D1", "A1").allow
    duties_kept(house)


def test_in_tier_2_the_reviewer_prepares_and_a_lead_decides(house: House) -> None:
    b = bench(house, tier=2)
    b.review()
    prepared = b.propose(b.reviewer)
    assert b.decision(prepared).state is DecisionState.PROPOSED
    assert answer(b, "D3", "A2").reasons == (Reason.NOT_DECIDED,)
    with pytest.raises(Forbidden):
        b.sign(b.reviewer, prepared)

    b.sign(b.lead, prepared)

    assert b.decision(prepared).state is DecisionState.CONFIRMED
    assert answer(b, "D3", "A2").allow
    duties_kept(house)


def test_in_tier_2_a_lead_decides_in_one_act(house: House) -> None:
    b = bench(house, tier=2)
    b.review()

    assert b.decision(b.propose(b.lead)).state is DecisionState.CONFIRMED


def test_in_tier_1_two_leads_sign_the_same(house: House) -> None:
    b = bench(house, tier=1)
    b.review()
    proposed = b.propose(b.lead)
    assert not answer(b, "D4", "A3").allow
    with pytest.raises(Forbidden, match="has signed already"):
        b.sign(b.lead, proposed)
    with b.at(b.second.actor) as (tx, _):
        assert [line.number for line in reviews.to_cosign(tx)] == [101]
        assert reviews.counts(tx).to_cosign == 1

    b.sign(b.second, proposed)

    assert b.decision(proposed).state is DecisionState.CONFIRMED
    assert answer(b, "D4", "A3").allow
    duties_kept(house)


@pytest.mark.parametrize("tier", [1, 2])
def test_a_lead_who_reviewed_it_does_not_approve_it(house: House, tier: int) -> None:
    b = bench(house, tier=tier)
    b.review(b.third)

    prepared = b.propose(b.third)

    assert b.decision(prepared).state is DecisionState.PROPOSED
    with pytest.raises(Forbidden, match="reviewed this revision"):
        b.sign(b.third, prepared)
    with b.at(b.lead.actor) as (tx, review):
        row = tx.session.get_one(assessments.Assessment, review.assessment_id)
        bars = reviews.ineligible(tx, assessment=row, user_id=b.third.id)
        assert [str(each) for each in bars] == ["reviewed this revision"]
        shown = {each.name: each.eligible for each in reviews.outlook(tx, review=review).signers}
        assert shown["Ada Lindqvist"] is False
        assert shown["Hana Kobayashi"] is True


def test_who_reviewed_an_earlier_revision_does_not_approve_a_later_one(house: House) -> None:
    b = bench(house, tier=2)
    b.claim(b.third)
    key = b.open_keys()[0]
    b.judge(key, Verdict.ASK, who=b.third, note="Who?")
    b.accept_rest(who=b.third)
    with b.at(b.third.actor) as (tx, review):
        reviews.return_questions(tx, review=review, row_version=review.row_version)
    b.desk.reply(key)
    b.desk.sign()
    b.review(b.reviewer)

    prepared = b.propose(b.third)

    with pytest.raises(Forbidden, match="reviewed revision 1"):
        b.sign(b.third, prepared)
    b.sign(b.lead, prepared)
    duties_kept(house)


def test_one_person_rejects_in_any_tier(house: House) -> None:
    b = bench(house, tier=1)
    b.review()

    made = b.propose(b.reviewer, outcome=Outcome.REJECT, reason="Not now.", valid_until=None)

    assert b.decision(made).state is DecisionState.CONFIRMED
    assert answer(b, "D4", "A3").reasons == (Reason.REJECTED,)


def test_an_exception_takes_two_and_its_proposer_does_not_confirm_it(house: House) -> None:
    b = bench(house, tier=2, proven=False)
    b.review()
    with pytest.raises(Refused) as refusal:
        b.propose(b.lead, valid_until=date(2027, 6, 1))
    assert set(refusal.value.problems) == {"reason", "valid_until"}

    proposed = b.propose(b.lead, reason="We saw it on a call.")

    assert b.decision(proposed).signatures_needed == 2
    with pytest.raises(Forbidden):
        b.sign(b.lead, proposed)
    b.sign(b.second, proposed)
    assert answer(b, "D3", "A2").allow
    duties_kept(house)


def test_conditions_close_what_they_name(house: House) -> None:
    b = bench(house, tier=1, data_classes=[2, 4])
    b.review()
    proposed = b.propose(
        b.lead, outcome=Outcome.APPROVE_WITH_CONDITIONS, conditions=CONDITIONS, reason="One thing is left."
    )
    b.sign(b.second, proposed)

    assert answer(b, "D2", "A3").reasons == (Reason.CLEARED_WITH_CONDITIONS,)
    assert answer(b, "D4", "A3").reasons == (Reason.CONDITION_CLOSES,)


def test_a_decision_needs_a_fresh_factor(house: House) -> None:
    b = bench(house, tier=1)
    b.review()
    with pytest.raises(StepUpRequired), b.at(b.lead.actor) as (tx, review):
        reviews.propose_decision(tx, review=review, sealer=house.signer, **proposal(row_version=review.row_version))
    proposed = b.propose(b.lead)
    with pytest.raises(StepUpRequired), house.ledger.begin(b.second.actor) as tx:
        reviews.get_decision(tx, proposed, Action.DECISION_CONFIRM)


def test_machines_and_admins_never_decide(house: House) -> None:
    b = bench(house, tier=3)
    b.review()
    machine = Actor(ActorKind.CLIENT, house.new_id(), "onboarding", scopes=frozenset({"gate:read"}), fresh=True)
    for actor in (machine, b.admin.fresh, system("job")):
        with pytest.raises(Forbidden), house.ledger.begin(actor) as tx:
            review = reviews.latest(tx, b.desk.assessment_id)
            assert review is not None
            reviews.propose_decision(tx, review=review, sealer=house.signer, **proposal(row_version=review.row_version))


def change_engagement(b: Bench, tx: Any) -> None:
    tx.session.get_one(Engagement, b.desk.engagement_id).data_classes = [4, 5]


def change_finding(b: Bench, tx: Any) -> None:
    tx.session.execute(sa.update(Finding).values(what="Something else."))


def reject_evidence(b: Bench, tx: Any) -> None:
    tx.session.execute(sa.update(Evidence).values(state=EvidenceState.REJECTED))
    touched(tx, b.desk.vendor_id)


def break_bytes(b: Bench, tx: Any) -> None:
    tx.session.execute(sa.update(Evidence).values(state=EvidenceState.INTEGRITY_FAILURE))
    touched(tx, b.desk.vendor_id)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (change_engagement, "data classes of the engagement"),
        (change_finding, "F-1, what is wrong"),
        (reject_evidence, "the score"),
        (break_bytes, "are not those that were signed"),
    ],
)
def test_any_change_between_the_two_signatures_voids_what_was_seen(
    house: House, change: Callable[[Bench, Any], None], words: str
) -> None:
    b = bench(house, tier=1)
    b.claim()
    b.flag(b.open_keys()[0], credit=None)
    b.accept_rest()
    b.recommend()
    proposed = b.propose(b.lead)
    with house.ledger.begin(system("test")) as tx:
        change(b, tx)

    with pytest.raises(Conflict, match=words):
        b.sign(b.second, proposed)

    assert b.decision(proposed).state is DecisionState.PROPOSED
    assert not answer(b, "D4", "A3").allow


def test_another_digest_than_the_one_seen_is_not_signed(house: House) -> None:
    b = bench(house, tier=1)
    b.review()
    proposed = b.propose(b.lead)

    with pytest.raises(Conflict):
        b.sign(b.second, proposed, digest_seen="0" * 64)


def test_damaged_evidence_blocks_a_decision(house: House) -> None:
    b = bench(house, tier=3)
    b.review()
    with house.ledger.begin(system("test")) as tx:
        break_bytes(b, tx)

    with pytest.raises(Conflict, match="tell an operator"):
        b.propose(b.reviewer, outcome=Outcome.REJECT, reason="x", valid_until=None)


def test_a_score_that_changed_since_the_page_was_opened_is_shown_first(house: House) -> None:
    b = bench(house, tier=3)
    b.review()

    with pytest.raises(Conflict, match="The score changed"):
        b.propose(b.reviewer, score_seen="0" * 64)
    with b.at(b.reviewer.actor) as (tx, review):
        seen = reviews.score_now(tx, review).digest
    b.propose(b.reviewer, score_seen=seen)


@pytest.mark.parametrize("how", ["revoked", "switched off"])
def test_a_removed_role_voids_a_half_given_decision(house: House, how: str) -> None:
    b = bench(house, tier=1)
    b.review()
    proposed = b.propose(b.lead)
    with house.ledger.begin(b.admin.fresh) as tx:
        user = identity.get_person(tx, b.lead.id)
        if how == "revoked":
            identity.revoke_role(tx, user=user, role=Role.LEAD_APPROVER)
        else:
            identity.deactivate(tx, user=user)

    assert b.decision(proposed).state is DecisionState.VOIDED
    with pytest.raises(Conflict, match="taken back"):
        b.sign(b.second, proposed)


def test_a_proposal_is_taken_back_by_its_maker_and_declined_by_who_could_confirm(house: House) -> None:
    b = bench(house, tier=1)
    b.review()
    first = b.propose(b.lead)
    with pytest.raises(Conflict, match="D-101 is proposed already, by Hana Kobayashi"):
        b.propose(b.second)
    with pytest.raises(Forbidden), house.ledger.begin(b.second.actor) as tx:
        reviews.withdraw_decision(tx, decision=reviews.get_decision(tx, first, Action.REVIEW_READ))
    with house.ledger.begin(b.lead.actor) as tx:
        reviews.withdraw_decision(tx, decision=reviews.get_decision(tx, first, Action.REVIEW_READ))

    second = b.propose(b.lead)
    for somebody, words in ((b.lead, "has signed already"), (b.reviewer, "is not a lead approver")):
        with pytest.raises(Forbidden, match=words), house.ledger.begin(somebody.actor) as tx:
            decision = reviews.get_decision(tx, second, Action.REVIEW_READ)
            reviews.decline_decision(tx, decision=decision, reason="No.")
    with house.ledger.begin(b.second.actor) as tx:
        decision = reviews.get_decision(tx, second, Action.REVIEW_READ)
        with pytest.raises(Refused):
            reviews.decline_decision(tx, decision=decision, reason=" ")
        reviews.decline_decision(tx, decision=decision, reason="The letter is too kind.")

    assert b.decision(second).state is DecisionState.VOIDED
    with b.at(b.lead.actor) as (tx, review):
        assert [note.body for note in reviews.notes_of(tx, review)[""]] == ["Declined D-102: The letter is too kind."]
    b.propose(b.lead)


def test_who_was_made_lead_by_the_first_signer_today_is_no_second(house: House) -> None:
    b = bench(house, tier=1)
    b.review()
    boss = person(house, roles=[Role.PROGRAM_ADMIN, Role.LEAD_APPROVER], name="Edith Moreau")
    puppet = person(house, roles=[Role.REVIEWER], name="Paul Nimmo")
    with house.ledger.begin(boss.fresh) as tx:
        request = identity.grant_role(tx, user=identity.get_person(tx, puppet.id), role=Role.LEAD_APPROVER)
        waiting = request.id if request is not None else None
    if waiting is not None:
        with house.ledger.begin(b.admin.fresh) as tx:
            identity.confirm_role(tx, request=identity.get_request(tx, waiting))
    proposed = b.propose(boss)
    lifted = Person(
        puppet.id, puppet.full_name, puppet.email, puppet.side, None, frozenset({Role.LEAD_APPROVER}), "", "", ()
    )

    with pytest.raises(Forbidden, match="was made lead approver by Edith Moreau less than 24 hours ago"):
        b.sign(lifted, proposed)


def test_findings_become_tasks_and_the_vendor_reads_the_outcome(house: House) -> None:
    b = bench(house, tier=2)
    b.claim()
    key = next(q.key for q in b.desk.questionnaire.questions if q.key in b.open_keys() and q.weight and not q.knock_out)
    b.flag(key, credit=0)
    b.accept_rest()
    b.recommend()
    with b.desk.at(b.desk.admin.actor) as (tx, _):
        assert assessments.outcomes_of(tx, b.desk.vendor_id) == []

    made = b.propose(b.lead, reason="Small.")

    with b.desk.at(b.desk.admin.actor) as (tx, row):
        (told,) = assessments.outcomes_of(tx, b.desk.vendor_id)
        assert row.state == "decided"
    body = told.body
    (found,) = body["findings"]
    assert (body["decision"], body["number"], body["tier"]) == ("approve", b.decision(made).number, 2)
    assert body["signed_by"] == ["Hana Kobayashi"]
    assert body["zones"] == {"consider": 55, "approve": 70}
    assert (found["name"], found["question_key"]) == ("F-1", key)
    assert float(found["gain"]) > 0
    assert body["access"] == [
        {"data_class": "D3", "access_mode": "A2", "open": True, "because": "Open until 31 January 2027"}
    ]
    with house.ledger.begin(system("test")) as tx:
        assert tx.session.execute(sa.select(Finding.state)).scalars().all() == [FindingState.OPEN]


def test_az_05_nothing_of_the_labs_own_reaches_the_vendor(house: House) -> None:
    b = bench(house, tier=1)
    b.claim()
    flagged, dropped, noted, *_ = b.open_keys()
    b.flag(flagged, what="CANA-finding", closes_when="CANA-closes", credit=None)
    b.flag(dropped, what="CANI-dropped")
    b.judge(dropped, Verdict.ACCEPT, note="CANI-remark")
    with b.at(b.reviewer.actor) as (tx, review):
        reviews.note_internal(tx, review=review, question_key=noted, body="CANI-note")
    b.accept_rest()
    with b.at(b.reviewer.actor) as (tx, review):
        reviews.recommend(tx, review=review, note="CANI-recommendation", row_version=review.row_version)
    proposed = b.propose(
        b.lead,
        outcome=Outcome.APPROVE_WITH_CONDITIONS,
        conditions=CONDITIONS,
        reason="CANI-reason",
        letter="CANA-letter",
    )
    b.sign(b.second, proposed)

    with b.desk.at(b.desk.admin.actor) as (tx, _):
        (told,) = assessments.outcomes_of(tx, b.desk.vendor_id)
        cards = assessments.cards_of(tx, b.desk.vendor_id)
    seen = repr(told) + repr(cards)

    assert "CANI" not in seen
    assert {"CANA-finding", "CANA-closes", "CANA-letter"} <= set(seen.replace("'", " ").split())
    for inside in (b.reviewer.full_name, "recommend", "reason", "snapshot", str(b.reviewer.id)):
        assert inside not in seen
    assert set(told.body) == {
        "decision",
        "number",
        "decided_on",
        "valid_until",
        "score",
        "score_whole",
        "threshold",
        "tier",
        "zones",
        "domains",
        "findings",
        "conditions",
        "access",
        "signed_by",
        "letter",
        "revision",
        "attestation_digest",
    }

"""A signed revision is opened with a score, taken by one, judged answer by answer, and sent."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.attestations.models import Citation
from portal.evidence.models import Evidence
from portal.findings import service as findings
from portal.kernel.actor import system
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.policy import Action
from portal.reviews import service as reviews
from portal.reviews.rules import Changed, Kind, Stage
from portal.scoring import service as scoring
from portal.scoring.models import ScoreSnapshot
from portal.terms import Acceptance, AssessmentState, EvidenceState, FindingState, Recommendation, Role, Verdict
from portal.vendors.models import Vendor
from portal.wiring import House
from tests.factories.identity import person
from tests.factories.reviews import bench, wrong


def state_of(house: House, assessment_id: object) -> AssessmentState:
    with house.ledger.begin(system("test")) as tx:
        return tx.session.get_one(assessments.Assessment, assessment_id).state


def test_signing_opens_a_review_with_a_score_and_a_day(house: House) -> None:
    b = bench(house, tier=2)

    with b.at(b.reviewer.actor) as (tx, review):
        snapshot = scoring.get(tx, review.snapshot_id)
        line = reviews.queue(tx)[0]

    assert (review.kind, review.revision, review.reviewer_id) == (Kind.FIRST, 1, None)
    assert review.due_at.date().isoformat() == "2026-12-04"
    assert snapshot.cause == "signed"
    assert scoring.replays(snapshot)
    assert (line.stage, line.vendor, line.to_read, line.asked, line.judged) == (
        Stage.NEW,
        "Quillmark Annotation",
        review.asked,
        review.asked,
        0,
    )
    assert line.recommendation is Recommendation.APPROVE


def test_a_review_is_claimed_once(house: House) -> None:
    b = bench(house)
    b.claim()

    with pytest.raises(Conflict, match="Ines Valdarno has this review already"):
        b.claim(b.other)
    with b.at(b.reviewer.actor) as (tx, _):
        assert [line.stage for line in reviews.my_reviews(tx)] == [Stage.REVIEWING]
        assert reviews.counts(tx).mine == 1
    assert state_of(house, b.desk.assessment_id) is AssessmentState.IN_REVIEW


@pytest.mark.parametrize("tie", ["domain", "declared"])
def test_who_is_tied_to_the_vendor_neither_claims_nor_is_assigned(house: House, tie: str) -> None:
    b = bench(house)
    email = "jonas@quillmark.example" if tie == "domain" else "jonas@orrery.example"
    tied = person(house, roles=[Role.REVIEWER], name="Jonas Weil", email=email)
    if tie == "declared":
        with house.ledger.begin(tied.actor) as tx:
            vendor = tx.session.get_one(Vendor, b.desk.vendor_id)
            reviews.declare_conflict(tx, vendor=vendor, reason="Worked there until March")

    with pytest.raises(Forbidden, match="Jonas Weil"):
        b.claim(tied)
    with pytest.raises(Refused, match="Choose somebody else"), b.at(b.lead.actor) as (tx, review):
        reviews.assign(tx, review=review, reviewer_id=tied.id)


def test_an_admin_ends_a_conflict_and_nobody_their_own(house: House) -> None:
    b = bench(house)
    with house.ledger.begin(b.reviewer.actor) as tx:
        vendor = tx.session.get_one(Vendor, b.desk.vendor_id)
        declared = reviews.declare_conflict(tx, vendor=vendor, reason="My sister works there").id
        with pytest.raises(Forbidden):
            reviews.declare_conflict(tx, vendor=vendor, reason="Rumour", user_id=b.other.id)
        with pytest.raises(Forbidden):
            reviews.end_conflict(tx, conflict_id=declared)

    with house.ledger.begin(b.admin.actor) as tx:
        reviews.end_conflict(tx, conflict_id=declared)
        assert [line.ended_at for line in reviews.conflicts(tx, vendor_id=b.desk.vendor_id)] == [tx.now]
        with pytest.raises(Conflict):
            reviews.end_conflict(tx, conflict_id=declared)
    b.claim()


def test_a_review_is_given_on_and_let_go(house: House) -> None:
    b = bench(house)
    with b.at(b.admin.actor, Action.REVIEW_ASSIGN) as (tx, review):
        reviews.assign(tx, review=review, reviewer_id=b.other.id)
    with b.at(b.other.actor) as (tx, review):
        assert review.reviewer_id == b.other.id
        reviews.release(tx, review=review)
    with pytest.raises(Refused), b.at(b.lead.actor) as (tx, review):
        reviews.assign(tx, review=review, reviewer_id=b.admin.id)
    b.claim(b.reviewer)


def test_only_its_reviewer_judges_and_a_vendor_knows_of_no_review(house: House) -> None:
    b = bench(house)
    b.claim()
    key = b.open_keys()[0]

    with pytest.raises(Forbidden):
        b.judge(key, Verdict.ACCEPT, who=b.other)
    for someone in (b.desk.admin, b.desk.respondent, b.desk.signatory):
        with pytest.raises(NotFound), b.at(someone.actor):
            pass


def test_verdicts_are_changed_and_taken_back_until_they_are_sent(house: House) -> None:
    b = bench(house)
    b.claim()
    first, second = b.open_keys()[:2]
    b.flag(first)
    b.judge(first, Verdict.ASK, note="Who can open the seal?")
    b.flag(second)

    with b.at(b.reviewer.actor) as (tx, review):
        drafts = findings.of_assessment(tx, review.assessment_id)
        assert [(each.name, each.question_key) for each in drafts] == [("F-2", second)]
        line = reviews.clear_verdict(tx, review=review, question_key=second, version=1)
        assert (line.verdict, line.version) == (None, 2)
        assert findings.of_assessment(tx, review.assessment_id) == []
    assert second in b.open_keys()
    with pytest.raises(Conflict):
        b.judge(first, Verdict.ACCEPT, version=1)
    with pytest.raises(Refused) as refusal:
        b.judge(second, Verdict.ASK, note=" ")
    assert refusal.value.problems == {"note": ["Write your question to the vendor"]}


def test_a_flag_costs_the_points_it_says(house: House) -> None:
    b = bench(house)
    b.claim()
    with b.at(b.reviewer.actor) as (tx, review):
        before = reviews.score_now(tx, review).score.measures.score
        key = next(iter(q.key for q in b.desk.questionnaire.questions if q.key in b.open_keys() and q.is_scored))
    b.flag(key, credit=0)
    with b.at(b.reviewer.actor) as (tx, review):
        assert reviews.score_now(tx, review).score.measures.score < before


def test_an_accepted_claim_not_to_apply_leaves_the_score_and_a_knock_out_cannot(house: House) -> None:
    b = bench(house, proven=False)
    asked = [q for q in b.desk.questionnaire.questions if q.may_not_apply and q.key in b.open_keys()]
    plain = next(q for q in asked if q.knock_out is None)
    knock_out = next(q for q in asked if q.is_knock_out_in(2))
    b.claim()
    for question in (plain, knock_out):
        b.judge(question.key, Verdict.ASK, note="Does this apply to you?")
    with b.at(b.reviewer.actor) as (tx, review):
        reviews.return_questions(tx, review=review, row_version=review.row_version)
    for question in (plain, knock_out):
        b.desk.reply(question.key)
        b.desk.save(question.key, {"choice": "na", "na_reason": "We hold no such data."})
    b.desk.sign()
    b.claim()

    with pytest.raises(Refused, match="cannot be set aside here"):
        b.judge(knock_out.key, Verdict.ACCEPT)
    with b.at(b.reviewer.actor) as (tx, review):
        before = reviews.score_now(tx, review).score.measures
        assert set(before.na_claimed) == {plain.key, knock_out.key}
    b.judge(plain.key, Verdict.ACCEPT)
    with b.at(b.reviewer.actor) as (tx, review):
        after = reviews.score_now(tx, review).score.measures
        assert (after.na_claimed, after.counted) == ((knock_out.key,), before.counted - 1)


def test_only_what_was_asked_goes_back_and_the_rest_stays_judged(house: House) -> None:
    b = bench(house, proven=False)
    b.claim()
    flagged, asked, *_ = b.open_keys()
    b.flag(flagged)
    b.judge(asked, Verdict.ASK, note="Who can open the seal?")
    b.accept_rest()
    with b.at(b.reviewer.actor) as (tx, review):
        assert reviews.return_questions(tx, review=review, row_version=review.row_version) == (asked,)
    with b.at(b.reviewer.actor) as (tx, _):
        assert reviews.queue(tx)[0].stage is Stage.WITH_VENDOR
    with b.desk.at(b.desk.admin.actor) as (tx, row):
        assert assessments.reopened(tx, row) == {asked}
        assert [each.body for each in attestations.thread(tx, row, asked)] == ["Who can open the seal?"]

    b.desk.reply(asked)
    b.desk.sign()

    with b.at(b.reviewer.actor) as (tx, review):
        said = reviews.verdict_lines(tx, review)
        line = reviews.queue(tx)[0]
        assert (review.revision, review.kind, line.to_read) == (2, Kind.REPLY, 1)
        assert said[flagged].verdict is Verdict.FLAG
        assert not said[flagged].locked
        accepted = next(key for key, each in said.items() if each.verdict is Verdict.ACCEPT)
        assert said[accepted].locked
    assert b.open_keys() == [asked]
    b.claim(b.other)
    with pytest.raises(Conflict, match="It stays accepted"):
        b.judge(accepted, Verdict.ASK, who=b.other, note="Really?")
    with b.at(b.other.actor) as (tx, review):
        line = reviews.reopen_verdict(tx, review=review, question_key=accepted, reason="A report says otherwise")
        assert (line.verdict, line.locked) == (None, False)
        assert [each.body for each in reviews.notes_of(tx, review)[accepted]] == [
            "Judged again: A report says otherwise"
        ]


def test_a_review_is_finished_once_every_answer_is_judged(house: House) -> None:
    b = bench(house)
    b.claim()
    first, second, *_ = b.open_keys()
    b.accept_rest(leave=[first, second])
    b.judge(second, Verdict.ASK, note="Who?")

    with pytest.raises(Refused) as refusal:
        b.recommend()
    assert refusal.value.problems == {
        "review": [
            "1 answer has no verdict yet. Accept, flag or ask about each",
            "You ask about 1. Send the questions to the vendor, or judge the answers",
        ]
    }
    b.judge(second, Verdict.ACCEPT)
    b.judge(first, Verdict.ACCEPT)
    b.recommend()

    with b.at(b.reviewer.actor) as (tx, review):
        assert review.recommendation is Recommendation.APPROVE
        assert scoring.get(tx, review.snapshot_id).cause == "recommended"
        assert reviews.queue(tx)[0].stage is Stage.TO_DECIDE
    with pytest.raises(Conflict, match="A lead approver can return it"):
        b.judge(first, Verdict.ACCEPT)


def test_a_lead_returns_a_finished_review_and_its_proposal_falls(house: House) -> None:
    b = bench(house, tier=1)
    b.review()
    proposed = b.propose(b.lead)

    with pytest.raises(Forbidden), b.at(b.reviewer.actor) as (tx, review):
        reviews.return_to_review(tx, review=review, reason="Look again", row_version=review.row_version)
    with b.at(b.second.actor) as (tx, review):
        reviews.return_to_review(tx, review=review, reason="Look again", row_version=review.row_version)

    assert b.decision(proposed).state == "voided"
    assert state_of(house, b.desk.assessment_id) is AssessmentState.IN_REVIEW
    b.recommend()


def test_a_page_of_yesterday_sends_nothing(house: House) -> None:
    b = bench(house)
    b.claim()
    b.accept_rest()

    with pytest.raises(Conflict), b.at(b.reviewer.actor) as (tx, review):
        reviews.recommend(tx, review=review, note="", row_version=review.row_version - 1)


def test_withdrawing_ends_the_review(house: House) -> None:
    b = bench(house)
    b.claim()
    with b.desk.at(b.desk.signatory.fresh) as (tx, row):
        assessments.withdraw(tx, assessment=row, reason="Wrong entity")

    with b.at(b.reviewer.actor) as (tx, review):
        assert review.closed_at == tx.now
        assert reviews.queue(tx) == []
    with pytest.raises(Conflict, match="withdrew"):
        b.judge(next(iter(b.open_keys())), Verdict.ACCEPT)


def test_a_rejected_use_of_a_file_proves_nothing(house: House) -> None:
    b = bench(house)
    b.claim()
    with b.at(b.reviewer.actor) as (tx, review):
        before = reviews.score_now(tx, review).score.measures.verified
        desk = next(each for each in reviews.workspace(tx, review).desks if len(each.files) == 1)
        file = desk.files[0]
        reviews.judge_citation(tx, review=review, citation_id=file.citation_id, acceptance=Acceptance.REJECTED)
        assert reviews.score_now(tx, review).score.measures.verified < before
        again = next(each for each in reviews.workspace(tx, review).desks if each.key == desk.key)
        assert again.files[0].acceptance is Acceptance.REJECTED
        reviews.judge_citation(tx, review=review, citation_id=file.citation_id, acceptance=Acceptance.ACCEPTED)
        assert reviews.score_now(tx, review).score.measures.verified == before
        with pytest.raises(NotFound):
            reviews.judge_citation(tx, review=review, citation_id=tx.new_id(), acceptance=Acceptance.ACCEPTED)
    with house.ledger.begin(system("test")) as tx:
        assert tx.session.get_one(Citation, file.citation_id).judged_by == b.reviewer.id


def test_the_desk_shows_each_answer_beside_the_one_before(house: House) -> None:
    b = bench(house, proven=False)
    b.claim()
    key = next(q.key for q in b.desk.questionnaire.questions if q.key in b.open_keys() and q.kind == "ynp")
    b.judge(key, Verdict.ASK, note="All of it?")
    with b.at(b.reviewer.actor) as (tx, review):
        reviews.return_questions(tx, review=review, row_version=review.row_version)
    b.desk.reply(key)
    b.desk.save(key, {"choice": "no", "comment": "Not yet."})
    b.desk.sign()

    with b.at(b.reviewer.actor) as (tx, review):
        space = reviews.workspace(tx, review)
        desk = space.desk(key)

    assert desk is not None
    assert desk.changed == "down"
    assert (desk.credit_before, desk.credit) == (100, 0)
    assert [message.side for message in desk.messages] == ["lab", "vendor"]
    assert {each.changed for each in space.desks if each.key != key} == {"unchanged"}
    assert space.desk("no.such.question") is None


def test_a_first_review_is_read_by_section_and_goes_on_to_what_has_no_verdict(house: House) -> None:
    b = bench(house)
    b.claim()
    with b.at(b.reviewer.actor) as (tx, review):
        before = reviews.workspace(tx, review)
    first, second, third = before.order[:3]
    b.judge(second, Verdict.ACCEPT)

    with b.at(b.reviewer.actor) as (tx, review):
        space = reviews.workspace(tx, review)

    assert all(group.section is not None for group in space.groups)
    assert {each.changed for each in space.desks} == {Changed.FIRST}
    assert (space.first(), space.after(first)) == (first, third)
    assert (space.tally.accepted, space.tally.open) == (1, space.tally.total - 1)


def test_a_signed_answer_is_read_alone_as_it_is_read_with_the_rest(house: House) -> None:
    b = bench(house)

    with b.at(b.reviewer.actor) as (tx, review):
        whole = reviews.attested_of(tx, review).snapshot.answers
        asked = {key: each for key, each in whole.items() if each.is_asked}
        alone = {key: attestations.attested_answer(tx, review.attestation_id, key) for key in asked}
        for key in [*(key for key, each in whole.items() if not each.is_asked), "no.such.question"]:
            with pytest.raises(NotFound):
                attestations.attested_answer(tx, review.attestation_id, key)

    assert alone == asked


def test_notes_stay_with_the_lab(house: House) -> None:
    b = bench(house)
    b.claim()
    key = b.open_keys()[0]
    with b.at(b.reviewer.actor) as (tx, review):
        reviews.note_internal(tx, review=review, question_key=key, body="Smells odd.")
    with pytest.raises(Forbidden), b.at(b.other.actor) as (tx, review):
        reviews.note_internal(tx, review=review, body="Mine too.")
    with pytest.raises(NotFound), b.at(b.desk.admin.actor) as (tx, review):
        reviews.notes_of(tx, review)


def test_every_stored_score_replays(house: House) -> None:
    b = bench(house)
    b.claim()
    b.flag(b.open_keys()[0], credit=50)
    b.accept_rest()
    b.recommend()

    with house.ledger.begin(system("test")) as tx:
        stored = tx.session.execute(sa.select(ScoreSnapshot)).scalars().all()
        assert [row.cause for row in stored] == ["signed", "recommended"]
        assert all(scoring.replays(row) for row in stored)
        assert findings.of_assessment(tx, b.desk.assessment_id)[0].state is FindingState.DRAFT
        assert wrong().credit == 0
        file = tx.session.execute(sa.select(Evidence).limit(1)).scalar_one()
        assert file.state is EvidenceState.VERIFIED

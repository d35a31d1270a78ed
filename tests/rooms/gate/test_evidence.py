"""A SOC 2 report runs out while nobody does anything: the score, the recommendation and the gate's answer follow.

The period ended on 31 January 2026. The vendor was approved on 24 November 2026, when the report was fresh; thirteen
months after its period, on 28 February 2027, no worker ran in between. Every number here is worked out by hand from
the definition of the score.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.delivery.models import Mail
from portal.evidence import service as evidence
from portal.evidence.facts import EvidenceIntegrityFailed
from portal.evidence.models import Evidence
from portal.gate import service as gate
from portal.gate.rules import Answer, Question, Reason
from portal.jobs.watch import watch_evidence
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.policy import Action
from portal.reviews import reviewing
from portal.scoring import queries as scoring
from portal.scoring import rules as scores
from portal.scoring import service as scoring_service
from portal.terms import EvidenceState
from portal.wiring import House
from tests.factories.lapsing import LETTER, PROVED_BY_REPORT, REPORT, add, approved, check, file_of, judge, newer
from tests.factories.reviews import Bench

SYSTEM = system("test")
QUESTION = Question("quillmark-annotation", "D3", "A2", "preference ranking")

FRESH = (Fraction(100), Fraction(100), scores.Recommendation.APPROVE)
# Two of 45 weighted parts: all of "iam" (4) and a quarter of "inf" (3). Level 1 pays 75 % for an expired proof and
# 90 % for an attached one, so 100 - (4·25 + 3·25/4)/45 and 100 - (4·10 + 3·10/4)/45; verified: 100 - (4·100 + 3·25)/45.
LAPSED = (Fraction(3505, 36), Fraction(805, 9), scores.Recommendation.HOLD)
BRIDGED = (Fraction(1781, 18), Fraction(805, 9), scores.Recommendation.APPROVE)


def score(bench: Bench) -> tuple[Fraction, Fraction, scores.Recommendation]:
    with bench.at(SYSTEM) as (tx, review):
        result = reviewing.score_now(tx, review).score
    return result.measures.score, result.measures.verified, result.recommendation


def reasons(bench: Bench) -> tuple[scores.Reason, ...]:
    with bench.at(SYSTEM) as (tx, review):
        return reviewing.score_now(tx, review).score.reasons


def ask(bench: Bench) -> Answer:
    with bench.house.ledger.begin(SYSTEM) as tx:
        return gate.answer(tx, QUESTION)


def card(bench: Bench) -> dict[str, Any]:
    with bench.house.ledger.begin(SYSTEM) as tx:
        return assessments.cards_of(tx, bench.desk.vendor_id)[0].body


def thirteen_months(clock: FixedClock) -> None:
    clock.advance(days=96)
    assert clock.instant.date() == date(2027, 2, 28)


def test_without_a_letter_everything_lapses_after_twelve_months(house: House, clock: FixedClock) -> None:
    bench = approved(house)
    assert score(bench) == FRESH
    assert ask(bench).allow
    assert str(ask(bench).valid_until) == "2027-02-01 00:00:00+00:00"
    assert card(bench)["evidence_until"] == "2027-01-31"

    clock.advance(days=68)
    assert clock.instant.date() == date(2027, 1, 31)
    assert (score(bench), ask(bench).allow) == (FRESH, True)

    clock.advance(days=1)
    assert score(bench) == LAPSED
    assert ask(bench).reasons == (Reason.EVIDENCE_EXPIRED,)

    clock.advance(days=27)
    assert clock.instant.date() == date(2027, 2, 28)
    assert score(bench) == LAPSED
    assert reasons(bench) == (
        scores.Reason(scores.Code.KNOCK_OUT_WITHOUT_EVIDENCE, PROVED_BY_REPORT),
        scores.Reason(scores.Code.EVIDENCE_EXPIRED, ("SOC2", "ISO", "STAR")),
    )
    assert ask(bench).reasons == (Reason.EVIDENCE_EXPIRED,)
    assert ask(bench).valid_until is None


def test_a_letter_that_was_there_when_it_was_decided_carries_all_of_it_to_the_fifteenth_month(
    house: House, clock: FixedClock
) -> None:
    bench = approved(house, LETTER)
    assert score(bench) == FRESH
    assert card(bench)["evidence_until"] == "2027-04-30"

    thirteen_months(clock)
    assert score(bench) == BRIDGED
    answer = ask(bench)
    assert (answer.allow, answer.reasons) == (True, (Reason.CLEARED,))
    assert str(answer.valid_until) == "2027-05-01 00:00:00+00:00"

    clock.advance(days=61)
    assert clock.instant.date() == date(2027, 4, 30)
    assert (score(bench), ask(bench).allow) == (BRIDGED, True)

    clock.advance(days=1)
    assert score(bench) == LAPSED
    assert ask(bench).reasons == (Reason.EVIDENCE_EXPIRED,)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"signer": ""}, id="unsigned"),
        pytest.param({"covers_from": "2026-02-02"}, id="hole of a day"),
        pytest.param({"covers_until": "2026-11-27"}, id="too old"),
        pytest.param({"next_start": None}, id="next period not named"),
        pytest.param({"next_start": "2027-02-02"}, id="next period begins too late"),
        pytest.param({"next_auditor": ""}, id="next auditor not named"),
        pytest.param({"report_end": "2026-01-30"}, id="of another report"),
    ],
)
def test_a_letter_that_lacks_something_carries_nothing(house: House, clock: FixedClock, wrong: dict[str, Any]) -> None:
    bench = approved(house)
    thirteen_months(clock)
    add(house, bench.desk, "BL", LETTER | wrong, date(2027, 1, 31), verified=True)
    assert score(bench) == LAPSED
    assert ask(bench).reasons == (Reason.EVIDENCE_EXPIRED,)


def test_a_letter_that_comes_later_counts_in_the_score_at_once_and_at_the_gate_when_a_reviewer_verified_it(
    house: House, clock: FixedClock
) -> None:
    bench = approved(house)
    thirteen_months(clock)
    before = ask(bench)
    letter = add(house, bench.desk, "BL", LETTER, date(2026, 4, 30))
    assert score(bench) == BRIDGED
    assert ask(bench).reasons == (Reason.EVIDENCE_EXPIRED,)

    judge(bench, letter)
    assert score(bench) == BRIDGED
    answer = ask(bench)
    assert answer.allow
    assert str(answer.valid_until) == "2027-05-01 00:00:00+00:00"
    assert answer.sequence > before.sequence
    assert card(bench)["evidence_until"] == "2027-04-30"
    assert card(bench)["paused"] is False


def test_a_report_that_a_reviewer_rejects_ends_the_access_at_once(house: House) -> None:
    bench = approved(house)
    judge(bench, file_of(bench, "SOC2"), note="Another company’s report.")
    assert ask(bench).reasons == (Reason.EVIDENCE_EXPIRED,)

    with house.ledger.begin(bench.desk.respondent.actor) as tx:
        row = evidence.get(tx, file_of(bench, "SOC2"), Action.EVIDENCE_UPLOAD)
        raw = {f"detail-{name}": value for name, value in REPORT.items()} | {"detail-period_end": "2026-10-31"}
        evidence.describe(tx, evidence=row, kind="SOC2", title="", raw=raw, row_version=row.row_version)
    assert ask(bench).reasons == (Reason.EVIDENCE_EXPIRED,)

    judge(bench, file_of(bench, "SOC2"))
    assert ask(bench).allow
    assert card(bench)["evidence_until"] == "2027-10-31"


def test_bytes_that_are_not_the_signed_ones_end_the_access_at_once(house: House) -> None:
    bench = approved(house)
    with house.ledger.begin(SYSTEM) as tx:
        row = tx.session.get_one(Evidence, file_of(bench, "SOC2"))
        row.state = EvidenceState.INTEGRITY_FAILURE
        tx.record(EvidenceIntegrityFailed(row.id, row.vendor_id, row.sha256))
    assert ask(bench).reasons == (Reason.EVIDENCE_EXPIRED,)


def test_a_newer_report_steps_the_score_back_until_it_is_checked_and_opens_the_gate_only_then(
    house: House, clock: FixedClock
) -> None:
    bench = approved(house)
    replaced = newer(bench)
    assert score(bench) == BRIDGED
    assert str(ask(bench).valid_until) == "2027-02-01 00:00:00+00:00"

    thirteen_months(clock)
    assert score(bench) == LAPSED
    assert ask(bench).reasons == (Reason.EVIDENCE_EXPIRED,)

    check(bench, replaced, bench.reviewer.actor)
    assert score(bench) == BRIDGED
    answer = ask(bench)
    assert (answer.allow, str(answer.valid_until)) == (True, "2027-11-24 00:00:00+00:00")

    judge(bench, replaced)
    assert score(bench) == FRESH
    with bench.at(SYSTEM) as (tx, review):
        used = dict(reviewing.score_now(tx, review).inputs.hashes)
        assert used[f"evidence:{replaced}"] == tx.session.get_one(Evidence, replaced).sha256


def test_what_the_vendor_does_alone_never_opens_the_gate(house: House, clock: FixedClock) -> None:
    bench = approved(house)
    thirteen_months(clock)
    letter = add(house, bench.desk, "BL", LETTER | {"covers_until": "2026-05-31"}, date(2026, 4, 30))
    newer(bench)
    with house.ledger.begin(bench.desk.respondent.actor) as tx:
        row = evidence.get(tx, letter, Action.EVIDENCE_UPLOAD)
        raw = {f"detail-{name}": value for name, value in LETTER.items()}
        evidence.describe(tx, evidence=row, kind="BL", title="", raw=raw, row_version=row.row_version)
    assert ask(bench).reasons == (Reason.EVIDENCE_EXPIRED,)


def mails(house: House) -> list[tuple[str, dict[str, Any]]]:
    with house.ledger.begin(SYSTEM) as tx:
        statement = sa.select(Mail.to_address, Mail.context).where(Mail.kind == "evidence_lapsed").order_by(Mail.id)
        return [(row.to_address, row.context) for row in tx.session.execute(statement)]


def snapshots(bench: Bench) -> list[tuple[str, str]]:
    with bench.house.ledger.begin(SYSTEM) as tx:
        stored = scoring.of_assessments(tx, [bench.desk.assessment_id])
        assert all(scoring_service.replays(scoring_service.get(tx, each.id)) for each in stored)
        return [(each.cause, each.recommendation.value) for each in stored]


def test_the_night_writes_down_what_lapsed_and_tells_each_reviewer_once(house: House, clock: FixedClock) -> None:
    bench = approved(house)
    told = {bench.reviewer.email, bench.lead.email}
    watch_evidence(house)
    before = snapshots(bench)
    assert mails(house) == []

    thirteen_months(clock)
    watch_evidence(house)
    watch_evidence(house)
    assert snapshots(bench) == [("lapsed", "hold"), *before]
    assert {address for address, _ in mails(house)} == told
    assert len(mails(house)) == len(told)
    assert mails(house)[0][1]["lapses"][0]["score_now"] == "97.3"

    letter = add(house, bench.desk, "BL", LETTER, date(2026, 4, 30))
    judge(bench, letter)
    clock.advance(days=1)
    watch_evidence(house)
    assert snapshots(bench) == [("renewed", "approve"), ("lapsed", "hold"), *before]
    assert len(mails(house)) == len(told)

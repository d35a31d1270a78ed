"""Accepting by rule in nobody's name, several answers in one act, and rules tried on reviews that are over."""

from __future__ import annotations

import json
from collections.abc import Collection
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.audit.models import AuditEvent
from portal.evidence.models import Evidence, ReportException
from portal.kernel.actor import system
from portal.kernel.errors import Conflict, Forbidden, Refused
from portal.reviews import accepting, reviewing, trying
from portal.reviews import service as reviews
from portal.reviews.models import AnswerVerdict
from portal.reviews.rules import acceptance
from portal.reviews.rules.acceptance import FIRST, Because
from portal.reviews.service import VerdictLine
from portal.terms import EvidenceState, Verdict
from portal.wiring import House
from tests.factories.rereading import Reread, reread
from tests.factories.reviews import Bench
from tests.factories.touching import touched

ALL = acceptance.read(FIRST.replace("glance_every: 10", "glance_every: 0"))


@pytest.fixture
def made(house: House) -> Reread:
    return reread(house)


def lines(made: Bench) -> dict[str, VerdictLine]:
    with made.at(system("test")) as (tx, review):
        return reviews.verdict_lines(tx, review)


def run(made: Bench) -> int:
    with made.at(system("test")) as (_, review):
        review_id = review.id
    return accepting.run(made.house.ledger, review_id)


def together(made: Bench, keys: Collection[str], *, seen: str | None = None) -> UUID:
    with made.at(made.reviewer.actor) as (tx, review):
        items = accepting.open_answers(tx, review).chosen(keys)
        shown = accepting.digest_seen(items) if seen is None else seen
        return accepting.accept_together(tx, review=review, keys=keys, seen=shown)


def test_a_rule_accepts_what_is_the_same_and_leaves_the_rest_with_its_reason(made: Reread) -> None:
    with made.at(made.reviewer.actor) as (tx, review):
        live = reviewing.score_now(tx, review)
        said = accepting.rulings(tx, review, acceptance.read(FIRST), inputs=live.inputs)
        asked = tx.session.execute(
            sa.select(sa.func.count()).select_from(AnswerVerdict).where(AnswerVerdict.review_id == review.id)
        ).scalar_one()
    assert asked == 0, "nothing is accepted before the system does it"

    accepted = run(made)

    given = lines(made)
    assert accepted == len(given) > 50
    assert set(given) == {key for key, each in said.items() if each.rule is not None}
    assert not set(given) & set(made.changed)
    one = next(iter(given.values()))
    assert (one.verdict, one.by_rule, one.given_by, one.locked) == (Verdict.ACCEPT, "R-3 v1", None, False)
    assert {key for key, each in said.items() if each.because is Because.CHANGED} >= set(made.changed)
    assert Because.GLANCE in {each.because for each in said.values()}
    assert run(made) == 0

    with made.house.ledger.begin(system("test")) as tx:
        event = tx.session.execute(
            sa.select(AuditEvent).where(AuditEvent.fact == "answers_accepted_by_rule")
        ).scalar_one()
        told = json.loads(event.payload)
        assert (event.actor_kind, event.actor_label) == ("system", "acceptance by rule")
        assert (told["rule"], told["policy_version"]) == ("R-3", 1)
        assert set(told["keys"]) == set(given)


def test_a_person_overrules_a_rule_and_the_rule_does_not_come_back(made: Reread) -> None:
    run(made)
    flagged, taken_back = sorted(lines(made))[:2]

    made.flag(flagged)
    with made.at(made.reviewer.actor) as (tx, review):
        version = reviews.verdict_lines(tx, review)[taken_back].version
        reviews.clear_verdict(tx, review=review, question_key=taken_back, version=version)

    assert run(made) == 0
    given = lines(made)
    assert (given[flagged].verdict, given[flagged].by_rule) == (Verdict.FLAG, None)
    assert given[flagged].given_by == made.reviewer.id
    assert (given[taken_back].verdict, given[taken_back].by_rule) == (None, None)


def test_nobody_accepts_by_rule_in_person_and_nothing_happens_before_the_claim(house: House) -> None:
    made = reread(house, claimed=False)
    assert run(made) == 0
    made.claim()
    with made.at(made.reviewer.actor) as (tx, review), pytest.raises(Forbidden, match="nobody's name"):
        accepting.apply_rules(tx, review=review)
    assert lines(made) == {}


def test_a_contradiction_a_finding_and_a_damaged_file_keep_answers_from_the_rules(made: Reread) -> None:
    def by_rule() -> set[str]:
        with made.at(made.reviewer.actor) as (tx, review):
            inputs = reviewing.score_now(tx, review).inputs
            return {
                key for key, each in accepting.rulings(tx, review, ALL, inputs=inputs).items() if each.rule is not None
            }

    before = by_rule()
    key = sorted(before)[0]
    with made.at(system("test")) as (tx, review):
        file = tx.session.execute(
            sa.select(Evidence).where(Evidence.kind == "SOC2").order_by(Evidence.created_at).limit(1)
        ).scalar_one()
        tx.session.add(
            ReportException(
                id=tx.new_id(),
                vendor_id=review.vendor_id,
                evidence_id=file.id,
                position=0,
                control="LA-7",
                text="3 of 25 leavers kept their access.",
                questions=[key],
                entered_by=made.reviewer.id,
                entered_at=tx.now,
            )
        )
        touched(tx, review.vendor_id)
    assert by_rule() == before - {key}

    with made.at(system("test")) as (tx, review):
        tx.session.execute(
            sa.update(Evidence).where(Evidence.id == file.id).values(state=EvidenceState.INTEGRITY_FAILURE)
        )
        touched(tx, review.vendor_id)
    assert len(by_rule()) < len(before) / 2


def test_several_are_accepted_in_one_act_and_taken_back_in_one(made: Reread) -> None:
    keys = sorted(made.changed)[:3]

    act = together(made, keys)

    given = lines(made)
    assert {key for key, each in given.items() if each.verdict is Verdict.ACCEPT} == set(keys)
    made.flag(keys[0])
    with made.at(made.reviewer.actor) as (tx, review):
        assert accepting.undo_together(tx, review=review, act_id=act) == 2
    assert [lines(made)[key].verdict for key in keys] == [Verdict.FLAG, None, None]
    with made.at(made.reviewer.actor) as (tx, review), pytest.raises(Conflict, match="nothing left"):
        accepting.undo_together(tx, review=review, act_id=act)


def test_what_changed_since_it_was_shown_is_not_accepted(made: Reread) -> None:
    keys = sorted(made.changed)[:2]
    with made.at(made.reviewer.actor) as (tx, review):
        seen = accepting.digest_seen(accepting.open_answers(tx, review).chosen(keys))
    made.flag(keys[1])

    with pytest.raises(Conflict, match="Nothing was accepted"):
        together(made, keys, seen=seen)

    assert {key: each.verdict for key, each in lines(made).items()} == {keys[1]: Verdict.FLAG}


def test_refusals_of_one_act(made: Reread) -> None:
    with pytest.raises(Refused) as none:
        together(made, [])
    assert none.value.problems == {"key": ["Choose at least one answer"]}
    with pytest.raises(Refused) as many:
        together(made, [f"a.q{number}" for number in range(101)])
    assert many.value.problems == {"key": ["Choose at most 100 answers for one act"]}
    with pytest.raises(Conflict):
        together(made, ["no.such"])
    with made.at(made.other.actor) as (tx, review), pytest.raises(Forbidden):
        accepting.accept_together(tx, review=review, keys=sorted(made.changed)[:1], seen="")


def test_rules_are_tried_on_reviews_that_are_over(made: Reread) -> None:
    flagged = sorted(set(made.open_keys()) - set(made.changed))[0]
    made.flag(flagged)
    made.accept_rest()
    made.recommend()

    with made.house.ledger.begin(made.lead.actor) as tx:
        (tried,) = trying.past(tx, ALL)
        none = trying.past(tx, acceptance.read(FIRST[: FIRST.index("rules:")] + "rules: {}\n"))

    assert flagged in {each.key for each in tried.accepted}
    assert [(each.key, each.verdict) for each in tried.otherwise] == [(flagged, Verdict.FLAG)]
    assert not {each.key for each in tried.accepted} & set(made.changed)
    assert tried.asked == len(tried.accepted) + len(tried.glances) + sum(tried.kept.values())
    assert [len(each.accepted) for each in none] == [0]
    with made.house.ledger.begin(made.desk.admin.actor) as tx, pytest.raises(Forbidden):
        trying.past(tx, ALL)

"""What another policy would make of every vendor's newest score is what it makes of it, and nothing is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.kernel.errors import Refused
from portal.questionnaires import service as questionnaires
from portal.scoring import rules
from portal.scoring import service as scoring
from portal.scoring.models import ScoreSnapshot
from portal.scoring.policies import against, in_force
from portal.scoring.rules.written import policy_of
from portal.scoring.what_if import WhatIf, what_if
from portal.terms import Role
from portal.wiring import House
from tests.factories.identity import person
from tests.factories.policies import policy_draft, policy_published, scoring_text, sign_policy
from tests.factories.reviews import Bench, bench

SYSTEM = system("test")


@pytest.fixture
def made(house: House) -> Bench:
    """A vendor in tier 2, reviewed: every answer at its best, with verified files."""
    made = bench(house)
    made.review()
    return made


def seen(house: House, *changes: tuple[str, str]) -> WhatIf:
    with house.ledger.begin(SYSTEM) as tx:
        return what_if(tx, in_force(tx), policy_of(scoring_text(*changes), 2))


def test_the_same_policy_changes_nothing(house: House, made: Bench) -> None:
    found = seen(house, ("# Whole", "#  Whole"))
    assert len(found.lines) == 1
    assert found.changed == ()
    assert found.files == 0


def test_what_it_says_is_what_is_then_scored(house: House, made: Bench) -> None:
    text = (("attached: 75", "attached: 60"), ("approve: 70", "approve: 99"), ("approve: 80", "approve: 99"))
    (line,) = seen(house, *text).lines
    with house.ledger.begin(SYSTEM) as tx:
        count = tx.session.scalar(sa.select(sa.func.count()).select_from(ScoreSnapshot))

    policy_published(house, scoring_text(*text))
    with made.at(made.lead.actor) as (tx, review):
        after = scoring.result_of(scoring.score(tx, attestation_id=review.attestation_id, cause="proposed"))

    assert count == 2
    assert (line.after.score, line.after.recommendation, line.after.residual) == (
        after.measures.score,
        after.recommendation,
        after.residual,
    )
    assert line.before.recommendation is rules.Recommendation.APPROVE
    assert line.recommends_otherwise


def test_files_that_would_count_for_another_time_are_foreseen(house: House, made: Bench, clock: FixedClock) -> None:
    """Shorter days for the files behind the answers: what is foreseen is what is scored once they have those days."""
    text = (("SPL: 90", "SPL: 30"), ("SOC2: 12", "SOC2: 2"), ("SOC2_type_1: 6", "SOC2_type_1: 2"))
    found = seen(house, *text)
    (line,) = found.lines
    policy_published(house, scoring_text(*text))
    with made.at(made.lead.actor) as (tx, review):
        after = scoring.result_of(scoring.score(tx, attestation_id=review.attestation_id, cause="proposed"))
    assert (line.after.score, line.after.recommendation) == (after.measures.score, after.recommendation)


def test_totals_add_up(house: House, made: Bench) -> None:
    found = seen(house, ("approve: 70", "approve: 100"), ("approve: 80", "approve: 100"))
    assert sum(before for _, before, _ in found.totals) == sum(after for _, _, after in found.totals) == 1
    assert sum(count for _, _, count in found.moves) == sum(each.recommends_otherwise for each in found.lines)


def test_the_statements_do_not_grow_with_the_vendors(house: House, made: Bench) -> None:
    def count() -> int:
        told: list[str] = []
        with house.ledger.begin(SYSTEM) as tx:
            old, new = in_force(tx), policy_of(scoring_text(("SPL: 90", "SPL: 60"), ("PT: 12", "PT: 7")), 2)
            engine = tx.session.get_bind()
            hear = lambda *args: told.append(args[2])  # noqa: E731 - one line
            sa.event.listen(engine, "before_cursor_execute", hear)
            try:
                what_if(tx, old, replace(new, version=2 + len(told)))
            finally:
                sa.event.remove(engine, "before_cursor_execute", hear)
        return len(told)

    assert count() <= 8


def test_words_alone_never_pass_a_questionnaire(house: House) -> None:
    """P16 stands against a text when a published questionnaire would be passed in tier 1 by words without evidence."""
    source = (Path(__file__).parents[3] / "questionnaires" / "ai-contractor" / "v2.yaml").read_bytes()
    with house.ledger.begin(SYSTEM) as tx:
        questionnaires.publish(tx, source=source)
        assert against(tx, scoring_text(("approve: 80", "approve: 82"))) == []
        (problem,) = against(tx, scoring_text(("consider: 65", "consider: 63")))
    assert problem == (
        "ai-contractor v2: words without any evidence come to 63.3 in tier 1, and it considers from 63 (P16)"
    )
    hana = person(house, roles=[Role.LEAD_APPROVER])
    draft_id = policy_draft(house, hana, scoring_text(("consider: 65", "consider: 63")))
    with pytest.raises(Refused, match="words without any evidence"):
        sign_policy(house, hana, draft_id)

"""Every score of the demo replays to the same bytes, before and after another policy; why each changed adds up."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import pytest
import sqlalchemy as sa

from portal.demo.story import Story
from portal.kernel import signing
from portal.kernel.actor import system
from portal.questionnaires import service as questionnaires
from portal.questionnaires.versions import load_locked
from portal.scoring import queries, replaying, rules
from portal.scoring import service as scoring
from portal.scoring.models import ScoreSnapshot
from portal.scoring.policies import in_force
from portal.scoring.rules.causes import NUMBERS, Part, explain
from portal.scoring.rules.written import policy_of
from portal.scoring.what_if import what_if
from portal.sites.lab.scores import why
from portal.wiring import ROOT, House
from tests.factories.policies import policy_published, scoring_text

SYSTEM = system("test")
OTHER = scoring_text(("attached: 75", "attached: 70"), ("approve: 80", "approve: 90"), ("PT: 12", "PT: 8"))


@pytest.mark.slow
def test_every_score_of_the_demo_replays_and_every_change_adds_up(house: House) -> None:
    signing.make_file(house.signing_keys, now=house.instant())
    plain = House(house.settings, database_url=house.database_url, clock=house.clock, store=house.store)
    with plain.ledger.begin(SYSTEM) as tx:
        load_locked(tx, ROOT / "questionnaires")
    list(Story(plain).tell())
    plain.engine.dispose()
    with house.ledger.begin(SYSTEM) as tx:
        rows = list(tx.session.scalars(sa.select(ScoreSnapshot).order_by(ScoreSnapshot.made_at, ScoreSnapshot.id)))
        kept = {row.id: (row.inputs, row.result) for row in rows}
        inputs = {row.id: scoring.inputs_of(row) for row in rows}
        versions = {
            row.id: questionnaires.compiled(tx, queries.placed(tx, row.assessment_id).questionnaire_id) for row in rows
        }
        files = queries.files_named(tx, why.ids_of(inputs.values()))
        vendors: dict[object, list[ScoreSnapshot]] = {}
        for row in rows:
            vendors.setdefault(row.vendor_id, []).append(row)
        ahead = what_if(tx, in_force(tx), policy_of(OTHER, 2))

    assert len(rows) > 10
    assert all(each.is_equal for each in replaying.replay_all(house.ledger, SYSTEM, batch=7))
    assert 0 < len(ahead.lines) <= len({row.assessment_id for row in rows})

    pairs = 0
    for stored in vendors.values():
        for one, other in combinations(stored, 2):
            found = explain(inputs[one.id], inputs[other.id])
            assert rules.canonical(found.before).decode() == one.result
            assert rules.canonical(found.after).decode() == other.result
            for number in NUMBERS:
                parts = {
                    part: sum((getattr(each.moved, number) for each in found.of(part)), Fraction()) for part in Part
                }
                assert parts == {part: getattr(found.split(number), part.value) for part in Part}
                old, new = (
                    getattr(each if number in {"strength", "residual"} else each.measures, number)
                    for each in (found.before, found.after)
                )
                assert old + sum(parts.values()) == new
            words = why.Words(versions[one.id], versions[other.id], files)
            for part in why.opened(found, words):
                shown = sum((each.score for each in (*part.lines, *([part.rest] if part.rest else []))), Fraction())
                assert shown == part.score, "the rows of the page add up"
            pairs += 1
    assert pairs > 5

    policy_published(house, OTHER)
    assert all(each.is_equal for each in replaying.replay_all(house.ledger, SYSTEM))
    with house.ledger.begin(SYSTEM) as tx:
        for row in tx.session.scalars(sa.select(ScoreSnapshot).where(ScoreSnapshot.id.in_(kept))):
            assert (row.inputs, row.result) == kept[row.id]

"""A policy that counts a kind of evidence for another time gives its files, and what rests on them, other days."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from portal.evidence.dating import in_force
from portal.evidence.models import Evidence
from portal.evidence.queries import library, records
from portal.evidence.rules import KINDS, add_months, validity
from portal.kernel import signing
from portal.kernel.actor import system
from portal.scoring import service as scoring
from portal.scoring.models import ScoreSnapshot
from portal.wiring import House
from tests.factories.lapsing import file_of, signed
from tests.factories.policies import policy_published, scoring_text
from tests.factories.reviews import Bench
from tests.rooms.gate.test_followed import looked_at_anew, stored

SYSTEM = system("test")


def decided(house: House) -> Bench:
    """A vendor that is approved on files whose days are those of the first periods."""
    signing.make_file(house.signing_keys, now=house.instant())
    made = Bench(house, signed(house))
    with house.ledger.begin(SYSTEM) as tx:
        for row in tx.session.scalars(sa.select(Evidence)):
            holds = validity(row.kind, row.details, row.created_at.date())
            row.valid_from, row.valid_until, row.validity_rule = holds.valid_from, holds.valid_until, holds.rule
    made.review()
    made.propose(made.lead, valid_until=date(2027, 11, 23))
    return made


def days_of(house: House, evidence_id: object) -> tuple[date | None, date | None, str]:
    with house.ledger.begin(SYSTEM) as tx:
        row = tx.session.get_one(Evidence, evidence_id)
        return row.valid_from, row.valid_until, row.validity_rule


def test_files_get_other_days_and_what_rests_on_them_follows(house: House) -> None:
    bench = decided(house)
    report, people = file_of(bench, "SOC2"), file_of(bench, "SPL")
    before, before_people = days_of(house, report), days_of(house, people)
    rested = stored(bench)
    with house.ledger.begin(SYSTEM) as tx:
        kept = {each.id: (each.inputs, each.result) for each in tx.session.scalars(sa.select(ScoreSnapshot))}

    policy_published(house, scoring_text(("SOC2: 12", "SOC2: 9"), ("SPL: 90", "SPL: 60")))

    after = days_of(house, report)
    assert before[0] is not None
    assert after == (before[0], add_months(before[0], 9), "9m-from-period_end")
    people_after = days_of(house, people)
    assert before_people[1] is not None
    assert people_after[1] is not None
    assert (before_people[1] - people_after[1]).days == 30
    assert stored(bench) != rested
    assert looked_at_anew(bench) == stored(bench), "the gate wrote down what a fresh look would"
    with house.ledger.begin(SYSTEM) as tx:
        assert records(tx, evidence_ids=[report])[report].periods == in_force(tx)
        for each in tx.session.scalars(sa.select(ScoreSnapshot)):
            assert (each.inputs, each.result) == kept[each.id], "stored scores keep the days that they name"
            assert scoring.replays(each)


def test_a_policy_with_the_same_numbers_moves_no_day(house: House) -> None:
    bench = decided(house)
    before = days_of(house, file_of(bench, "SOC2"))
    policy_published(house, scoring_text(("approve: 80", "approve: 82")))
    assert days_of(house, file_of(bench, "SOC2")) == before


def test_what_is_described_from_then_on_counts_by_the_numbers_in_force(house: House) -> None:
    policy_published(house, scoring_text(("PT: 12", "PT: 6")))
    with house.ledger.begin(SYSTEM) as tx:
        found = validity("PT", {"tested_until": "2026-05-31"}, date(2026, 6, 1), in_force(tx))
    assert (found.valid_until, found.rule) == (date(2026, 11, 30), "6m-from-tested_until")


def test_the_rule_of_a_kind_is_said_with_the_numbers_in_force(house: House) -> None:
    bench = decided(house)
    policy_published(house, scoring_text(("SOC2: 12", "SOC2: 9"), ("SPL: 90", "SPL: 60")))
    with house.ledger.begin(bench.lead.actor) as tx:
        lines = {each.kind: each for each in library(tx, vendor_id=bench.desk.vendor_id)}
        assert lines["SPL"].rule("SPL", KINDS["SPL"].holds) == "60 days from its day"
        assert lines["SOC2"].rule("SOC2", "Typ 2: 12 Monate. Typ 1: 6 Monate") == "Typ 2: 9 Monate. Typ 1: 6 Monate"
        assert lines["SPL"].rule("BL", KINDS["BL"].holds) == KINDS["BL"].holds

"""A report is compared with the whole store: copies are found, honest neighbours are not, and only the lab knows."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.evidence import flags, likeness, reading
from portal.evidence.models import EvidenceBand, EvidenceLikeness, EvidenceSketch
from portal.evidence.rules.flags import FlagCode
from portal.kernel.actor import system
from portal.kernel.errors import Forbidden, NotFound
from portal.wiring import House
from tests.factories.evidence import make_evidence
from tests.factories.identity import Person
from tests.factories.likeness import stored
from tests.factories.reports import Report, report
from tests.rooms.delivery.world import jobs_of

SYSTEM = system("test")
TABLES = ("evidence_sketch", "evidence_band", "evidence_likeness", "evidence_traits", "checked_firm")
SOC2 = {"report_type": "type2", "period_start": "2025-01-01", "period_end": "2025-12-31", "opinion": "unqualified"}
SEED = next(seed for seed in range(20, 300) if report(seed).section_three.count(report(seed).facts.short) > 1)
COPIED = report(SEED)
COPY = report(SEED, entity="Quillfeather Robotics Limited", short="Quillfeather", firm="Candle & Moss LLP")


def uploaded(house: House, who: Person, wanted: Report) -> UUID:
    """A report that came in, was read and was compared, as the worker does it."""
    evidence_id = make_evidence(house, who, wanted.pdf(), name="soc2.pdf", kind="SOC2", details=SOC2).id
    reading.read(house.ledger, SYSTEM, store=house.store, evidence_id=evidence_id)
    likeness.compare(house.ledger, SYSTEM, store=house.store, evidence_id=evidence_id)
    return evidence_id


def pairs_of(house: House) -> list[tuple[set[UUID], int]]:
    with house.ledger.begin(SYSTEM) as tx:
        rows = tx.session.execute(sa.select(EvidenceLikeness)).scalars()
        return [({row.evidence_id, row.other_id}, row.share) for row in rows]


def test_a_copy_with_other_names_is_found_among_three_hundred_and_honest_neighbours_are_not(
    house: House, ada: Person, hana: Person
) -> None:
    known = stored(house, [report(seed) for seed in range(300)])

    copy_id = uploaded(house, ada, COPY)

    (pair, share), *others = pairs_of(house)
    assert (pair, others) == ({copy_id, known[SEED]}, [])
    assert share >= 950
    with house.ledger.begin(hana.actor) as tx:
        found = flags.flags_of(tx, copy_id)
        side_by_side = flags.pair(tx, copy_id, known[SEED])
    assert FlagCode.BOILERPLATE in {flag.code for flag in found.flags}
    assert [each.evidence_id for each in found.alike] == [known[SEED]]
    ours = " ".join(piece.text for passage in side_by_side.passages for piece in passage.pieces)
    theirs = " ".join(piece.text for passage in side_by_side.passages for piece in passage.other_pieces)
    assert "Quillfeather" in ours
    assert "Quillfeather" not in theirs
    assert COPIED.facts.short in theirs
    assert any(not piece.common for passage in side_by_side.passages for piece in passage.pieces)


def test_two_honest_reports_of_one_firm_are_not_alike(house: House, ada: Person) -> None:
    stored(house, [report(seed, style=None, firm="Candle & Moss LLP") for seed in (7, 17, 27)])

    uploaded(house, ada, report(37, firm="Candle & Moss LLP"))

    assert pairs_of(house) == []


def test_comparing_again_changes_nothing_a_vendors_own_reports_may_be_alike_and_removed_ones_are_gone(
    house: House, ada: Person, hana: Person
) -> None:
    (known,) = stored(house, [COPIED])
    stored(house, [COPIED], vendor_ids=[ada.vendor_id])

    copy_id = uploaded(house, ada, COPY)
    before = pairs_of(house)
    likeness.compare(house.ledger, SYSTEM, store=house.store, evidence_id=copy_id)

    assert pairs_of(house) == before
    assert [pair for pair, _share in before] == [{copy_id, known}]

    with house.ledger.begin(SYSTEM) as tx:
        tx.session.execute(sa.text("UPDATE evidence SET removed_at = now() WHERE id = :id"), {"id": known})
    with house.ledger.begin(hana.actor) as tx:
        assert flags.flags_of(tx, copy_id).alike == ()
    with pytest.raises(NotFound), house.ledger.begin(hana.actor) as tx:
        flags.pair(tx, copy_id, known)


def test_what_was_read_is_queued_to_be_compared_also_when_it_was_read_long_ago(
    house: House, ada: Person, clock
) -> None:  # type: ignore[no-untyped-def]
    evidence_id = make_evidence(house, ada, COPY.pdf(), name="soc2.pdf", kind="SOC2", details=SOC2).id
    reading.read(house.ledger, SYSTEM, store=house.store, evidence_id=evidence_id)
    assert [name for name, _args, _state in jobs_of(house)].count(likeness.JOB) == 1

    clock.advance(minutes=16)
    with house.ledger.begin(SYSTEM) as tx:
        assert (likeness.ask_again(tx), likeness.ask_again(tx)) == (1, 0)
    likeness.compare(house.ledger, SYSTEM, store=house.store, evidence_id=evidence_id)

    with house.ledger.begin(SYSTEM) as tx:
        assert likeness.ask_again(tx) == 0


def test_candidates_are_found_by_an_index_behind_the_wall(house: House) -> None:
    stored(house, [COPIED])
    with house.ledger.begin(SYSTEM) as tx:
        tx.session.execute(sa.text("SET LOCAL enable_seqscan = off"))
        plan = tx.session.execute(
            sa.text("EXPLAIN SELECT evidence_id, count(*) FROM evidence_band WHERE band = ANY(:b) GROUP BY 1"),
            {"b": [1, 2, 3]},
        ).scalars()
        assert "ix_evidence_band_band" in "\n".join(plan)


def test_no_vendor_sees_a_row_of_it_in_tables_or_trail_not_even_of_its_own_files(
    house: House, ada: Person, hana: Person
) -> None:
    stored(house, [COPIED])
    copy_id = uploaded(house, ada, COPY)

    for who, sees in ((ada, False), (hana, True)):
        with house.ledger.begin(who.actor) as tx:
            for table in TABLES[:4]:
                counted = tx.session.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
                assert bool(counted) is sees, (who.actor.name, table)
            told = tx.session.execute(sa.text("SELECT count(*) FROM audit_event WHERE fact = 'likeness_found'"))
            assert bool(told.scalar_one()) is sees
    with pytest.raises(Forbidden), house.ledger.begin(ada.actor) as tx:
        flags.flags_of(tx, copy_id)


def test_a_report_without_a_description_is_said_to_be_left_out(house: House, ada: Person, hana: Person) -> None:
    short = Report(
        ("SOC 2 at a glance\nWe take security seriously, in all that we do and every day.",), {}, COPY.facts, ""
    )
    evidence_id = uploaded(house, ada, short)

    with house.ledger.begin(hana.actor) as tx:
        found = flags.flags_of(tx, evidence_id)
        row = tx.session.get_one(EvidenceSketch, evidence_id)
        bands = tx.session.execute(sa.select(EvidenceBand.band).distinct()).scalars().all()
    assert (row.signature, bands) == ([], [None])
    assert any("not compared" in words for words in found.left_out)
    assert FlagCode.CERTIFICATE in {flag.code for flag in found.flags}

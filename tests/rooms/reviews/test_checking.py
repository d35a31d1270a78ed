"""What is held against a signed revision: gathered from the rows, counted for the queue, told to nobody outside."""

from __future__ import annotations

import sqlalchemy as sa

from portal.evidence import report as inside
from portal.evidence.models import Evidence, ReportException
from portal.kernel.actor import system
from portal.reviews import checking
from portal.reviews.rules.checks import CheckKind
from portal.wiring import House
from tests.factories import touching as told
from tests.factories.reviews import bench


def test_an_exception_points_at_the_answers_under_its_criterion_and_is_counted(house: House) -> None:
    made = bench(house)
    with made.at(made.reviewer.actor) as (tx, review):
        before = sum(map(len, checking.of_review(tx, review).values()))
        file = tx.session.execute(sa.select(Evidence).where(Evidence.kind == "SOC2")).scalar_one()
        rows = inside.read_rows(
            {
                "detail-exception_rows-0-control": "LA-7",
                "detail-exception_rows-0-criterion": "CC6.7",
                "detail-exception_rows-0-text": "3 of 25 leavers kept their access.",
            }
        )
        inside.enter(tx, evidence=file, found=rows)

    with made.at(made.reviewer.actor) as (tx, review):
        found = checking.of_review(tx, review)
        touched = {key for key, several in found.items() for each in several if each.kind is CheckKind.EXCEPTIONS}
        maps = {each.key for each in made.desk.questionnaire.questions if "CC6.7" in each.maps.get("tsc", "")}
        assert touched == maps & {each.key for each in made.desk.visible()}
        assert touched
        (one,) = [each for each in found[sorted(touched)[0]] if each.kind is CheckKind.EXCEPTIONS]
        assert "3 of 25 leavers kept their access" in one.words
        assert one.sources[1].href == f"/lab/evidence/{file.id}#exceptions"
        assert review.checks_found == before + len(touched), "the queue counts it as soon as it is entered"
        assert checking.refresh(tx, review) == before + len(touched)

    with made.at(system("test")) as (tx, review):
        row = tx.session.execute(sa.select(ReportException)).scalar_one()
        row.acceptable, row.assessment, row.assessed_by, row.assessed_at = True, "Few", made.reviewer.id, tx.now
        tx.session.flush()
        told.touched(tx, review.vendor_id)
        assert not any(
            each.kind is CheckKind.EXCEPTIONS for several in checking.of_review(tx, review).values() for each in several
        )


def test_signing_counts_and_leaves_nothing_in_the_vendors_trail(house: House) -> None:
    made = bench(house)
    with made.at(system("test")) as (tx, review):
        found = sum(map(len, checking.of_review(tx, review).values()))
        assert review.checks_found == found

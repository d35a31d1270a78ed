"""Where reviews stand in the queue: what is stored is what would be worked out anew, whatever happens to a review."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.reviews import placing
from portal.reviews import service as reviews
from portal.reviews.models import QueueCard, QueuePlace
from portal.reviews.rules import Kind, Sort, View, Wanted
from portal.terms import Severity, Verdict
from portal.wiring import House
from tests.factories.attestations import desk
from tests.factories.reviews import TIERS, Bench, bench


def stored(house: House) -> list[tuple[Any, ...]]:
    with house.ledger.begin(system("test")) as tx:
        places = sa.select(
            QueuePlace.assessment_id, QueuePlace.place, QueuePlace.rank, QueuePlace.due_at, QueuePlace.snoozed_until
        ).where(QueuePlace.live)
        cards = sa.select(QueueCard.assessment_id, QueueCard.stage, QueueCard.since, QueueCard.signals)
        return sorted([tuple(map(str, row)) for query in (places, cards) for row in tx.session.execute(query)])


def anew(house: House, made: Bench) -> list[tuple[Any, ...]]:
    with house.ledger.begin(system("test")) as tx:
        placing.refresh(tx, made.desk.assessment_id)
    return stored(house)


def found(made: Bench, **wanted: Any) -> list[str]:
    with made.house.ledger.begin(made.reviewer.actor) as tx:
        return [line.stage_word for line in reviews.page(tx, Wanted(**wanted)).lines]


def test_each_step_of_a_review_puts_it_where_it_belongs(house: House) -> None:
    b = bench(house, tier=1)

    def stands(*views: View) -> None:
        assert {each for each in View if found(b, view=each)} == set(views)
        assert stored(house) == anew(house, b)

    stands(View.ALL, View.UNCLAIMED, View.TIER_1)
    b.claim()
    stands(View.ALL, View.MINE, View.TIER_1)
    flagged, asked, *_ = b.open_keys()
    b.flag(flagged, severity=Severity.HIGH)
    assert found(b, signal="finding_high") == ["Reviewing"]
    b.judge(asked, Verdict.ASK, note="Since when?")
    b.accept_rest()
    with b.at(b.reviewer.actor) as (tx, review):
        reviews.return_questions(tx, review=review, row_version=review.row_version)
    stands(View.VENDOR)
    b.desk.reply(asked)
    b.desk.sign()
    stands(View.ALL, View.UNCLAIMED, View.TIER_1)
    assert found(b, kind=Kind.REPLY) == ["New"]
    b.review()
    stands(View.ALL, View.MINE, View.TIER_1, View.DECIDE)
    proposed = b.propose(b.lead, reason="It was shown to us.")
    stands(View.ALL, View.MINE, View.TIER_1, View.COSIGN)
    b.sign(b.second, proposed)
    stands()


@pytest.mark.parametrize(
    ("wanted", "is_there"),
    [
        ({"tier": 2}, True),
        ({"tier": 1}, False),
        ({"kind": Kind.FIRST}, True),
        ({"kind": Kind.RENEWAL}, False),
        ({"who": "nobody"}, True),
        ({"who": "me"}, False),
        ({"data_class": 3}, True),
        ({"data_class": 5}, False),
        ({"tier": 2, "kind": Kind.FIRST, "who": "nobody", "data_class": 3, "sort": Sort.RISK}, True),
        ({"tier": 2, "data_class": 5}, False),
        ({"view": View.UNCLAIMED, "tier": 2}, True),
        ({"view": View.VENDOR, "tier": 2}, False),
    ],
)
def test_filters_narrow_together(house: House, wanted: dict[str, Any], is_there: bool) -> None:
    b = bench(house, tier=2)

    assert bool(found(b, **wanted)) is is_there
    with house.ledger.begin(b.reviewer.actor) as tx:
        (count,), overdue = reviews.count(tx, [Wanted(**wanted)])
    assert (count.words, overdue.words) == (str(int(is_there)), "0")


@pytest.mark.parametrize("sort", list(Sort))
def test_pages_follow_each_other_without_a_gap_or_a_row_twice(house: House, sort: Sort) -> None:
    names = ("Quillmark Annotation", "Palisade Red Team", "Kestrel Speech")
    made = [Bench(house, desk(house, name=name, **TIERS[tier])) for name, tier in zip(names, (2, 1, 3), strict=True)]
    for each in made:
        each.desk.complete()
        each.desk.sign()
    reader = made[0].reviewer

    seen = []
    after = None
    with house.ledger.begin(reader.actor) as tx:
        whole = [line.id for line in reviews.page(tx, Wanted(sort=sort)).lines]
        for _ in range(4):
            page = reviews.page(tx, Wanted(sort=sort), after=after, limit=1)
            seen += [line.id for line in page.lines]
            after = page.onward
            if after is None:
                break
    assert len(whole) == len(set(whole)) == len(made)
    assert seen == whole


def test_a_snoozed_review_is_elsewhere_until_its_day_and_comes_back_by_the_clock(
    house: House, clock: FixedClock
) -> None:
    b = bench(house)
    with b.at(b.reviewer.actor) as (tx, review):
        reviews.snooze(tx, review=review, until=date(2026, 11, 27), reason="The report comes on Thursday.")

    assert (found(b), found(b, view=View.UNCLAIMED), found(b, view=View.SNOOZED)) == ([], [], ["New"])
    with b.at(b.other.actor) as (tx, review):
        line = reviews.snoozed(tx, review)
        assert line is not None
        assert (line.by, line.reason) == ("Ines Valdarno", "The report comes on Thursday.")
        (waiting, snoozed), _ = reviews.count(tx, [Wanted(), Wanted(view=View.SNOOZED)])
        assert (waiting.number, snoozed.number) == (0, 1)

    clock.advance(days=3)

    assert (found(b), found(b, view=View.SNOOZED)) == (["New"], [])
    with pytest.raises(Conflict, match="not snoozed any more"), b.at(b.other.actor) as (tx, review):
        reviews.wake(tx, review=review)


def test_waking_brings_it_back_at_once_and_another_day_takes_the_place_of_the_first(house: House) -> None:
    b = bench(house)
    for day in (27, 28):
        with b.at(b.reviewer.actor) as (tx, review):
            reviews.snooze(tx, review=review, until=date(2026, 11, day), reason="Later.")
    with b.at(b.other.actor) as (tx, review):
        line = reviews.snoozed(tx, review)
        assert line is not None
        assert line.until.day == 28
        reviews.wake(tx, review=review)

    assert (found(b), found(b, view=View.SNOOZED)) == (["New"], [])


@pytest.mark.parametrize(
    ("until", "reason", "problem"),
    [
        (None, "Later", {"until": ["Enter the day on which it comes back, for example 7 12 2026"]}),
        (date(2026, 11, 24), "Later", {"until": ["Choose a day after today"]}),
        (date(2026, 12, 25), "Later", {"until": ["Choose a day up to 24 December 2026"]}),
        (date(2026, 11, 25), " ", {"reason": ["Enter why it can wait; your colleagues read this"]}),
        (date(2026, 11, 25), "x" * 301, {"reason": ["Use at most 300 characters"]}),
    ],
)
def test_a_snooze_needs_a_day_soon_and_a_reason(
    house: House, until: date | None, reason: str, problem: dict[str, list[str]]
) -> None:
    b = bench(house)
    with pytest.raises(Refused) as refusal, b.at(b.reviewer.actor) as (tx, review):
        reviews.snooze(tx, review=review, until=until, reason=reason)
    assert refusal.value.problems == problem


def test_only_its_reviewer_and_leads_snooze_what_somebody_has_and_nobody_what_is_finished(house: House) -> None:
    b = bench(house)
    b.claim()
    with pytest.raises(Forbidden), b.at(b.other.actor) as (tx, review):
        reviews.snooze(tx, review=review, until=date(2026, 11, 25), reason="Later")
    with b.at(b.lead.actor) as (tx, review):
        reviews.snooze(tx, review=review, until=date(2026, 11, 25), reason="Later")
    b.accept_rest()
    b.recommend()

    assert found(b, view=View.DECIDE) == ["To decide"]
    with pytest.raises(Conflict, match="finished"), b.at(b.reviewer.actor) as (tx, review):
        reviews.snooze(tx, review=review, until=date(2026, 11, 25), reason="Later")


def test_a_view_is_kept_under_its_name_by_one_person_and_removed(house: House) -> None:
    b = bench(house)
    wanted = Wanted(tier=1, signal="went_down", sort=Sort.RISK)
    with house.ledger.begin(b.reviewer.actor) as tx:
        kept = reviews.save_view(tx, name=" Tier 1,  worse ", wanted=wanted)
    with house.ledger.begin(b.reviewer.actor) as tx:
        assert [(each.name, each.wanted) for each in reviews.own_views(tx)] == [("Tier 1, worse", wanted)]
        with pytest.raises(Refused, match="already"):
            reviews.save_view(tx, name="tier 1, WORSE", wanted=wanted)
        for name in ("", "x" * 41):
            with pytest.raises(Refused):
                reviews.save_view(tx, name=name, wanted=wanted)
    with house.ledger.begin(b.other.actor) as tx:
        assert reviews.own_views(tx) == []
        with pytest.raises(NotFound):
            reviews.remove_view(tx, view_id=kept)
    with house.ledger.begin(b.reviewer.actor) as tx:
        assert reviews.remove_view(tx, view_id=kept) == "Tier 1, worse"
        assert reviews.own_views(tx) == []
        reviews.save_view(tx, name="Tier 1, worse", wanted=wanted)


def test_who_reads_no_reviews_sees_no_list_of_them(house: House) -> None:
    b = bench(house)
    with house.ledger.begin(b.admin.actor) as tx:
        for act in (
            lambda: reviews.page(tx, Wanted()),
            lambda: reviews.count(tx, [Wanted()]),
            lambda: reviews.save_view(tx, name="Mine", wanted=Wanted()),
        ):
            with pytest.raises(Forbidden):
                act()

"""Lists of the queue: what an address asks for, in which lists a review is, and what is risky."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.reviews.rules import (
    ME,
    NOBODY,
    SIGNAL_WORDS,
    Cursor,
    Kind,
    Signal,
    Sort,
    Stage,
    View,
    Wanted,
    asked_words,
    excerpt_of,
    places_of,
    rank_of,
    says,
)

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PEOPLE = [UUID(int=each) for each in range(1, 4)]

wanteds = st.builds(
    Wanted,
    view=st.sampled_from(View),
    tier=st.none() | st.integers(1, 3),
    kind=st.none() | st.sampled_from(Kind),
    who=st.sampled_from(["", ME, NOBODY, *map(str, PEOPLE)]),
    signal=st.sampled_from(["", *SIGNAL_WORDS]),
    data_class=st.none() | st.integers(0, 5),
    sort=st.sampled_from(Sort),
)
reviews = st.fixed_dictionaries(
    {
        "stage": st.sampled_from(Stage),
        "tier": st.integers(1, 3),
        "kind": st.sampled_from(Kind),
        "reviewer_id": st.none() | st.sampled_from(PEOPLE),
        "signals": st.lists(st.sampled_from([*SIGNAL_WORDS]), max_size=3),
        "data_classes": st.lists(st.integers(0, 5), min_size=1, max_size=3),
    }
)


@given(wanteds)
def test_an_address_gives_back_what_was_asked_for(wanted: Wanted) -> None:
    assert Wanted.read(wanted.written()) == wanted


@given(st.dictionaries(st.sampled_from(["tab", "tier", "kind", "who", "signal", "data", "sort"]), st.text()))
def test_any_address_asks_for_something_that_can_be_written(given_parts: dict[str, str]) -> None:
    wanted = Wanted.read(given_parts)

    assert Wanted.read(wanted.written()) == wanted


def _belongs(review: dict[str, object], wanted: Wanted, *, hidden: bool, me: UUID) -> bool:
    """Say the plain way whether a review belongs into a list."""
    stage, who = review["stage"], review["reviewer_id"]
    in_view = {
        View.ALL: stage is not Stage.WITH_VENDOR,
        View.MINE: stage is not Stage.WITH_VENDOR and who == me,
        View.UNCLAIMED: stage is Stage.NEW,
        View.TIER_1: stage is not Stage.WITH_VENDOR and review["tier"] == 1,
        View.VENDOR: stage is Stage.WITH_VENDOR,
        View.DECIDE: stage is Stage.TO_DECIDE,
        View.COSIGN: stage is Stage.TO_COSIGN,
        View.SNOOZED: hidden,
    }[wanted.view]
    asked = {ME: me, NOBODY: None}.get(wanted.who, UUID(wanted.who) if "-" in wanted.who else None)
    return (
        in_view
        and hidden == (wanted.view is View.SNOOZED)
        and wanted.tier in {None, review["tier"]}
        and wanted.kind in {None, review["kind"]}
        and (not wanted.who or who == asked)
        and (not wanted.signal or wanted.signal in review["signals"])  # type: ignore[operator]
        and (wanted.data_class is None or wanted.data_class in review["data_classes"])  # type: ignore[operator]
    )


@given(reviews, wanteds, st.sampled_from([None, -1, 1]))
def test_a_review_is_in_the_lists_that_it_belongs_to_and_in_no_other(
    review: dict[str, object], wanted: Wanted, days: int | None
) -> None:
    # Only what is being reviewed is set aside.
    aside = days if review["stage"] in {Stage.NEW, Stage.REVIEWING} else None
    until = NOW + timedelta(days=aside) if aside is not None else None
    places = places_of(**review, snoozed=until is not None)  # type: ignore[arg-type]

    found = wanted.takes(places, snoozed_until=until, now=NOW, me=PEOPLE[0])

    assert found is _belongs(review, wanted, hidden=until is not None and until > NOW, me=PEOPLE[0])


def test_the_stricter_tier_comes_first_and_then_what_stands_out() -> None:
    def rank(tier: int, *kinds: str) -> int:
        return rank_of(tier, [Signal(kind, "", "stop") for kind in kinds])

    ranks = [
        rank(1, *["knock_out_failed"] * 9),
        rank(1, "knock_out_failed"),
        rank(1, "finding_high"),
        rank(1),
        rank(2, *["knock_out_failed"] * 9),
        rank(2),
        rank(3),
    ]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


@given(st.integers(0, 4_000), st.integers(0, 10**16), st.uuids())
def test_a_cursor_survives_the_address(rank: int, moment: int, row: UUID) -> None:
    cursor = Cursor(rank, moment, row)
    assert Cursor.read(cursor.written()) == cursor


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1.2",
        "1.2.x",
        "-1.2." + str(UUID(int=1)),
        "1." + "9" * 30 + "." + str(UUID(int=1)),
        "².1." + str(UUID(int=1)),
    ],
)
def test_an_address_that_says_no_place_begins_at_the_top(text: str) -> None:
    assert Cursor.read(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Quill", ("quill",)),
        ("  SOC 2, type II ", ("soc", "type", "ii")),
        ("Müller-Straße", ("müller", "straße")),
        ("a % _ '", ()),
        ("one two three four five six seven", ("one", "two", "three", "four", "five", "six")),
    ],
)
def test_words_are_letters_and_digits_in_small(text: str, words: tuple[str, ...]) -> None:
    assert asked_words(text) == words


def test_a_text_says_a_word_by_its_beginning_and_all_of_several() -> None:
    text = "Laptops are encrypted, at every site but one."

    assert says(text, ["encr", "site"])
    assert not says(text, ["crypted"])
    assert not says(text, ["laptops", "server"])
    assert not says(text, [])


def test_an_excerpt_shows_the_word_with_what_stands_around_it() -> None:
    found = excerpt_of("x" * 100 + " every laptop is encrypted " + "y" * 100, ["lapt"], around=12)

    assert found is not None
    assert found.hit == "laptop"
    assert found.before.startswith("…")
    assert found.before.endswith("every ")
    assert found.after.startswith(" is")
    assert found.after.endswith("…")
    assert excerpt_of("nothing", ["lapt"]) is None

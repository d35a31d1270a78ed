"""Masking, sketches and common passages: what makes two descriptions alike, and how far apart honest ones are."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.evidence.rules import likeness
from portal.evidence.rules.anatomy import Part, Passage, parts
from portal.evidence.rules.masking import Word, mask
from tests.factories.reporting.unseen import UNSEEN
from tests.factories.reports import Report, report

HERE = "Every laptop of Lumen is encrypted. In Kaunas, Ada Quill reviews access of 312 people every ninety days."
THERE = "Every laptop of Orbit is encrypted. In Porto, Milo Tanner reviews access of 45 people every 30 days."


PINNED = (
    "minhash-2-128x3-words5-mask1",
    (42674550, 433114166, 1970575511),
    (5884388514103280513, -5839908716657735371),
)


def described(made: Report) -> tuple[Word, ...]:
    facts = made.facts
    carved = [name for name, _purpose in facts.carved_out]
    names = [facts.entity, facts.short, facts.system, made.truth["auditor"], *carved]
    return mask(parts(made.text_pages)[Part.DESCRIPTION].text, names)


def said(text: str, *names: str) -> str:
    return " ".join(word.masked for word in mask(text, names))


def test_names_places_and_numbers_are_masked_and_nothing_else() -> None:
    assert said(HERE) == said(THERE)
    assert said(HERE) == "every laptop of ▢ is encrypted in ▢ reviews access of # people every # days"
    assert (
        said("clear data services stores it; see https://a.example", "Clear Data Services Ltd.") == "▢ stores it see ▢"
    )
    assert said("From 1 April 2025 to June 30, 2026") == "from # to #"


@given(st.text(max_size=300))
def test_any_text_can_be_masked_and_every_word_stands_where_it_says(text: str) -> None:
    words = mask(text, ["Acme Ltd."])
    places = [(word.start, word.end) for word in words]
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert places == sorted(places)


@given(st.text(max_size=400))
def test_any_text_has_parts_or_none(text: str) -> None:
    for passage in parts([text, text]).values():
        assert isinstance(passage, Passage)
        assert passage.page_at(0) in (1, 2)


@pytest.mark.parametrize("swapped", [False, True])
def test_parts_are_known_by_their_headings_also_when_a_firm_swaps_them(swapped: bool) -> None:
    for seed in range(12):
        made = report(seed, swapped=swapped, type=2)
        found = parts(made.text_pages)
        assert {Part.OPINION, Part.ASSERTION, Part.DESCRIPTION, Part.TESTS} <= found.keys(), seed
        first = made.section_three.split("\n")[1][:40]
        assert first in found[Part.DESCRIPTION].text, seed
        assert "auditor" not in found[Part.ASSERTION].text[:40].lower(), seed


def test_descriptions_are_found_under_most_headings_that_nobody_tuned_for() -> None:
    found = [Part.DESCRIPTION in parts(report(seed, style=style).text_pages) for seed, style in enumerate(UNSEEN)]
    assert sum(found) >= len(found) - 1


def test_copies_with_other_names_share_almost_all_and_honest_reports_less_than_the_line() -> None:
    pieces = [likeness.shingles(described(report(seed))) for seed in range(60)]
    honest = max(likeness.share(one, other) for one, other in combinations(pieces, 2))
    copies = min(
        likeness.share(
            pieces[seed],
            likeness.shingles(described(report(seed, entity="Quillfeather Robotics Limited", short="Quillfeather"))),
        )
        for seed in range(12)
    )
    assert honest < likeness.LIKE_PER_MILLE - 100
    assert copies > likeness.LIKE_PER_MILLE + 300


def test_a_copy_that_was_padded_is_still_alike() -> None:
    copied = likeness.shingles(described(report(3)))
    padded = copied | likeness.shingles(described(report(4)))
    assert likeness.share(copied, padded) == 1000


def test_a_sketch_estimates_the_share_and_equal_texts_have_equal_bands() -> None:
    one, other = (likeness.shingles(described(report(seed))) for seed in (3, 5))
    a, b = likeness.sketch(one), likeness.sketch(other)
    assert a is not None
    assert b is not None
    assert likeness.sketch(one) == a
    assert len(set(a.bands)) == likeness.BANDS
    assert all(-(2**63) <= band < 2**63 for band in a.bands)
    exact = len(one & other) * 1000 // len(one | other)
    assert abs(likeness.estimate(a.signature, b.signature) - exact) < 130
    assert likeness.sketch(frozenset({"too few of them"})) is None


def test_sketches_that_were_stored_still_mean_the_same() -> None:
    """A change of the library or of the masking must change METHOD, or old sketches are compared with new ones."""
    made = likeness.sketch(frozenset(f"shingle number {n}" for n in range(100)))
    assert made is not None
    assert (likeness.METHOD, made.signature[:3], made.bands[:2]) == PINNED


def test_common_passages_are_the_longest_and_do_not_overlap() -> None:
    one = mask(f"We begin otherwise than they do here. {HERE} {HERE.replace('laptop', 'phone')} The end differs.")
    other = mask(f"{THERE} And then something else follows, quite unlike the first of both.")
    (only, *rest) = likeness.common(one, other)
    assert rest == []
    assert one[only.a].masked == other[only.b].masked == "every"
    assert only.words == len(mask(THERE))


def test_a_long_passage_is_read_in_pieces_that_fit_together() -> None:
    assert likeness.in_pieces(likeness.Common(3, 40, 250)) == (
        likeness.Common(3, 40, 120),
        likeness.Common(123, 160, 120),
        likeness.Common(243, 280, 10),
    )


def test_matched_pieces_tell_what_both_have_from_what_they_have_not() -> None:
    here, there = likeness.matched("Every laptop of Lumen is encrypted", "Every laptop of Orbit is encrypted")
    assert [(piece.text, piece.common) for piece in here] == [
        ("Every laptop of", True),
        ("Lumen", False),
        ("is encrypted", True),
    ]
    assert [piece.text for piece in there if not piece.common] == ["Orbit"]

"""Inherent risk, tier and slugs."""

from __future__ import annotations

from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.vendors import rules

MODES = ("A1", "A2", "A3", "A4", "A5")
NARROW: tuple[int, list[str], list[str]] = (40, ["employees"], ["yours"])
CROWD: tuple[int, list[str], list[str]] = (40, ["crowd"], ["yours"])


@pytest.mark.parametrize(
    ("data_classes", "access_modes", "workforce", "risk", "tier"),
    [
        ([4], ["A3"], CROWD, 20, 1),
        ([4], ["A2"], CROWD, 12, 2),
        ([3], ["A2"], NARROW, 6, 2),
        ([1], ["A3"], NARROW, 4, 3),
        ([5], ["A1"], NARROW, 5, 1),
        ([2], ["A3", "A4"], CROWD, 10, 2),
    ],
)
def test_the_golden_examples_are_exact(
    data_classes: list[int],
    access_modes: list[str],
    workforce: tuple[int, list[str], list[str]],
    risk: int,
    tier: int,
) -> None:
    assert rules.inherent_risk(data_classes, access_modes, *workforce) == risk
    assert rules.tier(data_classes, access_modes, *workforce) == tier


@pytest.mark.parametrize(
    ("people", "workforce", "devices", "wide"),
    [
        (1_000, ["employees", "dedicated"], ["yours", "ours"], False),
        (1_001, ["employees"], ["yours"], True),
        (3, ["crowd"], ["yours"], True),
        (3, ["agencies"], ["yours"], True),
        (3, ["employees"], ["own"], True),
    ],
)
def test_exposure_is_wide_for_crowds_agencies_own_devices_and_more_than_a_thousand(
    people: int, workforce: list[str], devices: list[str], wide: bool
) -> None:
    assert rules.is_wide(people, workforce, devices) is wide


def test_exposure_is_at_most_five() -> None:
    assert rules.inherent_risk([5], ["A5"], 5_000, ["crowd"], ["own"]) == 25


def test_a5_is_tier_1_whatever_the_data() -> None:
    assert rules.inherent_risk([0], ["A5"], *NARROW) == 0
    assert rules.tier([0], ["A5"], *NARROW) == 1


@pytest.mark.parametrize(
    ("risk", "word"),
    [(0, "low"), (3, "low"), (4, "moderate"), (8, "moderate"), (9, "high"), (15, "high"), (16, "critical")],
)
def test_bands(risk: int, word: str) -> None:
    assert rules.band(risk) == word


SUBSETS = st.sampled_from(list(chain.from_iterable(combinations(MODES, n) for n in range(1, 6))))
CLASSES = st.sets(st.integers(0, 5), min_size=1)
WORKFORCES = st.sets(st.sampled_from(sorted(rules.WORKFORCE_WORDS)), min_size=1)
DEVICES = st.sets(st.sampled_from(sorted(rules.DEVICE_WORDS)), min_size=1)


@given(CLASSES, SUBSETS, st.integers(0, 3_000), WORKFORCES, DEVICES, CLASSES, SUBSETS, WORKFORCES, DEVICES)
def test_p9_adding_anything_never_lowers_the_risk_nor_loosens_the_tier(
    classes: set[int],
    modes: tuple[str, ...],
    people: int,
    workforce: set[str],
    devices: set[str],
    more_classes: set[int],
    more_modes: tuple[str, ...],
    more_workforce: set[str],
    more_devices: set[str],
) -> None:
    before = (classes, modes, people, workforce, devices)
    after = (
        classes | more_classes,
        {*modes, *more_modes},
        people + 500,
        workforce | more_workforce,
        devices | more_devices,
    )

    assert rules.inherent_risk(*after) >= rules.inherent_risk(*before)
    assert rules.tier(*after) <= rules.tier(*before)


@pytest.mark.parametrize(
    ("computed", "wanted", "stands"), [(3, 2, 2), (3, 1, 1), (2, 2, None), (1, 2, None), (2, None, None)]
)
def test_a_persons_tier_is_only_ever_stricter(computed: int, wanted: int | None, stands: int | None) -> None:
    assert rules.raised(computed, wanted) == stands


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Quillmark Annotation", "quillmark-annotation"),
        ("  Müller & Söhne GmbH ", "muller-and-sohne-gmbh"),
        ("Straße-Data", "strasse-data"),
        ("Łódź Labels", "lodz-labels"),
        ("O’Hara's Desk", "oharas-desk"),
        ("データ工房", "vendor"),
        ("---", "vendor"),
        ("Northpier 北", "northpier"),
        ("Ⅳ Labs", "iv-labs"),
    ],
)
def test_names_become_slugs(name: str, slug: str) -> None:
    assert rules.slug_of(name, fallback="vendor") == slug


@given(st.text(max_size=200))
def test_every_name_has_a_slug_that_the_table_takes(name: str) -> None:
    assert rules.is_slug(rules.slug_of(name, fallback="vendor"))


@given(st.text(max_size=80), st.integers(0, 12))
def test_a_taken_slug_gets_a_number_and_stays_a_slug(name: str, times: int) -> None:
    taken: set[str] = set()
    for _ in range(times + 1):
        slug = rules.free_slug(rules.slug_of(name, fallback="vendor"), taken)
        assert slug not in taken
        assert rules.is_slug(slug)
        taken.add(slug)

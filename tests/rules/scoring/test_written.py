"""The scoring policy as a text: exact both ways, told in words, and refused where it would break a law."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.evidence.rules.periods import PERIODS_1, Periods
from portal.scoring.rules import (
    POLICY_1,
    Exposure,
    Inputs,
    Policy,
    canonical,
    digest,
    read_inputs,
    read_policy,
    score,
    trusted_inputs,
)
from portal.scoring.rules.policy import TIERS
from portal.scoring.rules.written import PLACES, changes, dangers, periods_of, policy_of, problems_of, read, written
from tests.rules.scoring.builders import inputs_of, law, policies

FIRST = written(POLICY_1)


def text_with(*pairs: tuple[str, str]) -> str:
    text = FIRST
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def test_the_first_policy_is_its_text() -> None:
    assert read(FIRST, 1) == POLICY_1
    assert policy_of(FIRST, 1) == POLICY_1
    assert problems_of(FIRST) == []


def writable(policy: Policy) -> Policy:
    """Return the policy with the names of bands and letters that a text has, whose numbers alone are decided."""
    return replace(
        policy,
        bands=POLICY_1.bands,
        band_above=POLICY_1.band_above,
        letters=POLICY_1.letters,
        letter_below=POLICY_1.letter_below,
        letter_cap="C",
        required=POLICY_1.required,
        relief=min(policy.relief, 100),
    )


@law
@given(policies(), st.integers(2, 60), st.integers(7, 900), st.integers(2, 50))
def test_any_policy_comes_back_from_its_text(policy: Policy, months: int, days: int, version: int) -> None:
    periods = replace(PERIODS_1, PT=months, SPL=days)
    policy = replace(writable(policy), version=version, periods=periods.beside(PERIODS_1))
    try:
        found = read(written(policy), version)
    except ValueError as refused:
        assert "whole number from" in str(refused), "only a number outside of what a place takes is refused"  # noqa: PT017
        return
    assert found == policy
    assert written(found) == written(policy)
    assert read_policy(canonical(found)) == found


def test_a_policy_of_before_has_no_word_of_periods_in_its_bytes() -> None:
    assert b"periods" not in canonical(POLICY_1)
    assert digest(POLICY_1) == "82bfb30614cf4ed9ec245c951b3f2f93242aa396bdf04f51edf553415ea10e16"
    shorter = replace(POLICY_1, periods=(("PT", 6),))
    assert b'"periods":[["PT",6]]' in canonical(shorter)
    assert periods_of(shorter) == Periods(PT=6)


def test_differences_are_told_in_words() -> None:
    after = read(
        text_with(
            ("approve: 80", "approve: 82"), ("VS: 35", "VS: 40"), ("[SOC2 or ISO, PT", "[SOC2 or ISO or STAR, PT")
        ),
        2,
    )
    assert [str(each) for each in changes(POLICY_1, after)] == [
        "Approve in tier 1: 80 → 82",
        "Required in tier 1: SOC2 or ISO, PT, INS, SPL, DPA if pii → SOC2 or ISO or STAR, PT, INS, SPL, DPA if pii",
        "Vulnerability scan counts: 35 days → 40 days",
    ]


@law
@given(st.sampled_from([each for each in PLACES if each.low is not None]), st.integers(-3, 3))
def test_each_number_has_one_place_and_one_name(place: object, by: int) -> None:
    """Changing one number changes one line of the differences, or the text is refused with a sentence."""
    value = place.read(POLICY_1) + by  # type: ignore[attr-defined]
    lines = FIRST.splitlines()
    at = next(
        number
        for number, line in enumerate(lines)
        if line.strip() == f"{place.path[-1]}: {place.read(POLICY_1)}" and _path_at(lines, number) == place.path  # type: ignore[attr-defined]
    )
    lines[at] = lines[at].rsplit(" ", 1)[0] + f" {value}"
    try:
        after = read("\n".join(lines), 2)
    except ValueError as refused:
        assert str(refused)  # noqa: PT017
        return
    assert [each.words for each in changes(POLICY_1, after)] == ([place.words] if by else [])  # type: ignore[attr-defined]


def _path_at(lines: list[str], number: int) -> tuple[str, ...]:
    """Return the path of the name on a line, from the indentation above it."""
    path, depth = [lines[number].strip().split(":")[0]], len(lines[number]) - len(lines[number].lstrip())
    for line in reversed(lines[:number]):
        here = len(line) - len(line.lstrip())
        if line.strip() and not line.startswith("#") and here < depth:
            path.insert(0, line.strip().split(":")[0])
            depth = here
    return tuple(path)


def test_words_do_not_collide() -> None:
    assert len({each.words for each in PLACES}) == len(PLACES)
    assert len({each.path for each in PLACES}) == len(PLACES)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([("approve: 80", "aprove: 80")], "“thresholds.tier_1.aprove” is not part of a scoring policy"),
        ([("relief: 90", "")], "“residual_risk.relief” is missing"),
        ([("relief: 90", "relief: 90.0")], "“residual_risk.relief” is a whole number from 0 to 100"),
        ([("relief: 90", "relief: 90\n  relief: 80")], "is there twice"),
        ([("relief: 90", "relief: &x 90")], "names for parts (& and *) are not used here"),
        ([("relief: 90", "relief: [")], "this is not YAML"),
        ([("[SOC2 or ISO, PT", "[SOC9 or ISO, PT")], "“SOC9” is not a kind of evidence"),
        ([("DPA if pii", "DPA if rain")], "“rain” is not a scoping fact"),
        ([("tiers_verified: [1]", "tiers_verified: [4]")], "is a list of tiers"),
        ([("with_failed_knock_out: D", "with_failed_knock_out: F")], "is one of A, B, C, D and E"),
        ([("approve: 80", "approve: 60")], "Approval cannot demand less than consideration"),
        ([("expired: 75", "expired: 80")], "Factors rise from none = expired"),
        ([("SOC2_type_1: 6", "SOC2_type_1: 13")], "A Type 1 report cannot hold longer than a Type 2"),
        ([("A2: 2", "A2: 5")], "cannot weigh less than a narrower one (P9)"),
        ([("tier_2_from_risk: 6", "tier_2_from_risk: 15")], "Tier 1 begins at a higher risk than tier 2 (P9)"),
        ([("relief: 90", "relief: 95")], "at most 90 % of the risk"),
        ([("none: 75", "none: 40"), ("expired: 75", "expired: 40")], "so it cannot keep more (P3)"),
        ([("approve: 70", "approve: 85")], "Tier 2 cannot demand more than tier 1"),
        ([("tier_3: -1", "tier_3: 1")], "cannot expect more evidence (P9)"),
        ([("tier_1: 0\n  tier_2: 0\n  tier_3: -1", "tier_1: 0\n  tier_2: -1\n  tier_3: -1")], "(P16)"),
        ([("consider: 65", "consider: 50"), ("consider: 55", "consider: 50")], "claims without evidence must stay"),
        ([("most_strength: 50", "most_strength: 80")], "stays below what tier 1 approves (P10)"),
    ],
)
def test_what_is_wrong_is_said(pairs: list[tuple[str, str]], said: str) -> None:
    assert any(said in each for each in problems_of(text_with(*pairs))), problems_of(text_with(*pairs))


@law
@given(inputs_of(), policies(), st.sampled_from((1, 2, 3, 4, 5)), st.integers(0, 5))
def test_a_policy_without_dangers_keeps_the_laws_of_risk(given_: Inputs, policy: Policy, mode: int, level: int) -> None:
    """P1 and P9 for every policy that may be in force, not for the shipped one alone."""
    policy = writable(policy)
    if dangers(policy):
        policy = replace(POLICY_1, thresholds=POLICY_1.thresholds, wide_step=policy.wide_step % 6)
    before = replace(given_, policy=policy)
    result = score(before)
    assert 0 <= result.measures.verified <= result.measures.score <= result.measures.claim <= 100
    assert Fraction(result.inherent.value, 10) <= result.residual <= result.inherent.value
    exposure = before.exposure
    wider = replace(
        before,
        exposure=Exposure(
            (*exposure.data_classes, level),
            (*exposure.access_modes, mode),
            True,
            exposure.own_devices,
            exposure.subcontracted,
            exposure.people,
        ),
    )
    after = score(wider)
    assert after.inherent.value >= result.inherent.value
    assert after.tier <= result.tier
    assert after.tier in TIERS


@law
@given(inputs_of(), st.none() | policies())
def test_inputs_that_are_trusted_are_those_that_are_proved(given_: Inputs, policy: Policy | None) -> None:
    given_ = replace(given_, policy=policy or POLICY_1, facts=(',"version":{"digest":',))
    assert trusted_inputs(canonical(given_)) == read_inputs(canonical(given_)) == given_

"""Facts from what was stated: what is set by which option, and that an unknown is never the safer case."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.questionnaires.rules import FLAGS, MODES, Facts, Problems, Stated, facts_from, parse_fact
from tests.rules.questionnaires.samples import law, shipped

QUESTIONNAIRE = shipped("ai-contractor")
CALM: dict[str, Any] = {
    "scp.services": ["labelling"],
    "scp.data": [{"engagement": "Lantern", "class": "D1", "how": "received"}],
    "scp.access": ["A2"],
    "scp.people": "40",
    "scp.workforce": ["employees"],
    "scp.devices": ["yours"],
    "scp.labs": "no",
    "scp.platform": "no",
    "scp.places": [{"country": "Portugal", "site": "Porto", "place": "remote", "activity": "work"}],
    "scp.persons": [],
}


def facts(**changes: Any) -> Facts:
    stated = {**CALM, **{f"scp.{key}": value for key, value in changes.items()}}
    return facts_from({key: value for key, value in stated.items() if value is not ...}, QUESTIONNAIRE)


def test_a_calm_engagement_sets_no_flag() -> None:
    assert facts() == Facts(svc=frozenset({"labelling"}), dmax=1, modes=frozenset({"A2"}), people=40)


@pytest.mark.parametrize(
    ("change", "flags"),
    [
        ({"services": ["synthetic"]}, {"synth"}),
        ({"workforce": ["agencies"]}, {"subs"}),
        ({"workforce": ["crowd"]}, {"crowd", "subs"}),
        ({"devices": ["yours", "own"]}, {"byod"}),
        ({"labs": "yes"}, {"multi"}),
        ({"labs": {"value": "yes", "details": {"names": "One other"}}}, {"multi"}),
        ({"platform": True}, {"dev"}),
        ({"places": [{"place": "office"}, {"place": "remote"}]}, {"office"}),
        ({"persons": ["personal"]}, {"pii"}),
        ({"persons": ["minors", "aitools"]}, {"pii", "special", "aitools"}),
    ],
)
def test_each_flag_follows_from_its_fact(change: dict[str, Any], flags: set[str]) -> None:
    found = facts(**change)

    assert {flag for flag in FLAGS if found.flag(flag)} == flags


def test_the_highest_class_of_any_engagement_counts() -> None:
    assert facts(data=[{"class": "D2"}, {"class": "D4"}, {"class": "D0"}]).dmax == 4
    assert facts(data=[]).dmax == 0


def test_services_and_modes_are_those_chosen() -> None:
    found = facts(services=["eval", "redteam"], access=["A4", "A5"])

    assert (found.svc, found.modes) == ({"eval", "redteam"}, {"A4", "A5"})


def test_nothing_known_is_the_worst_case() -> None:
    found = facts_from({}, QUESTIONNAIRE)

    assert all(found.flag(flag) for flag in FLAGS)
    assert (found.dmax, found.people, found.modes) == (5, 1_001, MODES)
    assert {"eval", "redteam"} <= found.svc


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"workforce": ...}, "crowd"),
        ({"workforce": ["robots"]}, "crowd"),
        ({"devices": "own"}, "byod"),
        ({"labs": ...}, "multi"),
        ({"labs": "perhaps"}, "multi"),
        ({"platform": 1}, "dev"),
        ({"places": [{"country": "Portugal"}]}, "office"),
        ({"places": ["Porto"]}, "office"),
        ({"persons": None}, "special"),
    ],
)
def test_a_missing_or_unreadable_fact_is_taken_for_the_worse(change: dict[str, Any], flag: str) -> None:
    assert facts(**change).flag(flag)


@pytest.mark.parametrize("stated", [..., "many", "-3", True, None, "1e9"])
def test_an_unreadable_number_of_people_is_wide(stated: Any) -> None:
    assert facts(people=stated).people == 1_001


def test_a_row_without_its_class_counts_as_the_highest() -> None:
    assert facts(data=[{"engagement": "Lantern"}]).dmax == 5
    assert facts(data=[{"class": "D9"}]).dmax == 5


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["D3", "office", "yes", "crowd"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["class", "place", "value"]), inner),
    max_leaves=6,
)


@law
@given(st.dictionaries(st.sampled_from(sorted(CALM)), json_like))
def test_whatever_was_stored_gives_facts(stated: dict[str, Any]) -> None:
    assert 0 <= facts_from(stated, QUESTIONNAIRE).dmax <= 5


@law
@given(st.sets(st.sampled_from(sorted(CALM))))
def test_forgetting_a_fact_never_looks_safer(forgotten: set[str]) -> None:
    known = facts_from(CALM, QUESTIONNAIRE)
    less = facts_from({key: value for key, value in CALM.items() if key not in forgotten}, QUESTIONNAIRE)

    assert all(less.flag(flag) >= known.flag(flag) for flag in FLAGS)
    assert less.dmax >= known.dmax
    assert less.people >= known.people
    assert less.modes >= known.modes
    assert less.svc >= known.svc


def test_a_form_states_a_fact() -> None:
    fact = QUESTIONNAIRE.fact

    assert parse_fact(fact("scp.access"), {"choices": ["A4", "A2"]}) == Stated(["A2", "A4"], {})
    assert parse_fact(fact("scp.persons"), {}) == Stated([], {})
    assert parse_fact(fact("scp.people"), {"number": "1200"}) == Stated("1200", {})
    assert parse_fact(fact("scp.labs"), {"choice": "yes", "details.names": "One"}) == Stated("yes", {"names": "One"})
    assert parse_fact(fact("scp.data"), {"rows.0.class": "D3", "rows.1.class": ""}) == Stated([{"class": "D3"}], {})


@pytest.mark.parametrize(
    ("key", "form", "field"),
    [
        ("scp.access", {"choices": ["A9"]}, "choices"),
        ("scp.labs", {}, "choice"),
        ("scp.people", {"number": "a few"}, "number"),
        ("scp.people", {"number": "2.5"}, "number"),
        ("scp.data", {"rows.0.class": "D9"}, "rows.0.class"),
    ],
)
def test_a_form_that_states_nothing_usable_is_refused(key: str, form: dict[str, Any], field: str) -> None:
    problems = parse_fact(QUESTIONNAIRE.fact(key), form)

    assert isinstance(problems, Problems)
    assert list(problems.by_field()) == [field]

"""OSCAL documents have what the format demands, say the same every time, and survive any text."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.exchange.rules import oscal, oscal_review
from portal.questionnaires.rules import Answer, compile_yaml
from tests.rules.exchange.oscal_samples import AT, FULL, SHA, reviewed, signed
from tests.rules.exchange.oscal_shape import LINE, TOKEN, check

SHIPPED = Path(__file__).parents[3] / "questionnaires"
ALL = {
    "catalog": lambda: oscal.catalog(FULL, at=AT),
    "profile of tier 1": lambda: oscal.profile(FULL, 1, at=AT),
    "profile of tier 3": lambda: oscal.profile(FULL, 3, at=AT),
    "crosswalk": lambda: oscal.mapping_collection(FULL, at=AT),
    "component": lambda: oscal.component_definition(FULL, signed()),
    "plan": lambda: oscal_review.assessment_plan(FULL, reviewed()),
    "results": lambda: oscal_review.assessment_results(FULL, reviewed()),
    "actions": lambda: oscal_review.plan_of_action(reviewed()),
}


@pytest.mark.parametrize("make", ALL.values(), ids=ALL.keys())
def test_every_document_has_what_the_format_demands_and_is_the_same_again(make: Any) -> None:
    check(make())
    assert json.dumps(make(), sort_keys=True) == json.dumps(make(), sort_keys=True)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*/v*.yaml")), ids=lambda path: f"{path.parent.name} {path.stem}")
def test_every_shipped_version_can_leave(path: Path) -> None:
    version = compile_yaml(path.read_bytes(), str(path))
    check(oscal.catalog(version, at=AT))
    if (crosswalk := oscal.mapping_collection(version, at=AT)) is not None:
        check(crosswalk)


@pytest.mark.parametrize(
    ("name", "identifier"),
    [("A&A-01", "A_A-01"), ("8.5", "A.8.5"), ("gov.owner", "gov.owner"), ("-x", "_-x"), ("", "_"), ("Ä 1", "A__1")],
)
def test_identifiers_are_written_in_the_letters_that_oscal_allows(name: str, identifier: str) -> None:
    assert oscal.token(name) == identifier


@settings(deadline=None, max_examples=200)
@given(st.text())
def test_any_text_makes_an_identifier_and_a_value(text: str) -> None:
    assert TOKEN.fullmatch(oscal.token(text))
    assert LINE.fullmatch(oscal.line(text))
    oscal.line(text).encode()
    assert oscal.prose(text).strip()


def test_no_two_controls_of_a_catalog_share_an_identifier() -> None:
    groups = oscal.catalog(FULL, at=AT)["catalog"]["groups"]
    ids = [each["id"] for group in groups for each in group["controls"]]
    assert len(ids) == len(set(ids)) == len(FULL.questions)


def test_the_crosswalk_claims_an_overlap_and_no_more() -> None:
    document = oscal.mapping_collection(FULL, at=AT)
    assert document is not None
    maps = [each for mapping in document["mapping-collection"]["mappings"] for each in mapping["maps"]]
    assert {each["relationship"] for each in maps} == {"intersects-with"}
    assert len(maps) == sum(len(each.maps) for each in FULL.questions)


def test_an_answer_names_its_files_by_fingerprint_and_pages() -> None:
    body = oscal.component_definition(FULL, signed())["component-definition"]
    requirements = body["components"][0]["control-implementations"][0]["implemented-requirements"]
    owner = next(each for each in requirements if each["control-id"] == "gov.owner")
    file = next(each for each in body["back-matter"]["resources"] if each["uuid"] == owner["links"][0]["href"][1:])
    assert file["rlinks"] == [{"href": f"evidence/{SHA}", "hashes": [{"algorithm": "SHA-256", "value": SHA}]}]
    assert owner["links"][0]["text"] == "pages 3, 5–7"


def test_a_partial_answer_is_not_satisfied_and_says_how_far_it_is() -> None:
    partial = oscal_review.Judged("gov.owner", 50, "verified", "accept")
    made = replace(reviewed(), judged=(partial,))
    (finding,) = oscal_review.assessment_results(FULL, made)["assessment-results"]["results"][0]["findings"]
    assert finding["target"]["status"]["state"] == "not-satisfied"
    assert {"name": "partial", "ns": oscal.NS, "value": "50 of 100"} in finding["props"]


@pytest.mark.parametrize(
    ("credit", "verdict", "state"),
    [
        (100, "accept", "satisfied"),
        (None, "accept", "satisfied"),
        (100, "flag", "not-satisfied"),
        (100, "", "not-satisfied"),
        (70, "accept", "not-satisfied"),
    ],
)
def test_only_full_credit_that_was_accepted_satisfies(credit: int | None, verdict: str, state: str) -> None:
    assert oscal_review.Judged("gov.owner", credit, "attached", verdict).state == state


def test_an_observation_ends_with_the_first_accepted_file() -> None:
    result = oscal_review.assessment_results(FULL, reviewed())["assessment-results"]["results"][0]
    ends = {each["title"]: each.get("expires") for each in result["observations"]}
    assert ends[oscal.line(FULL.question("gov.owner").label)] == "2027-09-30T23:59:59Z"
    assert ends[oscal.line(FULL.question("gov.attest").label)] is None


def test_nothing_to_do_is_no_plan_of_action() -> None:
    assert oscal_review.plan_of_action(replace(reviewed(), findings=(), conditions=())) is None


def test_a_vendor_that_was_asked_nothing_still_has_a_document() -> None:
    check(oscal.component_definition(FULL, replace(signed(), answers={}, proofs=())))
    check(oscal_review.assessment_results(FULL, replace(reviewed(), judged=())))


@settings(deadline=None, max_examples=60)
@given(comment=st.text(max_size=80), name=st.text(max_size=40), pages=st.text(max_size=10))
def test_whatever_was_written_the_document_keeps_its_shape(comment: str, name: str, pages: str) -> None:
    made = signed()
    answers = {"gov.owner": ("answered", Answer(choice="yes", comment=comment))}
    proofs = (replace(made.proofs[0], file_name=name, title=name, pages=pages),)
    check(
        oscal.component_definition(FULL, replace(made, vendor=name, signed_name=name, answers=answers, proofs=proofs))
    )

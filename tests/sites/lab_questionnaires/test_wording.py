"""Every change that two versions can have is said, once, at its place."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.questionnaires.rules import Claim, Kind
from portal.questionnaires.rules.diff import diff
from portal.sites.lab.questionnaires.wording import CLAIM_SMALLS, CLAIM_WORDS, KIND_WORDS, chapters, said
from tests.factories.definitions import compiled, definitions, edited

law = settings(deadline=None, max_examples=40, derandomize=True)


@law
@given(st.data())
def test_every_change_is_told_once(data: st.DataObject) -> None:
    first = data.draw(definitions())
    before, after = compiled(first), compiled(data.draw(edited(first)))
    changes = diff(before, after)

    told = [
        each.change for chapter in chapters(before, after, changes) for group in chapter.groups for each in group.told
    ]

    assert sorted((each.key, each.part) for each in told) == sorted((each.key, each.part) for each in changes)


@law
@given(definitions(), definitions())
def test_what_changed_reads_otherwise_than_before(one: dict[str, Any], other: dict[str, Any]) -> None:
    before, after = compiled(one), compiled(other)
    for chapter in chapters(before, after, diff(before, after)):
        for group in chapter.groups:
            for each in group.told:
                assert each.kind
                old = "".join(piece.text for piece in each.pieces if piece.kind != "in")
                assert old == said(each.change.aspect, each.change.old)


def test_every_kind_and_every_claim_has_its_words() -> None:
    assert set(KIND_WORDS) == set(Kind)
    assert set(CLAIM_WORDS) == set(CLAIM_SMALLS) == set(Claim)


def test_steps_options_and_needs_are_words() -> None:
    steps = [{"operator": "<=", "bound": "24", "credit": 100}, {"operator": None, "bound": None, "credit": 0}]
    assert said("steps", steps) == "at most 24: 100; otherwise: 0"
    assert said("evidence", {"level": 2, "kinds": ["SOC2", "POL"]}) == "required: SOC2, POL"
    assert said("knock_out", {"tiers": [1, 2], "limit": 50, "fails": "below_full"}) == (
        "in tier 1, 2, fails with anything below full"
    )
    assert said("moved", {"section": "acc", "after": None}) == "in acc, first"
    assert said("text", None) == ""

"""The compiled plan says bit for bit what the fractions say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.scoring.rules import POLICY_1, Inputs, Policy, canonical, compile_plan, score
from tests.rules.scoring.builders import EX1, G1, inputs_of, law, policies


@settings(law, max_examples=150)
@given(inputs_of(), st.none() | policies())
def test_the_plan_equals_the_fractions(inputs: Inputs, policy: Policy | None) -> None:
    if policy is not None:
        inputs = replace(inputs, policy=policy)

    compiled = compile_plan(inputs.version, inputs.policy).score(inputs)

    assert compiled == score(inputs)
    assert canonical(compiled) == canonical(score(inputs))


def test_a_plan_refuses_inputs_of_another_version_or_policy() -> None:
    other_version = compile_plan(replace(G1, digest="other"), POLICY_1)
    other_policy = compile_plan(G1, replace(POLICY_1, version=2))

    with pytest.raises(ValueError, match="another version"):
        other_version.score(EX1)
    with pytest.raises(ValueError, match="another policy"):
        other_policy.score(EX1)

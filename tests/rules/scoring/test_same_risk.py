"""The lab's page and the score judge the same engagement: under the first policy both rules say the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from portal.scoring.rules import POLICY_1
from portal.scoring.rules.risk import inherent_risk as scored
from portal.scoring.rules.values import Exposure
from portal.vendors import rules as vendors


@given(
    classes=st.sets(st.integers(0, 5), min_size=1),
    modes=st.sets(st.integers(1, 5), min_size=1),
    people=st.one_of(st.integers(0, 3_000), st.sampled_from([1_000, 1_001])),
    workforce=st.sets(st.sampled_from(["employees", "dedicated", "agencies", "crowd"])),
    devices=st.sets(st.sampled_from(["yours", "ours", "own"])),
)
def test_a_page_and_a_score_see_the_same_risk_and_tier(
    classes: set[int], modes: set[int], people: int, workforce: set[str], devices: set[str]
) -> None:
    names = [f"A{mode}" for mode in sorted(modes)]
    told = scored(
        Exposure(
            data_classes=tuple(classes),
            access_modes=tuple(modes),
            people=people,
            open_crowd="crowd" in workforce,
            own_devices="own" in devices,
            subcontracted="agencies" in workforce,
        ),
        POLICY_1,
    )
    assert told.value == vendors.inherent_risk(classes, names, people, workforce, devices)
    assert told.tier == vendors.tier(classes, names, people, workforce, devices)
    assert told.band == vendors.band(told.value)

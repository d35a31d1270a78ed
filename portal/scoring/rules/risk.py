"""Inherent risk, the tier it leads to, and what is left of it after the vendor's strength."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from portal.scoring.rules.policy import Policy, one_of_tiers
from portal.scoring.rules.values import Exposure


class TierWouldFall(ValueError):
    """A person may only raise the tier that the exposure demands."""


@dataclass(frozen=True, slots=True)
class InherentRisk:
    """Impact × exposure, 0–25, with its band and the tier it demands."""

    impact: int
    exposure: int
    value: int
    band: str
    tier: int


def is_wide(exposure: Exposure, policy: Policy) -> bool:
    """Say whether the workforce is open crowd, on own devices, subcontracted, or larger than the policy's
    limit.
    """
    return exposure.open_crowd or exposure.own_devices or exposure.subcontracted or exposure.people > policy.wide_people


def inherent_risk(exposure: Exposure, policy: Policy) -> InherentRisk:
    """Return IR = I × X. Where no data class or access mode is stated, its highest is 0."""
    impact = max(exposure.data_classes, default=0)
    reach = max((policy.mode_weights[mode - 1] for mode in exposure.access_modes), default=0)
    if is_wide(exposure, policy):
        reach += policy.wide_step
    reach = min(reach, policy.exposure_ceiling)
    value = impact * reach
    if (
        value >= policy.tier_1_risk
        or impact >= policy.tier_1_data_class
        or max(exposure.access_modes, default=0) >= policy.tier_1_mode
    ):
        tier = 1
    else:
        tier = 2 if value >= policy.tier_2_risk else 3
    return InherentRisk(impact, reach, value, band(value, policy), tier)


def raise_tier(demanded: int, wanted: int | None) -> int:
    """Return the tier that holds when a person wants another one than the exposure demands.

    :raises TierWouldFall: if the wanted tier is looser than the demanded one.
    """
    if wanted is None:
        return one_of_tiers(demanded)
    if one_of_tiers(wanted) > one_of_tiers(demanded):
        raise TierWouldFall(f"the exposure demands Tier {demanded}; Tier {wanted} would be looser")
    return wanted


def tier_in_force(demanded: int, raised: int | None) -> int:
    """Return the tier a score is made with: the stricter of the two.

    A tier raised long ago does not hold back a demand that has become stricter since, so this one never
    refuses.
    """
    return demanded if raised is None else min(demanded, raised)


def residual_risk(inherent: int, strength: Fraction, policy: Policy) -> Fraction:
    """Return RR = IR · (1 − relief · Y/100)."""
    return inherent * (1 - Fraction(policy.relief, 100) * strength / 100)


def band(risk: int | Fraction, policy: Policy) -> str:
    """Return the name of the band that an inherent or residual risk lies in."""
    for name, below in policy.bands:
        if risk < below:
            return name
    return policy.band_above

"""The scoring policy: every number of the method that is a decision of the lab, as one versioned value with
its own digest.

A policy is never edited. A change is a new value with the next version; scores made with the old one keep it
inside their inputs, so they replay for ever.
"""

from __future__ import annotations

from dataclasses import dataclass

TIERS = (1, 2, 3)


def whole(name: str, value: int, *, low: int = 0, high: int | None = None) -> int:
    """Return the value if it is a whole number in the range; ValueError otherwise (True, 1.0 and "1" are
    not).
    """
    if type(value) is not int or value < low or (high is not None and value > high):
        raise ValueError(f"{name} must be a whole number {_range(low, high)}, not {value!r}")
    return value


def one_of_tiers(tier: int) -> int:
    """Return the tier if it is 1, 2 or 3; ValueError otherwise."""
    return whole("tier", tier, low=1, high=3)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a tier demands: A and AF to approve, V verified, C and CF to be considered at all (F: of every
    domain).
    """

    approve: int
    approve_domain: int
    verified: int
    consider: int
    consider_domain: int

    def __post_init__(self) -> None:
        for name in ("approve", "approve_domain", "verified", "consider", "consider_domain"):
            whole(name, getattr(self, name), high=100)
        if self.approve < self.consider or self.approve_domain < self.consider_domain:
            raise ValueError("approval cannot demand less than consideration")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One of these evidence kinds must be held and valid; if ``fact`` is named, only where that scoping fact
    is true.
    """

    any_of: tuple[str, ...]
    fact: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """All decided numbers. Rows for tiers are in the order 1, 2, 3; percentages are whole numbers.

    ``factors`` has a row per evidence level and the columns none, expired, attached, verified. Rows must not
    fall and must end at 100: that is what keeps S_ver ≤ S ≤ S_claim, and better evidence from ever costing
    points. ``periods`` are the numbers of how long evidence counts (portal/evidence/rules/periods.py) that differ from
    the first ones; the dates of proofs are computed with them before a score is.
    """

    version: int
    factors: tuple[tuple[int, int, int, int], ...]
    level_offsets: tuple[int, int, int]
    thresholds: tuple[Thresholds, Thresholds, Thresholds]
    required: tuple[tuple[Requirement, ...], ...]
    tiers_needing_proven_knock_outs: tuple[int, ...]
    tiers_needing_evidenced_knock_outs: tuple[int, ...]
    strength_cap: int
    relief: int
    mode_weights: tuple[int, int, int, int, int]
    wide_people: int
    wide_step: int
    exposure_ceiling: int
    tier_1_risk: int
    tier_2_risk: int
    tier_1_data_class: int
    tier_1_mode: int
    bands: tuple[tuple[str, int], ...]
    band_above: str
    letters: tuple[tuple[str, int], ...]
    letter_below: str
    letter_cap: str
    periods: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        whole("policy version", self.version, low=1)
        for name in ("strength_cap", "relief"):
            whole(name, getattr(self, name), high=100)
        for tier in self.tiers_needing_proven_knock_outs + self.tiers_needing_evidenced_knock_outs:
            one_of_tiers(tier)
        if len(self.factors) != 3 or len(self.required) != 3:
            raise ValueError("a policy has a row of factors per evidence level and of required kinds per tier")
        for row in self.factors:
            for factor in row:
                whole("factor", factor, high=100)
            if list(row) != sorted(row) or row[0] != row[1] or row[3] != 100:
                raise ValueError("factors rise from none = expired over attached to verified = 100")
        for limits in (self.bands, tuple(reversed(self.letters))):
            if [limit for _, limit in limits] != sorted({limit for _, limit in limits}):
                raise ValueError("the limits of bands rise and those of letters fall")
        names = [name for name, _ in self.letters]
        if len({name for name, _ in self.periods}) < len(self.periods):
            raise ValueError("the time for which a kind of evidence counts is there twice")
        if self.letter_cap not in (*names, self.letter_below):
            raise ValueError("the capped letter is one of the letters")

    def level_in(self, tier: int, level: int) -> int:
        """Return the evidence level that a catalogue level becomes in the tier."""
        return min(2, max(0, level + self.level_offsets[tier - 1]))


POLICY_1 = Policy(
    version=1,
    factors=((100, 100, 100, 100), (75, 75, 90, 100), (50, 50, 75, 100)),
    level_offsets=(0, 0, -1),
    thresholds=(
        Thresholds(approve=80, approve_domain=60, verified=45, consider=65, consider_domain=40),
        Thresholds(approve=70, approve_domain=50, verified=25, consider=55, consider_domain=30),
        Thresholds(approve=60, approve_domain=0, verified=0, consider=45, consider_domain=0),
    ),
    required=(
        (
            Requirement(("SOC2", "ISO")),
            Requirement(("PT",)),
            Requirement(("INS",)),
            Requirement(("SPL",)),
            Requirement(("DPA",), fact="pii"),
        ),
        (Requirement(("SOC2", "ISO", "STAR")), Requirement(("SPL",)), Requirement(("DPA",), fact="pii")),
        (),
    ),
    tiers_needing_proven_knock_outs=(1,),
    tiers_needing_evidenced_knock_outs=(2,),
    strength_cap=50,
    relief=90,
    mode_weights=(1, 2, 4, 4, 5),
    wide_people=1000,
    wide_step=1,
    exposure_ceiling=5,
    tier_1_risk=15,
    tier_2_risk=6,
    tier_1_data_class=5,
    tier_1_mode=5,
    bands=(("low", 4), ("moderate", 9), ("high", 16)),
    band_above="critical",
    letters=(("A", 90), ("B", 80), ("C", 70), ("D", 60)),
    letter_below="E",
    letter_cap="D",
)


def _range(low: int, high: int | None) -> str:
    return f"from {low}" if high is None else f"from {low} to {high}"

"""The scoring policy as a document that people read, change and sign: YAML, and its differences in words.

Each number has one place in the text and one name in words, and the text says nothing else, so that policy and text
stand for each other exactly. The version is not in the text: it is the number under which the text is published.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

from portal.evidence.rules.kinds import KINDS
from portal.evidence.rules.periods import (
    DAY_KINDS,
    LEAST_DAYS,
    LEAST_MONTHS,
    MOST_DAYS,
    MOST_MONTHS,
    PERIODS_1,
    SECTION,
    Periods,
)
from portal.questionnaires.rules import FLAGS
from portal.rulebook.rules.tree import Leaf, Path, Unreadable, Value, leaves
from portal.scoring.rules.policy import POLICY_1, TIERS, Policy, Requirement, Thresholds

BANDS: Final = tuple(name for name, _ in POLICY_1.bands)
LETTERS: Final = tuple(name for name, _ in POLICY_1.letters)
STATES: Final = ("none", "expired", "attached", "verified")
_TIER_WORDS: Final = {
    "approve": "Approve in tier {tier}",
    "approve_domain": "Approve in tier {tier}, each domain",
    "verified": "Verified in tier {tier}, at least",
    "consider": "Consider in tier {tier}",
    "consider_domain": "Consider in tier {tier}, each domain",
}
_PERIOD_WORDS: Final = {
    "SOC2": "A SOC 2 Type 2 report counts",
    "SOC2_type_1": "A SOC 2 Type 1 report counts",
    "surveillance": "A certificate counts after its last audit",
}
_FIRST_LINES: Final = """\
# The scoring policy: every number of the method that is a decision of the lab.
# Whole numbers only; percentages and scores are of 100. Two people publish a new version; stored scores keep theirs.
"""
_SECTION_LINES: Final = {
    "factors": "What an answer keeps of its credit, in percent, by what its question expects of evidence (0 nothing, "
    "1 accepted, 2 required) and what there is.",
    "evidence_level_change": "How much less (or more) evidence a tier expects.",
    "thresholds": "What a tier demands of the exact score, of every domain, and of what is verified.",
    "required_evidence": "Kinds of evidence that must be there and valid, or the suggestion is to hold.",
    "knock_outs": "Tiers whose knock-outs must be verified, and whose must rest on valid evidence; the most strength "
    "while one is failed or open.",
    "inherent_risk": "What is at stake: access mode weights, what a wide workforce adds, and where the tiers begin.",
    "residual_risk": "The share of the risk, in percent, that a strength of 100 takes away.",
    "bands": "Risk below each number is in the band; above the last it is critical.",
    "letters": "The least score of each letter, for dashboards only; and the best one while a knock-out is failed.",
    SECTION: "For how long evidence counts from the date of its kind: days for VS, SPL, SBOM, SCR and LOG, "
    "months for all others.",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value of the policy stands in the text, what it is called, and which whole numbers it can be.

    ``low`` is None where the value is a word or a list.
    """

    path: Path
    words: str
    read: Callable[[Policy], Value]
    low: int | None = 0
    high: int = 100
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs, in words: "Approve in tier 1", 80, 82."""

    words: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.words}: {self.old} → {self.new}"


def periods_of(policy: Policy) -> Periods:
    """Return for how long evidence counts under a policy."""
    return Periods.of(policy.periods)


def written(policy: Policy) -> str:
    """Return the text of a policy; reading it gives the policy back."""
    lines = [_FIRST_LINES]
    open_at: Path = ()
    for place in PLACES:
        shared = 0
        parents = place.path[:-1]
        while shared < min(len(open_at), len(parents)) and open_at[shared] == parents[shared]:
            shared += 1
        for depth in range(shared, len(parents)):
            if depth == 0:
                lines.append(
                    "\n" + textwrap.fill(_SECTION_LINES[parents[0]], 116, initial_indent="# ", subsequent_indent="# ")
                )
                lines.append("\n")
            lines.append(f"{'  ' * depth}{parents[depth]}:\n")
        open_at = parents
        lines.append(f"{'  ' * len(parents)}{place.path[-1]}: {_scalar(place.read(policy))}\n")
    return "".join(lines)


def read(text: str, version: int) -> Policy:
    """Return the policy that a text stands for, under a version.

    :raises ValueError: with every problem on a line of its own.
    """
    policy, problems = _read(text, version)
    if policy is None:
        raise ValueError("\n".join(problems))
    return policy


def problems_of(text: str) -> list[str]:
    """Return what keeps a text from being a scoring policy that may be in force, in sentences without a full stop."""
    policy, problems = _read(text, 2)
    return [*problems, *(dangers(policy) if policy is not None else ())]


def changes(old: Policy, new: Policy) -> tuple[Change, ...]:
    """Return what differs between two policies, in words and in the order of the text."""
    return tuple(
        Change(place.words, _said(place, old), _said(place, new))
        for place in PLACES
        if place.read(old) != place.read(new)
    )


def _said(place: Place, policy: Policy) -> str:
    value = place.read(policy)
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "nothing"
    return f"{value}{' ' + place.unit if place.unit else ''}"


def _scalar(value: Value) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(str(each) for each in value) + "]"
    return str(value)


def _tier(name: str, tier: int) -> Callable[[Policy], Value]:
    return lambda policy: getattr(policy.thresholds[tier - 1], name)


def _simple(name: str) -> Callable[[Policy], Value]:
    return lambda policy: getattr(policy, name)


def _required(tier: int) -> Callable[[Policy], Value]:
    return lambda policy: tuple(
        " or ".join(each.any_of) + (f" if {each.fact}" if each.fact else "") for each in policy.required[tier - 1]
    )


def _period_words(name: str) -> str:
    if name in _PERIOD_WORDS:
        return _PERIOD_WORDS[name]
    return f"{KINDS[name].title} counts"


def _places() -> Iterator[Place]:
    levels = ("nothing is expected", "evidence is accepted", "evidence is required")
    for level, row in enumerate(levels):
        for at, state in enumerate(STATES):
            yield Place(
                ("factors", f"level_{level}", state),
                f"Where {row}, an answer with {_STATE_WORDS[state]} keeps",
                lambda policy, level=level, at=at: policy.factors[level][at],  # type: ignore[misc]
                unit="%",
            )
    for tier in TIERS:
        yield Place(
            ("evidence_level_change", f"tier_{tier}"),
            f"Change of the expected evidence in tier {tier}",
            lambda policy, tier=tier: policy.level_offsets[tier - 1],  # type: ignore[misc]
            low=-2,
            high=2,
        )
    for tier in TIERS:
        for name, words in _TIER_WORDS.items():
            yield Place(("thresholds", f"tier_{tier}", name), words.format(tier=tier), _tier(name, tier))
    for tier in TIERS:
        yield Place(("required_evidence", f"tier_{tier}"), f"Required in tier {tier}", _required(tier), low=None)
    yield Place(
        ("knock_outs", "tiers_verified"),
        "Tiers whose knock-outs must be verified",
        _simple("tiers_needing_proven_knock_outs"),
        low=None,
    )
    yield Place(
        ("knock_outs", "tiers_with_evidence"),
        "Tiers whose knock-outs must rest on valid evidence",
        _simple("tiers_needing_evidenced_knock_outs"),
        low=None,
    )
    yield Place(
        ("knock_outs", "most_strength"),
        "Strength while a knock-out is failed or open, at most",
        _simple("strength_cap"),
    )
    for mode in range(1, 6):
        yield Place(
            ("inherent_risk", "access_modes", f"A{mode}"),
            f"Weight of access mode A{mode}",
            lambda policy, mode=mode: policy.mode_weights[mode - 1],  # type: ignore[misc]
            low=1,
            high=5,
        )
    yield Place(
        ("inherent_risk", "wide_above_people"),
        "A workforce is wide above",
        _simple("wide_people"),
        high=10**8,
        unit="people",
    )
    yield Place(("inherent_risk", "wide_adds"), "A wide workforce adds", _simple("wide_step"), high=5)
    yield Place(
        ("inherent_risk", "exposure_at_most"), "Exposure is at most", _simple("exposure_ceiling"), low=1, high=5
    )
    yield Place(
        ("inherent_risk", "tier_1_from_risk"), "Tier 1 from an inherent risk of", _simple("tier_1_risk"), high=25
    )
    yield Place(
        ("inherent_risk", "tier_2_from_risk"), "Tier 2 from an inherent risk of", _simple("tier_2_risk"), high=25
    )
    yield Place(
        ("inherent_risk", "tier_1_from_data_class"),
        "Tier 1 from data class",
        _simple("tier_1_data_class"),
        low=1,
        high=5,
    )
    yield Place(
        ("inherent_risk", "tier_1_from_access_mode"), "Tier 1 from access mode", _simple("tier_1_mode"), low=1, high=5
    )
    yield Place(("residual_risk", "relief"), "Relief by full strength", _simple("relief"), unit="%")
    for at, name in enumerate(BANDS):
        yield Place(
            ("bands", name),
            f"Risk is {name} below",
            lambda policy, at=at: policy.bands[at][1],  # type: ignore[misc]
            low=1,
            high=25,
        )
    for at, name in enumerate(LETTERS):
        yield Place(
            ("letters", name),
            f"Letter {name} from",
            lambda policy, at=at: policy.letters[at][1],  # type: ignore[misc]
            low=1,
        )
    yield Place(
        ("letters", "with_failed_knock_out"), "Best letter while a knock-out is failed", _simple("letter_cap"), low=None
    )
    for name, _ in PERIODS_1.numbers():
        days = name in DAY_KINDS
        yield Place(
            (SECTION, name),
            _period_words(name),
            lambda policy, name=name: getattr(periods_of(policy), name),  # type: ignore[misc]
            low=LEAST_DAYS if days else LEAST_MONTHS,
            high=MOST_DAYS if days else MOST_MONTHS,
            unit="days" if days else "months",
        )


_STATE_WORDS: Final = {
    "none": "no evidence",
    "expired": "evidence that has ended",
    "attached": "evidence that is not verified",
    "verified": "verified evidence",
}
PLACES: Final = tuple(_places())
_BY_PATH: Final = {place.path: place for place in PLACES}


@lru_cache(maxsize=32)
def _read(text: str, version: int) -> tuple[Policy | None, tuple[str, ...]]:
    """Return the policy, if the text is one at all, and every problem."""
    try:
        found = leaves(text)
    except Unreadable as unreadable:
        return None, (str(unreadable),)
    problems = [
        f"Line {leaf.line}: “{'.'.join(path)}” is not part of a scoring policy"
        for path, leaf in found.items()
        if path not in _BY_PATH
    ]
    problems += [f"“{'.'.join(path)}” is missing" for path in _BY_PATH if path not in found]
    for path, leaf in found.items():
        if path in _BY_PATH:
            problems += _wrong(_BY_PATH[path], leaf)
    if problems:
        return None, tuple(problems)
    values = {path: leaf.value for path, leaf in found.items()}
    try:
        policy = _policy(values, version)
    except ValueError as refused:
        words = str(refused)
        return None, (words[:1].upper() + words[1:],)
    return policy, ()


def _wrong(place: Place, leaf: Leaf) -> Iterator[str]:
    name, value = ".".join(place.path), leaf.value
    if place.low is not None:
        if type(value) is not int or not place.low <= value <= place.high:
            yield f"Line {leaf.line}: “{name}” is a whole number from {place.low} to {place.high}"
    elif place.path[0] == "required_evidence":
        if not isinstance(value, tuple):
            yield f"Line {leaf.line}: “{name}” is a list, such as [SOC2 or ISO, SPL, DPA if pii]"
            return
        for each in value:
            try:
                _requirement(each)
            except ValueError as refused:
                yield f"Line {leaf.line}: {refused}"
    elif place.path[-1] == "with_failed_knock_out":
        if value not in (*LETTERS, POLICY_1.letter_below):
            yield f"Line {leaf.line}: “{name}” is one of {', '.join(LETTERS)} and {POLICY_1.letter_below}"
    elif not isinstance(value, tuple) or any(each not in TIERS for each in value) or len(set(value)) < len(value):
        yield f"Line {leaf.line}: “{name}” is a list of tiers, such as [1, 2]"


def _requirement(text: int | str) -> Requirement:
    words = str(text)
    kinds, _, fact = words.partition(" if ")
    any_of = tuple(each.strip() for each in kinds.split(" or "))
    if unknown := [each for each in any_of if each not in KINDS]:
        raise ValueError(f"“{unknown[0]}” is not a kind of evidence; kinds are {', '.join(KINDS)}")
    if fact and fact.strip() not in FLAGS:
        raise ValueError(f"“{fact.strip()}” is not a scoping fact; facts are {', '.join(FLAGS)}")
    return Requirement(any_of, fact.strip() or None)


def _policy(values: dict[Path, Value], version: int) -> Policy:
    def number(*path: str) -> int:
        value = values[path]
        assert isinstance(value, int)  # noqa: S101 - every place was read before
        return value

    def listed(*path: str) -> tuple[Any, ...]:
        value = values[path]
        assert isinstance(value, tuple)  # noqa: S101 - every place was read before
        return value

    return Policy(
        version=version,
        factors=tuple(
            tuple(number("factors", f"level_{level}", state) for state in STATES)  # type: ignore[misc]
            for level in range(3)
        ),
        level_offsets=tuple(number("evidence_level_change", f"tier_{tier}") for tier in TIERS),  # type: ignore[arg-type]
        thresholds=tuple(  # type: ignore[arg-type] # one a tier
            Thresholds(**{name: number("thresholds", f"tier_{tier}", name) for name in _TIER_WORDS}) for tier in TIERS
        ),
        required=tuple(
            tuple(_requirement(each) for each in listed("required_evidence", f"tier_{tier}")) for tier in TIERS
        ),
        tiers_needing_proven_knock_outs=listed("knock_outs", "tiers_verified"),
        tiers_needing_evidenced_knock_outs=listed("knock_outs", "tiers_with_evidence"),
        strength_cap=number("knock_outs", "most_strength"),
        relief=number("residual_risk", "relief"),
        mode_weights=tuple(  # type: ignore[arg-type] # five modes
            number("inherent_risk", "access_modes", f"A{mode}") for mode in range(1, 6)
        ),
        wide_people=number("inherent_risk", "wide_above_people"),
        wide_step=number("inherent_risk", "wide_adds"),
        exposure_ceiling=number("inherent_risk", "exposure_at_most"),
        tier_1_risk=number("inherent_risk", "tier_1_from_risk"),
        tier_2_risk=number("inherent_risk", "tier_2_from_risk"),
        tier_1_data_class=number("inherent_risk", "tier_1_from_data_class"),
        tier_1_mode=number("inherent_risk", "tier_1_from_access_mode"),
        bands=tuple((name, number("bands", name)) for name in BANDS),
        band_above=POLICY_1.band_above,
        letters=tuple((name, number("letters", name)) for name in LETTERS),
        letter_below=POLICY_1.letter_below,
        letter_cap=str(values["letters", "with_failed_knock_out"]),
        periods=Periods.of({name: number(SECTION, name) for name, _ in PERIODS_1.numbers()}).beside(PERIODS_1),
    )


def dangers(policy: Policy) -> Sequence[str]:
    """Return where a policy that can be computed would break a law of scoring.md (P1, P4, P8, P9, P16)."""
    found: list[str] = []
    if list(policy.mode_weights) != sorted(policy.mode_weights):
        found.append("A wider access mode cannot weigh less than a narrower one (P9)")
    if policy.tier_1_risk <= policy.tier_2_risk:
        found.append("Tier 1 begins at a higher risk than tier 2 (P9)")
    if policy.relief > 90:
        found.append("Full strength takes away at most 90 % of the risk: residual risk stays a tenth of it (P1)")
    for level, (low, high) in enumerate(zip(policy.factors, policy.factors[1:], strict=False), start=1):
        if any(after > before for before, after in zip(low, high, strict=True)):
            found.append(f"Level {level} asks for more evidence than level {level - 1}, so it cannot keep more (P3)")
    for tier, (strict, mild) in enumerate(zip(policy.thresholds, policy.thresholds[1:], strict=False), start=1):
        if any(getattr(mild, name) > getattr(strict, name) for name in _TIER_WORDS):
            found.append(f"Tier {tier + 1} cannot demand more than tier {tier}, which guards more (P9)")
    if list(policy.level_offsets) != sorted(policy.level_offsets, reverse=True):
        found.append("A tier with less at stake cannot expect more evidence (P9)")
    if policy.level_offsets[0] < 0 or policy.level_offsets[1] < 0:
        found.append("Tiers 1 and 2 expect at least the evidence of the questionnaire: a knock-out rests on some (P16)")
    words_alone = Fraction(policy.factors[2][0])
    if words_alone >= policy.thresholds[0].consider:
        found.append(
            f"Words alone keep {words_alone} of 100 where evidence is required, and tier 1 considers from "
            f"{policy.thresholds[0].consider}: claims without evidence must stay below (P16)"
        )
    if policy.strength_cap >= policy.thresholds[0].approve:
        found.append("Strength with a failed knock-out stays below what tier 1 approves (P10)")
    return found


@lru_cache(maxsize=32)
def policy_of(text: str, version: int) -> Policy:
    """Return the policy of a published text; the last few are kept."""
    return POLICY_1 if version == 1 else read(text, version)

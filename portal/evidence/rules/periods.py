"""For how long each kind of evidence holds: numbers that the lab decides, as one value. Pure.

They are a part of the scoring policy (portal/scoring/rules/written.py), for a score reads the dates that follow from
them; this room computes the dates, and takes its part from the published text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Final

from portal.rulebook.rules.tree import leaves

DAY_KINDS: Final = frozenset({"VS", "SPL", "SBOM", "SCR", "LOG"})
"""The kinds whose time is counted in days; all others count calendar months."""


@dataclass(frozen=True, slots=True)
class Periods:
    """Months or days from the date that a kind's rule counts from.

    ``SOC2`` is a Type 2 report, ``SOC2_type_1`` a Type 1; ``surveillance`` the months from one audit of a certificate
    to the next. How far letters carry a report is part of the method (validity.BRIDGE_MONTHS).
    """

    SOC2: int = 12
    SOC2_type_1: int = 6
    surveillance: int = 12
    STAR: int = 12
    PT: int = 12
    VS: int = 35
    SPL: int = 90
    BCP: int = 12
    IRP: int = 12
    VER: int = 12
    TRN: int = 12
    ARC: int = 12
    SBOM: int = 90
    SCR: int = 90
    LOG: int = 90
    POL: int = 12
    RPT: int = 12
    ATT: int = 12

    def __post_init__(self) -> None:
        for name, value in self.numbers():
            least, most = (LEAST_DAYS, MOST_DAYS) if name in DAY_KINDS else (LEAST_MONTHS, MOST_MONTHS)
            if type(value) is not int or not least <= value <= most:
                raise ValueError(f"{name} must hold for a whole number from {least} to {most}, not {value!r}")
        if self.SOC2_type_1 > self.SOC2:
            raise ValueError("a Type 1 report cannot hold longer than a Type 2")

    def numbers(self) -> tuple[tuple[str, int], ...]:
        """Return every number by its name, in their order."""
        return tuple((each.name, getattr(self, each.name)) for each in fields(self))

    def beside(self, other: Periods) -> tuple[tuple[str, int], ...]:
        """Return the numbers in which this differs from another value."""
        return tuple((name, value) for name, value in self.numbers() if getattr(other, name) != value)

    @classmethod
    def of(cls, numbers: Iterable[tuple[str, int]] | Mapping[str, int]) -> Periods:
        """Return the first periods with these numbers in the place of their own."""
        return cls(**dict(numbers))


LEAST_MONTHS, MOST_MONTHS = 2, 60
LEAST_DAYS, MOST_DAYS = 7, 1_830
PERIODS_1: Final = Periods()
"""The numbers of spec/evidence.md, in force until the lab publishes others."""


def renumbered(words: str, kind: str, periods: Periods) -> str:
    """Return the rule of a kind, in whatever language it is, with these numbers in the place of the first ones."""
    names = _NAMES.get(kind, (kind,))
    numbers = {getattr(PERIODS_1, name): getattr(periods, name) for name in names if hasattr(PERIODS_1, name)}
    return re.sub(r"\d+", lambda found: str(numbers.get(int(found[0]), found[0])), words) if numbers else words


_NAMES: Final = {"SOC2": ("SOC2", "SOC2_type_1"), "ISO": ("surveillance",), "ISO42": ("surveillance",)}
"""The numbers in the rule of a kind that are not called after it alone."""

POLICY: Final = "scoring"
SECTION: Final = "evidence_counts"


@lru_cache(maxsize=8)
def periods_in(text: str) -> Periods:
    """Return the numbers that a published scoring policy holds.

    :raises ValueError: if it holds none, which nothing that was published does.
    """
    found = {path[-1]: leaf.value for path, leaf in leaves(text).items() if path[:-1] == (SECTION,)}
    return Periods(**found)  # type: ignore[arg-type] # the value says so itself

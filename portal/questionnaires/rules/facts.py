"""The scoping facts of an engagement, in the form that conditions and risk rules ask for."""

from dataclasses import dataclass
from typing import Final

MODES: Final = frozenset({"A1", "A2", "A3", "A4", "A5"})
FLAGS: Final = (
    "multi",
    "crowd",
    "byod",
    "subs",
    "dev",
    "synth",
    "aitools",
    "pii",
    "special",
    "office",
)
HIGHEST_CLASS: Final = 5
# scoring.md, "Inherent risk": exposure is wide above this many people.
WIDE_ABOVE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of one engagement.

    multi: serves other AI developers · crowd: open crowd at work · byod: workers' own devices · subs: agencies ·
    dev: own platform or software · synth: synthetic data · aitools: AI tools allowed · pii: personal data ·
    special: biometrics, health or minors · office: work at a site · svc: services bought · dmax: highest data
    class 0–5 · modes: access modes A1–A5 · people: peak number of persons with access.
    """

    multi: bool = False
    crowd: bool = False
    byod: bool = False
    subs: bool = False
    dev: bool = False
    synth: bool = False
    aitools: bool = False
    pii: bool = False
    special: bool = False
    office: bool = False
    svc: frozenset[str] = frozenset()
    dmax: int = 0
    modes: frozenset[str] = frozenset()
    people: int = 0

    def flag(self, name: str) -> bool:
        """Return one of the yes/no facts by its name."""
        return bool(getattr(self, name))

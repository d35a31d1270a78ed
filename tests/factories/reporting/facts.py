"""What a generated report says: drawn from a seed, the same whatever is wished otherwise."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

ENTITIES = (
    ("Brightline Annotation, Inc.", "Brightline"),
    ("Corvid Data Labs Ltd.", "Corvid"),
    ("Tallow & Reed Labelling GmbH", "Tallow & Reed"),
    ("Meadowlark Human Feedback LLC", "Meadowlark"),
    ("Quarry Street Evaluation, Inc.", "Quarry Street"),
    ("Ostrava Speech Data s.r.o.", "Ostrava Speech"),
    ("Lumen Harbor Technologies Pte. Ltd.", "Lumen Harbor"),
    ("Fernside Rating Services Corporation", "Fernside"),
    ("Paloma Crowd, Inc.", "Paloma"),
    ("Granite Loop AI Limited", "Granite Loop"),
    ("Saltmarsh Linguistics, LLC", "Saltmarsh"),
    ("Kestrel Red Teaming, Inc.", "Kestrel"),
)
SYSTEMS = (
    "Annotation Workbench",
    "Human Feedback Platform",
    "Label Studio Service",
    "Red Team Console",
    "Preference Data Exchange",
    "Speech Collection System",
    "Rater Marketplace",
    "Evaluation Cloud",
)
SUBSERVICES = (
    ("Cumulus Hosting Corp.", "cloud hosting"),
    ("Northpass Identity, Inc.", "single sign-on"),
    ("Staffwell Partners Ltd.", "staffing of annotators"),
    ("Vaultbox Storage LLC", "backup storage"),
    ("Pagebell Alerts, Inc.", "monitoring and alerting"),
)
CATEGORIES = ("Security", "Availability", "Confidentiality", "Processing Integrity", "Privacy")
CUECS = (
    "Granting and removing access of their own personnel to the system in time",
    "Informing the service organization of changes to their technical contacts",
    "Choosing which data sets are sent to the system and removing personal data that is not needed",
    "Keeping the API keys that are issued to them secret and rotating them",
    "Reviewing the list of their users at least each quarter",
)
EXCEPTIONS = (
    ("CC6.2", "For 2 of 25 terminated workers, access was removed later than one business day"),
    ("CC8.1", "For 1 of 40 changes, no evidence of approval before deployment was available"),
    ("CC7.2", "For 3 of 52 weeks, the review of alerts was not documented"),
    ("CC1.4", "For 4 of 45 new workers, the background check was finished after access was granted"),
    ("A1.2", "For 1 of 12 months, the restoration of a backup was not tested"),
)


@dataclass(frozen=True)
class Facts:
    """What is true of one report. ``traps`` names the decoys that its text holds."""

    seed: int
    entity: str
    short: str
    system: str
    type: int
    start: date
    end: date
    as_of: date
    opinion: str
    opinion_on: date
    categories: tuple[str, ...]
    exceptions: tuple[tuple[str, str], ...]
    carved_out: tuple[tuple[str, str], ...]
    inclusive: tuple[tuple[str, str], ...]
    cuecs: tuple[str, ...]
    licence: str
    second_entity: str = ""
    swapped: bool = False
    traps: frozenset[str] = frozenset()
    chance: random.Random = field(default_factory=random.Random, compare=False)

    @property
    def named(self) -> str:
        """The categories as a list in a sentence."""
        return listed([each.lower() for each in self.categories])

    @property
    def in_two(self) -> str:
        """The entity as Section II names it."""
        return self.second_entity or self.entity


def listed(items: Sequence[str]) -> str:
    """Return "a, b, and c"."""
    if len(items) < 3:
        return " and ".join(items)
    return ", ".join(items[:-1]) + ", and " + items[-1]


def add_months(day: date, months: int) -> date:
    """The first of a month, some months on."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def draw(seed: int) -> Facts:
    """Return the facts of one report; nothing of it depends on anything but the seed."""
    chance = random.Random(f"report {seed}")  # noqa: S311 - test data, not secrets
    entity, short = chance.choice(ENTITIES)
    kind = 1 if chance.random() < 0.2 else 2
    months = chance.choice((3, 6, 9, 12, 12, 12))
    start = add_months(date(2024, 1, 1), chance.randrange(0, 18))
    end = add_months(start, months) - timedelta(days=1)
    if chance.random() < 0.3:
        start, end = start + timedelta(days=14), end + timedelta(days=14)
    picked = chance.sample(SUBSERVICES, 3)
    count = chance.choice((1, 2, 3))
    return Facts(
        seed=seed,
        entity=entity,
        short=short,
        system=f"{short} {chance.choice(SYSTEMS)}",
        type=kind,
        start=start,
        end=end,
        as_of=end,
        opinion=chance.choice(("unqualified",) * 6 + ("qualified", "qualified", "adverse", "disclaimer")),
        opinion_on=end + timedelta(days=chance.randrange(20, 70)),
        categories=("Security", *sorted(chance.sample(CATEGORIES[1:], chance.randrange(0, 4)), key=CATEGORIES.index)),
        exceptions=tuple(chance.sample(EXCEPTIONS, chance.randrange(0, 4))) if kind == 2 else (),
        carved_out=tuple(picked[:count]),
        inclusive=tuple(picked[count:3]) if chance.random() < 0.3 else (),
        cuecs=tuple(chance.sample(CUECS, chance.randrange(2, 5))),
        licence=str(chance.randrange(10_000, 99_999)),
        chance=chance,
    )


MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)


def us(day: date) -> str:
    """October 1, 2025."""
    return f"{MONTHS[day.month - 1]} {day.day}, {day.year}"


def uk(day: date) -> str:
    """1 October 2025."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def iso(day: date) -> str:
    """2025-10-01."""
    return day.isoformat()


def short_us(day: date) -> str:
    """Oct. 1, 2025."""
    return f"{MONTHS[day.month - 1][:3]}. {day.day}, {day.year}"


def ordinal(day: date) -> str:
    """1st day of October 2025."""
    return f"{nth(day.day)} day of {MONTHS[day.month - 1]}, {day.year}"


def nth(number: int) -> str:
    """1st, 2nd, 3rd, 11th."""
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


NUMBER_WORDS = {3: "three", 6: "six", 9: "nine", 12: "twelve"}


def months_of(facts: Facts) -> int:
    """How many whole months the period has."""
    return (facts.end.year - facts.start.year) * 12 + facts.end.month - facts.start.month + (facts.start.day == 1)


_CHOICE = re.compile(r"\[([^\[\]]*)\]")


def expand(text: str, chance: random.Random) -> str:
    """Choose one of each "[one|two|three]", the inner ones first."""
    while _CHOICE.search(text):
        text = _CHOICE.sub(lambda found: chance.choice(found[1].split("|")), text)
    return text


Words = Callable[[Facts], Sequence[str]]

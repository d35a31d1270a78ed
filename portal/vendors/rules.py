"""How risky an engagement is before any control, which tier follows, and how a name becomes a slug. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from types import MappingProxyType
from typing import Final

from portal.terms import AccessMode, DataClass, Service

EXPOSURE: Final = MappingProxyType(
    {AccessMode.A1: 1, AccessMode.A2: 2, AccessMode.A3: 4, AccessMode.A4: 4, AccessMode.A5: 5}
)
HIGHEST_EXPOSURE: Final = 5
WIDE_ABOVE: Final = 1_000
TIER_1_RISK: Final = 15
TIER_2_RISK: Final = 6
BANDS: Final = (("low", 4), ("moderate", 9), ("high", 16))

WORKFORCE_WORDS: Final = MappingProxyType(
    {
        "employees": "Employees",
        "dedicated": "Dedicated contractors",
        "agencies": "Agencies or staffing partners",
        "crowd": "Open crowd",
    }
)
DEVICE_WORDS: Final = MappingProxyType(
    {"yours": "The vendor's own devices", "ours": "Devices that we provide", "own": "Workers' own devices"}
)
PERSONS_WORDS: Final = MappingProxyType(
    {
        "personal": "Personal data",
        "biometrics": "Biometrics, such as faces or voices",
        "health": "Health data",
        "minors": "Data about minors",
        "aitools": "AI tools are allowed",
    }
)
SERVICES: Final = frozenset(service.value for service in Service)

MAX_SLUG: Final = 60
_NOT_SLUG: Final = re.compile(r"[^a-z0-9]+")
_SLUG: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LETTERS: Final = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ı": "i",
        "ŋ": "n",
        "&": " and ",
    }
)


def is_wide(people: int, workforce: Collection[str], devices: Collection[str]) -> bool:
    """Whether the work is done by an open crowd, subcontracted, on workers' own devices, or by more than 1,000."""
    return bool({"crowd", "agencies"} & set(workforce)) or "own" in devices or people > WIDE_ABOVE


def inherent_risk(
    data_classes: Collection[int],
    access_modes: Collection[str],
    people: int,
    workforce: Collection[str],
    devices: Collection[str],
) -> int:
    """Return I × X, 0 to 25: the highest data class times the widest exposure (scoring.md, "Inherent risk")."""
    impact = max((DataClass(each) for each in data_classes), default=0)
    exposure = max((EXPOSURE[AccessMode(each)] for each in access_modes), default=0)
    if exposure and is_wide(people, workforce, devices):
        exposure += 1
    return int(impact) * min(exposure, HIGHEST_EXPOSURE)


def tier(
    data_classes: Collection[int],
    access_modes: Collection[str],
    people: int,
    workforce: Collection[str],
    devices: Collection[str],
) -> int:
    """Return the tier that the facts demand, 1 high to 3 low (scoring.md): D5 and A5 are always tier 1."""
    risk = inherent_risk(data_classes, access_modes, people, workforce, devices)
    if risk >= TIER_1_RISK or DataClass.D5 in data_classes or AccessMode.A5 in access_modes:
        return 1
    return 2 if risk >= TIER_2_RISK else 3


def band(risk: int) -> str:
    """Return the word for an inherent risk: low, moderate, high or critical."""
    return next((word for word, below in BANDS if risk < below), "critical")


def raised(computed: int, wanted: int | None) -> int | None:
    """Return the raise that still stands above the computed tier: a person's tier is only ever stricter."""
    return wanted if wanted is not None and wanted < computed else None


def slug_of(name: str, *, fallback: str) -> str:
    """Return the name in small Latin letters, digits and single hyphens, at most 60 characters.

    Accents are dropped; a name with no Latin letter or digit at all gets the fallback.
    """
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    letters = "".join(each for each in plain if not unicodedata.combining(each)).replace("'", "").replace("’", "")
    return _NOT_SLUG.sub("-", letters).strip("-")[:MAX_SLUG].rstrip("-") or fallback


def is_slug(text: str) -> bool:
    """Whether the text is a slug as it stands."""
    return len(text) <= MAX_SLUG and _SLUG.fullmatch(text) is not None


def free_slug(wanted: str, taken: Collection[str]) -> str:
    """Return the wanted slug, or with the first free number behind it: quillmark, quillmark-2, quillmark-3."""
    number, slug = 1, wanted
    while slug in taken:
        number += 1
        tail = f"-{number}"
        slug = wanted[: MAX_SLUG - len(tail)].rstrip("-") + tail
    return slug

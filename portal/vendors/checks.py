"""What may be stated of a vendor and of an engagement, field by field, in words for the one who states it. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from portal.kernel.errors import Refused
from portal.terms import AccessMode, DataClass
from portal.vendors import rules

MAX_NAME: Final = 120
MAX_PURPOSE: Final = 400
MAX_REASON: Final = 1_000
MAX_PEOPLE: Final = 10_000_000
MAX_DOMAINS: Final = 20
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 12, 31)
_DOMAIN: Final = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")

ENGAGEMENT_FIELDS: Final = (
    "project",
    "purpose",
    "services",
    "data_classes",
    "access_modes",
    "persons",
    "people",
    "workforce",
    "devices",
    "starts_on",
    "ends_on",
)


@dataclass(frozen=True, slots=True)
class VendorFields:
    """What is stored of a vendor, tidied."""

    name: str
    legal_name: str
    mail_domains: tuple[str, ...]
    slug: str


def line(text: object) -> str:
    """Return a text on one line: no control or direction characters, single blanks, composed letters."""
    shown = unicodedata.normalize("NFC", str(text or ""))
    seen = "".join(" " if each.isspace() else each for each in shown if each.isspace() or _is_shown(each))
    return " ".join(seen.split())


def _is_shown(each: str) -> bool:
    return unicodedata.category(each) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


def vendor_fields(*, name: str, legal_name: str, mail_domains: Collection[str], slug: str) -> VendorFields:
    """Return what to store of a vendor.

    :raises Refused: with the problems of each field.
    """
    problems: dict[str, list[str]] = {}
    name, legal_name, slug = line(name), line(legal_name), line(slug).lower()
    if not name:
        problems["name"] = ["Enter the vendor's name"]
    elif len(name) > MAX_NAME:
        problems["name"] = [f"Shorten the name to {MAX_NAME} characters; this has {len(name):,}"]
    if len(legal_name) > MAX_NAME:
        problems["legal_name"] = [f"Shorten the legal name to {MAX_NAME} characters; this has {len(legal_name):,}"]
    if slug and not rules.is_slug(slug):
        problems["slug"] = ["Use small letters, digits and single hyphens, for example quillmark-annotation"]
    domains = tuple(dict.fromkeys(domain for domain in map(_domain, mail_domains) if domain))
    wrong = [domain for domain in domains if not _DOMAIN.fullmatch(domain)]
    if wrong:
        problems["mail_domains"] = [
            f"“{wrong[0]}” is not a mail domain. Enter one a line, for example quillmark.example"
        ]
    elif len(domains) > MAX_DOMAINS:
        problems["mail_domains"] = [f"Enter at most {MAX_DOMAINS} mail domains; these are {len(domains)}"]
    if problems:
        raise Refused(problems=problems)
    return VendorFields(name, legal_name or name, domains, slug)


def _domain(text: str) -> str:
    domain = line(text).lower().removeprefix("@").rstrip(".")
    try:
        return domain.encode("idna").decode() if not domain.isascii() else domain
    except UnicodeError:
        return domain


def engagement_fields(
    *,
    project: str,
    purpose: str,
    services: Collection[str],
    data_classes: Collection[int],
    access_modes: Collection[str],
    persons: Collection[str],
    people: int,
    workforce: Collection[str],
    devices: Collection[str],
    starts_on: date,
    ends_on: date | None,
) -> dict[str, Any]:
    """Return what to store of an engagement, by field; lists are sorted, so that equal statements are equal rows.

    :raises Refused: with the problems of each field.
    """
    problems: dict[str, list[str]] = {}
    project, purpose = line(project), line(purpose)
    if not project:
        problems["project"] = ["Enter the name of the project"]
    elif len(project) > MAX_NAME:
        problems["project"] = [f"Shorten the project's name to {MAX_NAME} characters; this has {len(project):,}"]
    if len(purpose) > MAX_PURPOSE:
        problems["purpose"] = [f"Shorten the purpose to {MAX_PURPOSE} characters; this has {len(purpose):,}"]
    classes = sorted(set(data_classes))
    wanted = (
        ("services", services, rules.SERVICES, "Choose at least one service"),
        ("data_classes", classes, {int(each) for each in DataClass}, "Choose at least one data class"),
        ("access_modes", access_modes, {each.value for each in AccessMode}, "Choose at least one access mode"),
        ("workforce", workforce, rules.WORKFORCE_WORDS, "Choose who does the work"),
        ("devices", devices, rules.DEVICE_WORDS, "Choose whose devices are used"),
        ("persons", persons, rules.PERSONS_WORDS, ""),
    )
    for name, given, known, words in wanted:
        if not given and words:
            problems[name] = [words]
        elif set(given) - set(known):
            problems[name] = ["Choose only what is on the list"]
    if isinstance(people, bool) or not isinstance(people, int) or not 0 <= people <= MAX_PEOPLE:
        problems["people"] = ["Enter how many people have access at the busiest time, for example 250"]
    _dates(starts_on, ends_on, problems)
    if problems:
        raise Refused(problems=problems)
    return {
        "project": project,
        "purpose": purpose,
        "services": _sorted(services),
        "data_classes": [int(each) for each in classes],
        "access_modes": _sorted(access_modes),
        "persons": _sorted(persons),
        "people": people,
        "workforce": _sorted(workforce),
        "devices": _sorted(devices),
        "starts_on": starts_on,
        "ends_on": ends_on,
    }


def _sorted(given: Iterable[str]) -> list[str]:
    return sorted({str(each) for each in given})


def _dates(starts_on: date, ends_on: date | None, problems: dict[str, list[str]]) -> None:
    if starts_on is None or not EARLIEST <= starts_on <= LATEST:
        problems["starts_on"] = ["Enter the day the work begins, for example 2026-12-01"]
    elif ends_on is not None and not EARLIEST <= ends_on <= LATEST:
        problems["ends_on"] = ["Enter the day the work ends, or leave it empty while it is open"]
    elif ends_on is not None and ends_on < starts_on:
        problems["ends_on"] = ["The end must not be before the start"]

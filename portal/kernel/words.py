"""Sentences that remember what they were made from, and the days and times of every language we speak.

A room raises and returns English sentences and knows no reader. What it says is a ``Said``: a string as good as any
other, whose parts stay at hand for whoever stands at the edge and knows the language and the zone. A page, a mail and a
printed document say a sentence with the catalogue of their reader, and write days and times with the functions here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date

from portal.terms import LANGUAGES

TRANSLATIONS = Path(__file__).resolve().parent.parent / "translations"
"""The catalogues: ``<language>/LC_MESSAGES/messages.po`` for people and ``.mo`` for the machine."""

ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a language writes dates and times; CLDR has the names of the months."""

    locale: str
    long: str = "d MMMM y"
    short: str = "d MMM y"
    near: str = "d MMMM"
    at: str = "{day} at {time}"
    zone: str = "{words} {zone}"


# "en" and not "en_GB": the short month of spec/ux.md is "Sep", where British CLDR has "Sept".
_MANNERS = {
    ENGLISH: _Manner("en"),
    "de": _Manner("de", "d. MMMM y", "d. MMM y", "d. MMMM", at="{day} um {time} Uhr", zone="{words} ({zone})"),
}


class Near(date):
    """A day of these months: a sentence says it without its year, "18 December"."""

    @classmethod
    def of(cls, value: date) -> Near:
        """Return a day as one of these months."""
        return cls(value.year, value.month, value.day)


class Said(str):
    """An English sentence with the template and the values it was made from.

    ``many`` and ``number`` are set where the sentence counts something.
    """

    template: str
    many: str | None
    number: int
    values: Mapping[str, Any]


class Listed(Said):
    """Sentences in one, each of which is translated before they are joined."""

    sentences: tuple[str, ...]
    before: str
    between: str


def said(template: str, /, **values: Any) -> Said:
    """Return a sentence: the template with its ``%(name)s`` filled in. Without values the template stands as it is.

    A value that is a day, a moment or a whole number is written as the reader's language does, in the reader's zone.
    """
    made = Said(template % _shown(values, ENGLISH, UTC) if values else template)
    made.template, made.many, made.number, made.values = template, None, 0, values
    return made


def said_n(one: str, many: str, number: int, /, **values: Any) -> Said:
    """Return a sentence about a number of things, which may stand in both templates as ``%(num)s``."""
    made = Said((one if number == 1 else many) % _shown({"num": whole(number), **values}, ENGLISH, UTC))
    made.template, made.many, made.number, made.values = one, many, number, values
    return made


def spelled(text: str, key: str) -> Said:
    """Return a text that is translated as another is: "End of the period", of "the end of the period"."""
    made = Said(text)
    made.template, made.many, made.number, made.values = key, None, 0, {}
    return made


def together(sentences: Iterable[str], *, between: str = " ") -> str:
    """Return sentences one after the other, each still to be said in any language."""
    all_of_them = {f"s{number}": each for number, each in enumerate(sentences)}
    if len(all_of_them) < 2:
        return next(iter(all_of_them.values()), "")
    template = between.join(f"%({name})s" for name in all_of_them)
    return said(template, **all_of_them)


def listed(sentences: Sequence[str], *, before: str = "", between: str = "; ") -> Listed:
    """Return sentences in one, each going on in small letters: "7.2 Leavers: enter why …; attach …"."""
    made = Listed(before + between.join(each[:1].lower() + each[1:] for each in sentences))
    made.template, made.many, made.number, made.values = str(made), None, 0, {}
    made.sentences, made.before, made.between = tuple(sentences), before, between
    return made


def translated(text: str, catalogue: NullTranslations, zone: tzinfo | str = UTC) -> str:
    """Return a sentence in the language of a catalogue; a plain string is looked up as it is.

    Values that are sentences themselves are translated too; days and moments are written in the catalogue's language,
    moments in the zone given. What the catalogue does not know stays English.
    """
    if not isinstance(text, Said):
        return catalogue.gettext(text) if text else text
    if isinstance(text, Listed):
        if language_of(catalogue) == ENGLISH:
            return text
        # Not in small letters: other languages have nouns to begin with.
        return text.before + text.between.join(translated(each, catalogue, zone) for each in text.sentences)
    language = language_of(catalogue)
    values: Mapping[str, Any] = text.values
    if text.many is None:
        template = catalogue.gettext(text.template)
    else:
        template = catalogue.ngettext(text.template, text.many, text.number)
        values = {"num": whole(text.number, language), **values}
    if not values:
        # What has no translation stays as it was spelled, which need not be how the catalogue lists it.
        return template if template != text.template else str(text)
    return template % {
        name: translated(each, catalogue, zone) if isinstance(each, Said) else each
        for name, each in _shown(values, language, zone).items()
    }


def _shown(values: Mapping[str, Any], language: str, zone: tzinfo | str) -> dict[str, Any]:
    return {name: _value(each, language, zone) for name, each in values.items()}


def _value(value: Any, language: str, zone: tzinfo | str) -> Any:
    if isinstance(value, datetime):
        return moment(value, language, zone)
    if isinstance(value, Near):
        return near_day(value, language)
    if isinstance(value, date):
        return day(value, language)
    return whole(value, language) if isinstance(value, int) and not isinstance(value, bool) else value


@cache
def catalogue(language: str) -> NullTranslations:
    """Return the catalogue of a language, for mails, printed documents and pages; English needs none."""
    path = TRANSLATIONS / language / "LC_MESSAGES" / "messages.mo"
    if language == ENGLISH or language not in LANGUAGES or not path.is_file():
        return NullTranslations()
    with path.open("rb") as file:
        return GNUTranslations(file)


def language_of(catalogue: NullTranslations) -> str:
    """Return the language that a catalogue speaks."""
    return catalogue.info().get("language", ENGLISH)


def zone_of(name: str) -> tzinfo:
    """Return the zone of a name such as "Europe/Lisbon"; a name that this machine does not know is UTC."""
    try:
        return ZoneInfo(name) if name and name != "UTC" else UTC
    except (ValueError, OSError, KeyError):  # not a name, the name of a folder, a zone not known here
        return UTC


def in_zone(value: datetime, zone: tzinfo | str = UTC) -> datetime:
    """Return a moment as the clocks of a zone show it; one without a zone is read as UTC."""
    there = zone_of(zone) if isinstance(zone, str) else zone
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(there)


def day(value: date, language: str = ENGLISH, *, short: bool = False) -> str:
    """Return "18 December 2026" or "18. Dezember 2026"; in tables (short) "18 Dec 2026" or "18. Dez. 2026"."""
    manner = _manner(language)
    return format_date(value, manner.short if short else manner.long, locale=manner.locale)


def near_day(value: date, language: str = ENGLISH) -> str:
    """Return a day of these months without its year, "18 December" or "18. Dezember", for subjects."""
    manner = _manner(language)
    return format_date(value, manner.near, locale=manner.locale)


def month(value: date, language: str = ENGLISH) -> str:
    """Return "Dec 2026" or "Dez. 2026"."""
    return format_date(value, "MMM y", locale=_manner(language).locale)


def moment(
    value: datetime, language: str = ENGLISH, zone: tzinfo | str = UTC, *, short: bool = False, name_zone: bool = True
) -> str:
    """Return "18 December 2026 at 14:32 UTC" or "18. Dezember 2026 um 14:32 Uhr (UTC)", short "18 Dec 2026, 14:32 UTC".

    Where the zone is said in another way, as on a page, leave its name out.
    """
    manner, local = _manner(language), in_zone(value, zone)
    written = "{day}, {time}" if short else manner.at
    words = written.format(day=day(local, language, short=short), time=f"{local:%H:%M}")
    return manner.zone.format(words=words, zone=local.tzname() or "UTC") if name_zone else words


def clock(value: datetime, zone: tzinfo | str = UTC) -> str:
    """Return "14:32" as the clocks of a zone show it."""
    return f"{in_zone(value, zone):%H:%M}"


def whole(value: int, language: str = ENGLISH) -> str:
    """Return "1,204" or "1.204"."""
    return f"{value:,}".replace(",", symbols(language)[1])


@cache
def symbols(language: str) -> tuple[str, str]:
    """Return the sign before the decimals and the sign between the thousands of a language."""
    numbers = Locale.parse(_manner(language).locale).number_symbols["latn"]
    return str(numbers["decimal"]), str(numbers["group"])


def _manner(language: str) -> _Manner:
    return _MANNERS.get(language, _MANNERS[ENGLISH])

"""What people and spreadsheet programs write in cells, read as what it can only mean. Pure.

Source: interchange.md, "XLSX round trip": smart quotes, non-breaking blanks and full-width digits are normalised, words
for yes and no count only where they are unambiguous, and a number that could be read in two ways is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from portal.kernel.words import said as worded
from portal.questionnaires.rules import FieldKind, Option
from portal.questionnaires.rules.text import date_from, tidy

CLEAR: Final = "(clear)"
"""What blanks a cell; an empty cell changes nothing."""

CONFIRM: Final = "(confirm)"
"""What confirms an earlier answer as it was."""

MAX_CELL: Final = 32_767
"""What a cell of a spreadsheet holds, counted in UTF-16 units."""


class CellKind(StrEnum):
    """What a program says that a cell holds."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    TRUTH = "truth"
    FORMULA = "formula"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Typed:
    """A cell as text: true numbers and dates in their plain form, truths as TRUE or FALSE."""

    text: str = ""
    kind: CellKind = CellKind.TEXT

    @property
    def is_blank(self) -> bool:
        """Whether nothing is in it."""
        return not prose(self.text)


EMPTY: Final = Typed()

_QUOTES: Final = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\uff07", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\uff02", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\uff0d", "-"),
    }
)
_BLANKS: Final = re.compile(r"[^\S\n\t]|[\u200b\u2060]")
_DANGEROUS: Final = "=+\\-@\t\r\uff1d\uff0b\uff0d\uff20"
_TO_GUARD: Final = re.compile(f"'*[{_DANGEROUS}]")
_GUARDED: Final = re.compile(f"'+[{_DANGEROUS}]")


def guarded(text: str) -> str:
    """Return a text that no spreadsheet program takes for a formula: one that begins like one gets an apostrophe."""
    return f"'{text}" if _TO_GUARD.match(text) else text


def unguarded(text: str) -> str:
    """Return the text that `guarded` was given."""
    return text[1:] if _GUARDED.match(text) else text


def fits(text: str) -> bool:
    """Tell whether a text fits into one cell."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2 <= MAX_CELL


def prose(text: str) -> str:
    """Return a text as it is kept: ordinary blanks, one kind of line end, nothing that cannot be seen."""
    return tidy(_BLANKS.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")))


def alike(one: str, other: str) -> bool:
    """Tell whether two texts differ in nothing but what programs change by themselves: quotes, dashes, blanks."""
    return _plain(one) == _plain(other)


def word(text: str) -> str:
    """Return a short text as it is compared: no case, no outer or doubled blanks, no typography."""
    return _plain(text).casefold()


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text.translate(_QUOTES)).split())


_YES_NO: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("y", "yes", "ja", "oui", "true"), "yes"),
        **dict.fromkeys(("n", "no", "nein", "non", "nee", "false"), "no"),
        **dict.fromkeys(("partly", "partial", "partially", "in part", "teilweise", "partiellement"), "partial"),
    }
)
_NOT_APPLICABLE: Final = frozenset(
    {"na", "n/a", "n.a.", "n. a.", "not applicable", "does not apply", "does not apply to us", "nicht zutreffend"}
)


def yes_or_no(text: str) -> str | None:
    """Return yes, no or partial where the word can mean nothing else, in a few languages."""
    return _YES_NO.get(word(text))


def says_not_applicable(text: str) -> bool:
    """Tell whether the words say that the question does not apply."""
    return word(text) in _NOT_APPLICABLE


class Unclear(ValueError):
    """A cell that could mean two things, or nothing; the message says how to write it."""


def number(cell: Typed, *, unit: str = "", example: str = "12") -> str:
    """Return the plain decimal text of a number.

    :raises Unclear: if it is none, or a separator could group thousands as well as begin the decimals.
    """
    plain = _plain(cell.text)
    if cell.kind is CellKind.NUMBER:
        return plain
    plain = _without_unit(plain, unit)
    compact = re.sub(r"(?<=\d)[ '](?=\d{3}(?!\d))", "", plain)
    if re.fullmatch(r"\d+(?:[.,]\d+)?", compact, re.ASCII):
        whole, separator, rest = re.fullmatch(r"(\d+)([.,]?)(\d*)", compact, re.ASCII).groups()  # type: ignore[union-attr]
        if separator and len(rest) == 3 and len(whole) <= 3 and not whole.startswith("0"):
            raise Unclear(
                f"“{plain}” can be read as {whole}{rest} and as {whole}.{rest}. "
                f"Write {whole}{rest}, or {whole}.{rest}0, without other separators"
            )
        return f"{whole}.{rest}" if separator else whole
    for group, point in ((",", "."), (".", ",")):
        if re.fullmatch(rf"\d{{1,3}}(?:\{group}\d{{3}})+(?:\{point}\d+)?", compact, re.ASCII):
            return compact.replace(group, "").replace(point, ".")
    raise Unclear(f"“{_short(plain)}” is not a number. Write it in digits, for example {example}")


def _without_unit(plain: str, unit: str) -> str:
    names = {"percent": ("%", "percent")}.get(unit, (unit, unit.removesuffix("s")) if unit else ())
    for name in names:
        if plain.casefold().endswith(name.casefold()) and plain[: -len(name)].strip():
            return plain[: -len(name)].strip()
    return plain


def day(cell: Typed) -> str:
    """Return a day as year-month-day. A true date cell counts as well as the text.

    :raises Unclear: if it is none, or day and month could be told apart only by knowing the country.
    """
    plain = _plain(cell.text)
    if cell.kind in (CellKind.DATE, CellKind.TEXT):
        found = re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ][0-9:.]+)?", plain, re.ASCII)
        if found and date_from(iso := f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}"):
            return iso
    raise Unclear(f"“{_short(plain)}” is not a date as year-month-day. Write it like 2026-12-31")


def days(cell: Typed) -> tuple[str, str]:
    """Return the first and the last day of a period, written with “to” or a slash between them.

    :raises Unclear: if it is none.
    """
    pieces = re.split(r"\s+(?:to|until|bis|-)\s+|(?<=\d)/(?=\d{4}-)", _plain(cell.text))
    if len(pieces) != 2:
        raise Unclear(worded("Write the first and the last day, for example 2025-10-01 to 2026-09-30"))
    return day(Typed(pieces[0])), day(Typed(pieces[1]))


def chosen(options: Collection[Option], text: str) -> str:
    """Return the key of the option that a label or a key names.

    :raises Unclear: if it names none, or two.
    """
    text = unguarded(text)
    exact = {option.key for option in options if text in (option.key, option.label)}
    said = exact or {option.key for option in options if word(text) in (word(option.key), word(option.label))}
    if len(said) == 1:
        return said.pop()
    keys = {option.key for option in options}
    meant = yes_or_no(text)
    if not said and meant in keys and keys <= {"yes", "partial", "no"}:
        return str(meant)
    names = ", ".join(option.label for option in options)
    raise Unclear(f"“{_short(prose(text))}” is not on offer. Choose one of: {names}")


def label_of(options: Collection[Option], key: str) -> str:
    """Return the label of an option, or its key where the label would not lead back to it."""
    label = next((option.label for option in options if option.key == key), key)
    try:
        return label if not set(label) & set(";\n") and chosen(options, guarded(label)) == key else key
    except Unclear:
        return key


def value_in(kind: FieldKind, options: Collection[Option], cell: Typed) -> str:
    """Return the plain value of a field, or of a column of a table.

    :raises Unclear: if the cell cannot be read.
    """
    refuse_computed(cell)
    if kind is FieldKind.NUMBER:
        return number(cell)
    if kind is FieldKind.DATE:
        return day(cell)
    return chosen(options, cell.text) if options else prose(unguarded(cell.text))


def refuse_computed(cell: Typed) -> None:
    """Refuse what is not a value but the way to one.

    :raises Unclear: for a formula and for the error of one.
    """
    if cell.kind is CellKind.FORMULA:
        raise Unclear(worded("The cell holds a formula. Write the value itself"))
    if cell.kind is CellKind.ERROR:
        raise Unclear(
            worded("The cell holds the error %(error)s. Write the value itself", error=_short(prose(cell.text)))
        )


def same(cell: Typed, was: str) -> bool:
    """Tell whether a cell still says what was exported."""
    return cell.kind not in (CellKind.FORMULA, CellKind.ERROR) and alike(unguarded(cell.text), was)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"

"""What the metadata of a file is made of: fields with a type, tables of typed columns, dates in their order. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from portal.kernel.words import spelled

MOST_ROWS: Final = 100
"""How many rows a table of a file's metadata may have."""

CURRENCIES: Final = tuple("USD EUR GBP CHF JPY CAD AUD NZD SGD HKD INR KES PHP BRL MXN ZAR SEK NOK DKK PLN".split())  # noqa: SIM905


class FieldType(StrEnum):
    """What a field of the metadata holds.

    ``long``: a text of several sentences. ``multi``: any number of the options. ``money``: an amount with its
    currency. ``table``: rows of typed columns. ``id``: names the stored row that a row of a form stands for.
    """

    TEXT = "text"
    LONG = "long"
    DATE = "date"
    NUMBER = "number"
    CHOICE = "choice"
    MULTI = "multi"
    MONEY = "money"
    TABLE = "table"
    ID = "id"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. ``the`` is its name in a sentence; a row without a required one is sent back."""

    name: str
    the: str
    type: FieldType = FieldType.TEXT
    required: bool = False
    options: tuple[tuple[str, str], ...] = ()
    past: bool = False
    hint: str = ""

    @property
    def label(self) -> str:
        """The words above the column."""
        return labelled(self.the)


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``the`` is its name in a sentence ("the end of the period"); the label follows from it.

    ``when`` limits it to files whose other field has a value; ``past`` refuses days that have not come yet.
    ``apart``: its rows are kept as rows of their own (``rules.report``), not among the details.
    """

    name: str
    the: str
    type: FieldType = FieldType.TEXT
    required: bool = False
    options: tuple[tuple[str, str], ...] = ()
    when: tuple[str, str] | None = None
    past: bool = False
    hint: str = ""
    columns: tuple[Column, ...] = ()
    rows: int = MOST_ROWS
    apart: bool = False

    @property
    def label(self) -> str:
        """The words beside the field."""
        return labelled(self.the)

    @property
    def id(self) -> str:
        """The name of the form field."""
        return f"detail-{self.name}"

    @property
    def currency_id(self) -> str:
        """The name of the form field for the currency of an amount."""
        return f"{self.id}-currency"

    def cell_id(self, row: int, column: str) -> str:
        """Return the name of the form field for one cell of a table; rows count from 0."""
        return f"{self.id}-{row}-{column}"


@dataclass(frozen=True, slots=True)
class Order:
    """Two dates in their order; ``strict`` if they must differ. ``words`` end in the earlier one's name."""

    earlier: str
    later: str
    words: str
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of evidence (spec/evidence.md). ``headings``: a field and what stands above it in a long form."""

    code: str
    title: str
    fields: tuple[Field, ...]
    checks: tuple[str, ...]
    holds: str
    orders: tuple[Order, ...] = ()
    headings: tuple[tuple[str, str], ...] = ()

    def heading(self, name: str) -> str:
        """Return the words that stand above a field of a long form, none above most."""
        return dict(self.headings).get(name, "")

    def field(self, name: str) -> Field:
        """Return a field by its name.

        :raises KeyError: if the kind has no such field.
        """
        for each in self.fields:
            if each.name == name:
                return each
        raise KeyError(name)


def labelled(the: str) -> str:
    """Return "End of the period" for "the end of the period"; in other languages both are one word of the table."""
    words = the.removeprefix("the ")
    return spelled(words[:1].upper() + words[1:], the)


def text(name: str, the: str, *, required: bool = False, hint: str = "") -> Field:
    """A line of text."""
    return Field(name, the, required=required, hint=hint)


def long(name: str, the: str, *, hint: str = "") -> Field:
    """A text of several sentences."""
    return Field(name, the, FieldType.LONG, hint=hint)


def day(
    name: str,
    the: str,
    *,
    required: bool = False,
    past: bool = False,
    when: tuple[str, str] | None = None,
    hint: str = "",
) -> Field:
    """A day."""
    return Field(name, the, FieldType.DATE, required=required, past=past, when=when, hint=hint)


def number(name: str, the: str, *, hint: str = "") -> Field:
    """A whole number."""
    return Field(name, the, FieldType.NUMBER, hint=hint)


def choice(name: str, the: str, options: Mapping[str, str], *, required: bool = False, hint: str = "") -> Field:
    """One of some options."""
    return Field(name, the, FieldType.CHOICE, required=required, options=tuple(options.items()), hint=hint)


def multi(name: str, the: str, options: Mapping[str, str], *, hint: str = "") -> Field:
    """Any number of some options."""
    return Field(name, the, FieldType.MULTI, options=tuple(options.items()), hint=hint)


def money(name: str, the: str, *, hint: str = "") -> Field:
    """An amount with its currency."""
    return Field(name, the, FieldType.MONEY, hint=hint)


def table(name: str, the: str, columns: tuple[Column, ...], *, hint: str = "", apart: bool = False) -> Field:
    """Rows of typed columns."""
    return Field(name, the, FieldType.TABLE, columns=columns, hint=hint, apart=apart)

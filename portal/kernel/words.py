"""Sentences that remember what they were made from, so that a page or a mail can say them in the reader's language.

A room raises and returns English sentences and knows no reader. What it says is a ``Said``: a string as good as any
other, whose parts stay at hand for whoever stands at the edge and knows the language.
"""

from __future__ import annotations

from collections.abc import Mapping
from gettext import NullTranslations
from typing import Any


class Said(str):
    """An English sentence with the template and the values it was made from.

    ``many`` and ``number`` are set where the sentence counts something.
    """

    template: str
    many: str | None
    number: int
    values: Mapping[str, Any]


def said(template: str, /, **values: Any) -> Said:
    """Return a sentence: the template with its ``%(name)s`` filled in. Without values the template stands as it is."""
    made = Said(template % values if values else template)
    made.template, made.many, made.number, made.values = template, None, 0, values
    return made


def said_n(one: str, many: str, number: int, /, **values: Any) -> Said:
    """Return a sentence about a number of things, which may stand in both templates as ``%(num)s``."""
    values = {"num": number, **values}
    made = Said((one if number == 1 else many) % values)
    made.template, made.many, made.number, made.values = one, many, number, values
    return made


def translated(text: str, catalogue: NullTranslations) -> str:
    """Return a sentence in the language of a catalogue; a plain string is looked up as it is.

    Values that are sentences themselves are translated too. What the catalogue does not know stays English.
    """
    if not isinstance(text, Said):
        return catalogue.gettext(text) if text else text
    if text.many is None:
        template = catalogue.gettext(text.template)
    else:
        template = catalogue.ngettext(text.template, text.many, text.number)
    if not text.values:
        return template
    return template % {
        name: translated(each, catalogue) if isinstance(each, Said) else each for name, each in text.values.items()
    }

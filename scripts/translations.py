"""The catalogues of our languages: what the sources say is extracted, merged into each language and compiled.

``python -m scripts.translations`` (make translations) does all three and says what is still to be translated. The
catalogues stand in the repository, ``.po`` for people and ``.mo`` for the machine, so that running needs no tool.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
TRANSLATIONS = ROOT / "portal/translations"

KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "said": None,
    "worded": None,
    "said_n": (1, 2),
    "N_": None,
}
JINJA = {"trimmed": "true", "silent": "false", "encoding": "utf-8"}
LAB = ("portal/sites/lab/", "portal/sites/api/", "portal/demo/", "portal/doctor/", "portal/reviews/rules/check")
"""What speaks to the lab, to machines and to operators speaks English; a check asks a case what was ``said``."""

MADE = datetime(2026, 11, 30, tzinfo=UTC)
"""One day for good, so that a catalogue changes when a text does and never else."""


def sources() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield each file that may say something to a contractor: its path, how it is read, and the options of that."""
    for path in sorted((ROOT / "portal").rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(LAB):
            continue
        if path.suffix == ".py":
            yield name, "python", {"encoding": "utf-8"}
        elif "/templates/" in name and path.suffix in {".html", ".txt"}:
            yield name, "jinja2", JINJA


def extracted() -> Catalog:
    """Return every text of the sources, with the files that say it."""
    found = Catalog(project="Gatehouse", creation_date=MADE, fuzzy=False)
    for name, method, options in sources():
        for _line, message, comments, context in extract_from_file(
            method,
            str(ROOT / name),
            keywords=KEYWORDS,
            comment_tags=["L10N:"],
            options=options,
            strip_comment_tags=True,
        ):
            found.add(message, locations=[(name, 0)], auto_comments=comments, context=context)
    for name, words in tables():
        found.add(words, locations=[(name, 0)])
    return found


def tables() -> Iterator[tuple[str, str]]:
    """Yield what is said by tables, whose entries are too many to be marked one by one: the kinds of evidence."""
    from portal.evidence.rules import KINDS, Column, Field

    def of_field(field: Field | Column) -> Iterator[str]:
        yield from (field.the, field.hint, *(words for _, words in field.options))
        if isinstance(field, Field):
            for column in field.columns:
                yield from of_field(column)

    for kind in KINDS.values():
        said = [kind.title, kind.holds, *(each.words for each in kind.orders), *(words for _, words in kind.headings)]
        for field in kind.fields:
            said += of_field(field)
        yield from (("portal/evidence/rules/kinds.py", words) for words in said if words)


def path_of(language: str, suffix: str = "po") -> Path:
    """Return the file of a language's catalogue."""
    return TRANSLATIONS / language / "LC_MESSAGES" / f"messages.{suffix}"


def languages() -> list[str]:
    """Return the languages that have a catalogue."""
    return sorted(each.parent.parent.name for each in TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"))


def read(language: str) -> Catalog:
    """Return the catalogue of a language as it stands."""
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language)


def merged(language: str, said: Catalog) -> Catalog:
    """Return a language's catalogue with the texts there are now: translations stay, what is not said any more goes."""
    catalogue = read(language)
    catalogue.update(said, no_fuzzy_matching=True, update_header_comment=False, update_creation_date=False)
    catalogue.obsolete.clear()
    return catalogue


def as_po(catalogue: Catalog) -> bytes:
    """Return a catalogue as its file for people, in an order that does not depend on the sources."""
    out = BytesIO()
    write_po(out, catalogue, width=120, sort_output=True, no_location=True, ignore_obsolete=True)
    return out.getvalue()


def as_mo(catalogue: Catalog) -> bytes:
    """Return a catalogue as its file for the machine."""
    out = BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def missing(catalogue: Catalog) -> list[Message]:
    """Return the texts that have no translation yet, or only one that nobody has looked at."""
    return [each for each in catalogue if each.id and (each.fuzzy or not all(_strings(each)))]


def _strings(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, tuple | list) else (message.string,)


def main() -> int:
    """Write the catalogues anew; 1 while a text waits for its translation."""
    said = extracted()
    waits = 0
    for language in languages():
        catalogue = merged(language, said)
        path_of(language).write_bytes(as_po(catalogue))
        path_of(language, "mo").write_bytes(as_mo(catalogue))
        left = missing(catalogue)
        waits += len(left)
        print(f"{language}: {len(catalogue)} texts, {len(left)} to be translated")  # noqa: T201
        for each in left:
            print(f"  {each.id!r}")  # noqa: T201
    return 1 if waits else 0


if __name__ == "__main__":
    sys.exit(main())

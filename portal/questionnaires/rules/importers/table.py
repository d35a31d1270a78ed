"""Imports questions from a table, such as a sheet or a CSV file: one row is one question, columns are found by name."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from portal.questionnaires.rules.definition import FULL_CREDIT, Kind
from portal.questionnaires.rules.importers.draft import (
    MAX_QUESTIONS,
    Choice,
    Draft,
    DraftQuestion,
    DraftSection,
    Imported,
    compose,
    too_many,
)
from portal.questionnaires.rules.importers.keys import fingerprint, names, numbered, prefix_of, question_keys
from portal.questionnaires.rules.importers.markup import from_html
from portal.questionnaires.rules.problems import DefinitionError, Problem
from portal.questionnaires.rules.yamltext import one_line

HEADER_ROWS: Final = 20
MAX_OPTIONS: Final = 100

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "key": (
        "key",
        "id",
        "questionid",
        "questionkey",
        "questionno",
        "questionnumber",
        "ref",
        "reference",
        "number",
        "no",
        "nr",
    ),
    "section": ("section", "domain", "category", "group", "topic", "chapter", "area", "controldomain"),
    "text": ("question", "questiontext", "text", "requirement", "control", "statement"),
    "label": ("label", "title", "shorttitle", "short", "name", "questiontitle"),
    "kind": ("type", "kind", "questiontype", "answertype", "format", "responsetype"),
    "options": ("options", "choices", "answeroptions", "answers", "allowedvalues", "possibleanswers"),
    "weight": ("weight", "importance"),
    "unit": ("unit",),
    "guidance": (
        "help",
        "guidance",
        "hint",
        "helptext",
        "explanation",
        "notes",
        "description",
        "implementationguidance",
    ),
    "why": ("why", "rationale", "reason", "whyweask"),
    "strong": ("strong", "stronganswer", "goodanswer", "bestanswer"),
    "good_evidence": ("goodevidence", "evidence", "evidenceexamples", "expectedevidence"),
}
_NAMES: Final = {name: field for field, each in COLUMNS.items() for name in each}

KINDS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("yn", "yesno", "yesorno", "boolean", "bool", "truefalse", "check", "tick"), Kind.YES_NO),
    **dict.fromkeys(("yn!", "yesnostrict"), Kind.YES_NO_STRICT),
    **dict.fromkeys(
        ("ynp", "yesnopartial", "yespartialno", "yespartlyno", "yesnopartly", "yesnona", "yesnopartialna"),
        Kind.YES_PARTIAL_NO,
    ),
    **dict.fromkeys(
        (
            "c1",
            "choice",
            "onechoice",
            "single",
            "singlechoice",
            "singleselect",
            "dropdown",
            "select",
            "radio",
            "radios",
            "list",
        ),
        Kind.ONE_CHOICE,
    ),
    **dict.fromkeys(
        (
            "multi",
            "multiple",
            "multiplechoice",
            "multichoice",
            "multiselect",
            "checkbox",
            "checkboxes",
            "severalchoices",
        ),
        Kind.MANY_CHOICES,
    ),
    **dict.fromkeys(("num", "number", "numeric", "integer", "decimal"), Kind.NUMBER),
    **dict.fromkeys(("date", "day"), Kind.DATE),
    **dict.fromkeys(("range", "daterange", "period"), Kind.RANGE),
    **dict.fromkeys(("url", "link", "website", "webaddress"), Kind.URL),
    **dict.fromkeys(("file", "upload", "attachment", "document"), Kind.FILE),
    **dict.fromkeys(
        ("text", "shorttext", "longtext", "string", "freetext", "open", "paragraph", "textarea"), Kind.TEXT
    ),
}
_LONG: Final = frozenset({"longtext", "paragraph", "textarea"})
_SHORT: Final = frozenset({"shorttext", "string"})
_CREDIT: Final = re.compile(r"(.{1,300}?) ?= ?([0-9]{1,3}) ?%?")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a name; `rows[0]` is the first line of the file or the first row of the sheet."""

    name: str
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Row:
    """One question as the table gives it."""

    file: str
    line: int
    cells: Mapping[str, str]
    columns: Mapping[str, int]
    table: str

    def at(self, field: str) -> str:
        return self.cells.get(field, "")

    def place(self, field: str) -> tuple[int, int]:
        return self.line, self.columns.get(field, 0) + 1


def import_table(
    tables: Sequence[Table], name: str, *, slug: str, version: int = 1, title: str = "", notes: Sequence[str] = ()
) -> Imported:
    """Return the questions of one or several tables as a questionnaire of ours.

    Lines and columns of problems are those of the table: column 3 is the third cell.

    :raises DefinitionError: naming file, row and column: no header row with a column of questions, a key used twice, a
        weight that is no number from 0 to 5, or more than 2,000 questions.
    """
    draft = Draft(slug, version, title or name.rpartition(".")[0] or name, name, notes=list(notes))
    draft.header = (f"Imported from the table {name}. A draft: read it before it is published.",)
    rows = [row for table in tables for row in _rows(table, name, draft, is_only=len(tables) == 1)]
    if not rows:
        message = "There is no header row with a column “Question” in the first 20 rows, or no question below it"
        raise DefinitionError([Problem(name, 1, 1, message)])
    if len(rows) > MAX_QUESTIONS:
        raise too_many(rows[MAX_QUESTIONS].file, (rows[MAX_QUESTIONS].line, 1))
    keys = _keys(rows, draft)
    sections = _sections(rows, draft)
    for row, key in zip(rows, keys, strict=True):
        sections[_section(row)].questions.append(_question(row, key, draft))
    return compose(draft)


def _rows(table: Table, name: str, draft: Draft, *, is_only: bool) -> Iterator[_Row]:
    """Yield the questions below the header row of a table; nothing if it has none."""
    file = name if is_only else f"{name} ({one_line(table.name)})"
    found_at = next((at for at, row in enumerate(table.rows[:HEADER_ROWS]) if _is_header(_columns(row))), None)
    if found_at is None:
        if any(any(cell.strip() for cell in row) for row in table.rows):
            draft.notes.append(f"{file}: no header row with a column “Question” was found; this sheet is left out.")
        return
    header = table.rows[found_at]
    columns = _columns(header)
    ignored = [one_line(cell) for at, cell in enumerate(header) if cell.strip() and at not in columns.values()]
    if ignored:
        draft.notes.append(f"{file}: columns not taken over: {', '.join(ignored)[:300]}.")
    section = ""
    for line, cells in enumerate(table.rows[found_at + 1 :], start=found_at + 2):
        found = {field: cells[at].strip() for field, at in columns.items() if at < len(cells)}
        # A section is often written once, above or beside its first question.
        section = found.get("section") or section
        if not found.get("text"):
            if any(value.strip() for field, value in found.items() if field != "section"):
                draft.notes.append(f"{file}:{line}:1: a row without a question is left out.")
            continue
        yield _Row(file, line, {**found, "section": section}, columns, table.name)


def _columns(row: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for at, cell in enumerate(row):
        field = _NAMES.get(_bare(cell))
        if field is not None and field not in found:
            found[field] = at
    return found


def _is_header(columns: Mapping[str, int]) -> bool:
    return "text" in columns and len(columns) >= 2


def _bare(text: str) -> str:
    """Return a name without blanks, case and punctuation, so that `Question ID:` is `questionid`."""
    return re.sub(r"[^a-z0-9!]+", "", text.lower()) if len(text) <= 80 else ""


def _keys(rows: Sequence[_Row], draft: Draft) -> list[str]:
    seen: dict[str, _Row] = {}
    for row in rows:
        given = row.at("key")
        twin = seen.setdefault(given, row) if given else row
        if twin is not row:
            place = row.place("key")
            raise DefinitionError(
                [Problem(row.file, *place, f"“{given[:60]}” is used twice, first in line {twin.line}")]
            )
    identifiers = numbered(row.at("key") or fingerprint(row.at("text")) for row in rows)
    nameless = sum(1 for row in rows if not row.at("key"))
    if nameless:
        draft.notes.append(f"{nameless} questions had no key of their own: their keys are made from their texts.")
    keys = question_keys(identifiers, prefix_of(draft.slug))
    return [keys[identifier] for identifier in identifiers]


def _section(row: _Row) -> str:
    return one_line(row.at("section")) or one_line(row.table) or "Questions"


def _sections(rows: Sequence[_Row], draft: Draft) -> Mapping[str, DraftSection]:
    titles = list(dict.fromkeys(_section(row) for row in rows))
    keys = names(titles, "section", keep=False)
    found = {title: DraftSection(keys[title], title) for title in titles}
    draft.sections.extend(found.values())
    return found


def _question(row: _Row, key: str, draft: Draft) -> DraftQuestion:
    weight = _weight(row)
    options = _options(row.at("options"), scored=weight > 0)
    question = DraftQuestion(key, _plain(row.at("text")), _kind(row, options, draft), label=_plain(row.at("label")))
    if question.kind in (Kind.ONE_CHOICE, Kind.MANY_CHOICES):
        scored = question.kind is Kind.ONE_CHOICE and weight > 0 and all(each.credit is not None for each in options)
        question.options = [Choice(each.key, each.label, each.credit if scored else None) for each in options]
        if weight and not scored:
            _note(draft, row, "weight", "the weight is not taken over, as not every option says what it earns")
        question.weight = weight if scored else 0
    elif question.kind in (Kind.YES_NO, Kind.YES_NO_STRICT, Kind.YES_PARTIAL_NO):
        question.weight = weight
        if options:
            _note(draft, row, "options", f"the options are not taken over: “{question.kind}” has its own")
    elif weight:
        _note(draft, row, "weight", f"the weight is not taken over: “{question.kind}” is not scored without more")
    if question.kind is Kind.NUMBER:
        question.unit = one_line(row.at("unit"))
    word = _bare(row.at("kind"))
    question.length = "long" if word in _LONG else "short" if word in _SHORT else ""
    for part in ("guidance", "why", "strong", "good_evidence"):
        setattr(question, part, _plain(row.at(part)))
    return question


def _plain(text: str) -> str:
    return from_html(text)[0]


def _kind(row: _Row, options: Sequence[Choice], draft: Draft) -> Kind:
    """Return the kind that the row names, or text and a note where it names none that we know."""
    word = _bare(row.at("kind"))
    kind = KINDS.get(word)
    said = {option.label.lower() for option in options}
    if kind is None and not word and said:
        if said == {"yes", "no"}:
            return Kind.YES_NO
        _note(draft, row, "options", "no type is given; with options it is taken as one choice")
        return Kind.ONE_CHOICE
    if kind is None:
        told = f"the type “{one_line(row.at('kind'))[:40]}” is not known" if word else "no type is given"
        _note(draft, row, "kind", f"{told}; it is taken as text")
        return Kind.TEXT
    if kind in (Kind.ONE_CHOICE, Kind.MANY_CHOICES) and not options:
        _note(draft, row, "options", "there are no options; it is taken as text")
        return Kind.TEXT
    if kind is Kind.NUMBER and not row.at("unit"):
        _note(draft, row, "kind", "a number needs a unit; it is taken as text")
        return Kind.TEXT
    return kind


def _weight(row: _Row) -> int:
    given = row.at("weight")
    if not given:
        return 0
    if re.fullmatch(r"[0-5](?:\.0+)?", given, re.ASCII) is None:
        message = f"The weight “{given[:20]}” must be a whole number from 0 to 5"
        raise DefinitionError([Problem(row.file, *row.place("weight"), message)])
    return int(given[0])


def _options(text: str, *, scored: bool) -> list[Choice]:
    """Return options on lines of their own, or divided by semicolons or strokes; scored ones as `Yes = 100; No = 0`."""
    sign = next((sign for sign in ("\n", ";", "|") if sign in text), None)
    parts = [one_line(part) for part in (text.split(sign) if sign else [text])]
    labels: dict[str, int | None] = {}
    for part in [each for each in parts if each][:MAX_OPTIONS]:
        shape = _CREDIT.fullmatch(part) if scored else None
        credit = int(shape.group(2)) if shape and int(shape.group(2)) <= FULL_CREDIT else None
        labels.setdefault(shape.group(1) if shape and credit is not None else part, credit)
    keys = names(list(labels), "option", keep=False)
    return [Choice(keys[label], label, credit) for label, credit in labels.items()]


def _note(draft: Draft, row: _Row, field: str, words: str) -> None:
    line, column = row.place(field)
    draft.notes.append(f"{row.file}:{line}:{column}: {words}.")

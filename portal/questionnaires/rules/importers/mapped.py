"""Imports a folder of YAML questions of another system; a mapping file says where each thing stands.

    mapping: 1
    files: "questions/*.yml"            # which files hold questions; * stands for anything, also across folders
    items: "questions"                  # where the list of questions stands in a file; left out: a file is one question
    section: {at: "section.name"}       # or {from: folder}, or {from: file}, or {name: "Everything"}
    question:
      key: "id"                         # left out: the name of the file
      text: "question"
      kind: "type"
      label: "name"
      guidance: "hint"
      why: "reason"
      options: "options"
      weight: "weight"
    option: {key: "value", label: "label"}     # of options that are mappings; plain ones are their own label
    kinds: {boolean: yn, radios: c1, checkboxes: multi, textbox_large: text}
    default_kind: text                  # for a type that `kinds` does not name; left out: such a question is refused

A place is keys joined by dots. Only keys of mappings are followed; nothing is computed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from portal.questionnaires.rules.definition import Kind
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
from portal.questionnaires.rules.importers.keys import names, prefix_of, question_keys
from portal.questionnaires.rules.importers.markup import from_markdown
from portal.questionnaires.rules.problems import DefinitionError, Problem
from portal.questionnaires.rules.reader import Reader, spot
from portal.questionnaires.rules.tree import Branch, Leaf, Node, Record, grow
from portal.questionnaires.rules.yamltext import one_line

MAX_FILES: Final = 2_000
_TOP: Final = ("mapping", "files", "items", "section", "question", "option", "kinds", "default_kind")
_QUESTION: Final = ("key", "text", "kind", "label", "guidance", "why", "strong", "good_evidence", "options", "weight")
_QUESTION_TEXTS: Final = ("label", "guidance", "why", "strong", "good_evidence")
_UNSCORED_ONLY: Final = frozenset({Kind.NUMBER, Kind.TABLE})


@dataclass(frozen=True, slots=True)
class Places:
    """What a mapping file says: a place for each part of a question."""

    files: str
    items: tuple[str, ...]
    section_at: tuple[str, ...]
    section_from: str
    section_name: str
    question: Mapping[str, tuple[str, ...]]
    option_key: tuple[str, ...]
    option_label: tuple[str, ...]
    kinds: Mapping[str, Kind]
    default_kind: Kind | None


def read_mapping(source: bytes, name: str) -> Places:
    """Read a mapping file.

    :raises DefinitionError: with every problem, each with file, line and column.
    """
    root = grow(source, name)
    read, what = Reader(name), "a mapping"
    read.fields(root, _TOP, what)
    read.one_of(root, "mapping", what, ("1",))
    section = read.record(root, "section", what)
    if section is not None:
        read.fields(section, ("at", "from", "name"), "section")
        if len(section.items) != 1:
            read.problem(spot(section), "“section” has one of “at”, “from” and “name”")
    question = read.record(root, "question", what, required=True)
    places: dict[str, tuple[str, ...]] = {}
    if question is not None:
        read.fields(question, _QUESTION, "question")
        for part in _QUESTION:
            if part in question.items or part == "text":
                places[part] = _path(read, question, part)
    option = read.record(root, "option", what)
    if option is not None:
        read.fields(option, ("key", "label"), "option")
    mapping = Places(
        files=read.text(root, "files", what),
        items=_path(read, root, "items", required=False),
        section_at=_path(read, section, "at", required=False) if section else (),
        section_from=read.one_of(section, "from", "section", ("folder", "file"), default="") if section else "",
        section_name=read.text(section, "name", "section", required=False) if section else "",
        question=places,
        option_key=_path(read, option, "key", required=False) if option else (),
        option_label=_path(read, option, "label", required=False) if option else (),
        kinds=_kinds(read, root),
        default_kind=_kind_at(read, root, "default_kind") if "default_kind" in root.items else None,
    )
    if read.problems:
        raise DefinitionError(read.problems)
    return mapping


def import_mapped(
    files: Mapping[str, bytes],
    mapping: bytes,
    name: str,
    *,
    slug: str,
    version: int = 1,
    title: str = "",
    mapping_name: str = "mapping.yaml",
) -> Imported:
    """Return the questions of a folder, given as its files by their paths, as a questionnaire of ours.

    The order of the questions is that of the paths. Files that the mapping does not name are left alone.

    :raises DefinitionError: naming file, line and column: a mapping or file that is not YAML, a place that holds
        something else, a kind without a mapping, or a key used twice.
    """
    places = read_mapping(mapping, mapping_name)
    chosen = sorted(path for path in files if fnmatchcase(path, places.files))
    if not chosen:
        raise DefinitionError(
            [Problem(name, 1, 1, "No file of the folder has a name that “files” of the mapping means")]
        )
    if len(chosen) > MAX_FILES:
        raise DefinitionError([Problem(name, 1, 1, f"A folder has at most {MAX_FILES:,} files of questions")])
    draft = Draft(slug, version, title or name.rpartition(".")[0] or name, name)
    draft.header = (f"Imported from {name} by the mapping {mapping_name}. A draft: read it before it is published.",)
    found = [each for path in chosen for each in _items(path, grow(files[path], path), places)]
    if len(found) > MAX_QUESTIONS:
        raise too_many(found[MAX_QUESTIONS][0], spot(found[MAX_QUESTIONS][1]))
    keys = question_keys([identifier for _, _, identifier in _once(found)], prefix_of(slug))
    titles = [_section(path, record, places) for path, record, _ in found]
    sections = names(list(dict.fromkeys(titles)), "section", keep=False)
    by_title: dict[str, DraftSection] = {}
    for (path, record, identifier), section_title in zip(found, titles, strict=True):
        section = by_title.setdefault(section_title, DraftSection(sections[section_title], section_title))
        section.questions.append(_question(path, record, keys[identifier], places, draft))
    draft.sections.extend(by_title.values())
    return compose(draft)


# --- the mapping


def _path(read: Reader, record: Record, key: str, *, required: bool = True) -> tuple[str, ...]:
    text = read.text(record, key, "a mapping", required=required)
    parts = tuple(text.split(".")) if text else ()
    if len(parts) > 8 or not all(parts):
        read.problem(spot(record.items[key]), f"“{key}” must be keys joined by dots, at most 8")
        return ()
    return parts


def _kinds(read: Reader, root: Record) -> dict[str, Kind]:
    record = read.record(root, "kinds", "a mapping")
    found: dict[str, Kind] = {}
    for key in record.items if record else ():
        kind = _kind_at(read, record, key) if record else None
        if kind is not None:
            found[key] = kind
    return found


def _kind_at(read: Reader, record: Record, key: str) -> Kind | None:
    word = read.one_of(record, key, "kinds", tuple(kind for kind in Kind if kind not in _UNSCORED_ONLY))
    return Kind(word)


# --- the files


def _items(path: str, root: Record, places: Places) -> Iterator[tuple[str, Record, str]]:
    """Yield file, record and identifier of each question of a file."""
    if not places.items:
        yield path, root, _identifier(path, root, places, 0)
        return
    node = _at(root, places.items)
    if node is None:
        return
    if not isinstance(node, Branch):
        raise DefinitionError([Problem(path, *spot(node), f"“{'.'.join(places.items)}” must be a list of questions")])
    for number, item in enumerate(node.items, start=1):
        if not isinstance(item, Record):
            raise DefinitionError([Problem(path, *spot(item), "A question must be a mapping")])
        yield path, item, _identifier(path, item, places, number)


def _identifier(path: str, record: Record, places: Places, number: int) -> str:
    given = _text(path, record, places.question.get("key", ()))
    stem = path.rpartition("/")[2].rpartition(".")[0] or path
    return given or (f"{stem} {number}" if number else stem)


def _once(found: list[tuple[str, Record, str]]) -> list[tuple[str, Record, str]]:
    seen: dict[str, tuple[str, Record]] = {}
    for path, record, identifier in found:
        other_path, other = seen.setdefault(identifier, (path, record))
        if other is not record:
            message = f"The key “{identifier[:60]}” is used twice, first in {other_path}:{other.line}:{other.column}"
            raise DefinitionError([Problem(path, *spot(record), message)])
    return found


def _section(path: str, record: Record, places: Places) -> str:
    if places.section_at:
        return one_line(_text(path, record, places.section_at)) or "Questions"
    folder, _, file = path.rpartition("/")
    if places.section_from == "folder":
        return folder.rpartition("/")[2] or "Questions"
    if places.section_from == "file":
        return file.rpartition(".")[0] or file
    return places.section_name or "Questions"


def _question(path: str, record: Record, key: str, places: Places, draft: Draft) -> DraftQuestion:
    options = _options(path, record, places)
    kind = _kind(path, record, places)
    if kind in (Kind.ONE_CHOICE, Kind.MANY_CHOICES) and not options:
        _note(draft, path, record, "there are no options; it is taken as text")
        kind = Kind.TEXT
    elif options and kind not in (Kind.ONE_CHOICE, Kind.MANY_CHOICES):
        _note(draft, path, record, f"the options are not taken over: “{kind}” has none of its own")
        options = []
    text = from_markdown(_text(path, record, places.question["text"]))
    if not text:
        place = f"“{'.'.join(places.question['text'])}”"
        _note(draft, path, record, f"there is no text at {place}")
    question = DraftQuestion(key, text, kind, options=options)
    for part in _QUESTION_TEXTS:
        setattr(question, part, from_markdown(_text(path, record, places.question.get(part, ()))))
    weight = _text(path, record, places.question.get("weight", ()))
    if weight and kind in (Kind.YES_NO, Kind.YES_NO_STRICT, Kind.YES_PARTIAL_NO) and re.fullmatch("[0-5]", weight):
        question.weight = int(weight)
    elif weight and weight != "0":
        _note(draft, path, record, f"the weight “{weight[:20]}” is not taken over")
    return question


def _kind(path: str, record: Record, places: Places) -> Kind:
    where = places.question.get("kind", ())
    word = _text(path, record, where)
    kind = places.kinds.get(word) or places.default_kind
    if kind is None and not where:
        return Kind.TEXT
    if kind is None:
        node = _at(record, where)
        message = f"“kinds” of the mapping does not say what “{word[:40]}” is, and there is no “default_kind”"
        raise DefinitionError([Problem(path, *spot(node or record), message)])
    return kind


def _options(path: str, record: Record, places: Places) -> list[Choice]:
    node = _at(record, places.question.get("options", ()))
    if node is None:
        return []
    if not isinstance(node, Branch):
        raise DefinitionError([Problem(path, *spot(node), "The options must be a list")])
    pairs: list[tuple[str, str]] = []
    for item in node.items:
        if isinstance(item, Leaf):
            pairs.append((item.text, item.text))
        elif isinstance(item, Record):
            label = _text(path, item, places.option_label)
            pairs.append((_text(path, item, places.option_key) or label, label))
        else:
            raise DefinitionError([Problem(path, *spot(item), "An option must be text or a mapping")])
    pairs = [(raw or label, label or raw) for raw, label in pairs if raw or label]
    unique = dict(pairs)
    keys = names(list(unique), "option")
    return [Choice(keys[raw], from_markdown(label)) for raw, label in unique.items()]


def _at(record: Record, path: tuple[str, ...]) -> Node | None:
    """Follow keys into a record; nothing where the path is empty or leads nowhere."""
    node: Node | None = record if path else None
    for key in path:
        node = node.items.get(key) if isinstance(node, Record) else None
    return node


def _text(path: str, record: Record, where: tuple[str, ...]) -> str:
    node = _at(record, where)
    if node is None:
        return ""
    if not isinstance(node, Leaf):
        raise DefinitionError([Problem(path, *spot(node), f"“{'.'.join(where)}” must be text")])
    return "" if node.plain and node.text in ("null", "~") else node.text.strip()


def _note(draft: Draft, path: str, record: Record, words: str) -> None:
    draft.notes.append(f"{path}:{record.line}:{record.column}: {words}.")

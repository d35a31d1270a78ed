"""Imports control catalogues in OSCAL JSON 1.x: a group is a section, a control a question whether it is in place.

The statement is the question, guidance its guidance, the identifier its place in the crosswalk; parameters become text.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from portal.questionnaires.rules.definition import Kind
from portal.questionnaires.rules.importers.draft import (
    MAX_QUESTIONS,
    Draft,
    DraftQuestion,
    DraftSection,
    Imported,
    compose,
    too_many,
)
from portal.questionnaires.rules.importers.keys import names, numbered, prefix_of, question_keys
from portal.questionnaires.rules.importers.markup import from_markdown
from portal.questionnaires.rules.importers.relaxed import parse as parse_json
from portal.questionnaires.rules.problems import DefinitionError, Problem
from portal.questionnaires.rules.reader import spot
from portal.questionnaires.rules.tree import Branch, Leaf, Record
from portal.questionnaires.rules.yamltext import one_line

_VERSION: Final = re.compile(r"1\.[0-9]+(?:\.[0-9]+)?")
_WHY: Final = re.compile(r"^(?:why\b|rationale\b|purpose\b)", re.IGNORECASE)
_TEXT_PARTS: Final = frozenset({"statement", "item"})
_NOTE_PARTS: Final = frozenset({"guidance", "overview", "objective", "discussion", "information"})
MAX_PARTS: Final = 16


def import_oscal(
    source: bytes, name: str, *, slug: str, version: int = 1, title: str = "", kind: Kind = Kind.YES_PARTIAL_NO
) -> Imported:
    """Return a catalogue as a questionnaire of ours; `kind` is how every control is answered.

    :raises DefinitionError: naming file, line and column: not JSON, not an OSCAL catalogue of version 1, a control
        without an identifier or title, or an identifier used twice.
    """
    root = parse_json(source, name)
    catalog = root.items.get("catalog")
    if not isinstance(catalog, Record):
        found = next(iter(root.items), "nothing")
        message = f"The file must hold an OSCAL “catalog”; it holds “{found[:40]}”"
        raise DefinitionError([Problem(name, *spot(root), message)])
    return _Catalog(name, catalog, slug, version, title, kind).imported()


class _Catalog:
    """Reads one catalogue."""

    def __init__(self, name: str, catalog: Record, slug: str, version: int, title: str, kind: Kind) -> None:
        self._name = name
        self._catalog = catalog
        self._kind = kind
        self._parameters: dict[str, str] = {}
        metadata = self._record(catalog, "metadata")
        self._check_version(metadata)
        self._framework = prefix_of(slug)
        own = self._text(metadata, "title")
        self._draft = Draft(slug, version, title or own, name)
        self._draft.frameworks = {self._framework: (own or slug, self._text(metadata, "version") or "1")}
        header = [f"Imported from the OSCAL catalogue {name}. A draft: read it before it is published."]
        if remarks := from_markdown(self._text(metadata, "remarks")):
            header.append(f"It says of itself: {one_line(remarks)[:600]}")
        self._draft.header = header

    def imported(self) -> Imported:
        groups = list(self._groups(self._catalog, ""))
        loose = self._records(self._catalog, "controls")
        if loose:
            groups.append((self._catalog, "Controls"))
        controls = [(title, control) for group, title in groups for control in self._controls(group)]
        if len(controls) > MAX_QUESTIONS:
            raise too_many(self._name, spot(controls[MAX_QUESTIONS][1]))
        keys = self._keys([control for _, control in controls])
        self._parameters = dict(self._all_parameters([group for group, _ in groups] + [each for _, each in controls]))
        titles = numbered(title for _, title in groups)
        sections = names(titles, "section", keep=False)
        for (group, title), numbered_title in zip(groups, titles, strict=True):
            section = DraftSection(sections[numbered_title], title)
            section.intro = "\n\n".join(text for name, _, text in self._parts(group) if name in _NOTE_PARTS)
            section.questions = [self._question(each, keys) for each in self._controls(group)]
            self._draft.sections.append(section)
        return compose(self._draft)

    def _check_version(self, metadata: Record) -> None:
        node = metadata.items.get("oscal-version")
        text = node.text if isinstance(node, Leaf) else ""
        if text and _VERSION.fullmatch(text) is None:
            message = f"OSCAL version {text[:20]} is not known; export the catalogue in version 1"
            raise DefinitionError([Problem(self._name, *spot(node or metadata), message)])

    def _groups(self, record: Record, above: str, depth: int = 0) -> Iterator[tuple[Record, str]]:
        """Yield groups with controls, inner ones under the titles of the outer ones."""
        for group in self._records(record, "groups") if depth < MAX_PARTS else ():
            own = self._text(group, "title") or self._text(group, "id") or "Group"
            title = f"{above} / {own}" if above else own
            if self._records(group, "controls"):
                yield group, title
            yield from self._groups(group, title, depth + 1)

    def _controls(self, group: Record, depth: int = 0) -> Iterator[Record]:
        """Yield the controls of a group and those inside of them; withdrawn ones are left out."""
        for control in self._records(group, "controls") if depth < MAX_PARTS else ():
            if any(name == "status" and value.lower() == "withdrawn" for name, value in self._props(control)):
                self._note(control, f"“{self._text(control, 'id')}” is withdrawn and left out")
            else:
                yield control
            yield from self._controls(control, depth + 1)

    def _keys(self, controls: list[Record]) -> Mapping[str, str]:
        """Return a key for each identifier, made from the labels that people know if each control has its own."""
        seen: dict[str, Record] = {}
        for control in controls:
            identifier = self._text(control, "id")
            if not identifier:
                raise DefinitionError([Problem(self._name, *spot(control), "A control needs an “id”")])
            twin = seen.setdefault(identifier, control)
            if twin is not control:
                place = control.places["id"]
                message = f"The control “{identifier[:60]}” is there twice, first in line {twin.line}"
                raise DefinitionError([Problem(self._name, *place, message)])
        labels = {identifier: self._label(control) for identifier, control in seen.items()}
        if all(labels.values()) and len(set(labels.values())) == len(labels):
            keys = question_keys(list(labels.values()), self._framework)
            return {identifier: keys[label] for identifier, label in labels.items()}
        return question_keys(list(seen), self._framework)

    def _label(self, control: Record) -> str:
        return next((value for name, value in self._props(control) if name == "label"), "")

    def _question(self, control: Record, keys: Mapping[str, str]) -> DraftQuestion:
        identifier = self._text(control, "id")
        title = self._text(control, "title")
        statement, guidance, why = [], [], []
        for name, heading, text in self._parts(control):
            if name in _TEXT_PARTS:
                statement.append(text)
            elif name in _NOTE_PARTS and _WHY.match(heading):
                why.append(text)
            elif name in _NOTE_PARTS:
                guidance.append(text)
            else:
                self._note(control, f"the part “{name[:40]}” of “{identifier}” is not taken over")
        question = DraftQuestion(keys[identifier], "\n".join(statement) or title, self._kind, label=_label(title))
        question.maps = {self._framework: self._label(control) or identifier}
        question.guidance = "\n\n".join(guidance)
        question.why = "\n\n".join(why)
        if not question.text:
            raise DefinitionError([Problem(self._name, *spot(control), "A control needs a “title” or a statement")])
        return question

    def _parts(self, record: Record) -> Iterator[tuple[str, str, str]]:
        """Yield name, title and text of each part; inner ones become lines of the text of the outer one."""
        for part in self._records(record, "parts"):
            name = self._text(part, "name")
            text = self._prose(part, 0)
            if text:
                yield name, self._text(part, "title"), text

    def _prose(self, part: Record, depth: int) -> str:
        mark = next((value for name, value in self._props(part) if name == "label"), "")
        own = from_markdown(self._text(part, "prose"), self._parameters)
        # A long label is a heading of its own, not the letter of an item.
        lines = [f"{mark} {own}" if own and depth and len(mark) <= 8 and mark else own]
        if depth < MAX_PARTS:
            lines.extend(self._prose(inner, depth + 1) for inner in self._records(part, "parts"))
        return "\n".join(line for line in lines if line)

    def _all_parameters(self, records: list[Record]) -> Iterator[tuple[str, str]]:
        for record in [self._catalog, *records]:
            for parameter in self._records(record, "params"):
                identifier = self._text(parameter, "id")
                yield identifier, self._parameter(parameter)

    def _parameter(self, parameter: Record) -> str:
        """Say a parameter in words: its values, else its choices, else its label."""
        values = [node.text for node in self._branch(parameter, "values") if isinstance(node, Leaf)]
        if values:
            return ", ".join(values)[:400]
        select = parameter.items.get("select")
        if isinstance(select, Record):
            choices = [node.text for node in self._branch(select, "choice") if isinstance(node, Leaf)]
            if choices:
                return f"[{' / '.join(choices)[:400]}]"
        return f"[{(self._text(parameter, 'label') or self._text(parameter, 'id') or 'to be set')[:200]}]"

    def _props(self, record: Record) -> list[tuple[str, str]]:
        return [(self._text(prop, "name"), self._text(prop, "value")) for prop in self._records(record, "props")]

    def _record(self, record: Record, key: str) -> Record:
        node = record.items.get(key)
        if not isinstance(node, Record):
            place = spot(node) if node is not None else spot(record)
            raise DefinitionError([Problem(self._name, *place, f"A catalogue needs “{key}”, an object")])
        return node

    def _records(self, record: Record, key: str) -> list[Record]:
        found: list[Record] = []
        for node in self._branch(record, key):
            if not isinstance(node, Record):
                raise DefinitionError([Problem(self._name, *spot(node), f"Each item of “{key}” must be an object")])
            found.append(node)
        return found

    def _branch(self, record: Record, key: str) -> list[Leaf | Branch | Record]:
        node = record.items.get(key)
        if node is None:
            return []
        if not isinstance(node, Branch):
            raise DefinitionError([Problem(self._name, *spot(node), f"“{key}” must be a list")])
        return node.items

    def _text(self, record: Record, key: str) -> str:
        node = record.items.get(key)
        if node is None:
            return ""
        if not isinstance(node, Leaf):
            raise DefinitionError([Problem(self._name, *spot(node), f"“{key}” must be text")])
        return node.text

    def _note(self, record: Record, words: str) -> None:
        self._draft.notes.append(f"{self._name}:{record.line}:{record.column}: {words}.")


def _label(title: str) -> str:
    """Return a title as a label if it is short enough to be one."""
    words = one_line(title)
    return words if len(words) <= 40 and len(words.split()) <= 4 else ""

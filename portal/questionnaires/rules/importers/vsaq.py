"""Imports questionnaire templates and extensions in the JSON of VSAQ.

A block is a section, radio buttons are one choice, check boxes several, yes/no and single boxes yes or no, a line is a
short text, a box a long one, an upload a request for files; info is guidance, a tip a warning, `cond` a condition.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from portal.questionnaires.rules.conditions import ConditionError, Over, parse
from portal.questionnaires.rules.definition import Kind
from portal.questionnaires.rules.importers import logic
from portal.questionnaires.rules.importers.draft import (
    MAX_QUESTIONS,
    Choice,
    Draft,
    DraftQuestion,
    DraftSection,
    Imported,
    Remark,
    compose,
    too_many,
)
from portal.questionnaires.rules.importers.keys import fingerprint, names, numbered, prefix_of, question_keys
from portal.questionnaires.rules.importers.markup import from_html
from portal.questionnaires.rules.importers.relaxed import parse as parse_json
from portal.questionnaires.rules.problems import DefinitionError, Problem
from portal.questionnaires.rules.reader import spot
from portal.questionnaires.rules.tree import Branch, Leaf, Node, Record
from portal.questionnaires.rules.yamltext import one_line, plain

_QUESTIONS: Final = {
    "radiogroup": Kind.ONE_CHOICE,
    "checkgroup": Kind.MANY_CHOICES,
    "yesno": Kind.YES_NO,
    "check": Kind.YES_NO,
    "line": Kind.TEXT,
    "box": Kind.TEXT,
    "upload": Kind.FILE,
}
_TYPES: Final = frozenset({*_QUESTIONS, "block", "info", "tip", "spacer"})
_SEVERITIES: Final = {"critical": "stop", "high": "stop", "medium": "watch", "low": "info"}
_INPUTS: Final = {"date": Kind.DATE, "url": Kind.URL}
_KNOWN: Final = frozenset(
    {
        *("type", "id", "text", "items", "choices", "choicesConds", "cond", "defaultChoice", "yes", "no", "warn"),
        *("severity", "name", "why", "insertAfter", "inputType", "inputTitle", "inputPattern", "placeholder"),
        *("maxlength", "required", "auth", "todo", "clarification", "customer", "className"),
    }
)


@dataclass(slots=True)
class _Item:
    """One item of a template; `identifier` is global, that of an extension begins with its namespace."""

    file: str
    record: Record
    type: str
    identifier: str
    namespace: str
    items: list["_Item"] = field(default_factory=list)
    choices: list[tuple[str, str]] = field(default_factory=list)

    @property
    def place(self) -> tuple[int, int]:
        return spot(self.record)


def import_vsaq(
    source: bytes,
    name: str,
    *,
    slug: str,
    version: int = 1,
    title: str = "",
    base: bytes | None = None,
    base_name: str = "base.json",
) -> Imported:
    """Return a template, or an extension put into its `base`, as a questionnaire of ours.

    :raises DefinitionError: naming file, line and column: not JSON even with comments, trailing commas and joined
        texts; an identifier used twice; an extension without its base, or one that names what the base has not.
    """
    root = parse_json(source, name)
    reading = _Reading()
    if "extensions" in root.items:
        if base is None:
            raise DefinitionError(
                [Problem(name, *root.places["extensions"], "This is an extension: give its base too")]
            )
        items = reading.template(parse_json(base, base_name), base_name)
        reading.extend(items, root, name)
    else:
        items = reading.template(root, name)
    if len(items) == 1 and items[0].type == "block" and any(each.type == "block" for each in items[0].items):
        title = title or reading.words(items[0])
        items = items[0].items
    draft = Draft(slug, version, title or name.rpartition(".")[0] or name, name, notes=reading.notes)
    draft.header = (f"Imported from the VSAQ template {name}. A draft: read it before it is published.",)
    _Walk(draft, reading, items).run()
    return compose(draft)


class _Reading:
    """Turns the tree into items, and collects what had to be left out."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._seen: dict[str, tuple[str, tuple[int, int]]] = {}
        self._questions = 0

    def template(self, root: Record, file: str) -> list[_Item]:
        if "questionnaire" not in root.items:
            raise DefinitionError(
                [Problem(file, *spot(root), "A VSAQ template needs “questionnaire”, a list of items")]
            )
        return self._items(root, "questionnaire", file, "")

    def extend(self, items: list[_Item], root: Record, file: str) -> None:
        """Put the items of an extension behind those they name, and take away those it deletes."""
        namespace = self._text(root, "namespace", file) or "extension"
        for node in self._list(root, "deletes", file):
            identifier = node.text if isinstance(node, Leaf) else ""
            if not any(_remove(items, identifier)):
                raise DefinitionError([Problem(file, *spot(node), f"The base has no item “{identifier}” to delete")])
        added = self._items(root, "extensions", file, namespace)
        behind: dict[str, str] = {}
        for item in added:
            after = self._text(item.record, "insertAfter", file)
            place = item.record.places.get("insertAfter", item.place)
            if not after:
                raise DefinitionError([Problem(file, *place, "An item of an extension needs “insertAfter”")])
            # A second one behind the same place goes behind the first.
            if not _insert(items, behind.get(after, after), item):
                raise DefinitionError([Problem(file, *place, f"The base has no item “{after}” to insert behind")])
            behind[after] = item.identifier

    def words(self, item: _Item, key: str = "text") -> str:
        """Return a text of an item without its mark-up."""
        text, dropped = from_html(self._text(item.record, key, item.file))
        if dropped:
            line, column = item.place
            self.notes.append(f"{item.file}:{line}:{column}: something active was dropped from “{key}”.")
        return text

    def raw(self, item: _Item, key: str) -> str:
        """Return a text of an item as it stands."""
        return self._text(item.record, key, item.file)

    def _items(self, record: Record, key: str, file: str, namespace: str) -> list[_Item]:
        found: list[_Item] = []
        for node in self._list(record, key, file):
            if not isinstance(node, Record):
                raise DefinitionError([Problem(file, *spot(node), "An item must be an object")])
            item = self._item(node, file, namespace)
            if item is not None:
                found.append(item)
        return found

    def _item(self, node: Record, file: str, namespace: str) -> _Item | None:
        line, column = spot(node)
        type_ = self._text(node, "type", file)
        if type_ not in _TYPES:
            self.notes.append(
                f"{file}:{line}:{column}: items of type “{type_[:40]}” are not known; this one is left out."
            )
            return None
        if unknown := [key for key in node.items if key not in _KNOWN]:
            self.notes.append(f"{file}:{line}:{column}: not taken over: {', '.join(unknown)[:200]}.")
        self._questions += type_ in _QUESTIONS
        if self._questions > MAX_QUESTIONS:
            raise too_many(file, (line, column))
        identifier = self._own(self._text(node, "id", file), namespace)
        item = _Item(file, node, type_, identifier, namespace)
        if identifier:
            self._once(identifier, file, node.places.get("id", spot(node)))
        if type_ in ("radiogroup", "checkgroup"):
            item.choices = list(self._choices(node, file, namespace))
        item.items = self._items(node, "items", file, namespace) if type_ == "block" else []
        item.identifier = identifier or self._nameless(item)
        return item

    def _nameless(self, item: _Item) -> str:
        """Name an item after what it says, or after its first choice."""
        said = self._text(item.record, "text", item.file) or "".join(each for each, _ in item.choices[:1])
        identifier = fingerprint(item.type, said)
        number = 2
        while identifier in self._seen:
            identifier = fingerprint(item.type, said, str(number))
            number += 1
        self._seen[identifier] = (item.file, item.place)
        return identifier

    def _choices(self, node: Record, file: str, namespace: str) -> Iterator[tuple[str, str]]:
        for choice in self._list(node, "choices", file):
            if not isinstance(choice, Record) or len(choice.items) != 1:
                message = "A choice is an object of one identifier and its text"
                raise DefinitionError([Problem(file, *spot(choice), message)])
            ((identifier, label),) = choice.items.items()
            if not isinstance(label, Leaf):
                raise DefinitionError([Problem(file, *spot(label), "The text of a choice must be text")])
            own = self._own(identifier, namespace)
            self._once(own, file, choice.places[identifier])
            yield own, from_html(label.text)[0]

    def _once(self, identifier: str, file: str, place: tuple[int, int]) -> None:
        other = self._seen.setdefault(identifier, (file, place))
        if other != (file, place):
            message = f"“{identifier[:80]}” is used twice, first in {other[0]}:{other[1][0]}:{other[1][1]}"
            raise DefinitionError([Problem(file, *place, message)])

    def _own(self, identifier: str, namespace: str) -> str:
        return f"{namespace}:{identifier}" if namespace and identifier else identifier

    def _text(self, record: Record, key: str, file: str) -> str:
        node = record.items.get(key)
        if node is None:
            return ""
        if not isinstance(node, Leaf):
            raise DefinitionError([Problem(file, *spot(node), f"“{key}” must be text")])
        return "" if node.plain and node.text == "null" else node.text

    def _list(self, record: Record, key: str, file: str) -> list[Node]:
        node = record.items.get(key)
        if node is None:
            return []
        if not isinstance(node, Branch):
            raise DefinitionError([Problem(file, *spot(node), f"“{key}” must be a list")])
        return node.items


class _Walk:
    """Goes through the items in order and writes sections and questions."""

    def __init__(self, draft: Draft, reading: _Reading, items: list[_Item]) -> None:
        self._draft = draft
        self._reading = reading
        self._items = items
        asked = [item for item in _all(items) if item.type in _QUESTIONS]
        self._keys = question_keys([item.identifier for item in asked], prefix_of(draft.slug))
        self._targets: dict[str, logic.Target] = {}
        self._section = DraftSection("general", "General")
        self._pending: list[str] = []
        self._headings: list[str] = []
        self._last: tuple[_Item, DraftQuestion] | None = None
        self._compensating = 0

    def run(self) -> None:
        outside = "\0general"  # an identifier that no block can have
        called = numbered(self._reading.raw(item, "id") or self._reading.words(item) for item in self._items)
        keys = names([*called, outside], "section")
        general = DraftSection(keys[outside], "General")
        for item, own in zip(self._items, called, strict=True):
            is_block = item.type == "block"
            title = one_line(self._reading.words(item)) if is_block else ""
            self._open(DraftSection(keys[own], title or "Section") if is_block else general)
            if is_block:
                self._block(item, ())
            else:
                self._one(item, ())
            if is_block or item is self._items[-1]:
                self._close()
        if self._compensating:
            self._draft.notes.append(
                f"{self._compensating} tips ask what is done instead: give their questions “compensating” once scored."
            )

    def _open(self, section: DraftSection) -> None:
        if section is not self._section:
            self._close()
            self._section, self._last = section, None
        if not any(each is section for each in self._draft.sections):
            self._draft.sections.append(section)

    def _close(self) -> None:
        """Info that no question followed belongs to the last one, or to the section."""
        text = "\n\n".join(self._pending)
        self._pending.clear()
        if text and self._last is not None:
            self._last[1].guidance = f"{self._last[1].guidance}\n\n{text}".strip()
        elif text:
            self._section.intro = f"{self._section.intro}\n\n{text}".strip()

    def _block(self, block: _Item, conditions: tuple[_Item, ...]) -> None:
        inner = (*conditions, block) if self._reading.raw(block, "cond") else conditions
        for item in block.items:
            self._one(item, inner)

    def _one(self, item: _Item, conditions: tuple[_Item, ...]) -> None:
        if item.type == "block":
            if heading := self._reading.words(item):
                self._headings.append(heading)
            self._block(item, conditions)
        elif item.type == "info":
            if text := self._reading.words(item):
                self._pending.append(text)
        elif item.type == "tip":
            self._tip(item)
        elif item.type in _QUESTIONS:
            self._question(item, conditions)

    def _question(self, item: _Item, conditions: tuple[_Item, ...]) -> None:
        if item.type in ("radiogroup", "checkgroup") and not item.choices:
            self._note(item, "a group without choices is left out")
            return
        text = self._reading.words(item)
        if not text and (self._pending or self._headings):
            text = (self._pending or self._headings).pop()
        question = DraftQuestion(self._keys[item.identifier], text, _QUESTIONS[item.type])
        # Of several infos at the head of a section, the first one introduces it.
        if len(self._pending) > 1 and not self._section.questions and not self._section.intro:
            self._section.intro = self._pending.pop(0)
        question.guidance = "\n\n".join(self._pending)
        question.remarks.extend(f"Under the heading “{heading}”." for heading in self._headings)
        self._pending.clear()
        self._headings.clear()
        if item.type == "line":
            question.kind = _INPUTS.get(self._reading.raw(item, "inputType"), Kind.TEXT)
        if question.kind is Kind.TEXT:
            question.length = "short" if item.type == "line" else "long"
        self._options(item, question)
        question.requires = self._requires(item, conditions, question)
        self._section.questions.append(question)
        self._last = (item, question)

    def _options(self, item: _Item, question: DraftQuestion) -> None:
        key = question.key
        if item.type == "yesno":
            labels = [plain(self._reading.words(item, side)) for side in ("yes", "no")]
            if any(label and label.lower() != side for label, side in zip(labels, ("yes", "no"), strict=True)):
                question.kind = Kind.ONE_CHOICE
                question.options = [Choice("yes", labels[0] or "Yes"), Choice("no", labels[1] or "No")]
            for side in ("yes", "no"):
                self._targets[f"{item.identifier}/{side}"] = logic.Target(key, side)
            self._targets[item.identifier] = logic.Target(key)
        elif item.type == "check":
            self._targets[item.identifier] = self._targets[f"{item.identifier}/yes"] = logic.Target(key, "yes")
        elif item.choices:
            short = _shortened(item)
            keys = names(list(short.values()), "option")
            question.options = [Choice(keys[short[own]], label) for own, label in item.choices]
            for own, _ in item.choices:
                self._targets[own] = self._targets[f"{own}/yes"] = logic.Target(key, keys[short[own]])
        else:
            self._targets[item.identifier] = logic.Target(key)

    def _requires(self, item: _Item, blocks: tuple[_Item, ...], question: DraftQuestion) -> str:
        """Return the conditions of the item and of the blocks around it in our grammar, or none of them and a note."""
        conditions = [each for each in (*blocks, item) if self._reading.raw(each, "cond").strip()]
        if not conditions:
            return ""
        try:
            nodes = [self._resolved(each) for each in conditions]
            whole = nodes[0] if len(nodes) == 1 else logic.Both(tuple(nodes))
            text = logic.written(whole, logic.earlier_answers(self._targets))
            parse(text, Over.ANSWERS)
        except (logic.NotUnderstood, ConditionError) as refusal:
            said = " && ".join(self._reading.raw(each, "cond") for each in conditions)
            self._note(
                item, f"the condition “{said[:200]}” is not taken over ({_why(refusal)}); the question is always asked"
            )
            question.remarks.append(f"In the template asked only if: {said[:400]}")
            return ""
        return text

    def _resolved(self, item: _Item) -> logic.Node:
        """Read a condition; a name in an extension means its own item first, then one of the base."""
        return _renamed(logic.read(self._reading.raw(item, "cond")), item.namespace, self._targets)

    def _tip(self, item: _Item) -> None:
        text = self._reading.words(item)
        if not text:
            return
        if self._reading.raw(item, "warn") == "yes" and self._reading.raw(item, "why"):
            self._compensating += 1
        if not self._reading.raw(item, "cond").strip():
            self._pending.append(text)
            return
        severity = _SEVERITIES.get(self._reading.raw(item, "severity"), "watch")
        severity = severity if self._reading.raw(item, "warn") == "yes" else "info"
        try:
            node = self._resolved(item)
            when = logic.written(node, logic.own_answer(self._targets))
            parse(when, Over.OWN)
            about = {self._target_of(name).question for name in logic.names_of(node)}
            owner = next((each for each in self._questions() if {each.key} == about), None)
            if owner is None:
                raise logic.NotUnderstood("it speaks of several questions")
        except (logic.NotUnderstood, ConditionError) as refusal:
            said = self._reading.raw(item, "cond")
            self._note(
                item, f"the tip shown if “{said[:200]}” is not taken over ({_why(refusal)}); it stands as a comment"
            )
            if self._last is not None:
                self._last[1].remarks.append(f"A tip of the template, shown if {said[:200]}: {one_line(text)[:600]}")
            return
        owner.warnings.append(Remark(when, severity, text))

    def _target_of(self, name: logic.Name) -> logic.Target:
        return self._targets[f"{name.identifier}/{name.side}" if name.side else name.identifier]

    def _questions(self) -> Iterator[DraftQuestion]:
        for section in self._draft.sections:
            yield from section.questions

    def _note(self, item: _Item, words: str) -> None:
        line, column = item.place
        self._draft.notes.append(f"{item.file}:{line}:{column}: {words}.")


def _why(refusal: Exception) -> str:
    return refusal.message if isinstance(refusal, ConditionError) else str(refusal)


def _shortened(item: _Item) -> dict[str, str]:
    """Return the identifiers of choices without what they only repeat of their group's."""
    own = [identifier.rpartition(":")[2] for identifier, _ in item.choices]
    stem = item.identifier.rpartition(":")[2] + "_"
    if all(each.startswith(stem) and len(each) > len(stem) for each in own):
        own = [each[len(stem) :] for each in own]
    return {identifier: short for (identifier, _), short in zip(item.choices, own, strict=True)}


def _renamed(node: logic.Node, namespace: str, targets: dict[str, logic.Target]) -> logic.Node:
    if isinstance(node, logic.Name):
        own = f"{namespace}:{node.identifier}"
        known = namespace and (own in targets or f"{own}/{node.side}" in targets)
        return logic.Name(own, node.side) if known else node
    if isinstance(node, logic.Not):
        return logic.Not(_renamed(node.part, namespace, targets))
    parts = tuple(_renamed(part, namespace, targets) for part in node.parts)
    return logic.Both(parts) if isinstance(node, logic.Both) else logic.Either(parts)


def _all(items: list[_Item]) -> Iterator[_Item]:
    for item in items:
        yield item
        yield from _all(item.items)


def _insert(items: list[_Item], after: str, new: _Item) -> bool:
    for index, item in enumerate(items):
        if item.identifier == after:
            items.insert(index + 1, new)
            return True
        if _insert(item.items, after, new):
            return True
    return False


def _remove(items: list[_Item], identifier: str) -> Iterator[bool]:
    for item in list(items):
        if identifier and item.identifier == identifier:
            items.remove(item)
            yield True
        else:
            yield from _remove(item.items, identifier)

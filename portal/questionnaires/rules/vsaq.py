"""Exports a version as a VSAQ template: what VSAQ cannot say (scoring, facts, proof) is left out and noted."""

import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from portal.questionnaires.rules.definition import Kind, Question, Questionnaire, Severity
from portal.questionnaires.rules.nodes import OWN, AllOf, Among, Answered, AnyOf, Node, Not

_SEVERITIES: Final = {Severity.STOP: "high", Severity.WATCH: "medium", Severity.INFO: "low"}
_CHOICES: Final = frozenset({Kind.YES_PARTIAL_NO, Kind.ONE_CHOICE, Kind.MANY_CHOICES})
_YES_NO: Final = frozenset({Kind.YES_NO, Kind.YES_NO_STRICT})
_LINES: Final[Mapping[Kind, str]] = {Kind.DATE: "date", Kind.URL: "url", Kind.NUMBER: "number"}

Item = dict[str, object]


@dataclass(frozen=True, slots=True)
class Exported:
    """A template, and what of the version it does not say."""

    source: bytes
    notes: tuple[str, ...]


class _Unsayable(Exception):
    """VSAQ has no way to say this."""


def export_vsaq(questionnaire: Questionnaire) -> Exported:
    """Return the version as a template in JSON; its identifiers are the keys with underscores for dots.

    The template can be imported again: the questions, their choices, guidance, warnings and follow-up conditions
    come back; keys get another first part.
    """
    notes: list[str] = []
    export = _Export(questionnaire, notes)
    blocks: list[Item] = []
    for section in questionnaire.sections:
        items: list[Item] = [{"type": "info", "text": html.escape(section.intro, quote=False)}]
        for question in section.questions:
            items.extend(export.items(question))
        blocks.append(
            {
                "type": "block",
                "id": f"section_{section.key}",
                "text": html.escape(section.title, quote=False),
                "items": items,
            }
        )
    if questionnaire.scoping:
        notes.append("VSAQ has no scoping facts: every question is asked of everybody.")
    top = {"type": "block", "text": html.escape(questionnaire.title, quote=False), "items": blocks}
    text = json.dumps({"version": 1, "questionnaire": [top]}, ensure_ascii=False, indent=2)
    return Exported(f"{text}\n".encode(), tuple(notes))


def identifiers(questionnaire: Questionnaire) -> tuple[Mapping[str, str], Mapping[tuple[str, str], str]]:
    """Return the identifiers that the exported template gives to questions, by key, and to choices, by both keys."""
    export = _Export(questionnaire, [])
    return export._identifiers, export._choices


class _Export:
    """Writes questions as items; choices are found again by the identifiers given to them here."""

    def __init__(self, questionnaire: Questionnaire, notes: list[str]) -> None:
        self._questionnaire = questionnaire
        self._notes = notes
        self._taken: set[str] = set()
        self._identifiers: dict[str, str] = {}
        self._choices: dict[tuple[str, str], str] = {}
        for question in questionnaire.questions:
            self._identifiers[question.key] = own = self._free(question.key.replace(".", "_"))
            for option in question.choices:
                name = f"{own}/{option.key}" if question.kind in _YES_NO else self._free(f"{own}_{option.key}")
                self._choices[question.key, option.key] = name

    def items(self, question: Question) -> list[Item]:
        """Return what stands before, in and behind a question."""
        found: list[Item] = [{"type": "info", "text": html.escape(question.guidance, quote=False)}]
        item = self._question(question)
        try:
            if question.requires is not None:
                item["cond"] = found[0]["cond"] = self._condition(question.requires.node, self._earlier)
        except _Unsayable:
            self._notes.append(f"{question.key}: the condition “{question.requires}” is not said; it is always asked.")
        found.append(item)
        found.extend(self._tips(question))
        if question.details:
            self._notes.append(f"{question.key}: the detail fields are left out.")
        return found

    def _question(self, question: Question) -> Item:
        identifier = self._identifiers[question.key]
        item: Item = {"id": identifier, "text": html.escape(question.text, quote=False)}
        if question.kind in _YES_NO:
            return {"type": "yesno", **item, "yes": "Yes", "no": "No"}
        if question.kind in _CHOICES and question.choices:
            many = question.kind is Kind.MANY_CHOICES
            choices = [
                {self._choices[question.key, option.key]: html.escape(option.label, quote=False)}
                for option in question.choices
            ]
            return {"type": "checkgroup" if many else "radiogroup", **item, "defaultChoice": False, "choices": choices}
        if question.kind is Kind.FILE:
            return {"type": "upload", **item}
        if question.kind in _LINES:
            return {"type": "line", **item, "inputType": _LINES[question.kind]}
        if question.kind is Kind.TEXT and question.length == "short":
            return {"type": "line", **item}
        if question.kind is not Kind.TEXT:
            self._notes.append(f"{question.key}: asked as a text, as VSAQ has nothing like “{question.kind}”.")
        return {"type": "box", **item}

    def _tips(self, question: Question) -> list[Item]:
        found: list[Item] = []
        for number, warning in enumerate(question.warnings, start=1):
            tip: Item = {
                "type": "tip",
                "id": self._free(f"tip_{self._identifiers[question.key]}_{number}"),
                "text": html.escape(warning.text, quote=False),
                "warn": "yes",
                "severity": _SEVERITIES[warning.severity],
                "name": question.label,
            }
            try:
                tip["cond"] = self._condition(warning.when.node, lambda key: key or question.key)
            except _Unsayable:
                self._notes.append(f"{question.key}: a warning is left out, as VSAQ cannot say when it appears.")
                continue
            found.append(tip)
        return found

    def _condition(self, node: Node, about: Callable[[str], str]) -> str:
        """Return a condition in VSAQ's own words.

        :raises _Unsayable: if it is about more than choices.
        """
        if isinstance(node, Not):
            return f"!({self._condition(node.part, about)})"
        if isinstance(node, AllOf | AnyOf):
            sign = " && " if isinstance(node, AllOf) else " || "
            return sign.join(f"({self._condition(part, about)})" for part in node.parts)
        if isinstance(node, Among) and not node.field:
            return " || ".join(self._choice(about(node.key), str(value)) for value in node.values)
        if isinstance(node, Answered) and not node.field and isinstance(node.value, str):
            key = about(node.key)
            if node.operator == "=":
                return self._choice(key, node.value)
            question = self._questionnaire.question(key)
            if node.operator == "!=" and question.kind is not Kind.MANY_CHOICES:
                # Without an answer no comparison holds, so "not this" is "one of the others".
                others = [option.key for option in question.choices if option.key != node.value]
                if others:
                    return " || ".join(self._choice(key, other) for other in others)
        raise _Unsayable

    def _earlier(self, key: str) -> str:
        if key == OWN or key not in self._questionnaire:
            raise _Unsayable
        return key

    def _choice(self, key: str, option: str) -> str:
        name = self._choices.get((key, option))
        if name is None:
            raise _Unsayable
        return name

    def _free(self, identifier: str) -> str:
        """Return the identifier, or one like it that nothing else has."""
        found, number = identifier, 2
        while found in self._taken:
            found = f"{identifier}_{number}"
            number += 1
        self._taken.add(found)
        return found

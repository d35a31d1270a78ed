"""Answers as VSAQ keeps them: one flat map from the identifiers of the exported template to what was entered. Pure.

A chosen radio button or check box is "checked", a yes/no item "yes" or "no", everything else its text. What VSAQ has no
place for is left out: comments, planned dates, reasons, details, tables and files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from portal.questionnaires.rules import Kind, Question, Questionnaire, from_json, to_json
from portal.questionnaires.rules.vsaq import identifiers

CHECKED: Final = "checked"
_YES_NO: Final = frozenset({Kind.YES_NO, Kind.YES_NO_STRICT})
_TEXTS: Final[Mapping[Kind, str]] = {Kind.NUMBER: "number", Kind.DATE: "date", Kind.URL: "url", Kind.TEXT: "text"}


@dataclass(frozen=True, slots=True)
class Read:
    """What a map of answers says: contents by question, and the identifiers that could not be read as an answer."""

    contents: Mapping[str, Mapping[str, Any]]
    unread: tuple[str, ...]


def to_vsaq(questionnaire: Questionnaire, contents: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the answers as a flat map, in the order of the questionnaire."""
    names, choices = identifiers(questionnaire)
    found: dict[str, str] = {}
    for question in questionnaire.questions:
        content = contents.get(question.key, {})
        if question.kind in _YES_NO:
            if content.get("choice") in ("yes", "no"):
                found[names[question.key]] = content["choice"]
        elif question.choices:
            chosen = [content["choice"]] if "choice" in content else content.get("choices", ())
            found |= {choices[question.key, each]: CHECKED for each in chosen if (question.key, each) in choices}
        elif content.get(_TEXTS.get(question.kind, "")):
            found[names[question.key]] = str(content[_TEXTS[question.kind]])
    return found


def from_vsaq(questionnaire: Questionnaire, answers: Mapping[str, str]) -> Read:
    """Return what a flat map says to the questions of a version; whoever wrote it is trusted with nothing."""
    names, choices = identifiers(questionnaire)
    left = {name for name, value in answers.items() if value.strip()}
    contents: dict[str, Mapping[str, Any]] = {}
    for question in questionnaire.questions:
        own = {names[question.key], *(choices[question.key, each.key] for each in question.choices)} & left
        if not own:
            continue
        try:
            content = to_json(from_json(_content(question, answers, names[question.key], choices)))
        except ValueError:
            continue
        if content:
            contents[question.key] = content
            left -= own
    return Read(contents, tuple(sorted(left)))


def _content(
    question: Question, answers: Mapping[str, str], name: str, choices: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    """Return the answer to one question.

    :raises ValueError: if it says two things, or nothing that the question takes.
    """
    if question.kind in _YES_NO:
        if answers.get(name) in ("yes", "no"):
            return {"choice": answers[name]}
        raise ValueError("neither yes nor no")
    if question.choices:
        chosen = [each.key for each in question.choices if answers.get(choices[question.key, each.key]) == CHECKED]
        if question.kind is Kind.MANY_CHOICES:
            return {"choices": sorted(chosen)}
        if len(chosen) != 1:
            raise ValueError("not one choice")
        return {"choice": chosen[0]}
    if question.kind not in _TEXTS:
        raise ValueError("nothing that VSAQ can say")
    return {_TEXTS[question.kind]: answers[name].strip()}

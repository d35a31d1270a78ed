"""What an answer given elsewhere suggests for one of our questions. A suggestion is never an answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from portal.exchange.rules.external import Answered, External
from portal.kernel.words import said as worded
from portal.questionnaires.rules import Kind, Question, Questionnaire

MAX_PREFILL: Final = 4_000
_YES_NO: Final = frozenset({Kind.YES_PARTIAL_NO, Kind.YES_NO, Kind.YES_NO_STRICT})
_HEDGES: Final = re.compile(
    r"\b(partial(?:ly)?|partly|in part|plann?(?:ed|ing)|plans? to|in progress|road ?map|roll(?:ed|ing)? ?out|not yet|"
    r"except(?:ions?)?|will be|to be (?:implemented|completed|done)|scheduled (?:for|to)|being implemented|"
    r"under ?way|some of|most of|limited to|compensating|interim|pilot(?:ed|ing)?|work in progress)\b",
    re.IGNORECASE,
)
NOT_CHOSEN: Final = worded("What you wrote there does not choose among our answers. Choose what is true, then save.")
MIXED: Final = worded("You answered some parts of it with yes and others not. Choose what is true, then save.")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What one control was answered elsewhere, and the form fields it would fill. ``warning`` says what to mind."""

    question_key: str
    control_id: str
    rows: tuple[External, ...]
    fields: Mapping[str, tuple[str, ...]]
    warning: str


def hedge(text: str) -> str:
    """Return the first word of a text that takes a yes back in part, such as "planned"; empty if there is none."""
    found = _HEDGES.search(text)
    return found[0].casefold() if found else ""


def controls_of(questionnaire: Questionnaire, question: Question, framework: str, version: str) -> tuple[str, ...]:
    """Return the controls of exactly this version of a catalogue that a question is mapped to."""
    found: list[str] = []
    for key, mapped in question.maps.items():
        named = questionnaire.frameworks[key]
        if (named.key, named.version) == (framework, version):
            found += [mapped] if isinstance(mapped, str) else list(mapped)
    return tuple(found)


def versions_of(questionnaire: Questionnaire, framework: str) -> tuple[str, ...]:
    """Return the versions of a catalogue that a questionnaire is mapped to."""
    return tuple(each.version for each in questionnaire.frameworks.values() if each.key == framework)


def by_control(rows: Iterable[External]) -> dict[str, tuple[External, ...]]:
    """Return the answers of a set by their control; what says nothing at all is left out."""
    found: dict[str, tuple[External, ...]] = {}
    for each in rows:
        if each.answer is not Answered.BLANK or each.text:
            found[each.control_id] = (*found.get(each.control_id, ()), each)
    return found


def suggest(question: Question, control_id: str, rows: Sequence[External]) -> Suggestion | None:
    """Return what the answers to one control suggest for a question; nothing if they would fill no field of it.

    A yes whose own words take it back is never suggested as a yes.
    """
    told, warning = _choice(rows)
    words = _text(rows)
    fields: dict[str, tuple[str, ...]] = {}
    if told is Answered.NA and question.may_not_apply:
        fields["choice"], fields["na"] = ("na",), ("1",)
        if words:
            fields["na_reason"] = (words,)
    elif question.kind in _YES_NO and told is not None and question.option(told.value) is not None:
        fields["choice"] = (told.value,)
    elif not warning:
        warning = NOT_CHOSEN
    if words and "na_reason" not in fields:
        fields["text" if question.kind is Kind.TEXT else "comment"] = (words,)
    if not fields:
        return None
    if question.kind is Kind.TEXT and "text" in fields and warning == NOT_CHOSEN:
        warning = ""
    return Suggestion(question.key, control_id, tuple(rows), fields, warning)


def _choice(rows: Sequence[External]) -> tuple[Answered | None, str]:
    """Return the one answer that all rows of a control come to, and what has to be minded about it."""
    told = {each.answer for each in rows} - {Answered.BLANK}
    if told == {Answered.NA}:
        return Answered.NA, ""
    told -= {Answered.NA}
    hedged = next((word for each in rows if each.answer is Answered.YES and (word := hedge(each.text))), "")
    if told == {Answered.YES}:
        if hedged:
            return (
                Answered.PARTIAL,
                worded(
                    "You said Yes, and your words say “%(hedged)s”. Choose what is true today, then save.",
                    hedged=hedged,
                ),
            )
        return Answered.YES, ""
    if told == {Answered.NO}:
        return Answered.NO, ""
    if told and told <= {Answered.YES, Answered.NO, Answered.PARTIAL}:
        return Answered.PARTIAL, MIXED if len(told) > 1 else ""
    return None, NOT_CHOSEN if told else ""


def _text(rows: Sequence[External]) -> str:
    """Return the words of all rows as one text that fits a field; of several rows, each with its identifier."""
    said = [(each.question_id, each.text) for each in rows if each.text]
    lines = [text for _, text in said] if len(said) == 1 else [f"{name}: {text}" for name, text in said]
    whole = "\n".join(dict.fromkeys(lines))
    return whole if len(whole) <= MAX_PREFILL else whole[: MAX_PREFILL - 1].rstrip() + "…"

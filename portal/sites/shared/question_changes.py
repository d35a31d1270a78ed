"""What changed in a question, as short sentences with the words that went and the words that came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from portal.questionnaires.rules import Kind, Option, Question, Step
from portal.questionnaires.rules.wording import Piece, words

KIND_WORDS = {
    Kind.YES_PARTIAL_NO: "yes, partly or no",
    Kind.YES_NO: "yes or no",
    Kind.YES_NO_STRICT: "yes or no",
    Kind.ONE_CHOICE: "one choice",
    Kind.NUMBER: "a number",
    Kind.MANY_CHOICES: "several choices",
    Kind.TABLE: "a table",
    Kind.DATE: "a date",
    Kind.RANGE: "a period",
    Kind.TEXT: "your own words",
    Kind.URL: "a link",
    Kind.FILE: "a file",
}
BOUND_WORDS = {"<": "less than", "<=": "at most", ">": "more than", ">=": "at least", "==": "exactly", "=": "exactly"}


@dataclass(frozen=True, slots=True)
class Said:
    """One change: what it is about, then the text with what went and what came."""

    about: str
    pieces: tuple[Piece, ...] = ()


def said_of(old: Question, new: Question) -> tuple[Said, ...]:
    """Return what changed from one wording of a question to another, the question itself first.

    Only what bears on the answer: the weight, the order and the notes beside a question are left out. Two questions
    that differ in nothing of it still have one sentence, because the author said that the meaning differs.
    """
    found = [
        *_text("The question:", old.text, new.text),
        *_kind(old, new),
        *_best(old, new),
        *_options(old.choices, new.choices),
        *_steps(old, new),
        *_swap("The unit was", old.unit, new.unit),
        *_listed("Columns of the table:", (each.label for each in old.columns), (each.label for each in new.columns)),
        *_listed("Details asked under it:", (each.label for each in old.details), (each.label for each in new.details)),
        *_condition(old, new),
        *_proof(old, new),
        *_text("The note under the question:", old.guidance, new.guidance),
    ]
    return tuple(found) or (Said("The words are the same, and what we mean by them is not. Read the note beside it."),)


def _text(about: str, old: str, new: str) -> list[Said]:
    if " ".join(old.split()) == " ".join(new.split()):
        return []
    return [Said(about, words(old, new))]


def _swap(about: str, old: str, new: str) -> list[Said]:
    if old == new:
        return []
    if old and new:
        return [Said(about, (Piece("out", old), Piece("same", " and is now "), Piece("in", new)))]
    return [Said(about, (Piece("out", old or "none"), Piece("same", " and is now "), Piece("in", new or "none")))]


def _kind(old: Question, new: Question) -> list[Said]:
    return _swap("The answer was", KIND_WORDS[old.kind], KIND_WORDS[new.kind])


def _best(old: Question, new: Question) -> list[Said]:
    before, now = _best_of(old), _best_of(new)
    return _swap("The best answer was", before, now) if before and now else []


def _best_of(question: Question) -> str:
    """Return the answer with full credit in words; nothing where none is worth more than another."""
    if question.steps:
        return step_words(max(question.steps, key=lambda step: step.credit), question.unit)
    graded = [option for option in question.choices if option.credit is not None]
    if not question.is_scored or len({option.credit for option in graded}) < 2:
        return ""
    return max(graded, key=lambda option: option.credit or 0).label


def step_words(step: Step, unit: str) -> str:
    """Return one step of a number as people say it: "at most 24 hours", "anything else"."""
    if step.operator is None or step.bound is None:
        return "anything else"
    return f"{BOUND_WORDS.get(step.operator, step.operator)} {step.bound.normalize():f} {unit}".strip()


def _options(old: Sequence[Option], new: Sequence[Option]) -> list[Said]:
    before, now = {each.key: each for each in old}, {each.key: each for each in new}
    if not before or not now:
        return []
    found = [
        Said("An answer reads differently:", words(before[key].label, each.label))
        for key, each in now.items()
        if key in before and before[key].label != each.label
    ]
    if gone := [each.label for key, each in before.items() if key not in now]:
        found.append(Said("Not on offer any more:", _each("out", gone)))
    if come := [each.label for key, each in now.items() if key not in before]:
        found.append(Said("New on offer:", _each("in", come)))
    return found


def _steps(old: Question, new: Question) -> list[Said]:
    if not (old.steps and new.steps) or _best_of(old) != _best_of(new):
        return []
    before = [step_words(step, old.unit) for step in old.steps]
    return _listed("What earns points:", before, [step_words(step, new.unit) for step in new.steps])


def _listed(about: str, old: Iterable[str], new: Iterable[str]) -> list[Said]:
    before, now = list(old), list(new)
    gone = [each for each in before if each not in now]
    come = [each for each in now if each not in before]
    if not gone and not come:
        return []
    between = (Piece("same", ", now "),) if gone and come else ()
    return [Said(about, (*_each("out", gone), *between, *_each("in", come)))]


def _condition(old: Question, new: Question) -> list[Said]:
    def sources(question: Question) -> tuple[str, str]:
        when, requires = question.when, question.requires
        return (when.source if when else "", requires.source if requires else "")

    return [] if sources(old) == sources(new) else [Said("It is asked in other cases than before.")]


def _proof(old: Question, new: Question) -> list[Said]:
    if (old.evidence.level >= 2) == (new.evidence.level >= 2):
        return []
    return [Said("It needs a file as proof now." if new.evidence.level >= 2 else "It needs no file as proof any more.")]


def _each(kind: Literal["out", "in"], labels: Sequence[str]) -> tuple[Piece, ...]:
    found: list[Piece] = []
    for number, label in enumerate(labels):
        found += [Piece("same", ", ")] if number else []
        found.append(Piece(kind, label))
    return tuple(found)

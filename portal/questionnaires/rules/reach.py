"""Tries a condition on everything it can see, to find one that never holds or that rewards a worse answer."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import islice, product
from math import prod
from typing import Final

from portal.questionnaires.rules.answers import Answer, credit
from portal.questionnaires.rules.conditions import Condition
from portal.questionnaires.rules.definition import Kind, Question
from portal.questionnaires.rules.facts import FLAGS, HIGHEST_CLASS, MODES, Facts
from portal.questionnaires.rules.nodes import Among, Amount, Answered, Atom, Flag, Literal, Service

MAX_TRIALS: Final = 8_192
_HALF: Final = Decimal("0.5")
_SOME_DAY: Final = date(2026, 1, 1)


def can_hold(condition: Condition, questions: Mapping[str, Question]) -> bool:
    """Tell whether some facts or answers satisfy the condition; one too wide to try out counts as satisfiable."""
    if condition.keys:
        trials, size = _answer_trials(condition, questions)  # what is not among them is never answered
        return size > MAX_TRIALS or any(condition.evaluate(Facts(), answers) for answers in trials)
    facts, size = _fact_trials(condition)
    return size > MAX_TRIALS or any(condition.evaluate(trial, {}) for trial in facts)


def rewards_worse_answers(condition: Condition, questions: Mapping[str, Question]) -> bool:
    """Tell whether raising the credit of one answer could make the condition false (P2 of scoring.md)."""
    trials, size = _answer_trials(condition, questions)
    if size > MAX_TRIALS:
        return False
    for answers in islice(trials, MAX_TRIALS):
        if not condition.evaluate(Facts(), answers):
            continue
        for key in condition.keys:
            question = questions[key]
            now = _worth(question, answers.get(key))
            for better in _values(question, condition):
                if better is None or now is None:
                    continue
                worth = _worth(question, better)
                if worth is not None and worth > now and not condition.evaluate(Facts(), {**answers, key: better}):
                    return True
    return False


def _worth(question: Question, answer: Answer | None) -> int | None:
    """Credit, with blank below everything; nothing for what is never scored."""
    if not question.is_scored:
        return None
    return -1 if answer is None else credit(question, answer)


def _answer_trials(condition: Condition, questions: Mapping[str, Question]) -> tuple[Iterator[dict[str, Answer]], int]:
    values = [_values(questions[key], condition) if key in questions else [None] for key in condition.keys]
    trials = (
        {key: answer for key, answer in zip(condition.keys, picked, strict=True) if answer is not None}
        for picked in product(*values)
    )
    return trials, prod(len(value) for value in values)


def _values(question: Question, condition: Condition) -> list[Answer | None]:
    """Every answer that can make a difference, and none."""
    named = [value for atom in condition.atoms for value in _named(atom)]
    if question.kind is Kind.NUMBER:
        bounds = {step.bound for step in question.steps if step.bound is not None}
        bounds |= {value for value in named if isinstance(value, Decimal)}
        numbers = {max(Decimal(0), bound + shift) for bound in bounds for shift in (-_HALF, Decimal(0), _HALF)}
        return [None, *(Answer(number=number) for number in sorted(numbers | {Decimal(0)}))]
    if question.kind is Kind.DATE:
        days = {value for value in named if isinstance(value, date)} or {_SOME_DAY}
        shifted = {min(max(day.toordinal() + shift, 1), date.max.toordinal()) for day in days for shift in (-1, 0, 1)}
        return [None, *(Answer(day=date.fromordinal(each)) for each in sorted(shifted))]
    if question.kind is Kind.MANY_CHOICES:
        keys = [option.key for option in question.options]
        keys += [value for value in named if isinstance(value, str)]
        return [None, *(Answer(choices=(key,)) for key in dict.fromkeys(keys))]
    return [None, *(Answer(choice=option.key) for option in question.choices)]


def _named(atom: Atom) -> tuple[Literal, ...]:
    """The values of the file that an atom compares an answer with."""
    if isinstance(atom, Answered):
        return (atom.value,)
    return atom.values if isinstance(atom, Among) else ()


def _fact_trials(condition: Condition) -> tuple[Iterator[Facts], int]:
    flags = sorted({atom.name for atom in condition.atoms if isinstance(atom, Flag)})
    named = {name for atom in condition.atoms if isinstance(atom, Service) for name in atom.names}
    amounts = [atom for atom in condition.atoms if isinstance(atom, Amount)]
    people = sorted({max(0, int(a.bound) + shift) for a in amounts if a.name == "people" for shift in (-1, 0, 1)} | {0})
    classes = range(HIGHEST_CLASS + 1) if any(atom.name == "dmax" for atom in amounts) else (0,)
    services = [frozenset[str](), *(frozenset({name}) for name in sorted(named)), frozenset(named)]
    axes: list[Sequence[object]] = [services, list(classes), people, *([False, True] for _ in flags)]

    def trials() -> Iterator[Facts]:
        for svc in services:
            for dmax in classes:
                for count in people:
                    for picked in product((False, True), repeat=len(flags)):
                        true = {flag for flag, is_true in zip(flags, picked, strict=True) if is_true}
                        yield Facts(
                            **{flag: flag in true for flag in FLAGS},
                            svc=svc,
                            dmax=dmax,
                            people=count,
                            modes=frozenset(true & MODES),
                        )

    return trials(), prod(len(axis) for axis in axes)

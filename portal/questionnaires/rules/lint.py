"""What a compiled version must also promise before anyone is asked it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from portal.questionnaires.rules.definition import FULL_CREDIT, Kind, Question, Questionnaire
from portal.questionnaires.rules.nodes import Answered
from portal.questionnaires.rules.problems import Problem
from portal.questionnaires.rules.reach import can_hold, rewards_worse_answers

# scoring.md: the factor of each evidence level without proof, in percent, and the threshold C of tier 1.
FACTOR_WITHOUT_PROOF: Final[Mapping[int, int]] = MappingProxyType({0: 100, 1: 75, 2: 50})
CLAIM_THRESHOLD: Final = 65

MAX_TEXT: Final = 320
MAX_LABEL: Final = 40
MAX_LABEL_WORDS: Final = 4
MAX_NOTE: Final = 700

_SHAPES: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "aicm": re.compile(r"[A-Z][A-Z&][A-Z]-[0-9]{2}"),
        "ccm": re.compile(r"[A-Z][A-Z&][A-Z]-[0-9]{2}"),
        "tsc": re.compile(r"CC[1-9]\.[1-9]|A1\.[1-3]|C1\.[12]|PI1\.[1-5]|P[1-8]\.[0-9]"),
        "iso27001": re.compile(r"A\.[5-8]\.[1-9][0-9]?|(?:[4-9]|10)\.[1-9](?:\.[1-9])?"),
        "csf": re.compile(r"(?:GV|ID|PR|DE|RS|RC)\.[A-Z]{2}-[0-9]{2}"),
    }
)

Finding = tuple[str, str]


def lint(questionnaire: Questionnaire, known_ids: Mapping[str, frozenset[str]] | None = None) -> list[Problem]:
    """Return everything that speaks against publishing the version, with its place in the file.

    `known_ids` holds the identifiers of each framework version by its name, such as `csf-2.0`; frameworks that it
    does not hold are judged by the shape of their identifiers only. P16 of scoring.md is among the checks.
    """
    found: list[Problem] = []
    for check in _CHECKS:
        for where, message in check(questionnaire):
            found.append(_at(questionnaire, where, message))
    found.extend(_at(questionnaire, *finding) for finding in _crosswalk(questionnaire, known_ids or {}))
    return sorted(found)


def claims_only_score(questionnaire: Questionnaire) -> Fraction | None:
    """Return the tier 1 score of full answers to every question without any proof; nothing if nothing is scored."""
    total = Fraction(0)
    domains = 0
    for section in questionnaire.sections:
        asked = [question for question in section.questions if 1 in question.tiers and question.is_scored]
        weights = sum(question.weight for question in asked)
        if not weights or not section.weight:
            continue
        earned = sum(
            question.weight * FACTOR_WITHOUT_PROOF[questionnaire.evidence_level(question.key, 1)] for question in asked
        )
        total += section.weight * Fraction(earned, weights)
        domains += section.weight
    return total / domains if domains else None


def _at(questionnaire: Questionnaire, where: str, message: str) -> Problem:
    """Place a finding at its part of a question, or at the question, or at the top."""
    key = where.partition("/")[0]
    line, column = questionnaire.positions.get(where) or questionnaire.positions.get(key) or (1, 1)
    return Problem(questionnaire.source, line, column, message)


def _counts(questionnaire: Questionnaire) -> Iterator[Finding]:
    expects = questionnaire.expects
    counted = (
        ("sections", expects.sections, len(questionnaire.sections)),
        ("questions", expects.questions, len(questionnaire.questions)),
        ("scoping facts", expects.scoping, len(questionnaire.scoping)),
        ("domain weight", expects.domain_weight, sum(section.weight for section in questionnaire.sections)),
        ("question weight", expects.question_weight, sum(question.weight for question in questionnaire.questions)),
    )
    for what, promised, found in counted:
        if promised != found:
            yield "", f"The file promises {promised} {what} and has {found}"


def _claims_only(questionnaire: Questionnaire) -> Iterator[Finding]:
    if questionnaire.evidence_offset < 0:
        return
    score = claims_only_score(questionnaire)
    if score is not None and score >= CLAIM_THRESHOLD:
        shown = f"{int(score * 10) / 10:.1f}"
        yield "", f"Full answers without any proof score {shown} in tier 1; they must stay below {CLAIM_THRESHOLD}"


def _knock_outs(questionnaire: Questionnaire) -> Iterator[Finding]:
    for question in questionnaire.questions:
        knock_out = question.knock_out
        if knock_out is None:
            continue
        where = f"{question.key}/knock_out"
        if knock_out.tiers - question.tiers:
            yield where, "A knock-out applies only in tiers in which the question is asked"
        only_tier_3 = questionnaire.evidence_offset < 0 or knock_out.tiers <= {3}
        if question.evidence.level < 1 and not only_tier_3:
            yield where, "A knock-out needs evidence level 1 or 2, unless it is for tier 3 only"


def _credits(questionnaire: Questionnaire) -> Iterator[Finding]:
    for question in questionnaire.questions:
        if not question.is_scored:
            continue
        numeric = question.kind is Kind.NUMBER
        part = "steps" if numeric else "options"
        credits = [each.credit or 0 for each in (question.steps if numeric else question.choices)]
        for needed in (FULL_CREDIT, 0):
            if needed not in credits:
                yield f"{question.key}/{part}", f"The {part} need one with credit {needed}"
        if numeric and credits != sorted(credits, reverse=True):
            yield f"{question.key}/steps", "The credits of the steps fall from the first to the last"
        if numeric and not _ordered(question):
            yield (
                f"{question.key}/steps",
                "The bounds of the steps must loosen from the first to the last, in one direction",
            )


def _ordered(question: Question) -> bool:
    """Tell whether the bounds go one way, so that the first fitting step is the one meant."""
    bounded = [(step.operator, step.bound) for step in question.steps if step.bound is not None and step.operator]
    directions = {operator[0] for operator, _ in bounded if operator != "="}
    bounds = [bound for operator, bound in bounded if operator != "="]
    return len(directions) <= 1 and bounds == sorted(set(bounds), reverse=directions == {">"})


def _conditions(questionnaire: Questionnaire) -> Iterator[Finding]:
    earlier: dict[str, Question] = {}
    for question in questionnaire.questions:
        if question.requires is not None:
            where = f"{question.key}/requires"
            for atom in question.requires.atoms:
                if isinstance(atom, Answered):
                    for message in _reference(questionnaire, question, atom, earlier):
                        yield where, message
        earlier[question.key] = question


def _reference(
    questionnaire: Questionnaire, question: Question, atom: Answered, earlier: Mapping[str, Question]
) -> Iterator[str]:
    asked = earlier.get(atom.key)
    if asked is None:
        known = atom.key in questionnaire
        yield f"“{atom.key}” is {'not asked before this question' if known else 'not a question of this version'}"
        return
    if isinstance(atom.value, str):
        if asked.kind is Kind.NUMBER:
            yield f"“{atom.key}” is a number and is compared with a number"
        elif asked.option(atom.value) is None and not asked.options_from:
            yield f"“{atom.value}” is not an answer to “{atom.key}”"
    elif asked.kind is not Kind.NUMBER:
        yield f"“{atom.key}” is not a number and is compared with one of its options"
    if question.tiers - asked.tiers:
        yield f"“{atom.key}” is not asked in every tier of this question"


def _reachable(questionnaire: Questionnaire) -> Iterator[Finding]:
    earlier: dict[str, Question] = {}
    for question in questionnaire.questions:
        if question.when is not None and not can_hold(question.when, earlier):
            yield f"{question.key}/when", "This condition can never hold, so the question is never asked"
        if question.requires is not None and all(key in earlier for key in question.requires.keys):
            where = f"{question.key}/requires"
            if not can_hold(question.requires, earlier):
                yield where, "This condition can never hold, so the question is never asked"
            elif rewards_worse_answers(question.requires, earlier):
                yield where, "A worse or missing answer must not open this question while a better one closes it"
        if not question.tiers:
            yield f"{question.key}/tiers", "A question without tiers is never asked"
        earlier[question.key] = question
    for section in questionnaire.sections:
        if bool(section.weight) != any(question.is_scored for question in section.questions):
            yield f"{section.key}/weight", "A section has a weight if, and only if, one of its questions is scored"


def _texts(questionnaire: Questionnaire) -> Iterator[Finding]:
    labels: dict[tuple[str, str], str] = {}
    for question in questionnaire.questions:
        if len(question.label) > MAX_LABEL or len(question.label.split()) > MAX_LABEL_WORDS:
            yield f"{question.key}/label", f"A label has at most {MAX_LABEL_WORDS} words and {MAX_LABEL} characters"
        if len(question.text) > MAX_TEXT:
            yield f"{question.key}/text", f"The text of a question has at most {MAX_TEXT} characters"
        twin = labels.setdefault((question.section, question.label), question.key)
        if twin != question.key:
            yield f"{question.key}/label", f"“{twin}” has the same label in this section"
        for part in ("guidance", "why", "strong", "good_evidence"):
            text: str = getattr(question, part)
            if len(text) > MAX_NOTE:
                yield f"{question.key}/{part}", f"“{part}” has at most {MAX_NOTE} characters"
            if question.is_scored and not text:
                yield f"{question.key}/{part}", f"A scored question needs “{part}”"


def _drives(questionnaire: Questionnaire) -> Iterator[Finding]:
    """Each fact that a condition speaks of must be settable by some scoping fact, each service be on offer."""
    driven: set[str] = set()
    services: set[str] = set()
    for fact in questionnaire.scoping:
        driven.add(fact.drives)
        options = [*fact.options, *(option for column in fact.columns for option in column.options)]
        driven.update(flag for option in options for flag in option.sets)
        if fact.drives == "svc":
            services.update(option.key for option in fact.options)
    for question in questionnaire.questions:
        for atom in question.when.atoms if question.when else ():
            if isinstance(atom, Answered):
                continue
            for name in getattr(atom, "names", ()):
                if name not in services:
                    yield f"{question.key}/when", f"“{name}” is not one of the services of this version"
            name = getattr(atom, "name", "svc")
            if name not in driven:
                yield f"{question.key}/when", f"No scoping fact of this version decides “{name}”"


def _crosswalk(questionnaire: Questionnaire, known_ids: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    for question in questionnaire.questions:
        for framework, control in question.maps.items():
            where = f"{question.key}/maps"
            known = questionnaire.frameworks[framework]
            shape = _SHAPES.get(framework)
            if shape is not None and shape.fullmatch(control) is None:
                yield where, f"“{control}” does not look like an identifier of {known.name}"
            ids = known_ids.get(known.id_list)
            if ids is not None and control not in ids:
                yield where, f"“{control}” is not in the list of {known.name} {known.version}"


_CHECKS: Final[Iterable[Callable[[Questionnaire], Iterator[Finding]]]] = (
    _counts,
    _claims_only,
    _knock_outs,
    _credits,
    _conditions,
    _reachable,
    _texts,
    _drives,
)

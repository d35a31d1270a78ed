"""What a compiled version must also promise before anyone is asked it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from portal.questionnaires.rules.conditions import Condition
from portal.questionnaires.rules.definition import FULL_CREDIT, Kind, Question, Questionnaire
from portal.questionnaires.rules.nodes import OWN, Amount, Flag, Service
from portal.questionnaires.rules.problems import Problem
from portal.questionnaires.rules.reach import can_hold, rewards_worse_answers
from portal.questionnaires.rules.reading import MAX_LONGEST, MAX_SENTENCE, MIN_EASE, reading_of
from portal.questionnaires.rules.references import wrong_references

# scoring.md: the factor of each evidence level without proof, in percent, and the threshold C of tier 1.
FACTOR_WITHOUT_PROOF: Final[Mapping[int, int]] = MappingProxyType({0: 100, 1: 75, 2: 50})
CLAIM_THRESHOLD: Final = 65

MAX_TEXT: Final = 320
MAX_LABEL: Final = 40
MAX_LABEL_WORDS: Final = 4
MAX_NOTE: Final = 700
# What stands where a questionnaire needs a text and the source it was imported from had none.
TO_WRITE: Final = "To be written before publishing."

# What is comfortable, as opposed to what fits.
LONG_TEXT: Final = 200
LONG_OPTION: Final = 80
LONG_REMARK: Final = 200
# Fewer words than this are too few to tell how they read.
ENOUGH_WORDS: Final = 20

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


def warnings_of(questionnaire: Questionnaire) -> list[Problem]:
    """Return what an author may want to mend and need not: texts that read hard or run long (ux.md, U17)."""
    found: list[Finding] = []
    for check in (_hard_to_read, _long_texts):
        found.extend(check(questionnaire))
    return sorted(_at(questionnaire, *finding) for finding in found)


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
    """Place a finding at its part of a question or of a rule, or at the question, or at the top."""
    places = (where, where.rpartition("/")[0], where.partition("/")[0])
    line, column = next((found for each in places if (found := questionnaire.positions.get(each))), (1, 1))
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
                for message in wrong_references(questionnaire, question, atom, earlier):
                    yield where, message
        earlier[question.key] = question


def _reachable(questionnaire: Questionnaire) -> Iterator[Finding]:
    earlier: dict[str, Question] = {}
    never: set[str] = set()
    for question in questionnaire.questions:
        found = list(_unreachable(question, earlier, never))
        yield from found
        if found:
            never.add(question.key)
        elif question.requires is not None and _rewards_worse(question.requires, earlier):
            message = "A worse or missing answer must not open this question while a better one closes it"
            yield f"{question.key}/requires", message
        earlier[question.key] = question
    for section in questionnaire.sections:
        if bool(section.weight) != any(question.is_scored for question in section.questions):
            yield f"{section.key}/weight", "A section has a weight if, and only if, one of its questions is scored"
        if section.questions and all(question.key in never for question in section.questions):
            yield section.key, "None of the questions of this section can ever be asked"


def _rewards_worse(requires: Condition, earlier: Mapping[str, Question]) -> bool:
    return all(key in earlier for key in requires.keys) and rewards_worse_answers(requires, earlier)


def _unreachable(question: Question, earlier: Mapping[str, Question], never: set[str]) -> Iterator[Finding]:
    """Yield why a question can never be asked."""
    if not question.tiers:
        yield f"{question.key}/tiers", "A question without tiers is never asked"
    if question.when is not None and not can_hold(question.when, earlier):
        yield f"{question.key}/when", "This condition can never hold, so the question is never asked"
    requires = question.requires
    if requires is not None and all(key in earlier for key in requires.keys):
        answerable = {key: each for key, each in earlier.items() if key not in never}
        if not can_hold(requires, answerable):
            yield f"{question.key}/requires", "This condition can never hold, so the question is never asked"


def _remarks(questionnaire: Questionnaire) -> Iterator[Finding]:
    for question in questionnaire.questions:
        own = {OWN: question}
        for remark in question.warnings:
            where = f"{question.key}/warnings"
            wrong = [each for atom in remark.when.atoms for each in wrong_references(questionnaire, None, atom, own)]
            yield from ((where, message) for message in wrong)
            if not wrong and not can_hold(remark.when, own):
                yield where, f"“{remark.when.source}” can never hold, so this warning never appears"


def _rules(questionnaire: Questionnaire) -> Iterator[Finding]:
    within = {question.key: question for question in questionnaire.questions}
    for rule in questionnaire.rules:
        where = f"rules/{rule.key}"
        if rule.at not in within:
            yield f"{where}/at", f"“{rule.at}” is not a question of this version"
        for atom in rule.condition.atoms:
            for message in wrong_references(questionnaire, None, atom, within):
                yield f"{where}/{'unless' if rule.unless else 'when'}", message
        named = [within[key] for key in (rule.at, *rule.condition.keys) if key in within]
        if named and not frozenset.intersection(*(question.tiers for question in named)):
            yield where, "The questions of this rule are never asked together, so it never speaks"


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


def _unwritten(questionnaire: Questionnaire) -> Iterator[Finding]:
    """Find what an importer could not know and nobody wrote since."""
    texts = [(section.key, "intro", section.intro) for section in questionnaire.sections]
    for question in questionnaire.questions:
        texts += [(question.key, part, getattr(question, part)) for part in ("text", "guidance", "why")]
    for key, part, text in texts:
        if text == TO_WRITE:
            yield f"{key}/{part}", f"“{part}” is still to be written"


def _hard_to_read(questionnaire: Questionnaire) -> Iterator[Finding]:
    """What is read as one is measured as one: single sentences are too short to tell."""
    read: list[tuple[str, tuple[str, ...]]] = [
        (fact.key, (fact.text, fact.help, *(each.help for each in fact.details))) for fact in questionnaire.scoping
    ]
    for each in questionnaire.questions:
        notes = (each.text, each.guidance, each.why, each.strong, each.good_evidence, each.compensating)
        read.append((each.key, (*notes, *(field.help for field in each.details), *(w.text for w in each.warnings))))
    read += [(f"rules/{rule.key}/message", (rule.message,)) for rule in questionnaire.rules]
    for where, texts in read:
        reading = reading_of(texts)
        if reading.sentence_length > MAX_SENTENCE:
            words = f"The sentences have {int(reading.sentence_length)} words on average"
            yield where, f"{words}; up to {MAX_SENTENCE} read well. Split the longest"
        elif reading.longest > MAX_LONGEST:
            yield where, f"A sentence has {reading.longest} words; up to {MAX_LONGEST} are read once. Split it"
        if reading.words >= ENOUGH_WORDS and reading.ease < MIN_EASE:
            message = f"It reads hard: Flesch {int(reading.ease)}, {MIN_EASE} or more is wanted. Use shorter words"
            yield where, message


def _long_texts(questionnaire: Questionnaire) -> Iterator[Finding]:
    for question in questionnaire.questions:
        if LONG_TEXT < len(question.text) <= MAX_TEXT:
            yield f"{question.key}/text", f"A question is understood at once up to {LONG_TEXT} characters"
        for option in question.options:
            if len(option.label) > LONG_OPTION:
                message = f"The label of “{option.key}” is long; above {LONG_OPTION} characters use a description"
                yield f"{question.key}/options", message
        if any(len(remark.text) > LONG_REMARK for remark in question.warnings):
            yield f"{question.key}/warnings", f"A warning is read at once up to {LONG_REMARK} characters"
    for rule in questionnaire.rules:
        if len(rule.message) > LONG_REMARK:
            yield f"rules/{rule.key}/message", f"A message is read at once up to {LONG_REMARK} characters"


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
            for name in atom.names if isinstance(atom, Service) else ():
                if name not in services:
                    yield f"{question.key}/when", f"“{name}” is not one of the services of this version"
            name = atom.name if isinstance(atom, Flag | Amount) else "svc"
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
    _remarks,
    _rules,
    _texts,
    _unwritten,
    _drives,
)

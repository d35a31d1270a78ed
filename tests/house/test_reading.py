"""What a contractor reads, reads easily: questions, hints and errors hold to the bar of reading (U17)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from portal.questionnaires.rules import Questionnaire, compile_yaml
from portal.questionnaires.rules.lint import ENOUGH_WORDS
from portal.questionnaires.rules.reading import MAX_LONGEST, MAX_SENTENCE, MIN_EASE, Reading, reading_of
from scripts import translations

ROOT = Path(__file__).parents[2]
QUESTIONNAIRES = sorted((ROOT / "questionnaires").glob("*/v*.yaml"))
MOST_IN_ONE = 20
"""Words of a sentence in a single text of a page: one text is too short for an average."""

_VALUE = re.compile(r"%\(\w+\)s|\{\w+\}|%%")
_TAG = re.compile(r"<[^>]+>")
_HINT = re.compile(r"""hint=_\("((?:[^"\\]|\\.)*)"|class="[^"]*\bhint\b[^"]*"[^>]*>\s*\{\{ _\("((?:[^"\\]|\\.)*)\"""")


def plain(text: str) -> str:
    """Return a text as it is read: a value is one word, and tags are not seen."""
    return _TAG.sub("", _VALUE.sub("Hana", text))


@cache
def everything() -> tuple[str, ...]:
    """Return all that pages and mails say to a contractor."""
    ids = (each.id for each in translations.extracted() if each.id)
    return tuple(plain(text) for found in ids for text in (found if isinstance(found, tuple | list) else (found,)))


def errors() -> Iterator[str]:
    """Yield what a contractor is refused with: the sentences of the rooms, and those of the forms."""
    for name, method, _ in translations.sources():
        if method != "python" or name.startswith("portal/delivery/"):
            continue
        for node in ast.walk(ast.parse((ROOT / name).read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"said", "said_n"}:
                yield from (plain(each.value) for each in node.args if _is_text(each))


def hints() -> Iterator[str]:
    """Yield what stands under the fields of the contractor's pages."""
    for name, method, _ in translations.sources():
        source = (ROOT / name).read_text("utf-8")
        if method == "jinja2":
            yield from (plain(one or other) for one, other in _HINT.findall(source))
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.keyword) and node.arg in {"description", "hint"}:
                yield from (plain(each.value) for each in ast.walk(node.value) if _is_text(each))


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(node.value)


def of_questions(questionnaire: Questionnaire) -> Iterator[str]:
    yield from (each.text for each in questionnaire.questions)


def of_guidance(questionnaire: Questionnaire) -> Iterator[str]:
    for each in questionnaire.questions:
        yield from (each.guidance, each.why, each.strong, each.good_evidence, each.compensating)
        yield from (warning.text for warning in each.warnings)
        yield from (field.help for field in each.details)
    yield from (fact.help for fact in questionnaire.scoping)


def holds(texts: Iterable[str], at_least: int) -> Reading:
    """Return how texts read together; fail when it is harder than the bar, or when there is nothing to measure."""
    found = tuple(texts)
    assert len(found) >= at_least
    reading = reading_of(found)
    measured = f"{float(reading.sentence_length):.1f} words a sentence, Flesch {float(reading.ease):.1f}"
    assert reading.sentence_length <= MAX_SENTENCE, measured
    assert reading.ease >= MIN_EASE, measured
    print(f"{len(found)} texts: {measured}")
    return reading


def test_u17_the_errors_read_easily() -> None:
    holds(errors(), 300)


def test_u17_the_hints_read_easily() -> None:
    holds(hints(), 40)


def test_u17_the_pages_and_mails_read_easily() -> None:
    # A button or a heading is no sentence, and would make the rest look shorter than it is.
    holds((text for text in everything() if len(text.split()) >= 5), 1_000)


def test_no_single_text_has_to_be_read_twice() -> None:
    hard = []
    for text in everything():
        reading = reading_of([text])
        too_long = reading.sentence_length > MOST_IN_ONE or reading.longest > MAX_LONGEST
        if too_long or (reading.words >= ENOUGH_WORDS and reading.ease < MIN_EASE):
            hard.append(text)
    assert hard == []


@pytest.mark.parametrize("path", QUESTIONNAIRES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_u17_the_questions_and_what_explains_them_read_easily(path: Path) -> None:
    questionnaire = compile_yaml(path.read_bytes(), path.name)
    holds(of_questions(questionnaire), 15)
    assert holds(of_guidance(questionnaire), 40).longest <= MAX_LONGEST


def test_what_reads_hard_is_found() -> None:
    hard = "The aforementioned organisational responsibilities necessitate comprehensive documentation notwithstanding."
    with pytest.raises(AssertionError, match="Flesch"):
        holds([hard], 1)
    long = "A day " * 17 + "."
    with pytest.raises(AssertionError, match="words a sentence"):
        holds([long], 1)

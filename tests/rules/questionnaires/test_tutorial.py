"""The page on writing a questionnaire: its file works as it stands, and it names everything there is."""

from __future__ import annotations

import re
from functools import cache

import pytest

from portal.questionnaires.rules import (
    Answer,
    DefinitionError,
    Facts,
    FieldKind,
    Kind,
    Questionnaire,
    QuestionState,
    Severity,
    compile_yaml,
    lint,
    state_of,
    warned,
    warnings_of,
)
from portal.questionnaires.rules.compile import _QUESTION, _TOP
from tests.rules.questionnaires.samples import ROOT

PAGE = (ROOT.parent / "docs" / "questionnaires.md").read_text("utf-8")
NAME = "questionnaires/home-work/v1.yaml"


@cache
def source() -> str:
    [found] = re.findall(r"<!-- tutorial -->\n```yaml\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


@cache
def tutorial() -> Questionnaire:
    return compile_yaml(source().encode(), NAME)


def test_the_file_of_the_page_compiles_and_is_clean() -> None:
    assert lint(tutorial()) == []
    assert warnings_of(tutorial()) == []
    assert f"`{NAME}`" in PAGE


def test_it_has_five_questions_with_a_condition_and_a_knock_out() -> None:
    assert len(tutorial().questions) == 5
    assert tutorial().question("home.wipe").requires is not None
    assert tutorial().question("home.photos").is_knock_out_in(1)


def test_it_does_what_the_page_says() -> None:
    own, company = Answer(choice="own"), Answer(choice="company")

    assert state_of(tutorial(), 2, Facts(), {"home.devices": own})["home.wipe"] is QuestionState.ZERO
    assert state_of(tutorial(), 2, Facts(), {"home.devices": company})["home.wipe"] is QuestionState.BLANK
    assert [each.severity for each in warned(tutorial().question("home.devices"), own)] == [Severity.WATCH]
    assert warned(tutorial().question("home.devices"), company) == ()


def test_the_mistake_of_the_page_is_found_where_the_page_says() -> None:
    wrong = source().replace("ans(home.devices)!=own", "ans(home.device)!=own")

    assert [str(problem) for problem in lint(compile_yaml(wrong.encode(), NAME))] == re.findall(
        rf"^({re.escape(NAME)}:\d+:\d+: .*)$", PAGE, re.MULTILINE
    )


@pytest.mark.parametrize("name", [*Kind, *FieldKind, *Severity, *_TOP, *_QUESTION])
def test_the_page_names_everything_there_is(name: str) -> None:
    assert f"`{name}`" in PAGE or f"`{name}:" in PAGE


def test_every_example_of_a_file_is_yaml_of_ours() -> None:
    for example in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL):
        with pytest.raises(DefinitionError) as failure:
            compile_yaml(f"nothing: true\n{example}".encode(), "page")
        assert not any("is not YAML" in problem.message for problem in failure.value.problems)

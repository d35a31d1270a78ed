"""A VSAQ template becomes a questionnaire of ours; what it cannot say here is noted, never guessed."""

import pytest

from portal.questionnaires.rules import DefinitionError, Kind, Questionnaire, compile_yaml, lint
from portal.questionnaires.rules.importers import Imported, import_vsaq
from portal.questionnaires.rules.lint import TO_WRITE

TEMPLATE = """\
// A template with a licence comment.
{
  "questionnaire": [
    {"type": "block", "text": "Web &amp; more", "items": [
      {"type": "block", "id": "net", "text": "Network", "items": [
        {"type": "info", "text": "Read <a href='https://tls.example/x'>this</a><script>alert(1)</script>."},
        {"type": "radiogroup", "id": "tls", "text": "Pick " + /* why not */ "one:",
         "choices": [{"tls_all": "All of <b>it</b>"}, {"tls_none": "None"},]},
        {"type": "tip", "id": "t1", "cond": "tls_none", "warn": "yes", "severity": "high", "text": "Bad.",
         "why": "Why?"},
        {"type": "block", "text": "Inner", "cond": "tls_all", "items": [
          {"type": "yesno", "id": "cfg", "text": "Ok?", "yes": "Yes", "no": "No"},
          {"type": "yesno", "id": "own", "text": "Own?", "yes": "We do", "no": "We do not",
           "cond": "!(cfg/no) && (tls_all || tls_none)"},
          {"type": "box", "id": "say", "text": "Say more", "cond": "say_what"},
        ]},
        {"type": "info", "text": "Which ones?"},
        {"type": "checkgroup", "choices": [{"a-1": "A"}, {"and": "B"}]},
        {"type": "check", "id": "sure", "text": "I am sure."},
        {"type": "upload", "id": "up", "text": "The file"},
        {"type": "line", "id": "day", "inputType": "date", "text": "The day"},
        {"type": "spacer", "id": "sp"},
      ]},
    ]},
  ],
}
"""

EXTENSION = """\
{"namespace": "mine", "deletes": ["day"], "extensions": [
  {"type": "block", "insertAfter": "net", "text": "Ours", "items": [
    {"type": "line", "id": "q", "text": "Q", "cond": "tls_none && !mine_too"},
    {"type": "check", "id": "tls_none2", "text": "R"}]},
  {"type": "line", "insertAfter": "sure", "id": "first", "text": "First"},
  {"type": "line", "insertAfter": "sure", "id": "second", "text": "Second"}]}
"""


def taken(source: str = TEMPLATE, **more: str) -> tuple[Questionnaire, Imported]:
    base = more.get("base")
    imported = import_vsaq(
        source.encode(), "t.json", slug="web-app", base=base.encode() if base else None, base_name="b.json"
    )
    return compile_yaml(imported.source, "draft"), imported


def refusal(source: str, **more: str) -> str:
    with pytest.raises(DefinitionError) as refused:
        taken(source, **more)
    return str(refused.value)


def test_each_kind_of_item_finds_its_kind_of_question() -> None:
    questionnaire, _ = taken()

    assert questionnaire.title == "Web & more"
    assert [section.title for section in questionnaire.sections] == ["Network"]
    assert {question.key: question.kind for question in questionnaire.questions if "q_" not in question.key} == {
        "web_app.tls": Kind.ONE_CHOICE,
        "web_app.cfg": Kind.YES_NO,
        "web_app.own": Kind.ONE_CHOICE,
        "web_app.say": Kind.TEXT,
        "web_app.sure": Kind.YES_NO,
        "web_app.up": Kind.FILE,
        "web_app.day": Kind.DATE,
    }
    assert questionnaire.question("web_app.say").length == "long"


def test_mark_up_becomes_text_and_what_is_active_is_dropped_and_noted() -> None:
    questionnaire, imported = taken()

    question = questionnaire.question("web_app.tls")
    assert question.text == "Pick one:"
    assert question.guidance == "Read this (https://tls.example/x)."
    assert [(option.key, option.label) for option in question.options] == [("all", "All of it"), ("none", "None")]
    assert "t.json:6:9: something active was dropped from “text”." in imported.notes
    assert b"alert" not in imported.source


def test_conditions_are_those_of_the_item_and_of_every_block_around_it() -> None:
    questionnaire, _ = taken()

    assert questionnaire.question("web_app.cfg").requires is not None
    condition = questionnaire.question("web_app.own").requires
    assert condition is not None
    assert condition.source == (
        "ans(web_app.tls)=all and (not ans(web_app.cfg)=no and (ans(web_app.tls)=all or ans(web_app.tls)=none))"
    )


def test_a_condition_that_cannot_be_said_is_noted_and_kept_as_a_comment() -> None:
    questionnaire, imported = taken()

    assert questionnaire.question("web_app.say").requires is None
    assert (
        "t.json:15:11: the condition “tls_all && say_what” is not taken over (“say_what” is not asked before); "
        "the question is always asked."
    ) in imported.notes
    assert b"# In the template asked only if: tls_all && say_what" in imported.source


def test_a_tip_becomes_a_warning_beside_its_question() -> None:
    questionnaire, imported = taken()

    (warning,) = questionnaire.question("web_app.tls").warnings
    assert (warning.when.source, warning.severity, warning.text) == ("answer=none", "stop", "Bad.")
    assert any("compensating" in note for note in imported.notes)


def test_a_group_without_a_text_takes_the_words_before_it() -> None:
    questionnaire, _ = taken()

    (group,) = (question for question in questionnaire.questions if question.kind is Kind.MANY_CHOICES)
    assert group.text == "Which ones?"
    assert [option.key for option in group.options] == ["a_1", "and_option"]


def test_what_is_missing_is_written_open_and_counted() -> None:
    questionnaire, imported = taken()

    assert questionnaire.question("web_app.up").why == TO_WRITE
    places = [problem.message for problem in lint(questionnaire) if problem.message.endswith("is still to be written")]
    assert places.count("“why” is still to be written") == 8
    assert "8 questions without a weight: decide what is scored, and how much it counts." in imported.notes


def test_an_extension_goes_behind_what_it_names_and_deletes_what_it_says() -> None:
    questionnaire, imported = taken(EXTENSION, base=TEMPLATE)

    assert [section.title for section in questionnaire.sections] == ["Network", "Ours"]
    keys = [question.key for question in questionnaire.questions]
    assert keys[-5:] == [
        "web_app.mine_first",
        "web_app.mine_second",
        "web_app.up",
        "web_app.mine_q",
        "web_app.mine_tls_none2",
    ]
    assert any("“mine_too” is not asked before" in note for note in imported.notes)


def test_importing_again_gives_the_same_bytes() -> None:
    assert taken()[1] == taken()[1]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{", "t.json:1:2: Expected a key in double quotes, or }"),
        ('{"a": 1}', "t.json:1:1: A VSAQ template needs “questionnaire”"),
        ('{"questionnaire": [\n {"type": "line", "id": "a", "text": oops}]}', "t.json:2:38: Expected a value"),
        ('{"questionnaire": [] /* open', "t.json:1:22: This comment is never closed"),
        ('{"questionnaire": [7]}', "t.json:1:20: An item must be an object"),
        ('{"questionnaire": {"a": 1}}', "t.json:1:19: “questionnaire” must be a list"),
        ('{"questionnaire": []}', "t.json:1:1: There is no question in this file"),
        (
            '{"questionnaire": [{"type": "line", "id": "a", "text": "A"},\n {"type": "line", "id": "a", "text": "B"}]}',
            "t.json:2:19: “a” is used twice, first in t.json:1:37",
        ),
        ('{"questionnaire": [{"type": "line", "text": {}}]}', "t.json:1:45: “text” must be text"),
        (EXTENSION, "t.json:1:43: This is an extension: give its base too"),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_place(source: str, words: str) -> None:
    assert words in refusal(source)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"insertAfter": "net"', '"insertAfter": "gone"', "t.json:2:21: The base has no item “gone” to insert behind"),
        ('["day"]', '["gone"]', "t.json:1:35: The base has no item “gone” to delete"),
        ('"insertAfter": "net", ', "", "t.json:2:3: An item of an extension needs “insertAfter”"),
    ],
)
def test_an_extension_that_does_not_fit_its_base_is_refused(old: str, new: str, words: str) -> None:
    assert words in refusal(EXTENSION.replace(old, new), base=TEMPLATE)

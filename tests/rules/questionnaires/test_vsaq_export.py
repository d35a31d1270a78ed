"""A version goes out as a VSAQ template, and what VSAQ can say comes back from it."""

import json

import pytest

from portal.questionnaires.rules import Kind, Questionnaire, compile_yaml
from portal.questionnaires.rules.importers import import_vsaq
from portal.questionnaires.rules.vsaq import export_vsaq
from tests.rules.questionnaires.every_kind import EVERY_KIND
from tests.rules.questionnaires.samples import SAMPLE, SLUGS, shipped


def back(questionnaire: Questionnaire) -> Questionnaire:
    template = export_vsaq(questionnaire).source
    return compile_yaml(import_vsaq(template, "t.json", slug="again").source, "draft")


def test_blocks_are_sections_and_items_are_questions() -> None:
    exported = export_vsaq(compile_yaml(SAMPLE.encode(), "s"))

    (top,) = json.loads(exported.source)["questionnaire"]
    level = next(item for item in top["items"][0]["items"] if item.get("id") == "one_level")
    assert [block["text"] for block in top["items"]] == ["One", "Two"]
    assert level["choices"] == [{"one_level_high": "High"}, {"one_level_low": "Low"}, {"one_level_none": "None"}]
    scope = next(item for item in top["items"][0]["items"] if item.get("id") == "one_scope")
    assert scope["cond"] == "one_level_high || one_level_low"
    assert "one.scope: the detail fields are left out." in exported.notes


@pytest.mark.parametrize("slug", SLUGS)
def test_the_shipped_questionnaires_come_back_question_by_question(slug: str) -> None:
    before = shipped(slug)
    after = back(before)

    assert [section.title for section in after.sections] == [section.title for section in before.sections]
    assert [(q.text, q.guidance) for q in after.questions] == [(q.text, q.guidance) for q in before.questions]
    for old, new in zip(before.questions, after.questions, strict=True):
        if old.kind in (Kind.ONE_CHOICE, Kind.YES_PARTIAL_NO):
            assert [option.label for option in new.options] == [option.label for option in old.choices]
        assert (new.requires is None) or (old.requires is not None)


def test_every_kind_goes_out_and_what_cannot_is_noted() -> None:
    questionnaire = compile_yaml(EVERY_KIND.encode(), "k")
    exported = export_vsaq(questionnaire)

    assert len(back(questionnaire).questions) == len(questionnaire.questions)
    assert any("asked as a text" in note for note in exported.notes)


def test_mark_up_in_a_text_stays_text() -> None:
    source = SAMPLE.replace("Which level?", "Is <b>1 & 2</b> enough?")

    assert back(compile_yaml(source.encode(), "s")).questions[0].text == "Is <b>1 & 2</b> enough?"

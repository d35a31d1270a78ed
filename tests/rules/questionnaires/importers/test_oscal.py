"""An OSCAL catalogue becomes sections and questions, with its identifiers as the crosswalk."""

import json

import pytest

from portal.questionnaires.rules import DefinitionError, Kind, Questionnaire, compile_yaml
from portal.questionnaires.rules.importers import Imported, import_oscal

CATALOG: dict[str, object] = {
    "uuid": "00000000-0000-4000-8000-000000000000",
    "metadata": {
        "title": "House rules",
        "version": "2.1",
        "oscal-version": "1.1.3",
        "remarks": "Free [to use](https://a.example).",
    },
    "params": [
        {"id": "days", "label": "days"},
        {"id": "how", "select": {"choice": ["by {{ insert: param, days }}", "never"]}},
    ],
    "groups": [
        {
            "id": "ac",
            "title": "Access",
            "parts": [{"id": "ac_o", "name": "overview", "prose": "About access."}],
            "groups": [
                {
                    "id": "ac.in",
                    "title": "Inner",
                    "controls": [{"id": "ac-9", "title": "Old", "props": [{"name": "status", "value": "withdrawn"}]}],
                }
            ],
            "controls": [
                {
                    "id": "ac-1",
                    "title": "Policy",
                    "props": [{"name": "label", "value": "AC-1"}],
                    "params": [{"id": "ac-1_prm", "values": ["yearly"]}],
                    "parts": [
                        {
                            "id": "ac-1_smt",
                            "name": "statement",
                            "prose": "Write it {{ insert: param, ac-1_prm }} {{ insert: param, how }}:",
                            "parts": [
                                {
                                    "id": "a",
                                    "name": "item",
                                    "props": [{"name": "label", "value": "a."}],
                                    "prose": "and <b>keep</b> it.",
                                }
                            ],
                        },
                        {"id": "ac-1_gdn", "name": "guidance", "prose": "See [there](https://b.example/x)."},
                        {"id": "ac-1_why", "name": "guidance", "title": "Why this matters", "prose": "Because."},
                        {"id": "ac-1_obj", "name": "assessment-method", "prose": "Ask."},
                    ],
                    "controls": [{"id": "ac-1.1", "title": "An enhancement with a long title"}],
                }
            ],
        }
    ],
}


def taken(catalog: dict[str, object] = CATALOG) -> tuple[Questionnaire, Imported]:
    imported = import_oscal(json.dumps({"catalog": catalog}, indent=1).encode(), "c.json", slug="house-rules")
    return compile_yaml(imported.source, "draft"), imported


def test_groups_are_sections_and_controls_are_questions() -> None:
    questionnaire, imported = taken()

    assert questionnaire.title == "House rules"
    assert [section.title for section in questionnaire.sections] == ["Access"]
    assert questionnaire.sections[0].intro == "About access."
    assert [(each.key, each.kind, each.label) for each in questionnaire.questions] == [
        ("house_rules.ac_1", Kind.YES_PARTIAL_NO, "Policy"),
        ("house_rules.ac_1_1", Kind.YES_PARTIAL_NO, "An enhancement with a"),
    ]
    assert b"# It says of itself: Free to use (https://a.example)." in imported.source


def test_the_statement_is_the_question_with_its_parameters_in_words() -> None:
    question = taken()[0].question("house_rules.ac_1")

    assert question.text == "Write it yearly [by [days] / never]:\na. and keep it."
    assert question.guidance == "See there (https://b.example/x)."
    assert question.why == "Because."


def test_identifiers_go_to_the_crosswalk_of_the_version() -> None:
    questionnaire, _ = taken()

    assert (questionnaire.frameworks["house_rules"].name, questionnaire.frameworks["house_rules"].version) == (
        "House rules",
        "2.1",
    )
    assert [question.maps["house_rules"] for question in questionnaire.questions] == ["AC-1", "ac-1.1"]


def test_what_is_left_out_is_noted_with_its_place() -> None:
    _, imported = taken()

    assert any(
        note.endswith("“ac-9” is withdrawn and left out.") and note.startswith("c.json:") for note in imported.notes
    )
    assert any("the part “assessment-method” of “ac-1” is not taken over." in note for note in imported.notes)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('{"profile": {}}', "c.json:1:1: The file must hold an OSCAL “catalog”; it holds “profile”"),
        ('{"catalog": {"uuid": "x"}}', "c.json:1:13: A catalogue needs “metadata”, an object"),
        ('{"catalog": {"metadata": {"oscal-version": "2.0.0"}}}', "c.json:1:44: OSCAL version 2.0.0 is not known"),
        (
            '{"catalog": {"metadata": {}, "groups": [{"title": "G", "controls": [{"title": "x"}]}]}}',
            "A control needs an “id”",
        ),
        (
            '{"catalog": {"metadata": {}, "controls": [{"id": "a", "title": "x"},\n{"id": "a", "title": "y"}]}}',
            "c.json:2:2: The control “a” is there twice, first in line 1",
        ),
        ('{"catalog": {"metadata": {}, "controls": [{"id": "a"}]}}', "A control needs a “title” or a statement"),
        ('{"catalog": {"metadata": {}, "groups": 7}}', "c.json:1:40: “groups” must be a list"),
        ('{"catalog": {"metadata": {}}}', "There is no question in this file"),
    ],
)
def test_what_is_no_catalogue_is_refused_at_its_place(source: str, words: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        import_oscal(source.encode(), "c.json", slug="house")

    assert words in str(refused.value)

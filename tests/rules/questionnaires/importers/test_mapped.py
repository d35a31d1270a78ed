"""A folder of another system's YAML is read where the mapping file says, and nowhere else."""

import pytest

from portal.questionnaires.rules import DefinitionError, Kind, Questionnaire, compile_yaml
from portal.questionnaires.rules.importers import Imported, import_mapped

MAPPING = b"""\
mapping: 1
files: "questions/*.yml"
section: {from: folder}
question: {text: question, kind: type, guidance: hint, options: options, weight: worth}
option: {key: value, label: label}
kinds: {boolean: yn, radios: c1, checkboxes: multi, upload: file}
default_kind: text
"""
FILES = {
    "questions/access/b.yml": b"question: Kept?\ntype: boolean\nhint: |\n  Say [how](https://h.example).\nworth: 3\n",
    "questions/access/a.yml": b"question: Which?\ntype: radios\noptions: [{label: One, value: '1'}, {label: Two}]\n",
    "questions/data/Long name.yml": b"question: Tell\ntype: magic\nworth: 9\nid: 7\n",
    "readme.md": b"not yaml: [",
    "sections/other.yml": b"also: [not read",
}


def taken(files: dict[str, bytes] = FILES, mapping: bytes = MAPPING) -> tuple[Questionnaire, Imported]:
    imported = import_mapped(files, mapping, "folder.zip", slug="other-system")
    return compile_yaml(imported.source, "draft"), imported


def test_each_part_is_taken_from_the_place_that_is_named() -> None:
    questionnaire, imported = taken()

    assert [section.title for section in questionnaire.sections] == ["access", "data"]
    assert [(each.key, each.kind, each.weight) for each in questionnaire.questions] == [
        ("other_system.a", Kind.ONE_CHOICE, 0),
        ("other_system.b", Kind.YES_NO, 3),
        ("other_system.long_name", Kind.TEXT, 0),
    ]
    assert [(each.key, each.label) for each in questionnaire.questions[0].options] == [
        ("option_1", "One"),
        ("Two", "Two"),
    ]
    assert questionnaire.questions[1].guidance == "Say how (https://h.example)."
    assert "questions/data/Long name.yml:1:1: the weight “9” is not taken over." in imported.notes


def test_the_order_of_the_files_does_not_matter() -> None:
    assert taken(dict(reversed(FILES.items()))) == taken()


def test_a_list_of_questions_in_one_file_and_sections_by_place() -> None:
    files = {"all.yaml": b"list: [{id: A.1, ask: {text: First?}, in: One}, {id: A.2, ask: {text: Second?}, in: Two}]\n"}
    mapping = b"mapping: 1\nfiles: '*.yaml'\nitems: list\nsection: {at: in}\nquestion: {key: id, text: ask.text}\n"

    questionnaire, _ = taken(files, mapping)

    assert [(section.title, section.questions[0].text) for section in questionnaire.sections] == [
        ("One", "First?"),
        ("Two", "Second?"),
    ]


@pytest.mark.parametrize(
    ("files", "mapping", "words"),
    [
        (FILES, b"mapping: 2\n", "mapping.yaml:1:10: “mapping” must be one of 1"),
        (FILES, MAPPING.replace(b"boolean: yn", b"boolean: maybe"), "mapping.yaml:6:18: “boolean” must be one of ynp"),
        (FILES, MAPPING.replace(b"*.yml", b"*.txt"), "folder.zip:1:1: No file of the folder"),
        ({"questions/x.yml": b"question: [\n"}, MAPPING, "questions/x.yml:2:1: The file is not YAML here"),
        (
            {"questions/x.yml": b"question: {a: b}\ntype: boolean\n"},
            MAPPING,
            "questions/x.yml:1:11: “question” must be text",
        ),
        ({"questions/x.yml": b"a: &a b\n"}, MAPPING, "questions/x.yml:1:4: An anchor (&) is not used"),
        (
            {"questions/x.yml": b"question: A\ntype: odd\n"},
            MAPPING.replace(b"default_kind: text\n", b""),
            "questions/x.yml:2:7: “kinds” of the mapping does not say what “odd” is",
        ),
        (
            {"questions/x.yml": b"question: A\nid: 1\n", "questions/y.yml": b"question: A\nid: 1\n"},
            MAPPING.replace(b"{text:", b"{key: id, text:"),
            "questions/y.yml:1:1: The key “1” is used twice, first in questions/x.yml:1:1",
        ),
    ],
)
def test_what_does_not_fit_is_refused_at_its_place(files: dict[str, bytes], mapping: bytes, words: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        taken(files, mapping)

    assert words in str(refused.value)

"""A table of questions is read by the names of its columns; what it leaves open is noted, not guessed."""

import pytest

from portal.questionnaires.rules import DefinitionError, Kind, Questionnaire, compile_yaml
from portal.questionnaires.rules.importers import Imported, Table, import_table

HEADER = ["Question ID", "Domain", "Question:", "Answer type", "Options", "Weight", "Help text", "Owner"]
ROWS = [
    ["Supplier questions 2026"],
    [],
    HEADER,
    ["A-1", "Access", "Is access reviewed?", "Yes/No", "", "3", "Say <b>how</b>.", "Ann"],
    ["A_1", "", "How often?", "Dropdown", "Monthly = 100; Yearly = 40; Never = 0", "2", "", ""],
    ["ret.days", "Retention", "Until when?", "date", "", "", "", ""],
    ["", "", "Which of these?", "Checkboxes", "One\nTwo\nTwo", "4", "", ""],
    ["x", "", "", "", "", "", "stray", ""],
    ["n", "", "How many?", "Number", "", "", "", ""],
    ["w", "", "Anything else?", "Crystal ball", "", "", "", ""],
    ["y", "", "Really?", "", "Yes; No", "", "", ""],
]


def taken(*tables: Table) -> tuple[Questionnaire, Imported]:
    imported = import_table(tables or (Table("Sheet1", ROWS),), "q.xlsx", slug="own")
    return compile_yaml(imported.source, "draft"), imported


def test_columns_are_found_by_name_below_a_title() -> None:
    questionnaire, _ = taken()

    assert [(section.key, section.title) for section in questionnaire.sections] == [
        ("access", "Access"),
        ("retention", "Retention"),
    ]
    first = questionnaire.questions[0]
    assert (first.text, first.kind, first.weight, first.guidance) == ("Is access reviewed?", Kind.YES_NO, 3, "Say how.")
    assert "q.xlsx: columns not taken over: Owner." in taken()[1].notes


def test_a_permanent_key_is_kept_and_others_are_made_legal_whatever_their_order() -> None:
    keys = [question.key for question in taken()[0].questions]

    assert "ret.days" in keys
    assert len(set(keys)) == len(keys)
    turned = [*ROWS[:3], *reversed(ROWS[3:])]
    assert {question.key for question in taken(Table("Sheet1", turned))[0].questions} == set(keys)


def test_options_carry_credits_only_where_the_question_is_scored() -> None:
    questionnaire, imported = taken()

    often, several = questionnaire.questions[1], questionnaire.questions[3]
    assert [(option.label, option.credit) for option in often.options] == [
        ("Monthly", 100),
        ("Yearly", 40),
        ("Never", 0),
    ]
    assert often.weight == 2
    assert [(option.label, option.credit) for option in several.options] == [("One", None), ("Two", None)]
    assert several.weight == 0
    assert "q.xlsx:7:6: the weight is not taken over, as not every option says what it earns." in imported.notes


def test_what_is_left_open_is_noted_with_row_and_column() -> None:
    questionnaire, imported = taken()

    assert "q.xlsx:8:1: a row without a question is left out." in imported.notes
    assert "q.xlsx:9:4: a number needs a unit; it is taken as text." in imported.notes
    assert "q.xlsx:10:4: the type “Crystal ball” is not known; it is taken as text." in imported.notes
    assert questionnaire.questions[-1].kind is Kind.YES_NO


def test_each_sheet_without_a_section_column_is_a_section() -> None:
    questionnaire, imported = taken(
        Table("Access", [["Key", "Question"], ["a", "A?"]]),
        Table("Data", [["Question", "Type"], ["B?", "file"]]),
        Table("Notes", [["Some words"]]),
    )

    assert [section.title for section in questionnaire.sections] == ["Access", "Data"]
    assert "q.xlsx (Notes): no header row with a column “Question” was found; this sheet is left out." in imported.notes


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "q.csv:1:1: There is no header row"),
        ([["Question", "Key"]], "q.csv:1:1: There is no header row"),
        ([["Question", "Key"], ["A?", "k"], ["B?", "k"]], "q.csv:3:2: “k” is used twice, first in line 2"),
        ([["Question", "Weight"], ["A?", "12"]], "q.csv:2:2: The weight “12” must be a whole number from 0 to 5"),
        (
            [["Question", "Key"], *([f"{n}?", str(n)] for n in range(2001))],
            "q.csv:2002:1: A questionnaire has at most 2,000",
        ),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_at_its_place(rows: list[list[str]], words: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        import_table([Table("", rows)], "q.csv", slug="own")

    assert words in str(refused.value)

"""How texts read, counted by hand."""

from fractions import Fraction

import pytest

from portal.questionnaires.rules import compile_yaml, lint, warnings_of
from portal.questionnaires.rules.reading import Reading, reading_of, syllables
from tests.rules.questionnaires.samples import SAMPLE, SLUGS, shipped


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("a", 1),
        ("the", 1),
        ("made", 1),
        ("named", 1),
        ("wanted", 2),
        ("table", 2),
        ("people", 2),
        ("horses", 2),
        ("churches", 2),
        ("times", 1),
        ("free", 1),
        ("evidence", 3),
        ("policies", 3),
        ("vulnerabilities", 6),
        ("don't", 1),
        ("SOC", 1),
        ("2026", 1),
        ("2.5", 1),
        ("hmm", 1),
        ("Zoë", 1),
    ],
)
def test_syllables_are_counted_by_the_vowels(word: str, count: int) -> None:
    assert syllables(word) == count


def test_a_text_is_counted_sentence_by_sentence() -> None:
    assert reading_of(["The cat sat. It ate 2.5 kg of fish!", "Why?"]) == Reading(
        sentences=3, words=10, syllables=10, longest=6
    )


def test_the_ease_is_exact() -> None:
    """206.835 − 1.015 × 3 − 84.6 × 1, by Flesch."""
    assert reading_of(["The cat sat."]).ease == Fraction(206_835, 1000) - Fraction(3_045, 1000) - Fraction(846, 10)
    assert reading_of([]).ease == 100
    assert reading_of(["…", "  "]).sentence_length == 0


def test_a_text_that_reads_hard_is_a_warning_and_no_problem() -> None:
    hard = (
        "Comprehensive organisational accountability considerations necessitate documentation of responsibilities "
        "regarding confidentiality, availability and integrity obligations throughout the relationship with every "
        "participating organisation."
    )
    questionnaire = compile_yaml(SAMPLE.replace("guidance: How to answer.", f"guidance: {hard}", 1).encode(), "x")

    assert lint(questionnaire) == []
    words = [problem.message for problem in warnings_of(questionnaire)]
    assert len(words) == 1
    assert words[0].startswith("It reads hard: Flesch ")


def test_long_sentences_and_long_texts_are_warnings() -> None:
    long = "we " * 60 + "do so."
    questionnaire = compile_yaml(SAMPLE.replace("Customers are apart.", long, 1).encode(), "x")
    wide = compile_yaml(SAMPLE.replace("label: High,", f"label: {'High ' * 20},", 1).encode(), "x")
    asked = compile_yaml(SAMPLE.replace("Customers are apart.", "All of them are. " * 13, 1).encode(), "x")

    assert any(each.message.startswith("A sentence has 62 words") for each in warnings_of(questionnaire))
    assert [each.message for each in warnings_of(wide)] == [
        "The label of “high” is long; above 80 characters use a description"
    ]
    assert [each.message for each in warnings_of(asked)] == ["A question is understood at once up to 200 characters"]
    assert lint(asked) == []


@pytest.mark.parametrize("slug", SLUGS)
def test_what_we_ship_reads_well_as_a_whole(slug: str) -> None:
    """ux.md, U17: at most 16 words in a sentence, and Flesch 55 or more."""
    questions = shipped(slug).questions
    read = reading_of(text for each in questions for text in (each.text, each.guidance, each.why))

    assert read.sentence_length <= 16
    assert read.ease >= 55

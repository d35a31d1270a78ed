"""What changed in a question, in words."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from portal.questionnaires.rules import EvidenceNeed, Kind, Option, Question, Step
from portal.questionnaires.rules.wording import Piece
from portal.sites.shared.question_changes import Said, said_of

CHOICE = Question(
    key="iam.leavers",
    revision=1,
    section="iam",
    number="7.2",
    label="Leavers",
    text="How soon after a person leaves are all their accounts disabled?",
    kind=Kind.ONE_CHOICE,
    weight=4,
    tiers=frozenset({1, 2, 3}),
    options=(Option("day", "Within 24 hours", 100), Option("longer", "Longer", 0)),
)
NUMBER = replace(
    CHOICE,
    kind=Kind.NUMBER,
    options=(),
    unit="hours",
    steps=(Step("<=", Decimal(24), 100), Step(None, None, 0)),
)


def spoken(said: Said) -> str:
    """The sentence with [what went] and {what came}."""
    marks = {"out": "[{}]", "in": "{{{}}}", "same": "{}"}
    return f"{said.about} {''.join(marks[each.kind].format(each.text) for each in said.pieces)}".strip()


def sentences(old: Question, new: Question) -> list[str]:
    return [spoken(each) for each in said_of(old, new)]


def test_reworded_text_shows_the_words_that_went_and_came() -> None:
    new = replace(CHOICE, text="How soon after a person leaves are their accounts disabled?")
    assert sentences(CHOICE, new) == ["The question: How soon after a person leaves are [all ]their accounts disabled?"]


def test_space_alone_is_no_change_of_the_text() -> None:
    new = replace(CHOICE, text="How soon after a person  leaves are all their accounts\ndisabled?", guidance="For us.")
    assert sentences(CHOICE, new) == ["The note under the question: {For us.}"]


def test_the_best_answer_comes_before_the_options() -> None:
    hour = Option("hour", "Within 4 hours", 100)
    new = replace(CHOICE, options=(hour, Option("day", "Within 24 hours", 50), Option("longer", "Longer", 0)))
    assert sentences(CHOICE, new) == [
        "The best answer was [Within 24 hours] and is now {Within 4 hours}",
        "New on offer: {Within 4 hours}",
    ]


def test_an_option_that_reads_differently_is_told_word_by_word() -> None:
    new = replace(
        CHOICE, options=(Option("day", "Within 24 hours", 100), Option("longer", "Longer, or not measured", 0))
    )
    assert sentences(CHOICE, new) == ["An answer reads differently: Longer{, or not measured}"]


def test_what_is_not_on_offer_any_more_is_named() -> None:
    new = replace(CHOICE, options=(Option("day", "Within 24 hours", 100), Option("never", "Never", 0)))
    assert sentences(CHOICE, new) == ["Not on offer any more: [Longer]", "New on offer: {Never}"]


def test_steps_are_told_with_their_unit() -> None:
    new = replace(NUMBER, steps=(Step("<=", Decimal("4.0"), 100), Step(None, None, 0)))
    assert sentences(NUMBER, new) == ["The best answer was [at most 24 hours] and is now {at most 4 hours}"]


def test_a_step_in_the_middle_is_told_as_what_earns_points() -> None:
    new = replace(NUMBER, steps=(NUMBER.steps[0], Step("<=", Decimal(72), 50), NUMBER.steps[1]))
    assert sentences(NUMBER, new) == ["What earns points: {at most 72 hours}"]


def test_another_kind_is_told_in_words() -> None:
    new = replace(NUMBER, kind=Kind.YES_NO, unit="", steps=())
    assert sentences(NUMBER, new)[0] == "The answer was [a number] and is now {yes or no}"


def test_proof_that_is_needed_now_is_told() -> None:
    new = replace(CHOICE, evidence=EvidenceNeed(level=2))
    assert sentences(CHOICE, new) == ["It needs a file as proof now."]


def test_a_change_of_meaning_alone_still_has_a_sentence() -> None:
    new = replace(CHOICE, revision=2, weight=5, why="Another reason.")
    (said,) = said_of(CHOICE, new)
    assert said.pieces == ()
    assert said.about == "The words are the same, and what we mean by them is not. Read the note beside it."


def test_a_unit_that_came_is_told_without_a_gap() -> None:
    told = said_of(replace(NUMBER, unit=""), NUMBER)
    assert Said("The unit was", (Piece("out", "none"), Piece("same", " and is now "), Piece("in", "hours"))) in told

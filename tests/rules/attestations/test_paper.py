"""The data of the signed document: complete, from what was frozen alone, and whatever people wrote stays text."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from gettext import NullTranslations
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from portal.attestations import rules
from portal.attestations.rules import paper as papers
from portal.kernel import words
from portal.kernel.paper import BREAK_AFTER, printable
from portal.questionnaires.rules import Answer, QuestionState, to_json
from tests.rules.questionnaires.samples import law, shipped

ADA, FILE = UUID(int=1), UUID(int=2)


def voice() -> papers.Voice:
    return papers.Voice(
        language="en",
        say=lambda text: words.translated(text, NullTranslations()),
        day=lambda day: words.day(day),
        moment=lambda at: words.moment(at),
    )


def document(questionnaire: Any, answers: dict[str, rules.SignedAnswer], **more: Any) -> dict[str, Any]:
    snapshot = rules.Snapshot(
        assessment_id=UUID(int=3),
        vendor_id=UUID(int=4),
        revision=2,
        questionnaire_digest=questionnaire.digest,
        tier=1,
        statement=rules.signed_text(rules.statements(vendor="Quillmark", lab="Orrery", day="9 December 2026")),
        answers=answers,
        scoping=more.pop("scoping", {}),
        citations=more.pop("citations", ()),
    )
    named = {
        "lab": "Orrery",
        "vendor": "Quillmark",
        "title": "Renewal 2026",
        "timezone": "UTC",
        "people": {str(ADA): "Ada Łuczak"},
        "files": {str(FILE): "soc2.pdf"},
    }
    signature = papers.Signature("Daniel Osei", "CTO", datetime(2026, 12, 9, 14, 32, tzinfo=UTC), "totp", "ab" * 32)
    return papers.document(questionnaire, snapshot, signature, named, voice())


def test_hidden_questions_are_not_printed_and_the_others_are_all() -> None:
    questionnaire = shipped("ai-contractor-minimal")
    first, *rest = questionnaire.questions
    answers = {first.key: rules.SignedAnswer(QuestionState.ANSWERED, to_json(Answer(comment="So it is.")), ADA)}
    answers |= {each.key: rules.SignedAnswer(QuestionState.HIDDEN, {}, None) for each in rest}

    printed = document(questionnaire, answers)

    asked = [each for section in printed["sections"] for each in section["questions"]]
    assert [each["text"] for each in asked] == [first.text]
    assert ["Explanation", "So it is."] in asked[0]["beside"]
    assert asked[0]["by"] == "Ada Łuczak"
    assert asked[0]["answer"] == ["Nothing was entered"]


def test_a_file_is_named_once_with_its_digest_and_pointed_at_from_each_answer() -> None:
    questionnaire = shipped("ai-contractor-minimal")
    two = questionnaire.questions[:2]
    answers = {each.key: rules.SignedAnswer(QuestionState.ANSWERED, to_json(Answer(choice="yes")), ADA) for each in two}
    cited = tuple(
        rules.SignedCitation(UUID(int=10 + n), each.key, FILE, "cd" * 32, "v1", "3–5", "All leavers")
        for n, each in enumerate(two)
    )

    printed = document(questionnaire, answers, citations=cited)

    assert printed["files"] == [["F1", "soc2.pdf", "cd" * 32]]
    for each in (each for section in printed["sections"] for each in section["questions"]):
        assert each["files"] == [{"mark": "F1", "name": "soc2.pdf", "where": "pages 3–5", "quote": "All leavers"}]


def test_an_answer_that_does_not_apply_says_so_and_why() -> None:
    questionnaire = shipped("ai-contractor-minimal")
    key = questionnaire.questions[0].key
    content = to_json(Answer(na=True, na_reason="We host nothing.", planned_on=date(2027, 3, 1)))
    printed = document(questionnaire, {key: rules.SignedAnswer(QuestionState.NA_CLAIMED, content, None)})
    (only,) = printed["sections"][0]["questions"]
    assert only["answer"] == ["Does not apply to us"]
    assert ["Why it does not apply", "We host nothing."] in only["beside"]
    assert ["The rest is planned by", "1 March 2027"] in only["beside"]


@law
@given(st.text(max_size=200))
def test_everything_that_was_typed_is_visible_on_paper(text: str) -> None:
    shown = printable(text)
    bare = shown.replace("\u200b", "")
    assert all(each == "\n" or each.isprintable() or each == "\u00a0" or each.isspace() for each in bare)
    assert max((len(word) for word in shown.replace("\u200b", " ").split()), default=0) < 3 * BREAK_AFTER
    json.dumps(shown)


def test_letters_that_the_fonts_have_stay_and_others_are_shown_as_code_points() -> None:
    assert printable("Łucja Weiß, Søren, Ελένη, Жанна") == "Łucja Weiß, Søren, Ελένη, Жанна"
    assert printable("田中 🙂") == "[U+7530 U+4E2D] [U+1F642]"
    assert printable("evil\u202etxt.exe") == "evil[U+202E]txt.exe"
    assert printable("a\x00b\u200bc") == "a[U+0000]b[U+200B]c"


def test_a_long_word_may_break_and_a_fingerprint_stays_whole() -> None:
    assert "\u200b" in printable("x" * 100)
    assert printable("ab" * 32) == "ab" * 32

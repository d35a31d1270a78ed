"""The fingerprint and what changed."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.attestations.rules import (
    Change,
    Part,
    SignedAnswer,
    SignedCitation,
    Snapshot,
    changes_since,
    snapshot_value,
)
from portal.kernel.canonical import canonical_bytes
from portal.questionnaires.rules import QuestionState
from tests.rules.questionnaires.samples import law

YES = SignedAnswer(QuestionState.ANSWERED, {"choice": "yes", "comment": "Since 2024."}, UUID(int=7))
BLANK = SignedAnswer(QuestionState.ZERO, {}, None)
FILE = SignedCitation(UUID(int=20), "a.one", UUID(int=30), "ab" * 32, "v1", "3")
OTHER = SignedCitation(UUID(int=21), "a.one", UUID(int=31), "cd" * 32, "v1", "")


def snapshot(**given: object) -> Snapshot:
    first = Snapshot(
        assessment_id=UUID(int=1),
        vendor_id=UUID(int=2),
        revision=1,
        questionnaire_digest="ef" * 32,
        tier=2,
        statement="Statements 1\nI have authority.",
        answers={"a.one": YES, "a.two": BLANK},
        scoping={"scp.people": {"value": "40", "details": {}}},
        citations=(FILE, OTHER),
    )
    return replace(first, **given)


def test_the_fingerprint_of_a_known_revision_never_changes() -> None:
    """Whoever changes the canonical form breaks every signature ever given: this is the tripwire."""
    assert snapshot().digest == "042be949897bb18d97d3a916e45f55bff0432b9460d3fdd3fa5a0f01c07eb2f4"


def test_the_order_of_rows_makes_no_difference() -> None:
    again = snapshot(answers={"a.two": BLANK, "a.one": YES}, citations=(OTHER, FILE))
    assert again.digest == snapshot().digest
    assert canonical_bytes(snapshot_value(again)) == canonical_bytes(snapshot_value(snapshot()))


@pytest.mark.parametrize(
    "given",
    [
        {"assessment_id": UUID(int=9)},
        {"vendor_id": UUID(int=9)},
        {"revision": 2},
        {"questionnaire_digest": "00" * 32},
        {"tier": 1},
        {"statement": "Statements 1\nI have no authority."},
        {"answers": {"a.one": YES}},
        {"answers": {"a.one": YES, "a.two": replace(BLANK, state=QuestionState.HIDDEN)}},
        {"answers": {"a.one": replace(YES, content={"choice": "no"}), "a.two": BLANK}},
        {"answers": {"a.one": replace(YES, prepared_by=UUID(int=8)), "a.two": BLANK}},
        {"scoping": {}},
        {"scoping": {"scp.people": {"value": "41", "details": {}}}},
        {"citations": (FILE,)},
        {"citations": (replace(FILE, sha256="00" * 32), OTHER)},
        {"citations": (replace(FILE, version_id="v2"), OTHER)},
        {"citations": (replace(FILE, pages="4"), OTHER)},
        {"citations": (replace(FILE, question_key="a.two"), OTHER)},
        {"citations": (replace(FILE, evidence_id=UUID(int=99)), OTHER)},
    ],
    ids=str,
)
def test_any_change_is_another_fingerprint(given: dict[str, object]) -> None:
    assert snapshot(**given).digest != snapshot().digest


@law
@given(st.text(max_size=20), st.text(max_size=20))
def test_two_texts_have_one_fingerprint_only_if_they_are_equal(first: str, second: str) -> None:
    try:
        digests = [snapshot(statement=each).digest for each in (first, second)]
    except UnicodeEncodeError:
        return
    assert (digests[0] == digests[1]) == (first == second)


def test_it_counts_what_it_freezes() -> None:
    assert (snapshot().asked, snapshot().files) == (1, 2)
    assert snapshot(citations=(FILE, replace(FILE, citation_id=UUID(int=22), question_key="a.two"))).files == 1


def test_nothing_changed_from_itself() -> None:
    assert changes_since(snapshot(), snapshot()) == ()


def test_without_a_revision_before_all_that_is_asked_is_new() -> None:
    changes = changes_since(None, snapshot())
    assert [(each.part, each.key, each.old) for each in changes] == [
        (Part.SCOPING, "scp.people", None),
        (Part.ANSWER, "a.one", None),
    ]


def test_a_change_shows_old_and_new() -> None:
    now = snapshot(answers={"a.one": replace(YES, content={"choice": "no"}), "a.two": BLANK})
    (change,) = changes_since(snapshot(), now)
    assert change == Change(
        Part.ANSWER, "a.one", YES.content, {"choice": "no"}, old_files=(FILE, OTHER), new_files=(FILE, OTHER)
    )


def test_the_same_words_by_another_person_are_no_change() -> None:
    now = snapshot(answers={"a.one": replace(YES, prepared_by=UUID(int=8)), "a.two": BLANK}, revision=2)
    assert changes_since(snapshot(), now) == ()


def test_a_question_that_went_away_or_came_up_is_a_change() -> None:
    up = snapshot(answers={"a.one": BLANK, "a.two": YES}, citations=())
    assert [(each.key, each.old, each.new) for each in changes_since(snapshot(), up)] == [
        ("a.one", YES.content, None),
        ("a.two", None, YES.content),
    ]


def test_a_question_that_the_new_version_does_not_ask_is_told() -> None:
    gone = snapshot(answers={"a.two": BLANK}, citations=())
    assert [each.key for each in changes_since(snapshot(), gone)] == ["a.one"]


@pytest.mark.parametrize(
    ("citations", "keys"),
    [
        ((FILE,), ["a.one"]),
        ((replace(FILE, pages="9"), OTHER), ["a.one"]),
        ((replace(FILE, citation_id=UUID(int=77), evidence_id=UUID(int=78)), OTHER), []),
    ],
)
def test_files_are_compared_by_their_bytes_and_pages(citations: tuple[SignedCitation, ...], keys: list[str]) -> None:
    assert [each.key for each in changes_since(snapshot(), snapshot(citations=citations))] == keys

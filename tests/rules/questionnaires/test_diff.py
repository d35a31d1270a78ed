"""What differs between two versions, and how one becomes the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.questionnaires.rules import Claim, Condition, Part, Piece, Questionnaire, apply, compile_yaml, words
from portal.questionnaires.rules.diff import Change, diff
from tests.factories.definitions import compiled, definitions, edited
from tests.rules.questionnaires.samples import SAMPLE, law, shipped

# Drawing whole questionnaires takes a while.
few = settings(law, max_examples=40)
CHANGED, SAME = Claim.CHANGED, Claim.SAME


def version(*swaps: tuple[str, str]) -> Questionnaire:
    """The sample with some words swapped."""
    text = SAMPLE
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new, 1)
    return compile_yaml(text.encode(), "sample.yaml")


def between(*swaps: tuple[str, str]) -> tuple[Change, ...]:
    return diff(version(), version(*swaps))


def asks_the_same(one: Questionnaire, other: Questionnaire) -> bool:
    """Compare value by value, but for who the versions are."""
    return replace(one, version=other.version, digest=other.digest, changes=other.changes) == other


@few
@given(st.data())
def test_what_is_applied_to_the_old_version_gives_the_new_one(data: st.DataObject) -> None:
    first = data.draw(definitions())
    old, new = compiled(first), compiled(data.draw(edited(first)))

    assert asks_the_same(apply(old, diff(old, new)), new)
    assert asks_the_same(apply(new, diff(new, old)), old)


@few
@given(definitions(), definitions())
def test_even_strangers_are_so_many_changes_apart(one: dict[str, Any], other: dict[str, Any]) -> None:
    old, new = compiled(one), compiled(other)

    assert asks_the_same(apply(old, diff(old, new)), new)


@law
@given(definitions())
def test_a_version_does_not_differ_from_itself(definition: dict[str, Any]) -> None:
    assert diff(compiled(definition), compiled({**definition, "version": 2})) == ()


@few
@given(st.data())
def test_the_order_of_keys_in_a_file_is_no_change(data: st.DataObject) -> None:
    definition = data.draw(definitions())

    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shuffled(value[key]) for key in data.draw(st.permutations(list(value)))}
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    assert diff(compiled(definition), compiled(shuffled(definition))) == ()


@few
@given(st.data())
def test_no_field_of_anything_can_change_unnoticed(data: st.DataObject) -> None:
    old = compiled(data.draw(definitions()))
    path, changed = data.draw(st.sampled_from(list(_altered(old))))

    assert diff(old, changed) != (), path


def test_no_field_of_the_shipped_questionnaire_can_change_unnoticed() -> None:
    old = shipped("incident-reattestation")

    assert [path for path, changed in _altered(old) if diff(old, changed) == ()] == []


def test_the_shipped_questionnaires_become_each_other() -> None:
    whole, minimal = shipped("ai-contractor"), shipped("ai-contractor-minimal")

    assert asks_the_same(apply(whole, diff(whole, minimal)), minimal)
    assert asks_the_same(apply(minimal, diff(minimal, whole)), whole)


@pytest.mark.parametrize(
    ("old", "new", "part", "weighty", "proposal"),
    [
        ("It covers all.", "It covers all sites.", "text", False, CHANGED),
        ("It covers all.", "it  covers – all", "text", False, SAME),
        ("How many hours?", "How many hours, at most?", "text", False, CHANGED),
        ("label: Scope", "label: Extent", "label", False, CHANGED),
        ("label: Scope", "label: scope", "label", False, SAME),
        ("{key: low, label: Low,", "{key: low, label: low,", "option_relabelled:low", True, CHANGED),
        ("          - {key: low, label: Low, credit: 40}\n", "", "option_removed:low", True, CHANGED),
        ("{key: low,", "{key: mid, label: Mid, credit: 9}\n          - {key: low,", "option_added:mid", False, CHANGED),
        ('"<=24", credit: 100', '"<=12", credit: 100', "steps", True, CHANGED),
        ("unit: hours", "unit: days", "unit", True, CHANGED),
        ("multi and dmax>=3", "multi", "when", True, CHANGED),
        ("multi and dmax>=3", "multi  and dmax>=3", "when", False, SAME),
        ('"ans(one.level)!=none"', '"ans(one.level)=high"', "requires", True, CHANGED),
        ('        requires: "ans(one.level)!=none"\n', "", "requires", True, CHANGED),
        ("{key: since, label: Since, kind: date}", "{key: since, label: Since}", "details", False, CHANGED),
    ],
)  # fmt: skip
def test_what_bears_on_the_claim_needs_a_decision(
    old: str, new: str, part: str, weighty: bool, proposal: Claim
) -> None:
    [change] = [each for each in between((old, new)) if each.part == part]

    assert change.needs_decision
    assert (change.weighty, change.proposal) == (weighty, proposal)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("weight: 1\n", "weight: 2\n", "weight"),
        ("label: Low, credit: 40", "label: Low, credit: 50", "option_credit:low"),
        ("tiers: [1, 2]\n        when", "tiers: [1]\n        when", "tiers"),
        ("{tiers: [1], fails: [none]}", "{tiers: [1, 2], fails: [none]}", "knock_out"),
        ("evidence: {level: 1, kinds: [ATT]}", "evidence: {level: 2, kinds: [ATT]}", "evidence"),
        ("GV.OV-03", "GV.OV-02", "maps"),
        ("why: Why we ask.", "why: Because.", "why"),
    ],
)
def test_what_weighs_or_explains_is_proposed_as_the_same_claim(old: str, new: str, part: str) -> None:
    [change] = [each for each in between((old, new)) if each.part == part]

    assert change.needs_decision
    assert (change.weighty, change.proposal) == (False, SAME)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("title: One", "title: The first", "title"),
        ("    weight: 3\n    questions", "    weight: 4\n    questions", "weight"),
    ],
)
def test_what_changes_of_a_section_is_shown_and_needs_no_decision(old: str, new: str, part: str) -> None:
    [change] = [each for each in between((old, new)) if each.part == part]

    assert not change.needs_decision
    assert change.proposal is None


def test_an_added_question_needs_no_decision_and_a_removed_one_does() -> None:
    added, removed = between(("key: two.tenants", "key: two.apart"))

    assert (added.key, added.part, added.needs_decision) == ("two.apart", Part.ADDED, False)
    assert (removed.key, removed.part, removed.proposal) == ("two.tenants", Part.REMOVED, Claim.REMOVED)


def test_a_question_before_another_moves_nothing_else() -> None:
    swapped = between(("key: two.hours", "key: two.new"))

    assert [(each.key, each.part) for each in swapped] == [("two.new", "added"), ("two.hours", "removed")]


def test_a_moved_follow_up_is_weighty_and_another_question_out_of_order_is_not() -> None:
    first = {"key": "a.q", **_asks(), "kind": "ynp", "weight": 1}
    other = {**first, "key": "a.r"}
    follow = {**first, "key": "a.s", "requires": "ans(a.q)=yes"}

    [swapped] = diff(_of([first, other], []), _of([other, first], []))
    [elsewhere] = diff(_of([first, other], [{**first, "key": "b.q"}]), _of([first], [{**first, "key": "b.q"}, other]))
    [followed] = diff(_of([first, other, follow], []), _of([first, follow, other], []))

    assert (swapped.part, swapped.weighty, swapped.proposal) == ("moved", False, SAME)
    assert (elsewhere.key, elsewhere.weighty, elsewhere.proposal) == ("a.r", False, SAME)
    assert (followed.part, followed.key in ("a.r", "a.s")) == ("moved", True)


def test_a_changed_scoping_fact_is_shown_and_decided_under_its_key() -> None:
    [change] = between(("text: Others?", "text: Which others?"))

    assert (change.key, change.part, change.needs_decision) == ("scp.labs", "text", True)


def test_the_fingerprint_names_this_very_change() -> None:
    one, same, other = (between(("It covers all.", text))[0].of for text in ("It covers.", "It covers.", "It cover."))

    assert one == same
    assert one != other
    assert len(one) == 12


def test_a_field_of_its_default_does_not_enter_a_fingerprint() -> None:
    """So that decisions about published versions outlive what the language learns later."""
    [change] = between(('        requires: "ans(one.level)!=none"\n', ""))
    removed = between(("key: two.tenants", "key: two.apart"))[1]

    assert (change.old, change.new) == ("ans(one.level)!=none", None)
    assert isinstance(removed.old, Mapping)
    assert "knock_out" not in removed.old["question"]


def test_changes_come_in_the_order_of_the_new_version_and_removals_last() -> None:
    old, new = shipped("ai-contractor"), shipped("ai-contractor-minimal")
    changes = diff(old, new)
    order = {key: index for index, key in enumerate(["", *(fact.key for fact in new.scoping), *_keys(new)])}

    places = [order[each.key] for each in changes if each.part != Part.REMOVED]

    assert places == sorted(places)
    tail = [each.part == Part.REMOVED for each in changes]
    assert tail == sorted(tail)


@law
@given(st.text(max_size=40), st.text(max_size=40))
def test_the_words_of_both_texts_can_be_read_from_the_pieces(old: str, new: str) -> None:
    pieces = words(old, new)

    assert "".join(piece.text for piece in pieces if piece.kind != "in") == old
    assert "".join(piece.text for piece in pieces if piece.kind != "out") == new


def test_a_reworded_phrase_is_read_as_one() -> None:
    assert words("Deleted within 30 days of the end.", "Deleted at most 14 days after the end.") == (
        Piece("same", "Deleted "),
        Piece("out", "within 30"),
        Piece("in", "at most 14"),
        Piece("same", " days "),
        Piece("out", "of"),
        Piece("in", "after"),
        Piece("same", " the end."),
    )


def test_very_long_texts_are_shown_one_after_the_other() -> None:
    old, new = "one two " * 900, "two one " * 900

    assert words(old, new) == (Piece("out", old), Piece("in", new))


@pytest.mark.parametrize(
    ("old", "new"),
    [("at most 1.5 days", "at most 15 days"), ("x < 5", "x > 5"), ("5", "-5"), ("is kept", "is not kept"), ("5%", "5")],
)
def test_signs_and_numbers_are_no_punctuation(old: str, new: str) -> None:
    [change] = [each for each in between(("It covers all.", old)) if each.part == "text"]
    [other] = diff(version(("It covers all.", f"'{old}'")), version(("It covers all.", f"'{new}'")))

    assert change.proposal is CHANGED
    assert other.proposal is CHANGED


def _keys(version: Questionnaire) -> Iterator[str]:
    for section in version.sections:
        yield section.key
        yield from (question.key for question in section.questions)


def _asks() -> dict[str, Any]:
    return {"revision": 1, "label": "L", "text": "T", "tiers": [1], "guidance": "G", "why": "W"}


def _of(*sections: list[dict[str, Any]]) -> Questionnaire:
    texts = {"title": "T", "group": "Assurance", "summary": "S", "intro": "I", "weight": 1}
    filled = [{"key": f"s{number}", **texts, "questions": each} for number, each in enumerate(sections) if each]
    counts = {"sections": 0, "questions": 0, "scoping": 0, "domain_weight": 0, "question_weight": 0}
    top = {"slug": "s", "version": 1, "title": "T", "language": "en", "expects": counts, "scoping": []}
    return compiled({**top, "sections": filled})


# What a version is, and what follows from where a thing stands; each has its own reason not to be a change.
_FREE = {
    *((Questionnaire.__name__, name) for name in ("version", "digest", "changes", "source", "positions")),
    *(("Question", name) for name in ("section", "number")),
    ("Section", "number"),
    # Only its text is written down; a condition is what its text says.
    *(("Condition", name) for name in ("node", "atoms", "keys", "_test")),
}


def _altered(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the value with one field changed, for every field of every part of it."""
    if isinstance(value, Condition):
        yield path, replace(value, source=f"{value.source} ")
    elif isinstance(value, Enum):
        yield path, next(each for each in type(value) if each is not value)
    elif isinstance(value, bool):
        yield path, not value
    elif isinstance(value, int | Decimal):
        yield path, value + 1
    elif isinstance(value, str):
        yield path, f"{value}x"
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            if each.init and (type(value).__name__, each.name) not in _FREE:
                for where, item in _altered(getattr(value, each.name), f"{path}.{each.name}"):
                    yield where, replace(value, **{each.name: item})
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            for where, item in _altered(each, f"{path}[{index}]"):
                yield where, (*value[:index], item, *value[index + 1 :])
        if value:
            yield f"{path}[-1]", value[:-1]
    elif isinstance(value, frozenset):
        yield path, value | {9}
    elif isinstance(value, Mapping):
        for key, each in value.items():
            for where, item in _altered(each, f"{path}[{key}]"):
                yield where, {**value, key: item}
        yield path, {**value, "x": "y"}

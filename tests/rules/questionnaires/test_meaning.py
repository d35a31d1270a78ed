"""What the author has to say of each change, and how it is written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.questionnaires.rules import (
    Changes,
    Claim,
    Decision,
    DefinitionError,
    Questionnaire,
    compile_yaml,
    lint,
    meaning,
)
from portal.questionnaires.rules.diff import diff
from portal.questionnaires.rules.text import tidy
from portal.questionnaires.rules.tree import grow
from tests.factories.definitions import compiled, decided, definitions, edited, source_of
from tests.rules.questionnaires.samples import SAMPLE, SLUGS, law, shipped, small

# Drawing whole questionnaires takes a while.
few = settings(law, max_examples=40)
REWORDED = ("It covers all.", "It covers all sites.")
RELABELLED = ("label: High", "label: Highest")
SOME_NOTE = "The same thing under the name that people use."


def second(*swaps: tuple[str, str]) -> str:
    """The text of version 2 of the sample, with some words swapped and nothing decided."""
    text = SAMPLE.replace("version: 1\n", "version: 2\n", 1)
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def said(text: str, *claims: tuple[Claim, str]) -> Questionnaire:
    """Version 2 with these claims and notes on its changes, in their order; other changes are not decided."""
    new = compile_yaml(text.encode(), "v2.yaml")
    asked = [change for change in diff(small(), new) if change.needs_decision]
    decisions = tuple(
        Decision(change.key, change.part, claim, change.of, note)
        for change, (claim, note) in zip(asked, claims, strict=False)
    )
    return compile_yaml(meaning.with_decisions(text.encode(), Changes(1, decisions)), "v2.yaml")


def words(new: Questionnaire, *earlier: Questionnaire) -> list[str]:
    return [problem.message for problem in meaning.problems(small(), new, earlier)]


def revised(text: str, key: str, revision: int) -> str:
    return meaning.with_revision(text.encode(), key, revision).decode()


def test_a_version_that_says_nothing_of_its_changes_is_refused() -> None:
    found = words(compile_yaml(second().encode(), "v2.yaml"))

    assert found == [
        "Nothing says what changed since v1: add the block “changes” that "
        "“flask questionnaires diff sample:1 sample:2 --propose” prints"
    ]


def test_a_version_without_changes_says_so() -> None:
    assert words(said(second())) == []


def test_decisions_since_another_version_are_refused() -> None:
    text = second() + "changes: {since: 7}\n"

    [problem] = meaning.problems(small(), compile_yaml(text.encode(), "v2.yaml"))

    assert problem.message == "“changes” must say “since: 1”, the version before this one"
    assert (problem.file, problem.line) == ("v2.yaml", text.count("\n"))


def test_an_undecided_change_is_refused_at_its_place() -> None:
    text = second(REWORDED)

    [problem] = meaning.problems(small(), said(text))

    assert problem.message == (
        "No decision yet about the text: do earlier answers still say the same? “changed” is proposed"
    )
    assert problem.line == text[: text.index("It covers all sites.")].count("\n") + 1


def test_a_decision_does_not_outlive_an_edit() -> None:
    before = said(second(REWORDED), (Claim.SAME, ""))
    edited_again = replace(said(second(("It covers all.", "It covers most."))), changes=before.changes)

    assert words(before) == []
    assert [text.partition(";")[0] for text in words(edited_again)] == [
        "Decide again about the text, edited after this decision"
    ]


@pytest.mark.parametrize("note", ["", "It is the same."])
def test_a_weighty_change_is_the_same_claim_only_with_a_real_note(note: str) -> None:
    assert words(said(second(RELABELLED), (Claim.SAME, note))) == [
        "Say in at least 20 characters why earlier answers still mean the same"
    ]
    assert words(said(second(RELABELLED), (Claim.SAME, SOME_NOTE))) == []


def test_a_reworded_text_may_be_called_the_same_without_a_note() -> None:
    assert words(said(second(REWORDED), (Claim.SAME, ""))) == []


def test_a_changed_claim_needs_the_next_revision() -> None:
    text = second(REWORDED)

    assert words(said(text, (Claim.CHANGED, ""))) == ["The claim changed, so its revision becomes 2; it is 1"]
    assert words(said(revised(text, "one.scope", 2), (Claim.CHANGED, ""))) == []


def test_a_revision_is_not_raised_for_the_same_claim_or_for_nothing() -> None:
    why = "No change of it is decided as another claim, so its revision stays 1"

    assert words(said(revised(second(REWORDED), "one.scope", 2), (Claim.SAME, ""))) == [why]
    assert words(said(revised(second(), "one.scope", 2))) == [why]


def test_a_revision_is_judged_once_its_changes_are_decided() -> None:
    assert len(words(said(revised(second(REWORDED), "one.scope", 2)))) == 1


def test_a_revision_never_goes_back() -> None:
    old = compile_yaml(SAMPLE.replace("revision: 1", "revision: 4", 1).encode(), "v1.yaml")

    found = [each.why for each in meaning.undecided(old, said(second()))]

    assert found == ["A revision never goes back; it was 4 in the version before"]


def test_a_weight_is_the_same_claim_once_the_author_says_so_and_needs_no_note() -> None:
    text = second(("weight: 1\n", "weight: 2\n"))

    assert words(said(text)) == [
        "No decision yet about the weight: do earlier answers still say the same? “same” is proposed"
    ]
    assert words(said(text, (Claim.SAME, ""))) == []


def test_a_removal_is_decided_as_one_with_a_note() -> None:
    text = second(("key: two.tenants", "key: two.other"), ("text: Customers are apart.", "text: Who owns this?"))

    assert words(said(text, (Claim.CHANGED, SOME_NOTE))) == ["two.tenants: Choose “removed”: it is not asked any more"]
    assert words(said(text, (Claim.REMOVED, ""))) == [
        "two.tenants: Say why it is not asked any more, or what replaces it"
    ]
    assert words(said(text, (Claim.REMOVED, "Nobody needs it."))) == []


def test_what_is_still_asked_is_not_decided_as_removed() -> None:
    assert words(said(second(REWORDED), (Claim.REMOVED, SOME_NOTE))) == [
        "Choose “same” or “changed”: it is still asked"
    ]


def test_a_decision_about_nothing_is_refused_where_it_stands() -> None:
    text = second() + (
        "changes:\n  since: 1\n  decisions:\n    - {key: one.scope, part: text, claim: same, of: abc, note: Why.}\n"
    )

    [problem] = meaning.problems(small(), compile_yaml(text.encode(), "v2.yaml"))

    assert problem.message.startswith("Nothing of the kind changed since v1")
    assert (problem.line, problem.column) == (text.count("\n"), 7)


def test_a_renamed_key_is_noticed_unless_the_author_names_the_new_one() -> None:
    text = second(("key: two.tenants", "key: two.apart"))

    [renamed] = words(said(text, (Claim.REMOVED, "Gone.")))

    assert renamed.startswith("“two.apart” looks like the removed “two.tenants” renamed: keys are permanent.")
    assert words(said(text, (Claim.REMOVED, "Replaced by two.apart, which asks of sites."))) == []


def test_a_renamed_option_key_is_noticed() -> None:
    text = second(("{key: low, label: Low", "{key: little, label: low"))

    found = words(said(text, (Claim.CHANGED, ""), (Claim.CHANGED, "")))

    assert "The option “little” looks like the removed “low” renamed: keys are permanent. Keep the key" in found


def test_a_key_given_up_before_comes_back_only_above_its_old_revisions() -> None:
    long_ago = compile_yaml(SAMPLE.replace("two.tenants", "two.gone").encode(), "v0.yaml")
    text = second(("  - key: two\n", "  - key: two\n")).rstrip() + _another("two.gone")

    [again] = words(said(text.replace("questions: 5", "questions: 6")), long_ago)

    assert again.startswith("“two.gone” was asked before v1 and given up: use another key, or a revision above 1")
    assert words(said(revised(text, "two.gone", 2)), long_ago) == []


def test_an_option_key_comes_back_only_with_its_label() -> None:
    long_ago = compile_yaml(
        SAMPLE.replace("- {key: low,", "- {key: mid, label: Middling, credit: 60}\n          - {key: low,").encode(),
        "v0.yaml",
    )

    def back(label: str) -> list[str]:
        text = second(("- {key: low,", f"- {{key: mid, label: {label}, credit: 60}}\n          - {{key: low,"))
        return words(said(text, (Claim.SAME, "")), long_ago)

    assert back("Middling") == []
    assert back("Nearly all") == ["The option key “mid” meant “Middling” before: use another key, or a higher revision"]


def test_one_key_and_revision_is_one_claim_in_every_questionnaire() -> None:
    other = replace(small(), slug="other")
    reworded = replace(said(second(REWORDED)), slug="other")

    assert meaning.elsewhere(small(), [other]) == []
    [problem] = meaning.elsewhere(small(), [reworded])
    assert problem.message == (
        "“one.scope” claims something else in other, at the same revision 1: use the same words, or a higher revision"
    )
    assert problem.line == SAMPLE[: SAMPLE.index("key: one.scope")].count("\n") + 2


def test_what_its_author_called_the_same_claim_stays_one_claim_elsewhere() -> None:
    other = replace(small(), slug="other")
    reworded = said(second(REWORDED), (Claim.SAME, ""))

    assert meaning.elsewhere(reworded, [other, small()]) == []
    assert len(meaning.elsewhere(reworded, [other])) == 1


def test_the_order_of_questionnaires_does_not_matter_elsewhere() -> None:
    versions = [small(), replace(small(), slug="other"), replace(said(second(REWORDED)), slug="third")]

    for new in versions:
        found = {tuple(meaning.elsewhere(new, others)) for others in permutations(versions)}
        assert len(found) == 1


def test_the_shipped_questionnaires_claim_the_same_under_the_same_keys() -> None:
    versions = [shipped(slug) for slug in SLUGS]

    assert [meaning.elsewhere(each, versions) for each in versions] == [[], [], []]


def test_a_claim_is_not_its_weight_or_its_proof() -> None:
    changed = replace(small().question("one.level"), weight=1, why="Because.", maps={}, section="elsewhere")

    assert meaning.claim_value(changed) == meaning.claim_value(small().question("one.level"))


@few
@given(st.data())
def test_a_version_is_ready_once_every_change_is_decided_and_revised(data: st.DataObject) -> None:
    first = data.draw(definitions())
    ready = data.draw(decided(first, data.draw(edited(first))))

    assert meaning.undecided(compiled(first), compiled(ready)) == ()


@few
@given(st.data())
def test_what_is_proposed_is_a_decision_on_everything_that_needs_one(data: st.DataObject) -> None:
    first = data.draw(definitions())
    later = data.draw(edited(first))
    old, new = compiled(first), compiled(later)

    proposed = meaning.proposed(old, new)
    written = compile_yaml(meaning.with_decisions(source_of(later), proposed), "sample.yaml")

    assert [(each.key, each.part) for each in proposed.decisions] == [
        (change.key, change.part) for change in diff(old, new) if change.needs_decision
    ]
    assert written.changes == proposed
    assert meaning.proposed(old, written) == proposed
    assert not any(
        each.claim is Claim.SAME
        for each in proposed.decisions
        for change in diff(old, new)
        if change.weighty and (change.key, change.part) == (each.key, each.part)
    )


NOTES = st.text(max_size=60) | st.sampled_from(['"', "\\", "{a: b}, #", "- x", "\u2028 \x85", "\t\n", "é 🙂", "'"])


@law
@given(notes=st.lists(NOTES, max_size=3), version=st.integers(1, 9_999))
def test_whatever_a_note_says_is_read_as_it_was_written(notes: Sequence[str], version: int) -> None:
    decisions = tuple(
        Decision(f"a.q{number}", "option_added:x", Claim.SAME, f"{number}e1", note) for number, note in enumerate(notes)
    )

    written = compile_yaml(meaning.with_decisions(SAMPLE.encode(), Changes(version, decisions)), "v2.yaml")

    assert written.changes == Changes(version, tuple(replace(each, note=tidy(each.note)) for each in decisions))


@few
@given(st.data())
def test_writing_decisions_leaves_every_other_byte_alone(data: st.DataObject) -> None:
    source = source_of(data.draw(definitions()))
    one, other = (Changes(1, (Decision("a.q", "text", Claim.SAME, "abc", note),)) for note in ("First.", "Then."))

    written = meaning.with_decisions(source, one)

    assert written.startswith(source)
    assert meaning.with_decisions(written, other) == meaning.with_decisions(source, other)
    assert meaning.with_decisions(written, one) == written


def test_a_block_of_decisions_in_the_middle_gives_way_to_the_last_one() -> None:
    block = "changes:\n  since: 1\n  # a word\n\n  decisions: []\n# about the scoping\n"
    source = SAMPLE.replace("scoping:\n", f"{block}scoping:\n", 1)

    written = meaning.with_decisions(source.encode(), Changes(1, ())).decode()

    assert written == SAMPLE.replace("scoping:\n", "# about the scoping\nscoping:\n", 1) + (
        "\nchanges:\n  since: 1\n  decisions: []\n"
    )


def test_a_file_keeps_its_line_ends() -> None:
    source = SAMPLE.replace("\n", "\r\n").encode().rstrip()

    written = meaning.with_decisions(source, Changes(1, ()))

    assert written == source + b"\r\n\r\nchanges:\r\n  since: 1\r\n  decisions: []\r\n"


@pytest.mark.parametrize("source", [b"{slug: a, version: 1}", b"slug: a\n...\n", b"- a\n"])
def test_a_file_that_no_block_can_follow_is_refused(source: bytes) -> None:
    with pytest.raises(DefinitionError):
        meaning.with_decisions(source, Changes(1, ()))


@pytest.mark.parametrize("written", ["revision: 1", 'revision: "1"', "revision: 1  # first", "revision:   '1'"])
def test_a_revision_is_edited_in_its_place(written: str) -> None:
    before = SAMPLE.replace("revision: 1", written, 1)

    after = meaning.with_revision(before.encode(), "one.level", 12).decode()

    assert compile_yaml(after.encode(), "v2.yaml").question("one.level").revision == 12
    assert (
        before.replace("'1'", "1").replace('"1"', "1").splitlines()[46:]
        == after.replace("12", "1", 1).splitlines()[46:]
    )


def test_a_revision_of_an_unknown_question_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"“one\.other” is not a question of this file"):
        meaning.with_revision(SAMPLE.encode(), "one.other", 2)


def test_a_version_is_edited_in_its_place() -> None:
    assert meaning.with_version(SAMPLE.encode(), 3) == SAMPLE.replace("version: 1\n", "version: 3\n", 1).encode()


def test_decisions_do_not_disturb_the_lint() -> None:
    assert lint(said(second(REWORDED), (Claim.SAME, ""))) == []


def _another(key: str) -> str:
    asked: dict[str, Any] = {"revision": 1, "label": "Gone", "text": "What is gone?", "kind": "yn", "weight": 1}
    lines = "".join(f"        {name}: {value}\n" for name, value in asked.items())
    return f"\n      - key: {key}\n{lines}        tiers: [1]\n        guidance: G\n        why: W\n"


@law
@given(st.binary(max_size=60) | st.text("ab:- {}[]\n\r\u2028'\"#|>&*!?,1.\ufeff", max_size=60).map(str.encode))
def test_whatever_a_file_holds_it_is_edited_as_meant_or_refused(source: bytes) -> None:
    edits: list[Callable[[], bytes]] = [
        lambda: meaning.with_decisions(source, Changes(1, ())),
        lambda: meaning.with_revision(source, "a", 2),
        lambda: meaning.with_version(source, 2),
    ]
    for edit in edits:
        with suppress(DefinitionError):
            assert grow(edit(), "any").items


@few
@given(definitions(), definitions(version=2))
def test_strangers_under_one_name_are_judged_as_well(one: dict[str, Any], other: dict[str, Any]) -> None:
    old, new = compiled(one), compiled(other)

    found = meaning.problems(old, new, [new])

    assert found == sorted(found)
    assert bool(meaning.undecided(old, new)) <= bool(found)

"""An overlay adds questions to a base that stays as it was, or it is refused with both places."""

import re
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.questionnaires.rules import DefinitionError, Questionnaire, apply, compile_yaml, lint, meaning
from portal.questionnaires.rules.diff import diff
from portal.questionnaires.rules.overlay import assemble
from tests.rules.questionnaires.samples import ROOT, SAMPLE, SLUGS, law

BASE = SAMPLE.encode()


def overlay(
    slug: str, *insertions: tuple[str, tuple[str, ...]], base: str = "sample", frameworks: str = "", extra: str = ""
) -> bytes:
    """An overlay with plain questions behind the given ones."""
    lines = [
        f"overlay: {slug}",
        "version: 2",
        f"title: Extra {slug}",
        f"base: {{slug: {base}, version: 1}}",
        *([f"frameworks: {frameworks}"] if frameworks else []),
        "insert:",
    ]
    for after, keys in insertions:
        lines += [f"- after: {after}", "  questions:"]
        for key in keys:
            lines += [
                f"  # Why {key} is asked.",
                f"  - key: {key}",
                "    revision: 1",
                f"    label: {key.replace('.', ' ').title()}",
                "    text: >-",
                f"      Is {key}",
                "      in place?",
                "    kind: yn",
                "    weight: 2",
                "    tiers: [1, 2]",
                "    guidance: |-",
                "      # Not a comment.",
                "        Deeper.",
                "    why: Because.",
                *([f"    {extra}"] if extra else []),
            ]
    return "\n".join(lines).encode() + b"\n"


def put(*overlays: bytes, base: bytes = BASE, since: int | None = None) -> bytes:
    names = [f"{index}.yaml" for index in range(len(overlays))]
    return assemble(
        base, overlays, slug="put-together", version=3, title='A "B": C', since=since, base_name="b.yaml", names=names
    )


def problems(*overlays: bytes, base: bytes = BASE) -> list[str]:
    with pytest.raises(DefinitionError) as refusal:
        put(*overlays, base=base)
    return [str(problem) for problem in refusal.value.problems]


def unnumbered(questionnaire: Questionnaire) -> dict[str, object]:
    return {question.key: replace(question, number="") for question in questionnaire.questions}


def test_the_questions_stand_behind_their_place_and_the_base_is_kept_whole() -> None:
    base = compile_yaml(BASE, "b.yaml")

    result = compile_yaml(put(overlay("extra", ("one.level", ("x.first", "x.second")))), "r.yaml")

    assert [question.key for question in result.questions][:4] == ["one.level", "x.first", "x.second", "one.scope"]
    kept = {key: question for key, question in unnumbered(result).items() if key in base}
    assert kept == unnumbered(base)
    assert result.question("x.first").text == "Is x.first in place?"
    assert result.question("x.first").guidance == "# Not a comment.\n  Deeper."
    assert (result.slug, result.version, result.title) == ("put-together", 3, 'A "B": C')
    assert (result.expects.questions, result.expects.question_weight) == (7, 17)


def test_it_records_what_it_was_made_from() -> None:
    result = compile_yaml(put(overlay("b", ("one.level", ("x.b",))), overlay("a", ("one.scope", ("x.a",)))), "r.yaml")

    assert result.assembled is not None
    assert result.assembled.base.slug == "sample"
    assert result.assembled.base.sha256 == compile_yaml(BASE, "b.yaml").digest
    assert [(each.slug, each.version) for each in result.assembled.overlays] == [("a", 2), ("b", 2)]


def test_every_line_of_the_shipped_questionnaire_and_its_comments_stay() -> None:
    source = (ROOT / "ai-contractor" / "v1.yaml").read_bytes()
    extra = overlay("extra", ("ret.days", ("x.a", "x.b")), ("gov.owner", ("x.c",)), base="ai-contractor")

    result = put(extra, base=source)

    changed = re.compile(rb"^(slug|version|title|expects): ", re.MULTILINE)
    remaining = iter(result.split(b"\n"))
    assert all(line in remaining for line in source.split(b"\n") if not changed.match(line))
    assert b"      # Why x.a is asked." in result
    assert not [problem for problem in lint(compile_yaml(result, "r")) if "A scored question" not in str(problem)]


def test_frameworks_are_added_to_those_of_the_base() -> None:
    extra = overlay("extra", ("one.level", ("x.a",)), frameworks='{own: {name: "Our: rules", version: "1"}}')

    result = compile_yaml(put(extra.replace(b"why: Because.", b"why: Because.\n    maps: {own: O-1}")), "r")

    assert result.frameworks["own"].name == "Our: rules"
    assert result.question("x.a").maps == {"own": "O-1"}


@law
@given(
    st.lists(st.sampled_from(["one.level", "one.scope", "two.hours"]), min_size=1, max_size=3, unique=True),
    st.booleans(),
)
def test_the_order_of_the_overlays_never_matters(anchors: list[str], windows: bool) -> None:
    overlays = [overlay(f"o{index}", (anchor, (f"x.{index}",))) for index, anchor in enumerate(anchors)]
    base = BASE.replace(b"\n", b"\r\n") if windows else BASE

    results = {put(*order, base=base) for order in permutations(overlays)}

    assert len(results) == 1
    assert (b"\r\n" in results.pop()) is windows


def test_the_same_key_in_two_overlays_is_refused_at_both_places() -> None:
    found = problems(overlay("a", ("one.level", ("x.same",))), overlay("b", ("one.scope", ("x.same",))))

    assert found == [
        "0.yaml:9:5: The key “x.same” is also defined in 1.yaml:9:5",
        "1.yaml:9:5: The key “x.same” is also defined in 0.yaml:9:5",
    ]


def test_a_key_of_the_base_is_refused_at_both_places() -> None:
    found = problems(overlay("a", ("one.level", ("two.hours",))))

    line = SAMPLE[: SAMPLE.index("key: two.hours")].count("\n") + 1
    assert f"0.yaml:9:5: The key “two.hours” is also defined in b.yaml:{line}:9" in found
    assert f"b.yaml:{line}:9: The key “two.hours” is also defined in 0.yaml:9:5" in found


def test_two_insertions_at_one_place_are_refused_because_their_order_would_be_a_guess() -> None:
    found = problems(overlay("a", ("one.level", ("x.a",))), overlay("b", ("one.level", ("x.b",))))

    words = "Two insertions come after “one.level”, so their order would be a guess; the other is"
    assert found == [f"0.yaml:6:10: {words} 1.yaml:6:10", f"1.yaml:6:10: {words} 0.yaml:6:10"]


def test_an_unknown_place_is_refused() -> None:
    assert problems(overlay("a", ("one.gone", ("x.a",)))) == [
        "0.yaml:6:10: “one.gone” is not a question of sample v1 (b.yaml)"
    ]


def test_a_condition_about_a_later_question_is_refused_with_the_place_of_that_question() -> None:
    line = SAMPLE[: SAMPLE.index("key: two.hours")].count("\n") + 1

    assert problems(overlay("a", ("one.level", ("x.a",)), extra='requires: "ans(two.hours)>1"')) == [
        f"0.yaml:22:5: “two.hours” is not asked before this question; it stands in b.yaml:{line}:9"
    ]
    assert problems(overlay("a", ("one.level", ("x.a",)), extra='requires: "ans(no.where)>1"')) == [
        "0.yaml:22:5: “no.where” is not a question of this version"
    ]


def test_a_mistake_in_an_added_question_is_placed_in_the_overlay() -> None:
    assert problems(overlay("a", ("one.level", ("x.a",)), extra="hue: red"))[0].startswith("0.yaml:22:5: “hue” is not")


def test_frameworks_that_differ_are_refused_at_both_places() -> None:
    found = problems(overlay("a", ("one.level", ("x.a",)), frameworks='{csf: {name: NIST CSF, version: "1.1"}}'))

    assert [each.split(": ", 1)[0] for each in found] == ["0.yaml:5:14", "b.yaml:6:8"]


def test_an_overlay_for_another_base_the_base_s_own_slug_and_an_assembled_base_are_refused() -> None:
    assert "This overlay is for “other”" in problems(overlay("a", ("one.level", ("x.a",)), base="other"))[0]
    with pytest.raises(DefinitionError, match="needs a slug other than “sample”"):
        assemble(BASE, [], slug="sample", version=1, title="T")
    again = put(overlay("a", ("one.level", ("x.a",))))
    found = problems(overlay("b", ("one.scope", ("x.b",)), base="put-together"), base=again)
    assert any("assembled already" in each for each in found)


def test_an_overlay_given_twice_is_refused() -> None:
    one = overlay("a", ("one.level", ("x.a",)))

    assert any("The overlay “a” is given twice, also as 0.yaml" in each for each in problems(one, one))


def test_the_next_version_of_the_base_takes_the_same_overlay_or_says_what_is_gone() -> None:
    extra = overlay("a", ("one.level", ("x.a",)))
    later = SAMPLE.replace("version: 1", "version: 2", 1).encode()

    assert "x.a" in compile_yaml(put(extra, base=later), "r")
    without = later.replace(b"one.level", b"one.height")
    assert problems(extra, base=without) == ["0.yaml:6:10: “one.level” is not a question of sample v2 (b.yaml)"]


def test_the_decisions_of_the_base_are_left_out_or_measured_against_the_version_that_is_named() -> None:
    changes = b"changes:\n  since: 1\n  decisions:\n    - {key: two.hours, part: text, claim: same, of: abc}\n"
    base = BASE.rstrip(b"\n") + b"\n\n# What changed.\n" + changes
    extra = overlay("a", ("one.level", ("x.a",)))

    assert compile_yaml(put(extra, base=base), "r").changes is None
    kept = compile_yaml(put(extra, base=base, since=2), "r").changes
    assert kept is not None
    assert (kept.since, len(kept.decisions)) == (2, 1)


def test_what_the_base_decided_settles_the_next_assembled_version_as_well() -> None:
    extra = overlay("a", ("one.level", ("x.a",)))
    later = SAMPLE.replace("version: 1", "version: 2", 1).replace("It covers all.", "It covers all sites.").encode()
    proposed = meaning.proposed(compile_yaml(BASE, "1"), compile_yaml(later, "2"))
    decided = meaning.with_revision(meaning.with_decisions(later, proposed), "one.scope", 2)

    first = compile_yaml(assemble(BASE, [extra], slug="put-together", version=1, title="T"), "1")
    second = compile_yaml(assemble(decided, [extra], slug="put-together", version=2, title="T", since=1), "2")

    assert not meaning.undecided(first, second)
    assert not meaning.problems(first, second)


@pytest.mark.parametrize("cut", [b"\n", b""])
def test_the_last_question_of_the_file_can_be_followed(cut: bytes) -> None:
    base = BASE.rstrip(b"\n") + cut
    last = compile_yaml(base, "b").questions[-1].key

    result = compile_yaml(put(overlay("a", (last, ("x.a", "x.b"))), base=base), "r")

    assert [question.key for question in result.questions[-3:]] == [last, "x.a", "x.b"]


def test_a_base_written_in_one_line_is_refused_at_its_place() -> None:
    flow = re.sub(
        r"(?s)    questions:\n      - key: one\.level.*?(?=  - key: two\n)",
        "    questions: [{key: one.level, revision: 1, label: L, text: T, kind: text, weight: 0, tiers: [1], "
        "guidance: g, why: w}]\n",
        SAMPLE,
    )

    assert "Write this question as a block" in problems(overlay("a", ("one.level", ("x.a",))), base=flow.encode())[0]


def test_answers_carry_over_between_the_base_and_what_is_assembled_from_it() -> None:
    base = compile_yaml(BASE, "b.yaml")
    result = compile_yaml(put(overlay("a", ("one.level", ("x.a",)))), "r")

    assert meaning.elsewhere(result, [base]) == []
    applied = apply(base, diff(base, result))
    assert replace(applied, version=result.version, digest=result.digest) == result


def test_every_question_of_every_shipped_questionnaire_can_be_followed() -> None:
    for slug in SLUGS:
        source = (ROOT / slug / "v1.yaml").read_bytes()
        base = compile_yaml(source, "b")
        anchors = [(question.key, (f"x.{index}",)) for index, question in enumerate(base.questions)]

        result = compile_yaml(put(overlay("all", *anchors, base=slug), base=source), "r")

        keys = [question.key for question in result.questions]
        assert keys == [key for anchor, added in anchors for key in (anchor, *added)]
        assert {key: each for key, each in unnumbered(result).items() if key in base} == unnumbered(base)


@law
@given(st.data())
def test_a_mutated_overlay_or_base_is_assembled_or_refused(data: st.DataObject) -> None:
    sources = [BASE, overlay("a", ("one.level", ("x.a", "x.b"))), overlay("b", ("two.hours", ("x.c",)))]
    which = data.draw(st.integers(0, 2))
    at = data.draw(st.integers(0, len(sources[which])))
    scrap = data.draw(st.one_of(st.binary(max_size=5), st.sampled_from([b"\n", b"  ", b"- ", b": ", b"{", b"#", b'"'])))
    sources[which] = sources[which][:at] + scrap + sources[which][at + data.draw(st.integers(0, 20)) :]

    try:
        result = put(*sources[1:], base=sources[0])
    except DefinitionError as failure:
        assert_placed(failure)
    else:
        assert compile_yaml(result, "r").assembled is not None
        assert put(*reversed(sources[1:]), base=sources[0]) == result


def assert_placed(failure: DefinitionError) -> None:
    assert failure.problems
    assert all(problem.file in ("b.yaml", "0.yaml", "1.yaml") and problem.line >= 1 for problem in failure.problems)

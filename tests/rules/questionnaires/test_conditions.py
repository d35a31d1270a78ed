"""The condition language: what it says, what it refuses, and that nothing else can come of it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.questionnaires.rules import FLAGS, MODES, Answer, ConditionError, DefinitionError, Facts, Over, parse
from portal.questionnaires.rules.conditions import MAX_DEPTH, MAX_LENGTH, MAX_TOKENS
from tests.rules.questionnaires.samples import law

FACTS = Facts(multi=True, synth=True, dmax=4, modes=frozenset({"A4"}), svc=frozenset({"eval"}), people=1_200)


def holds(source: str) -> bool:
    return parse(source, Over.FACTS).evaluate(FACTS, {})


def answered(source: str, **answers: Answer) -> bool:
    return parse(source, Over.ANSWERS).evaluate(Facts(), {f"q.{key}": answer for key, answer in answers.items()})


@pytest.mark.parametrize(
    "source",
    [
        "multi",
        "not byod",
        "not not multi",
        "multi and dmax>=4",
        "byod or synth",
        "A4 and not A5",
        "svc in (eval,redteam)",
        "dmax = 4 and dmax != 5 and dmax < 5 and dmax <= 4 and dmax > 3",
        "people>1000",
        "(byod or multi) and (pii or synth)",
    ],
)
def test_what_is_true_of_the_engagement_holds(source: str) -> None:
    assert holds(source)


@pytest.mark.parametrize(
    "source",
    ["byod", "not multi", "multi and dmax>=5", "svc in (redteam)", "A1", "people<=1000", "not (byod or synth)"],
)
def test_what_is_not_true_does_not_hold(source: str) -> None:
    assert not holds(source)


def test_and_binds_more_tightly_than_or() -> None:
    assert holds("multi or byod and pii")
    assert not holds("(multi or byod) and pii")


def test_an_answer_is_compared_by_its_option() -> None:
    assert answered("ans(q.a)!=none", a=Answer(choice="high"))
    assert not answered("ans(q.a)!=none", a=Answer(choice="none"))
    assert answered("ans(q.a)=high", a=Answer(choice="high"))


def test_a_number_is_compared_exactly() -> None:
    assert answered("ans(q.a)>0", a=Answer(number=Decimal("0.1")))
    assert not answered("ans(q.a)>0", a=Answer(number=Decimal("0")))
    assert answered("ans(q.a)=0.3", a=Answer(number=Decimal("0.3")))


@pytest.mark.parametrize("source", ["ans(q.a)=none", "ans(q.a)!=none", "ans(q.a)>0", "ans(q.a)<=0"])
def test_what_was_not_answered_satisfies_no_comparison(source: str) -> None:
    assert not answered(source)
    assert not answered(source, a=Answer())


def test_several_choices_are_searched() -> None:
    assert answered("ans(q.a)=x", a=Answer(choices=("x", "y")))
    assert not answered("ans(q.a)!=x", a=Answer(choices=("x", "y")))


def test_a_condition_knows_which_answers_it_asks_about() -> None:
    assert parse("ans(q.b)=x or ans(q.a)=x or ans(q.b)=y", Over.ANSWERS).keys == ("q.b", "q.a")


@pytest.mark.parametrize(
    ("source", "offset"),
    [
        ("", 0),
        ("multi and", 9),
        ("multi und byod", 6),
        ("multi or weather", 9),
        ("(multi", 6),
        ("multi)", 5),
        ("dmax>=", 6),
        ("dmax>=four", 6),
        ("svc in eval", 7),
        ("svc in (eval,)", 13),
        ("multi; byod", 5),
        ("__import__", 0),
        ("dmax>=٤", 6),
    ],
)
def test_a_refusal_says_where(source: str, offset: int) -> None:
    with pytest.raises(ConditionError) as refusal:
        parse(source, Over.FACTS)

    assert refusal.value.offset == offset


def test_facts_and_answers_do_not_mix() -> None:
    with pytest.raises(ConditionError, match="belongs in `requires`"):
        parse("ans(q.a)=yes", Over.FACTS)
    with pytest.raises(ConditionError, match="belongs in `when`"):
        parse("multi", Over.ANSWERS)


def test_an_option_has_no_order() -> None:
    with pytest.raises(ConditionError, match="compares numbers"):
        parse("ans(q.a)>high", Over.ANSWERS)


def test_size_and_depth_are_bounded() -> None:
    with pytest.raises(ConditionError, match="characters"):
        parse("a" * (MAX_LENGTH + 1), Over.FACTS)
    with pytest.raises(ConditionError, match="deep"):
        parse("(" * (MAX_DEPTH + 1) + "multi" + ")" * (MAX_DEPTH + 1), Over.FACTS)
    with pytest.raises(ConditionError, match="deep"):
        parse("not " * (MAX_DEPTH + 1) + "multi", Over.FACTS)
    with pytest.raises(ConditionError, match="words and signs"):
        parse("(" * (MAX_TOKENS + 1), Over.FACTS)


facts = st.builds(
    Facts,
    **{flag: st.booleans() for flag in FLAGS},
    svc=st.frozensets(st.sampled_from(["eval", "redteam", "labelling"])),
    dmax=st.integers(0, 5),
    modes=st.frozensets(st.sampled_from(sorted(MODES))),
    people=st.integers(0, 5_000),
)
words = st.sampled_from(
    [
        "and",
        "or",
        "not",
        "in",
        "ans",
        "svc",
        "dmax",
        "people",
        "multi",
        "byod",
        "A4",
        "(",
        ")",
        ",",
        "=",
        "!=",
        "<=",
        ">=",
        "<",
        ">",
        "4",
        "72",
        "0.5",
        "eval",
        "none",
        "q.a",
        "high",
    ]
)


@law
@given(st.lists(words, max_size=60).map(" ".join) | st.text(max_size=600), st.sampled_from(list(Over)), facts)
def test_any_text_is_a_condition_or_a_refusal(source: str, over: Over, trial: Facts) -> None:
    try:
        condition = parse(source, over)
    except DefinitionError:
        return

    assert condition.evaluate(trial, {"q.a": Answer(choice="high")}) in (True, False)
    assert condition.evaluate(trial, {}) in (True, False)


atoms = st.sampled_from(["multi", "byod", "A4", "dmax>=3", "people>1000", "svc in (eval,redteam)"])
written = st.recursive(
    atoms.map(lambda atom: (atom, lambda f: parse(atom, Over.FACTS).evaluate(f, {}))),
    lambda inner: (
        inner.map(lambda part: (f"not ({part[0]})", lambda f: not part[1](f)))
        | st.tuples(inner, inner).map(lambda p: (f"({p[0][0]}) and ({p[1][0]})", lambda f: p[0][1](f) and p[1][1](f)))
        | st.tuples(inner, inner).map(lambda p: (f"({p[0][0]}) or ({p[1][0]})", lambda f: p[0][1](f) or p[1][1](f)))
    ),
    max_leaves=6,
)


@law
@given(written, facts)
def test_connectives_mean_what_they_say(pair: tuple[str, object], trial: Facts) -> None:
    source, meaning = pair

    assert parse(source, Over.FACTS).evaluate(trial, {}) == meaning(trial)  # type: ignore[operator]

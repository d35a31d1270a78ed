"""Compiling: the value that comes out, and the place each problem is given."""

import hashlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.questionnaires.rules import DefinitionError, Facts, Kind, Questionnaire, compile_yaml, lint, missing
from tests.rules.questionnaires.samples import SAMPLE, law


def refusals(source: str | bytes) -> list[tuple[int, int, str]]:
    data = source.encode() if isinstance(source, str) else source
    with pytest.raises(DefinitionError) as refusal:
        compile_yaml(data, "sample.yaml")
    assert all(problem.file == "sample.yaml" for problem in refusal.value.problems)
    return [(problem.line, problem.column, problem.message) for problem in refusal.value.problems]


def place_of(text: str, needle: str) -> tuple[int, int]:
    before = text[: text.index(needle)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def test_the_digest_is_that_of_the_bytes(sample: Questionnaire, sample_text: str) -> None:
    assert sample.digest == hashlib.sha256(sample_text.encode()).hexdigest()


def test_questions_are_numbered_by_section(sample: Questionnaire) -> None:
    assert [question.number for question in sample.questions] == ["1.1", "1.2", "2.1", "2.2", "2.3"]
    assert sample.number_of("two.reuse") == "2.2"


def test_questions_sections_and_facts_are_found_by_key(sample: Questionnaire) -> None:
    assert sample.question("two.hours").kind is Kind.NUMBER
    assert sample.section("two").title == "Two"
    assert sample.fact("scp.people").unit == "people"
    assert "two.hours" in sample
    assert "two.minutes" not in sample
    with pytest.raises(KeyError):
        sample.question("two.minutes")


def test_the_word_no_stays_a_word(sample: Questionnaire) -> None:
    assert [option.key for option in sample.fact("scp.labs").options] == ["yes", "no"]


def test_a_knock_out_knows_the_highest_credit_that_fails(sample: Questionnaire) -> None:
    limits = {q.key: q.knock_out.limit for q in sample.questions if q.knock_out}

    assert limits == {"one.level": 0, "two.hours": 0, "two.reuse": 50}


def test_a_knock_out_counts_in_its_tiers_only(sample: Questionnaire) -> None:
    assert sample.question("one.level").is_knock_out_in(1)
    assert not sample.question("one.level").is_knock_out_in(2)


def test_the_first_fitting_step_counts(sample: Questionnaire) -> None:
    steps = sample.question("two.hours").steps

    assert [step.when for step in steps] == ["<=24", "<=72", "else"]
    assert [step.fits(Decimal("24.5")) for step in steps] == [False, True, True]


def test_evidence_is_one_level_lower_in_tier_3(sample: Questionnaire, sample_text: str) -> None:
    minimal = compile_yaml(sample_text.replace("evidence_offset: 0", "evidence_offset: -1").encode(), "sample.yaml")

    assert [sample.evidence_level("two.reuse", tier) for tier in (1, 2, 3)] == [1, 1, 0]
    assert [minimal.evidence_level("two.hours", tier) for tier in (1, 2, 3)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("weight: 5\n", "weight: six\n", "“weight” must be a whole number"),
        ("kind: c1", "kind: c2", "“kind” must be one of"),
        ("key: two.hours", "key: two hours", "“key” must be lower-case words"),
        ("revision: 1\n        label: Reuse", "label: Reuse", "a question needs “revision”"),
        ("maps: {csf: GV.OV-03}", "maps: {nist: GV.OV-03}", "not among the frameworks"),
        ('when: "<=24"', 'when: "about 24"', "A step reads"),
        ('fails: ">72"', 'fails: ">80"', "the far side of one of the steps"),
        ("fails: [none]", "fails: [nothing]", "“nothing” is not an answer"),
        ("fails: [none]", "fails: [low]", "“none” earns no more than an answer that fails"),
        ("kind: yn!", "kind: yn!\n        color: red", "“color” is not a key of a question"),
        ("kind: yn!", "kind: yn!\n        unit: days", "has no “unit”"),
        ("kind: yn!", "kind: date", "is not scored"),
        ("group: Assurance", "group: Other", "“group” must be one of"),
        ("sets: [multi]", "sets: [weather]", "“weather” is not a known fact"),
        ("label: People, kind: number", "label: People, kind: colour", "“kind” must be one of"),
        ("rows: 2", "rows: 0", "“rows” must be a whole number"),
        ("tiers: [1, 2]\n        knock", "tiers: [0]\n        knock", "“tiers” must list tiers"),
        ("kinds: [ATT]", "kinds: [att]", "not a code of an evidence kind"),
        ("{key: low,", "{key: high,", "The option “high” is listed twice"),
        ("slug: sample", "slug: Sample One", "“slug” must be lower-case words"),
        ("        options:\n          - {key: high", "        choices:\n          - {key: high", "needs “options”"),
        (
            "    options:\n      - {key: eval",
            "    choices:\n      - {key: eval",
            "A fact of kind choices needs “options”",
        ),
        ("[{key: yes, label: Yes, sets: [multi]}, {key: no,", "[{key: no,", "has the options yes and no"),
        (
            "    columns:\n      - {key: class",
            "    column:\n      - {key: class",
            "A fact of kind table needs “columns”",
        ),
        ("{key: people, label: People, kind", "{key: name, label: People, kind", "The column “name” is listed twice"),
        ("{key: since, label: Since", "{key: sites, label: Since", "The detail field “sites” is listed twice"),
        ("label: Since, kind: date", "label: Since, kind: choice", "if, and only if, it is a choice"),
        ("label: Since, kind: date", "label: Since, kind: table", "if, and only if, it is a table"),
        ('{when: "<=72", credit: 50}', "{when: else, credit: 50}", "Nothing can follow the step “else”"),
        ("{when: else, credit: 0, label: more}", '{when: "<=99", credit: 0}', "The last step must be “else”"),
        ("fails: [none]}", "fails: {none: 1}}", "A knock-out needs “fails”"),
        ("title: Sample", "title: [Sample]", "“title” must be text"),
        ("title: Sample", 'title: ""', "“title” is empty"),
        ("text: Which level?", "texts: Which level?", "a question needs “text”"),
        ("owner: lab", "owner: lab\n    vendor_confirms: perhaps", "“vendor_confirms” must be one of true, false"),
        ("tiers: [1, 2, 3]\n        knock", "tiers: 1\n        knock", "“tiers” must be a list"),
        ("tiers: [1, 2, 3]\n        knock", "tiers: [1, 1]\n        knock", "“1” is listed twice"),
        ("tiers: [1, 2, 3]\n        knock", "tiers: [[1]]\n        knock", "must be a list of words"),
        ("tiers: [1, 2, 3]\n        knock", "tiers: []\n        knock", "“tiers” is empty"),
        ("evidence: {level: 1, kinds: [ATT]}", "evidence: 1", "“evidence” must be a mapping"),
        ("expects: {", "expected: {", "needs “expects”"),
        ('  csf: {name: NIST CSF, version: "2.0"}', "  csf: 2.0", "A framework needs a name and a version"),
        ("maps: {csf: GV.OV-03}", "maps: {csf: [GV.OV-03]}", "named by its identifier"),
        ("sections:\n  - key: one", "sections:\n  - one\n  - key: one", "Each item of “sections” must be a mapping"),
    ],
)
def test_a_mistake_is_named(sample_text: str, old: str, new: str, words: str) -> None:
    found = refusals(sample_text.replace(old, new, 1))

    assert any(words in message for _, _, message in found), found


def test_a_mistake_is_placed_by_line_and_column(sample_text: str) -> None:
    changed = sample_text.replace("weight: 5\n", "weight: six\n")

    assert [place[:2] for place in refusals(changed)] == [place_of(changed, "six")]


def test_a_mistake_in_a_condition_is_placed_inside_it(sample_text: str) -> None:
    changed = sample_text.replace("multi and dmax>=3", "multi and weather")

    assert [place[:2] for place in refusals(changed)] == [place_of(changed, "weather")]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(sample_text: str) -> None:
    changed = sample_text.replace("kind: yn!", "kind: maybe").replace("weight: 5\n", "weight: six\n")

    lines = [line for line, _, _ in refusals(changed)]
    assert len(lines) == 2
    assert lines == sorted(lines)


def test_a_key_used_twice_is_refused_with_the_first_place(sample_text: str) -> None:
    changed = sample_text.replace("key: two.reuse", "key: one.level")
    first = place_of(changed, "key: one.level")[0]

    assert [message for *_, message in refusals(changed)] == [
        f"The key “one.level” is used twice, first in line {first}"
    ]


@pytest.mark.parametrize(
    ("source", "place", "words"),
    [
        ("a: [1, 2", (2, 1), "not YAML"),
        ("a: 1\na: 2", (2, 1), "written twice"),
        ("a: &x 1", (1, 4), "anchor"),
        ("a: &x [1]\nb: *x", (1, 4), "anchor"),
        ("a: *x", (1, 4), "alias"),
        ("a: !!python/object/apply:os.system [true]", (1, 4), "tag"),
        ("a: !!int 3", (1, 4), "tag"),
        ("a: 1\n---\nb: 2", (2, 1), "one YAML document"),
        ("[a]: 1", (1, 1), "A key must be text"),
        ("- a", (1, 1), "a mapping"),
        ("", (1, 1), "a mapping"),
        ("a: " + "[" * 40, (1, 19), "deeper"),
        ("a: \x00", (1, 1), "character"),
    ],
)
def test_only_plain_bounded_yaml_is_read(source: str, place: tuple[int, int], words: str) -> None:
    [(line, column, message)] = refusals(source)

    assert words in message
    assert (line, column) == place or words == "not YAML"


def test_a_file_that_is_not_utf_8_is_refused_where_it_stops_to_be() -> None:
    assert refusals(b"a: 1\nb: \xff") == [(2, 4, "The file must be UTF-8 text")]


def test_a_huge_file_is_refused_unread() -> None:
    assert refusals(b"#" * 1_000_001) == [(1, 1, "The file must be smaller than 1 MB")]


@law
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_refused_and_never_a_crash(source: bytes) -> None:
    with pytest.raises(DefinitionError) as refusal:
        compile_yaml(source, "any.yaml")

    assert all(problem.line >= 1 and problem.column >= 1 for problem in refusal.value.problems)


LINES = SAMPLE.splitlines()
pieces = st.sampled_from(
    [*LINES, "", "  - x", "    weight: 0", '        requires: "ans(two.reuse)=yes or ans(no.such)>3"', "  a: {b: [c]}"]
)
edits = st.lists(st.tuples(st.integers(0, len(LINES) - 1), st.none() | pieces), min_size=1, max_size=4)


@law
@given(edits)
def test_any_edit_compiles_and_lints_or_is_refused(changes: list[tuple[int, str | None]]) -> None:
    lines: list[str | None] = list(LINES)
    for index, piece in changes:
        lines[index] = piece
    source = "\n".join(line for line in lines if line is not None).encode()

    try:
        compiled = compile_yaml(source, "edited.yaml")
    except DefinitionError:
        return

    assert all(problem.line >= 1 for problem in lint(compiled))
    assert missing(compiled, 1, Facts(), {}) is not None

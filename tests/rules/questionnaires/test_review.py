"""The changes between two versions, as lines to read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.questionnaires.rules import Piece, compile_yaml, meaning
from portal.questionnaires.rules.diff import diff
from portal.questionnaires.rules.review import brackets, colours, readable, review, summary
from tests.factories.definitions import compiled, decided, definitions, edited
from tests.rules.questionnaires.samples import SAMPLE, law, small


def second(*swaps: tuple[str, str]) -> str:
    text = SAMPLE.replace("version: 1\n", "version: 2\n", 1)
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new, 1)
    return text


@settings(law, max_examples=40)
@given(st.data())
def test_every_change_is_read_whatever_it_is(data: st.DataObject) -> None:
    first = data.draw(definitions())
    later = data.draw(decided(first, data.draw(edited(first))))
    old, new = compiled(first), compiled(later)

    lines = list(review(old, new))

    changes = diff(old, new)
    assert lines[0].endswith(f"{summary(changes)}.")
    assert sum(line.startswith("        ⇒ ") for line in lines) == sum(each.needs_decision for each in changes)
    shown = {line[4:].partition(":")[0].split(",")[0] for line in lines if line[:4] in ("  ~ ", "  + ", "  - ")}
    assert len(shown) == len({each.key for each in changes})


def test_the_kinds_of_change_each_have_their_words() -> None:
    text = second(
        ("key: two.tenants", "key: two.apart"),
        ("text: Customers are apart.", "text: Who reads the logs?"),
        ("{key: low,", "{key: mid, label: Mid, credit: 60}\n          - {key: low,"),
        ('"<=24", credit: 100', '"<=12", credit: 100'),
        ("evidence: {level: 1, kinds: [ATT]}", "evidence: {level: 2, kinds: [ATT, CON]}"),
        ("text: Others?", "text: Which others?"),
        ("title: One", "title: The first"),
    )

    assert list(review(small(), compile_yaml(text.encode(), "v2.yaml")))[1:] == [
        "5 changes need a decision; v2 has none about them.",
        "",
        "Scoping facts",
        "  ~ scp.labs: Which others?",
        "      The text: [-Others-]{+Which others+}?",
        "        ⇒ undecided, proposal: changed claim",
        "",
        "1. The first (one)",
        "  ~ section one: The first",
        "      The title: [-One-]{+The first+}",
        "  ~ 1.1 one.level: Which level?",
        "      The new option “mid”: {+mid “Mid” (credit 60)+}",
        "        ⇒ undecided, proposal: changed claim",
        "",
        "2. Two (two)",
        "  ~ 2.1 two.hours: How many hours?",
        "      The steps: <=[-24-]{+12+} → 100, <=72 → 50, else → 0 (more)",
        "        ⇒ undecided, proposal: changed claim",
        "  ~ 2.2 two.reuse: Nothing is reused.",
        "      The evidence expected: level [-1-]{+2+} kinds ATT{+, CON+}",
        "        ⇒ undecided, proposal: same claim",
        "  + 2.3 two.apart: Who reads the logs?",
        "      Kind ynp, weight 1, tiers 1, 2",
        "",
        "Removed",
        "  - 2.3 two.tenants: Customers are apart.",
        "        ⇒ undecided, proposal: removed",
    ]


def test_a_decision_stands_under_its_change_with_what_is_left_to_settle() -> None:
    text = second(("It covers all.", "It covers all sites."))
    old, new = small(), compile_yaml(text.encode(), "v2.yaml")
    written = compile_yaml(meaning.with_decisions(text.encode(), meaning.proposed(old, new)), "v2.yaml")

    lines = list(review(old, written))

    assert lines[1] == "1 change needs a decision; 1 left to settle."
    assert lines[-1] == ("        ⇒ changed claim. To settle: The claim changed, so its revision becomes 2; it is 1")


def test_two_versions_that_ask_the_same_say_so() -> None:
    assert list(review(small(), compile_yaml(second().encode(), "v2.yaml"))) == [
        "sample v1 → sample v2: nothing changed."
    ]


@pytest.mark.parametrize(
    ("mark", "shown"), [(brackets, "a[-b-]{+c+}"), (colours, "a\x1b[9;31mb\x1b[0m\x1b[4;32mc\x1b[0m")]
)
def test_what_went_and_what_came_is_marked(mark: object, shown: str) -> None:
    pieces = (Piece("same", "a"), Piece("out", "b"), Piece("in", "c"))

    assert callable(mark)
    assert "".join(mark(piece) for piece in pieces) == shown


def test_plain_data_is_written_as_a_person_would() -> None:
    assert readable(None) == ""
    assert readable(True) == "yes"
    assert readable([1, 2]) == "1, 2"
    assert readable({"tiers": [1], "fails": "none"}) == "tiers 1 fails none"
    assert readable([{"key": "name", "label": "Name"}, {"key": "n", "label": "No", "kind": "number"}]) == (
        "name “Name”, n “No” (kind number)"
    )

"""Whatever is fed to an importer becomes a questionnaire that compiles, or is refused; mark-up never survives."""

import json
import re
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from portal.questionnaires.rules import DefinitionError, compile_yaml
from portal.questionnaires.rules.importers import (
    Imported,
    Table,
    import_mapped,
    import_oscal,
    import_table,
    import_vsaq,
)
from portal.questionnaires.rules.importers.keys import names, question_keys
from portal.questionnaires.rules.importers.markup import from_html, from_markdown
from portal.questionnaires.rules.tree import Leaf, grow
from portal.questionnaires.rules.yamltext import entry, plain, quoted
from tests.rules.questionnaires.importers.test_mapped import FILES, MAPPING
from tests.rules.questionnaires.importers.test_oscal import CATALOG
from tests.rules.questionnaires.importers.test_vsaq import EXTENSION, TEMPLATE
from tests.rules.questionnaires.samples import law

KEY = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+", re.ASCII)
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
text = st.text(max_size=40)
words = st.sampled_from(
    ["", "a", "A-1", "yes", "no", "and", "<p>", "&lt;", "# x", "- x", ": ", "'", '"', "\\", "\x85", "\u2028"]
)
anything = st.one_of(text, words, st.lists(words, max_size=4).map("".join))


def holds(importer: Callable[[], Imported]) -> None:
    imported = refused = None
    try:
        imported = importer()
    except DefinitionError as failure:
        refused = failure
    if refused is not None:
        assert refused.problems
        assert all(problem.line >= 1 and problem.column >= 1 and problem.message for problem in refused.problems)
    if imported is None:
        return
    questionnaire = compile_yaml(imported.source, "draft")
    assert questionnaire.questions
    assert all(KEY.fullmatch(question.key) for question in questionnaire.questions)
    assert importer() == imported


def mutated(source: bytes, data: st.DataObject) -> bytes:
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(source)))
        cut = data.draw(st.integers(0, 30))
        scrap = data.draw(
            st.one_of(st.binary(max_size=8), st.sampled_from([b"{", b"}", b"[", b"]", b'"', b",", b"/*", b"+"]))
        )
        source = source[:at] + scrap + source[at + cut :]
    return source


@law
@given(st.data())
def test_a_mutated_template_is_taken_or_refused(data: st.DataObject) -> None:
    source = mutated(TEMPLATE.encode(), data)

    holds(lambda: import_vsaq(source, "t.json", slug="s"))


@law
@given(st.data())
def test_a_mutated_extension_is_taken_or_refused(data: st.DataObject) -> None:
    source = mutated(EXTENSION.encode(), data)

    holds(lambda: import_vsaq(source, "t.json", slug="s", base=TEMPLATE.encode()))


@law
@given(st.data())
def test_a_mutated_catalogue_is_taken_or_refused(data: st.DataObject) -> None:
    source = mutated(json.dumps({"catalog": CATALOG}).encode(), data)

    holds(lambda: import_oscal(source, "c.json", slug="s-1"))


@law
@given(st.data())
def test_a_mutated_folder_is_taken_or_refused(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([*FILES, "mapping"]))
    files = {name: mutated(content, data) if name == path else content for name, content in FILES.items()}
    mapping = mutated(MAPPING, data) if path == "mapping" else MAPPING

    holds(lambda: import_mapped(files, mapping, "f.zip", slug="s"))


@law
@given(
    st.lists(st.lists(anything, max_size=7), max_size=8),
    st.sampled_from(["s", "9-lives", "a-very-long-slug-" * 4 + "x"]),
)
def test_any_table_is_taken_or_refused(rows: list[list[str]], slug: str) -> None:
    header = ["Question", "Key", "Section", "Type", "Options", "Weight", "Help"]

    holds(lambda: import_table([Table("T", [header, *rows])], "t.csv", slug=slug))


@law
@given(st.lists(anything, max_size=6), st.lists(anything, max_size=6))
def test_any_texts_in_a_template_come_out_as_plain_text(texts: list[str], identifiers: list[str]) -> None:
    items = [
        {"type": "radiogroup", "text": each, "choices": [{f"{index}-{own}": own} for own in dict.fromkeys(identifiers)]}
        for index, each in enumerate(texts)
    ]

    holds(lambda: import_vsaq(json.dumps({"questionnaire": items}).encode(), "t.json", slug="s"))


@law
@given(st.binary(max_size=200))
def test_garbage_is_refused(garbage: bytes) -> None:
    holds(lambda: import_vsaq(garbage, "t.json", slug="s"))
    holds(lambda: import_oscal(garbage, "t.json", slug="s"))
    holds(lambda: import_mapped({"a.yml": garbage}, MAPPING, "f.zip", slug="s"))


@law
@given(st.lists(anything, max_size=20, unique=True))
def test_keys_are_legal_different_and_the_same_in_any_order(identifiers: list[str]) -> None:
    keys, short = question_keys(identifiers, "s"), names(identifiers, "option")

    assert all(KEY.fullmatch(key) and len(key) <= 80 for key in keys.values())
    assert all(NAME.fullmatch(name) and len(name) <= 80 for name in short.values())
    assert len(set(keys.values())) == len(identifiers) == len(set(short.values()))
    assert question_keys(identifiers[::-1], "s") == keys


@law
@given(
    st.lists(
        st.sampled_from(
            ["<", ">", "script", "/", "a href='", "https://x.example", "'", "<li>", "&amp;", "x ", "<!--", "-->"]
        )
    )
)
def test_html_becomes_text_that_is_stable_and_never_a_script(pieces: list[str]) -> None:
    found, _ = from_html("".join(pieces))

    assert "<script>" not in found
    assert plain(found) == found
    assert from_markdown(found) is not None


def test_links_are_kept_only_for_the_web() -> None:
    assert from_html('<a href="https://a.example/?x=1&amp;y=2">here</a>')[0] == "here (https://a.example/?x=1&y=2)"
    assert from_html("<a href='javascript:alert(1)'>here</a>")[0] == "here"
    assert from_html("<a href='//a.example'>here</a>")[0] == "here"
    assert (
        from_markdown("[here](data:text/html,x) and [there](http://b.example)") == "here and there (http://b.example)"
    )


def test_lists_and_paragraphs_become_lines() -> None:
    assert from_html("One<p>Two</p><ul><li>a<li>b</ul>")[0] == "One\nTwo\n\n- a\n- b"


def test_active_content_goes_with_all_it_holds() -> None:
    assert from_html("a<script>b</script>c<style>d</style><iframe src=x>e</iframe>f") == ("acf", True)
    assert from_html("a &lt;script&gt; b") == ("a <script> b", False)


@law
@given(anything, st.sampled_from(["", "    "]))
def test_any_text_written_comes_back(value: str, indent: str) -> None:
    clean = plain(value)
    lines = ["top:", *entry("key", clean, "  " + indent), f"  {indent}quoted: {quoted(clean)}"]

    record = grow("\n".join(lines).encode() + b"\n", "x").items["top"]

    for key in ("key", "quoted"):
        node = record.items[key]  # type: ignore[union-attr, index, call-overload]
        assert isinstance(node, Leaf)
        assert node.text == clean

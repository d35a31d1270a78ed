"""The catalogues say what the sources say, all of it, in every language; and no page says anything beside them."""

from __future__ import annotations

import re
from functools import cache

import pytest
from babel.messages.catalog import Catalog, Message

from portal.kernel.words import catalogue
from portal.terms import LANGUAGES
from scripts import translations
from tests.house.language_lint import classes_of, lint_all, lint_template, lint_view

OTHERS = sorted(set(LANGUAGES) - {"en"})
_VALUES = re.compile(r"%\((\w+)\)s|\{(\w+)\}|%%")
_TAGS = re.compile(r"</?([a-z]+)")
FOREWORD = "run make translations, and write what it names into messages.po"


@cache
def said() -> Catalog:
    return translations.extracted()


def ids(catalog: Catalog) -> set[object]:
    return {each.id for each in catalog if each.id}


def strings(message: Message) -> tuple[str, ...]:
    given = message.string
    return tuple(given) if isinstance(given, tuple | list) else (given or "",)


def test_there_is_a_catalogue_of_each_language_that_is_on_offer() -> None:
    assert translations.languages() == OTHERS


@pytest.mark.parametrize("language", OTHERS)
def test_the_catalogue_holds_every_text_of_the_sources_and_no_other(language: str) -> None:
    known = ids(translations.read(language))
    assert ids(said()) - known == set(), FOREWORD
    assert known - ids(said()) == set(), FOREWORD


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated(language: str) -> None:
    assert [each.id for each in translations.missing(translations.read(language))] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_fills_in_the_same_values_and_keeps_the_same_tags(language: str) -> None:
    for each in translations.read(language):
        if not each.id or not all(strings(each)):
            continue
        originals = each.id if isinstance(each.id, tuple | list) else (each.id,)
        values = {tuple(found) for text in originals for found in _VALUES.findall(text)}
        for text in strings(each):
            assert set(_VALUES.findall(text)) <= values, (each.id, text)
            assert sorted(_TAGS.findall(text)) == sorted(_TAGS.findall(originals[-1])), (each.id, text)
        # Of a counted text only the number may be missing, where the words say "one".
        assert values - set(_VALUES.findall(strings(each)[-1])) == set(), (each.id, strings(each)[-1])


@pytest.mark.parametrize("language", OTHERS)
def test_the_file_for_the_machine_is_the_compiled_one(language: str) -> None:
    compiled = translations.as_mo(translations.read(language))
    assert translations.path_of(language, "mo").read_bytes() == compiled, FOREWORD
    assert translations.path_of(language).read_bytes() == translations.as_po(translations.read(language)), FOREWORD


@pytest.mark.parametrize("language", OTHERS)
def test_the_application_loads_it(language: str) -> None:
    assert catalogue(language).info()["language"] == language
    assert catalogue("en").gettext("Sign in") == "Sign in"


BARE = {
    "<p>Choose a file</p>": "says “Choose a file”",
    '<a href="/x" aria-label="Main">{{ x }}</a>': "says “Main”",
    '<input placeholder="Search">': "says “Search”",
    '<p>{{ "Nothing yet" if x else y }}</p>': "prints “Nothing yet”",
    '{{ card("Used in") }}': "prints “Used in”",
    '<p>{{ n ~ " of them" }}</p>': "prints “of them”",
    "<p>{% trans %}Told{% endtrans %} and not told</p>": "says “and not told”",
}
TOLD = (
    '<p class="sub sm">{{ _("Choose a file") }}</p>',
    '<a aria-label="{{ _("Main") }}">{{ ngettext("%(num)s file", "%(num)s files", n) }}</a>',
    "<p>{% trans name=x %}Hello {{ name }}{% endtrans %}, {{ y }}.</p>",
    '{% if word == "Sent back" %}{{ status("Checking") }}{% endif %}',
    '<p class="{{ "sub sm" if x else "btn btn-1" }}">{{ icon("circle-alert", "c-bad mt-4") }}</p>',
    '{% from "shared/macros/card.html" import card %}{# A remark. #}<p>SHA-256</p>',
)


@pytest.mark.parametrize(("source", "words"), BARE.items())
def test_the_lint_finds_what_gettext_does_not_see(source: str, words: str) -> None:
    assert words in " ".join(map(str, lint_template("x.html", source)))


@pytest.mark.parametrize("source", TOLD)
def test_the_lint_lets_pass_what_is_told(source: str) -> None:
    classes = classes_of(".sub{} .sm{} .btn{} .btn-1{} .c-bad{} .mt-4{}")
    assert [*map(str, lint_template("x.html", source, classes))] == []


def test_the_lint_finds_a_bare_flash() -> None:
    found = lint_view("x.py", 'flash("Saved.")\nflash(_("Saved."))\nflash(f"{a}: {b}")\nflash(f"{a} is saved")')
    assert [each.line for each in found] == [1, 4]


def test_no_page_of_a_contractor_says_anything_beside_the_catalogue() -> None:
    assert [*map(str, lint_all())] == []

"""The contractor's pages in another language: nothing of our own words is left in English, and questions are marked."""

from __future__ import annotations

import re
from functools import cache
from html import unescape

import pytest

from portal.attestations.rules.statements import TEXTS
from scripts import translations
from tests.factories.std import Std
from tests.sites.cases.conftest import Browser
from tests.sites.cases.walking import crawl

pytestmark = pytest.mark.slow

_OURS = re.compile(r"%\(\w+\)s|\{\w+\}|<[^>]*>|##")
_FOREIGN = re.compile(r'<(\w+)[^>]* lang="en"[^>]*>.*?</\1>', re.DOTALL)
_QUIET = re.compile(r"<(script|style|svg)\b.*?</\1>|<meta\b[^>]*>", re.DOTALL)
TELLING = 3
"""How many words tell one language from another; shorter texts are names as often as words."""


@cache
def english() -> dict[str, str]:
    """Return the longest stretch of each English text, by itself, with the text it is of."""
    found: dict[str, str] = {}
    signed = {text for _key, text in TEXTS}  # what was signed stays in the words it was signed in
    for each in translations.read("de"):
        if each.id in signed:
            continue
        for text in each.id if isinstance(each.id, tuple | list) else (each.id,):
            parts = [" ".join(part.split()) for part in _OURS.split(text.replace("%%", "%"))]
            longest = max(parts, key=len, default="").strip(" .,:;")
            if len(longest.split()) >= TELLING and longest not in str(each.string):
                found[longest] = text
    return found


def words_of(page: str) -> str:
    """Return what a page says in its own language: marked texts of questions are left out."""
    told = _FOREIGN.sub(" ", _QUIET.sub(" ", page))
    spoken = re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', told)
    return " ".join(unescape(" ".join([re.sub(r"<[^>]*>", "", told), *spoken])).split())


@pytest.mark.parametrize(("party", "who"), [("a", "respondent"), ("a", "admin"), ("b", "signatory")])
def test_no_page_is_left_with_an_english_sentence_of_ours(std: Std, browser: Browser, party: str, who: str) -> None:
    client = browser(getattr(getattr(std, party).desk, who))
    client.post("/language", data={"language": "de"})

    left: dict[str, list[str]] = {}
    seen = crawl(client, ["/", "/account", "/help", "/evidence", "/results", "/team"], alike=2)
    for path, answer in seen.items():
        if answer.mimetype != "text/html" or answer.location:
            continue
        page = answer.get_data(as_text=True)
        assert '<html lang="de"' in page or "<html" not in page, path
        words = words_of(page)
        for sentence in english():
            if sentence in words:
                left.setdefault(sentence, []).append(path)

    assert {sentence: paths[:2] for sentence, paths in left.items()} == {}
    assert len(seen) > 12


def test_a_question_is_marked_as_what_it_is(std: Std, browser: Browser) -> None:
    client = browser(std.a.desk.respondent)
    page = next(path for path in crawl(client, ["/"], alike=1) if "/s/" in path)
    assert 'class="q__t"' in client.get(page).get_data(as_text=True)

    client.post("/language", data={"language": "de"})
    assert re.search(r'class="q__t"[^>]* lang="en"', client.get(page).get_data(as_text=True))

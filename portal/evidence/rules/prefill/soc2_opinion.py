"""The opinion of the service auditor: from its heading and its own sentence, never from a word alone. Pure."""
# ruff: noqa: E501 - patterns are kept whole

from __future__ import annotations

import re
from collections.abc import Iterable

from portal.evidence.rules.prefill.sections import Parts, Section
from portal.evidence.rules.prefill.text import Text, sentence_around
from portal.evidence.rules.prefill.values import Confidence, Proposal

MOST = 60
_THING = r"(?:opinion|conclusion)"
_HEADING = re.compile(
    rf"^(?:\(?[0-9ivx]{{1,4}}[.)] ?)?(?:basis for (?:our |an? )?)?(?:our |an |a )?"
    rf"(?:(?P<a>qualified|adverse|disclaimer(?: of)?|unqualified|unmodified) (?:{_THING})"
    rf"|(?:modified )?{_THING}(?: given)? ?[—–(:-]+ ?(?P<b>qualified|adverse|disclaimer|unqualified|unmodified)\b\)?"
    rf"|(?P<c>disclaimer)$|type of opinion: (?P<d>qualified|adverse|disclaimer|unqualified|unmodified)\b)",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"\b(?:this|ours|our opinion) (?:is|is therefore) (?:an? )?(?P<kind>qualified|adverse|unqualified|unmodified)\b"
    r"|\bthis opinion is (?P<kind2>qualified|unqualified|unmodified)\b|\bwe qualify our opinion\b",
    re.IGNORECASE,
)
_OPINES = re.compile(r"\b(?:in our opinion|it is our opinion|our opinion is)\b", re.IGNORECASE)
_DISCLAIMS = re.compile(
    r"\b(?:we|and) (?:therefore |hence )?(?:do not|did not|cannot|can not) (?:express|give|form) an? (?:opinion|conclusion)\b"
    r"|\b(?:we )?(?:therefore |hence )?disclaim(?: an opinion|\.)|\bexpress no opinion\b|\bno opinion (?:is|can be) (?:expressed|given)\b"
    r"|\bunable to express an opinion\b|\bhave not formed an opinion\b|\bnot able to reach an opinion\b|\bno opinion expressed\b",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"\b(?:other information|section v|section 5|operating effectiveness of (?:the )?controls|thereon|on it|would|might|could have)\b",
    re.IGNORECASE,
)
_LIMITED = re.compile(r"\b(?:except (?:for|as)|with the exception of|save for|apart from|other than) ", re.IGNORECASE)
_DENIED = re.compile(
    r"\b(?:does|do|did|is|are|was|were|has|have) not\b|\bnot (?:suitably|fairly|presented|effective|operating|in keeping|in place)\b"
    r"|\bneither\b|\b(?:unsuitable|inaccurate|misstates?|misstated|ineffective)\b",
    re.IGNORECASE,
)
_MATERIAL = re.compile(r"\bin (?:all|every) material respects?\b|\bin all respects that are material\b", re.IGNORECASE)
_GOOD = re.compile(
    r"\b(?:fairly (?:presents?|presented|stated)|(?:was|were|is|are) suitably designed|operated effectively)\b",
    re.IGNORECASE,
)
_HINTS = re.compile(r"\b(?:qualified|adverse|disclaim\w*|except for|modified|pervasive)\b", re.IGNORECASE)
_RANK = {"unqualified": 0, "qualified": 1, "adverse": 2, "disclaimer": 3}

Signal = tuple[str, int, int, str]


def read_opinion(parts: Parts) -> Iterable[Proposal]:
    """Propose the kind of the opinion, if what the auditor's report says of it agrees."""
    part = parts.of(Section.AUDITOR)
    if part is None:
        return
    headed = list(_headings(part))
    said = list(_sentences(part))
    disclaimed = list(_disclaimers(part))
    labelled = list(_labels(part))
    strong = headed + labelled
    kinds = {kind for kind, *_rest in strong}
    spoken = {kind for kind, *_rest in said}
    if not said and disclaimed and kinds <= {"disclaimer"}:
        confidence = Confidence.HIGH if kinds or len(disclaimed) > 1 else Confidence.MEDIUM
        yield _proposal(part, disclaimed[0], confidence)
    elif len(kinds) == 1 and (not spoken or spoken == kinds):
        agreed = spoken == kinds
        yield _proposal(part, (said if agreed else strong)[0], Confidence.HIGH if agreed else Confidence.MEDIUM)
    elif len(kinds) == 1 and len(spoken) == 1:
        # The heading is the auditor's own word; the sentence may just be longer than we understand.
        worse = max(kinds | spoken, key=_RANK.__getitem__)
        if kinds == {worse} and kinds != {"disclaimer"}:
            yield _proposal(part, strong[0], Confidence.MEDIUM)
    elif not kinds and len(spoken) == 1:
        kind = next(iter(spoken))
        if kind == "unqualified":
            yield _proposal(part, said[0], _plain(part, said[0][3], disclaimed=bool(disclaimed)))
        else:
            yield _proposal(part, said[0], Confidence.MEDIUM)


def _plain(part: Text, told: str, *, disclaimed: bool) -> Confidence:
    """How sure an opinion without any limit is: very, if nothing in the auditor's report hints at one."""
    hints = sum(1 for _each in part.find(_HINTS))
    if disclaimed:
        return Confidence.LOW
    return Confidence.HIGH if not hints and told == "sentence" else Confidence.MEDIUM


def _proposal(part: Text, signal: Signal, confidence: Confidence) -> Proposal:
    kind, start, end, method = signal
    return Proposal("opinion", kind, part.page_at(start), part.quote(start, end), method, confidence)


def _headings(part: Text) -> Iterable[Signal]:
    for line in part.own_lines():
        found = _HEADING.match(line.text)
        if found is None or (
            len(line.text) > 60 and found.end() < len(line.text) and line.text[found.end()] not in ".:)"
        ):
            continue
        word = next(each for each in (found["a"], found["b"], found["c"], found["d"]) if each).lower()
        yield _kind(word), line.at, line.at + found.end(), "heading"


def _kind(word: str) -> str:
    word = word.partition(" ")[0]
    return "unqualified" if word == "unmodified" else word


def _labels(part: Text) -> Iterable[Signal]:
    for found in part.find(_LABEL):
        word = (found["kind"] or found["kind2"] or "qualified").lower()
        yield _kind(word), found.start(), found.end(), "label"


def _sentences(part: Text) -> Iterable[Signal]:
    for found in part.find(_OPINES, MOST):
        begin, end = sentence_around(part, found.start())
        words = part.whole[begin:end]
        if _ASIDE.search(words) and not _MATERIAL.search(words):
            continue
        if _LIMITED.search(words):
            kind = "qualified"
        elif _DENIED.search(words):
            kind = "adverse"
        elif _MATERIAL.search(words) or _GOOD.search(words):
            kind = "unqualified"
        else:
            continue
        method = "sentence" if kind != "unqualified" or _MATERIAL.search(words) else "sentence without materiality"
        yield kind, max(begin, found.start()), min(end, found.start() + 190), method


def _disclaimers(part: Text) -> Iterable[Signal]:
    for found in part.find(_DISCLAIMS, MOST):
        begin, end = sentence_around(part, found.start())
        if not _ASIDE.search(part.whole, begin, end):
            yield "disclaimer", found.start(), found.end(), "sentence"

"""What stands inside a SOC 2 report: exceptions that can be counted, who is carved out, what is left to users. Pure."""
# ruff: noqa: E501 - patterns are kept whole

from __future__ import annotations

import re
from collections.abc import Iterable

from portal.evidence.rules.kinds_assurance import SOME_EXCEPTIONS
from portal.evidence.rules.prefill.sections import Parts, Section, is_listed
from portal.evidence.rules.prefill.soc2_parties import COMPANY
from portal.evidence.rules.prefill.text import Text, sentence_around
from portal.evidence.rules.prefill.values import Confidence, Proposal

MOST = 60
_FOUND = re.compile(
    r"\b(?:exceptions?(?:\(s\))? (?:(?:was|were) )?(?:noted|identified|found)\b|deviations? (?:(?:was|were) )?(?:noted|identified|found)\b"
    r"|exception(?=[:.] ))",
    re.IGNORECASE,
)
_NONE = re.compile(r"\b(?:no|zero|without|nor|any|not)(?: \w{2,12})?,? $", re.IGNORECASE)
_CONTROL = re.compile(r"\b((?:CC|PI|[ACP])[0-9]{1,2}\.[0-9]{1,2})(?:[.-][0-9]{1,3})?\b")
_COUNTED = re.compile(
    r"\b(?:a total of |the following )?(two|three|four|five|six|seven|eight|nine|ten|[2-9]|[1-9][0-9]) (?:exceptions|deviations)\b",
    re.IGNORECASE,
)
_NUMBERS = {word: n for n, word in enumerate("two three four five six seven eight nine ten".split(), 2)}  # noqa: SIM905
_RESPONSE = re.compile(r"\bmanagement['’]s response\b|\bmanagement response\b", re.IGNORECASE)


def read_exceptions(parts: Parts) -> Iterable[Proposal]:
    """Propose the exceptions of Section IV and their number, each told by its result; never that there are none."""
    part = parts.of(Section.TESTS)
    if part is None:
        return
    hits, passes = [], 0
    for found in part.find(_FOUND):
        if _NONE.search(part.whole, max(part.start, found.start() - 24), found.start()):
            passes += 1
        else:
            hits.append(found)
    if not 0 < len(hits) <= MOST:
        return
    named = []
    for found in hits:
        left = max(part.start, found.start() - 420)
        controls = list(_CONTROL.finditer(part.whole, left, found.start()))
        named.append(controls[-1] if controls else None)
    told = {
        _NUMBERS.get(each[1].lower()) or int(each[1])
        for each in part.find(_COUNTED)
        if each[1].lower() in _NUMBERS or each[1].isdigit()
    }
    distinct = len({each.start() for each in named if each is not None}) == len(hits)
    if told and told != {len(hits)}:
        return
    confidence = Confidence.HIGH if distinct and passes >= 3 else Confidence.MEDIUM if distinct else Confidence.LOW
    first = hits[0]
    page, quote = part.page_at(first.start()), part.quote(first.start(), first.end())
    yield Proposal("exceptions", len(hits), page, quote, "results counted", confidence)
    yield Proposal("exceptions_listed", SOME_EXCEPTIONS, page, quote, "results counted", confidence)
    for found, control in zip(hits, named, strict=True):
        words = _told(part, found.end())
        value = f"{control[1]}: {words}" if control else words
        yield Proposal(
            "exception",
            value[:300],
            part.page_at(found.start()),
            part.quote(found.start(), found.end()),
            "result",
            Confidence.MEDIUM,
        )


def _told(part: Text, at: int) -> str:
    """Return what is said of an exception: the sentence after its label."""
    rest = part.whole[at : min(part.end, at + 300)].lstrip(" .:–—-")
    response = _RESPONSE.search(rest)
    rest = rest[: response.start()] if response else rest
    stop = rest.find(". ")
    return (rest[: stop + 1] if stop >= 0 else rest).strip()


_CARVED = re.compile(
    r"\bcarve[ -]?out method\b|\bcarved out\b|\bexcludes? the (?:\w+ )?controls (?:of|at)\b|\bdoes not include the controls\b",
    re.IGNORECASE,
)
_INCLUDED = re.compile(r"\binclusive method\b", re.IGNORECASE)


def read_subservices(parts: Parts, strangers: Iterable[str]) -> Iterable[Proposal]:
    """Propose the subservice organisations with their method, and who is carved out as one value."""
    part = parts.of(Section.AUDITOR) or parts.of(Section.DESCRIPTION)
    if part is None:
        return
    found: dict[str, tuple[str, int, int]] = {}
    for method, pattern in (("carve-out", _CARVED), ("inclusive", _INCLUDED)):
        for match in part.find(pattern, 150):
            begin, end = sentence_around(part, match.start())
            names = [each for each in COMPANY.finditer(part.whole, begin, end) if not _strange(each[0], strangers)]
            if not names:
                before, _stop = sentence_around(part, max(part.start, begin - 3))
                names = [
                    each for each in COMPANY.finditer(part.whole, before, begin) if not _strange(each[0], strangers)
                ]
            for each in names:
                if each[0] in found and found[each[0]][0] != method:
                    return
                found.setdefault(each[0], (method, match.start(), match.end()))
    carved = [name for name, (method, *_place) in found.items() if method == "carve-out"]
    if carved:
        _method, start, end = found[carved[0]]
        page, quote = part.page_at(start), part.quote(start, end)
        joined = "; ".join(carved)
        if len(joined) <= 300:
            yield Proposal("carved_out", joined, page, quote, "method named", Confidence.MEDIUM)
    if found:
        methods = {method for method, *_place in found.values()}
        _method, start, end = next(iter(found.values()))
        value = "both" if len(methods) > 1 else "carve_out" if methods == {"carve-out"} else "inclusive"
        page, quote = part.page_at(start), part.quote(start, end)
        yield Proposal("subservice_method", value, page, quote, "method named", Confidence.MEDIUM)
    for name, (method, start, end) in found.items():
        yield Proposal(
            "subservice",
            f"{name} ({method})",
            part.page_at(start),
            part.quote(start, end),
            "method named",
            Confidence.MEDIUM,
        )


def _strange(name: str, strangers: Iterable[str]) -> bool:
    return any(name in each or each in name for each in strangers if each)


_STANDARD = re.compile(
    r"\bAT-C (?:section )?[0-9]{3}(?:(?:, | and | and AT-C |, AT-C )[0-9]{3}){0,3}|\bSSAE (?:No\. ?)?[0-9]{2}|\bISAE 3[0-9]{3}\b"
)


def read_frame(parts: Parts) -> Iterable[Proposal]:
    """Propose the standard, and whether the assertion and a part that is not audited are in the report."""
    auditor = parts.of(Section.AUDITOR)
    named = next(iter(auditor.find(_STANDARD)), None) if auditor else None
    if auditor is not None and named is not None:
        page, quote = auditor.page_at(named.start()), auditor.quote(named.start(), named.end())
        yield Proposal("standard", named[0], page, quote, "standard named", Confidence.MEDIUM)
    for field, section in (("assertion", Section.ASSERTION), ("other_information", Section.OTHER)):
        part = parts.of(section)
        if part is not None:
            heading = part.whole[part.start : part.start + 120]
            yield Proposal(field, "yes", part.page_at(part.start), heading, "heading", Confidence.MEDIUM)


_CUEC_HEAD = re.compile(r"\bcomplementary user[ -]entity controls?\b", re.IGNORECASE)
_BULLET = re.compile(r"^(?:[•▪●◦*–-]|\(?[a-z0-9]{1,2}[.)]) ?(?=\S)")


def read_cuecs(parts: Parts) -> Iterable[Proposal]:
    """Propose the complementary user entity controls: the list under their heading."""
    part = parts.of(Section.DESCRIPTION) or parts.text
    lines = list(part.own_lines())
    head = next(
        (
            n
            for n, line in enumerate(lines)
            if len(line.text) < 90 and _CUEC_HEAD.search(line.text) and not is_listed(line)
        ),
        None,
    )
    if head is None:
        return
    items: list[tuple[int, str]] = []
    quiet = 0
    for line in lines[head + 1 : head + 160]:
        bullet = _BULLET.match(line.text)
        if bullet:
            items.append((line.page, line.text[bullet.end() :]))
            quiet = 0
        elif items and not items[-1][1].endswith(".") and len(items[-1][1]) < 260:
            items[-1] = (items[-1][0], f"{items[-1][1]} {line.text}")
        else:
            quiet += 1
            if quiet > 4 or (items and items[-1][1].endswith(".")):
                break
    for page, words in items[:MOST]:
        yield Proposal("cuec", words[:300].rstrip("."), page, words[:200], "list", Confidence.MEDIUM)

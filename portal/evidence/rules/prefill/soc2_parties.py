"""Who signed a SOC 2 report, when, and on whose system: from the signature, the address and the cover. Pure."""
# ruff: noqa: E501 - patterns are kept whole

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise

from portal.evidence.rules.kinds_assurance import CATEGORIES
from portal.evidence.rules.prefill.dates import dates_in
from portal.evidence.rules.prefill.sections import Parts, Section
from portal.evidence.rules.prefill.text import Line, Text, sentence_around
from portal.evidence.rules.prefill.values import Confidence, Proposal

_NEAR = 5
_BROKEN = 66
_STATES = """
Alabama, Alaska, Arizona, Arkansas, California, Colorado, Connecticut, Delaware, Florida, Georgia, Hawaii, Idaho,
Illinois, Indiana, Iowa, Kansas, Kentucky, Louisiana, Maine, Maryland, Massachusetts, Michigan, Minnesota, Mississippi,
Missouri, Montana, Nebraska, Nevada, New Hampshire, New Jersey, New Mexico, New York, North Carolina, North Dakota, Ohio,
Oklahoma, Oregon, Pennsylvania, Rhode Island, South Carolina, South Dakota, Tennessee, Texas, Utah, Vermont, Virginia,
Washington, West Virginia, Wisconsin, Wyoming
"""
_BY_LENGTH = sorted((each.strip() for each in _STATES.split(",")), key=len, reverse=True)
_STATE = re.compile(r"\b(?:" + "|".join(_BY_LENGTH) + r")\b")
_SUFFIX = r"(?:Inc\.?|LLC|L\.L\.C\.|LLP|Ltd\.?|Limited|GmbH|Corp\.?|Corporation|PLC|plc|AG|S\.A\.|B\.V\.|s\.r\.o\.|Pte\. Ltd\.?|P\.C\.|PLLC)"
_AGAIN = r"(?:[A-Z][\w’'-]*(?:,? & |,? )){0,5}"
COMPANY = re.compile(rf"\b[A-Z][\w’'-]*(?:,? & |,? ){_AGAIN}{_SUFFIX}(?![\w])")
_HEADS = frozenset(
    [
        "assertion",
        "assertions",
        "by",
        "dear",
        "description",
        "entity",
        "for",
        "his",
        "management",
        "management’s",
        "management's",
        "of",
        "on",
        "our",
        "report",
        "scope",
        "section",
        "service",
        "signed",
        "statement",
        "system",
        "the",
        "to",
        "we",
    ]
)
_FIRM = re.compile(
    r"(?<!\w)(?:LLP|LLC|L\.L\.C\.|P\.C\.|PC|PLLC|P\.A\.|CPAs?|Certified Public Accountants|Chartered Accountants|Auditors?"
    r"|Attest\w*|Assurance|Examiners|Audit Partners|& Co\.?|& Partners|Accountants|CPA Group)(?=[\s,.]|$)",
    re.IGNORECASE,
)
_NOT_A_FIRM = re.compile(
    r"\b(?:report|licen[sc]e|permit|registr|section|opinion|we |our |management|dated?\b|firm id)", re.IGNORECASE
)
_TOWN = re.compile(r" [—–|-] |, (?=[A-Z][a-z]+(?: [A-Z][a-z]+){0,2}, )")
_SIGNED = re.compile(r"^(?:/s/|signed:?|examiner:|for and on behalf of)\s*", re.IGNORECASE)
_DATED = re.compile(
    r"\b(?:dated:?|report date:?|date of (?:this )?(?:report|opinion)(?: is)?:?|date signed:?)\s*$", re.IGNORECASE
)
_LICENCE = re.compile(
    r"\b(?:licen[sc]e|permit|registration|registered|firm id|statutory audit firm|firm #|cpa firm)\b[^0-9\n]{0,40}?"
    r"((?:[A-Z]{1,5}[.-]?)?[0-9]{4,9}(?:-[0-9]{2,6})?)",
    re.IGNORECASE,
)
_TO = re.compile(
    r"^(?:to|attention|dear management of|entity)\b[ :,]{0,2}(?:the )?(?:(?:management|board|directors|members|stakeholders|shareholders|"
    r"audit committee)(?: of directors)?(?: and management)?(?: of the board)?(?:,| of| at)? )?(?:the )?(?P<name>[A-Z].{2,80}?)"
    r"(?: \(.{0,40}\))?[:,]?$",
    re.IGNORECASE,
)
_OF = re.compile(r"^(?:the )?management(?: of|,) (?P<name>[A-Z].{2,80}?):?$", re.IGNORECASE)
_CATEGORY = ("Security", "Availability", "Processing Integrity", "Confidentiality", "Privacy")
_LIST = re.compile(
    r"\b(?:security|availability|processing integrity|confidentiality|privacy)\b"
    r"(?:(?:,? (?:and|&) |, (?:and )?|; | / |/)(?:security|availability|processing integrity|confidentiality|privacy)\b){0,4}",
    re.IGNORECASE,
)
_LISTED_AFTER = re.compile(
    r"\b(?:relevant to|relate[sd]? to|relating to|with regard to|with reference to|criteria|categor(?:y|ies)|in scope|measured against|"
    r"examined|for|on)\b[^.]{0,60}$",
    re.IGNORECASE,
)


# --- signature: firm, licence, day


def read_signature(parts: Parts) -> Iterable[Proposal]:
    """Propose the day of the opinion, the firm and its licence, from the lines at the end of the auditor's report."""
    part = parts.of(Section.AUDITOR)
    if part is None:
        return
    lines = list(part.own_lines())
    signed = _signed_on(part, lines)
    cover = parts.of(Section.COVER)
    covered = [line.text for line in cover.own_lines()] if cover else []
    tail = lines[-(_NEAR + 4) :]
    if signed is not None:
        at, day, labelled = signed
        index = lines.index(at)
        near = lines[max(0, index - _NEAR) : index + _NEAR + 1]
        only = index >= len(lines) - (_NEAR + 1)
        confidence = Confidence.HIGH if only else Confidence.MEDIUM if labelled else Confidence.LOW
        if only or labelled:
            yield Proposal("opinion_on", day.isoformat(), at.page, at.text[:200], "signature", confidence)
        tail = near
    yield from _firm(tail, covered)
    yield from _licence(tail)


def _signed_on(part: Text, lines: Sequence[Line]) -> tuple[Line, date, bool] | None:
    """Return the last line that is little more than a date, or that says it is the date."""
    days = dates_in(part)
    best: tuple[Line, date, bool] | None = None
    place = 0
    for line in lines:
        end = line.at + len(line.text)
        while place < len(days) and days[place].start < line.at:
            place += 1
        inside = []
        while place < len(days) and days[place].start < end:
            inside.append(days[place])
            place += 1
        if len(inside) != 1 or not inside[0].sure or inside[0].end > end:
            continue
        before = part.whole[line.at : inside[0].start]
        after = part.whole[inside[0].end : end]
        labelled = bool(_DATED.search(before))
        if labelled or (len(before) <= 75 and len(after) <= 3 and _is_place(before)):
            best = (line, inside[0].day, labelled)
    return best


def _is_place(before: str) -> bool:
    """Whether only a firm or a town stands before the date: nothing of it is written small but little words."""
    words = re.findall(r"[A-Za-z]+", before)
    return all(word[0].isupper() or word in {"and", "of", "the"} for word in words)


def _firm(lines: Sequence[Line], cover: Sequence[str]) -> Iterable[Proposal]:
    """Propose the name that signed; the cover says how it is written."""
    printed = [each for each in cover if 4 < len(each) <= 70 and _FIRM.search(each) and not _NOT_A_FIRM.search(each)]
    named: list[tuple[Line, str, bool]] = []
    for line in lines:
        text = _SIGNED.sub("", line.text)
        known = next((each for each in printed if text.casefold().startswith(each.casefold())), None)
        if known is not None:
            named.append((line, known, True))
        elif _FIRM.search(text) and not _NOT_A_FIRM.search(text):
            plain = _TOWN.split(text)[0].strip(" ,")
            if 4 < len(plain) <= 70:
                named.append((line, plain, False))
    chosen = [each for each in named if each[2]] or named
    if not chosen:
        return
    line, name, on_cover = chosen[0]
    alone = len({each[1] for each in chosen}) == 1
    confidence = Confidence.HIGH if on_cover and alone else Confidence.MEDIUM if alone else Confidence.LOW
    yield Proposal("auditor", name, line.page, line.text[:200], "signature", confidence)


def _licence(lines: Sequence[Line]) -> Iterable[Proposal]:
    found = [(line, match) for line in lines if (match := _LICENCE.search(line.text))]
    if len({match[1] for _line, match in found}) != 1:
        return
    line, match = found[0]
    own = _STATE.findall(line.text)
    around = own or [state for each in lines for state in _STATE.findall(each.text)]
    where = set(around)
    yield Proposal("licence_no", match[1], line.page, line.text[:200], "signature", Confidence.HIGH)
    if len(where) == 1:
        confidence = Confidence.HIGH if own else Confidence.MEDIUM
        yield Proposal("licence_state", next(iter(where)), line.page, line.text[:200], "signature", confidence)


# --- entity


def read_entity(parts: Parts, firm: str, others: Iterable[str]) -> Iterable[Proposal]:
    """Propose the legal name, and say which name Sections I to III use where they differ."""
    strangers = {firm, *others}
    auditor = parts.of(Section.AUDITOR)
    if auditor is None:
        return
    addressed = _addressed(auditor)
    names = {section: _names(parts.of(section), strangers) for section in Section}
    known = set(names[Section.COVER]) | set(names[Section.AUDITOR])
    if addressed is None:
        first = names[Section.AUDITOR]
        if not first:
            return
        name = max(first, key=lambda each: len(first[each]))
        at, method = first[name][0], "named most often"
    else:
        line, name = addressed
        at, method = line.at, "address"
    page, quote = auditor.page_at(at), auditor.quote(at, at + len(name))
    differing = {
        section: other
        for section in (Section.ASSERTION, Section.DESCRIPTION)
        if (other := _main(names[section])) is not None and other.casefold() != name.casefold()
    }
    covered = any(name.casefold() in line.text.casefold() for line in _lines(parts, Section.COVER))
    legal = name in known or covered
    confidence = Confidence.HIGH if legal and covered and method == "address" else Confidence.MEDIUM
    yield Proposal("entity", name, page, quote, method, Confidence.MEDIUM if differing else confidence)
    for field, section in (("assertion_entity", Section.ASSERTION), ("description_entity", Section.DESCRIPTION)):
        other = _main(names[section])
        if other is not None:
            start = names[section][other][0]
            page, quote = auditor.page_at(start), parts.text.quote(start, start + len(other))
            yield Proposal(field, other, page, quote, "named most often", Confidence.MEDIUM)


def _addressed(part: Text) -> tuple[Line, str] | None:
    lines = list(part.own_lines())[:12]
    for line in lines:
        found = _TO.match(line.text) or _OF.match(line.text)
        if found:
            name = found["name"].strip(" :,")
            company = COMPANY.search(name)
            return line, company[0] if company else name.removesuffix(" Management")
    for line in lines:
        plain = line.text.rstrip(":,").removesuffix(" Management").removeprefix("Management, ")
        company = COMPANY.fullmatch(plain)
        if company:
            return line, plain
    return None


def _names(part: Text | None, strangers: set[str]) -> dict[str, list[int]]:
    """Return the company names of a part with the places where they stand; names of others are left out."""
    found: dict[str, list[int]] = {}
    if part is None:
        return found
    folded = {each.casefold() for each in strangers}
    lines = list(part.own_lines())
    # A short line before another one is a heading or an address, not a line that was broken.
    fresh = {two.at for one, two in pairwise(lines) if len(one.text) < _BROKEN}
    for match in part.find(COMPANY, 1_000):
        begin = max((at for at in _words(match) if at in fresh), default=match.start())
        name = company_of(part.whole[begin : match.end()])
        if not any(name.casefold() in each or each in name.casefold() for each in folded if each):
            found.setdefault(name, []).append(match.start())
    return found


def _words(match: re.Match[str]) -> Iterable[int]:
    """Yield the places in a match where a word begins."""
    return (match.start() + place + 1 for place, letter in enumerate(match[0]) if letter == " ")


def company_of(words: str) -> str:
    """Return a company's name without the words of a heading before it."""
    kept = words.split(" ")
    while len(kept) > 2 and kept[0].strip(",").casefold() in _HEADS:
        kept = kept[1:]
    return " ".join(kept)


def _main(names: dict[str, list[int]]) -> str | None:
    return max(names, key=lambda each: len(names[each])) if names else None


def _lines(parts: Parts, section: Section) -> list[Line]:
    part = parts.of(section)
    return list(part.own_lines()) if part else []


# --- system and categories

_TITLE_WORD = r"[A-Z][\w’'&-]*"
_SYSTEM = re.compile(
    rf"(?:description (?:titled|entitled) |system (?:entitled|known as) |[Ss]ystem: |[Ss]ubject matter: |description of (?:its |the |our )?|of its |the )"
    rf"[“\"]?(?P<name>{_TITLE_WORD}(?: (?:& )?{_TITLE_WORD}){{1,5}}){_SUFFIX}?[”\"]?"
)
_NO_SYSTEM = re.compile(r"\b(?:SOC|Report|Type|Period|Trust Services|Section|Management|Board|Controls)\b")


def read_system(parts: Parts, entity: str) -> Iterable[Proposal]:
    """Propose the system: a line of the cover that the auditor's report repeats, else the title it gives."""
    auditor = parts.of(Section.AUDITOR)
    if auditor is None:
        return
    scope = auditor.whole[auditor.start : min(auditor.end, auditor.start + 2500)]
    for line in _lines(parts, Section.COVER):
        name = re.sub(r"^(?:Report on the |For the |prepared for |A service of )", "", line.text)
        pieces = [each.strip() for each in re.split(r" [—|] ", name)]
        pieces += [each.removesuffix(" System") for each in pieces if each.endswith(" System")]
        for piece in pieces:
            if (
                not 4 <= len(piece) <= 90
                or piece.casefold() in entity.casefold()
                or entity.casefold() in piece.casefold()
            ):
                continue
            if _NO_SYSTEM.search(piece) or re.search(r"[0-9]{4}", piece) or piece not in scope:
                continue
            if COMPANY.search(piece) or _FIRM.search(piece):
                continue
            at = auditor.start + scope.index(piece)
            yield Proposal(
                "system", piece, auditor.page_at(at), auditor.quote(at, at + len(piece)), "cover", Confidence.HIGH
            )
            return
    titled = [
        each
        for each in _SYSTEM.finditer(auditor.whole, auditor.start, min(auditor.end, auditor.start + 2500))
        if not _NO_SYSTEM.search(each["name"]) and each["name"].casefold() not in entity.casefold()
    ]
    names = {each["name"] for each in titled}
    if len(names) == 1:
        found = titled[0]
        yield Proposal(
            "system",
            found["name"],
            auditor.page_at(found.start()),
            auditor.quote(found.start("name"), found.end("name")),
            "title",
            Confidence.MEDIUM,
        )


def read_categories(parts: Parts) -> Iterable[Proposal]:
    """Propose the categories in scope, if cover and scope do not contradict each other."""
    lists: list[tuple[tuple[str, ...], int, int]] = []
    for section in (Section.COVER, Section.AUDITOR):
        part = parts.of(section)
        if part is None:
            continue
        for found in part.find(_LIST, 150):
            begin, _end = sentence_around(part, found.start())
            before = part.whole[max(begin, found.start() - 110) : found.start()]
            if section is Section.COVER or _LISTED_AFTER.search(before):
                named = tuple(each for each in _CATEGORY if each.lower() in found[0].lower())
                if "Security" in named:
                    lists.append((named, found.start(), found.end()))
    if not lists:
        return
    longest = max(lists, key=lambda each: len(each[0]))
    contained = all(set(each[0]) <= set(longest[0]) for each in lists)
    same = all(each[0] == longest[0] for each in lists)
    if not contained:
        return
    named, start, end = longest
    confidence = Confidence.HIGH if same and len(named) > 1 else Confidence.MEDIUM
    page, quote = parts.text.page_at(start), parts.text.quote(start, end)
    keys = [each.lower().replace(" ", "_") for each in named]
    yield Proposal("categories", ",".join(sorted(keys, key=tuple(CATEGORIES).index)), page, quote, "list", confidence)

"""What the text of a bridge letter, a certificate, an insurance certificate or a penetration test proposes. Pure."""
# ruff: noqa: E501 - patterns are kept whole

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

from portal.evidence.rules.prefill.dates import Dated, Range, dates_in, ranges_in
from portal.evidence.rules.prefill.labelled import day_after, number_in, words_after
from portal.evidence.rules.prefill.soc2_parties import COMPANY, company_of
from portal.evidence.rules.prefill.text import LETTER_CHARACTERS, Text, sentence_around, text_of
from portal.evidence.rules.prefill.values import Confidence, Proposal

_ONE_DAY = timedelta(days=1)


def _proposal(
    text: Text, field: str, value: str | int, start: int, end: int, method: str, sure: Confidence
) -> Proposal:
    return Proposal(field, value, text.page_at(start), text.quote(start, end), method, sure)


# --- bridge letters

_REPORT = re.compile(r"\b(?:report|examin\w+|audit\w*|SOC ?2|type (?:2|II))\b", re.IGNORECASE)
_NEXT = re.compile(
    r"\b(?:next|following|subsequent|new|current|coming)\b[^.]{0,60}\b(?:period|examination|audit|report|observation|window)\b",
    re.IGNORECASE,
)
_BEGINS = re.compile(
    r"\b(?:began|begins?|starts?|started|starting|commence[ds]?|beginning|runs? from|from)(?: on)?(?: the)? $",
    re.IGNORECASE,
)
_ENDED = re.compile(r"\b(?:ended|ending|end(?:s)? on|through|period end(?: date)?:?)(?: on)?(?: the)? $", re.IGNORECASE)
_TITLE = re.compile(
    r"\b(?:Chief [A-Z]\w+(?: [A-Z]\w+)? Officer|C[EFITR]S?O|Managing Director|Director|President|Vice President|General Counsel|Head of [A-Z]\w+)\b"
)
_NAME = re.compile(r"^[A-Z][\w’'-]+(?: [A-Z][\w’'.-]*){1,3}$")
_BY = re.compile(r"\b(?:by|with|engaged|auditor(?: will be| is)?:?) $", re.IGNORECASE)
_FIRM_NAME = re.compile(
    r"(?:[A-Z][\w’'&-]*,? |& ){1,5}(?:LLP|LLC|PLLC|P\.C\.|CPAs?|CPA Group|Limited|Ltd\.|Auditors|Assurance|Partners)(?!\w)"
)


def read_bridge(pages: Sequence[str]) -> tuple[Proposal, ...]:
    """Return the proposals of a bridge letter: the end of its report, what it covers, who signed, what comes next."""
    text = text_of(pages, most=LETTER_CHARACTERS)
    dates = dates_in(text)
    found = [*_bridged(text, dates), *_next_period(text, dates), *_signer(text), *_issuer(text)]
    found += _letter_date(text, dates)
    return tuple(found)


def _bridged(text: Text, dates: Sequence[Dated]) -> Iterable[Proposal]:
    ranges = [each for each in ranges_in(text, dates) if each.sure and not _is_next(text, each.start)]
    keys = dict.fromkeys((each.first, each.last) for each in ranges)
    first_of = {key: next(each for each in ranges if (each.first, each.last) == key) for key in keys}
    touching = [(one, two) for one in keys for two in keys if two[0] == one[1] + _ONE_DAY]
    if len(touching) == 1:
        report, cover = (first_of[each] for each in touching[0])
        yield from _spans(
            text, report, cover, Confidence.HIGH if len(keys) == 2 else Confidence.MEDIUM, "touching periods"
        )
        return
    if touching or not keys:
        return
    ended = [each for each in dates if each.sure and _ENDED.search(text.whole[max(0, each.start - 40) : each.start])]
    if len(keys) == 1:
        only = next(iter(first_of.values()))
        ends = [
            each
            for each in ended
            if each.day < only.first and _REPORT.search(text.whole[max(0, each.start - 140) : each.start])
        ]
        if len({each.day for each in ends}) == 1:
            end = ends[0]
            sure = Confidence.HIGH if only.first == end.day + _ONE_DAY else Confidence.MEDIUM
            yield _proposal(text, "report_end", end.day.isoformat(), end.start, end.end, "report ended", sure)
            yield from _cover(text, only, sure, "period")
    elif len(keys) == 2:
        one, two = sorted(keys)
        if one[1] < two[0]:
            yield from _spans(text, first_of[one], first_of[two], Confidence.LOW, "two periods with a gap")


def _spans(text: Text, report: Range, cover: Range, sure: Confidence, method: str) -> Iterable[Proposal]:
    yield _proposal(text, "report_end", report.last.isoformat(), report.start, report.end, method, sure)
    yield from _cover(text, cover, sure, method)


def _cover(text: Text, cover: Range, sure: Confidence, method: str) -> Iterable[Proposal]:
    yield _proposal(text, "covers_from", cover.first.isoformat(), cover.start, cover.end, method, sure)
    yield _proposal(text, "covers_until", cover.last.isoformat(), cover.start, cover.end, method, sure)


def _is_next(text: Text, at: int) -> bool:
    begin, _end = sentence_around(text, at)
    return bool(_NEXT.search(text.whole, begin, at))


def _next_period(text: Text, dates: Sequence[Dated]) -> Iterable[Proposal]:
    begun = [
        each
        for each in dates
        if each.sure and _is_next(text, each.start) and _BEGINS.search(text.whole[max(0, each.start - 40) : each.start])
    ]
    if len({each.day for each in begun}) == 1:
        day = begun[0]
        yield _proposal(text, "next_start", day.day.isoformat(), day.start, day.end, "next period", Confidence.MEDIUM)
    firms: dict[str, tuple[int, int]] = {}
    for match in text.find(_FIRM_NAME, 100):
        begin, _end = sentence_around(text, match.start())
        before = text.whole[max(begin, match.start() - 40) : match.start()]
        if _NEXT.search(text.whole, begin, match.start()) and _BY.search(before):
            firms.setdefault(match[0].strip(), (match.start(), match.end()))
    if len(firms) == 1:
        name, (start, end) = next(iter(firms.items()))
        yield _proposal(text, "next_auditor", name, start, end, "next period", Confidence.MEDIUM)


def _signer(text: Text) -> Iterable[Proposal]:
    lines = list(text.own_lines())
    for place in range(len(lines) - 1, max(-1, len(lines) - 16), -1):
        line = lines[place]
        title = _TITLE.search(line.text)
        if title is None or len(line.text) > 90:
            continue
        name = line.text[: title.start()].strip(" ,–—-")
        if not name and place:
            name = lines[place - 1].text.strip(" ,")
        name = re.sub(r"^(?:/s/|Signed:?|By:?|Name:) *", "", name)
        if _NAME.match(name):
            yield Proposal("signer", f"{name}, {title[0]}", line.page, line.text[:200], "signature", Confidence.MEDIUM)
            return


def _issuer(text: Text) -> Iterable[Proposal]:
    names: dict[str, list[int]] = {}
    for match in text.find(COMPANY):
        name = company_of(match[0])
        if not re.search(r"(?:LLP|PLLC|P\.C\.)$", name):
            names.setdefault(name, []).append(match.start())
    if names:
        often = max(names, key=lambda each: len(names[each]))
        alone = len(names) == 1
        at = names[often][0]
        yield _proposal(
            text,
            "issuer",
            often,
            at,
            at + len(often),
            "named most often",
            Confidence.MEDIUM if alone else Confidence.LOW,
        )


def _letter_date(text: Text, dates: Sequence[Dated]) -> Iterable[Proposal]:
    alone = []
    for line in text.own_lines():
        inside = [each for each in dates if line.at <= each.start < line.at + len(line.text)]
        if len(inside) == 1 and inside[0].sure and len(line.text) - (inside[0].end - inside[0].start) <= 10:
            alone.append((inside[0], line))
    if len({each.day for each, _line in alone}) == 1:
        day, line = alone[0]
        yield Proposal("signed_on", day.day.isoformat(), line.page, line.text[:200], "date line", Confidence.MEDIUM)


# --- certificates

_EDITION = re.compile(r"\b(?:ISO ?/ ?IEC|ISO|IEC) ?(27001|42001)[:\- ]{1,2}(20[0-9]{2})\b", re.IGNORECASE)
_ISSUED = re.compile(
    r"\b(?:date of issue|issue date|issued(?: on)?|date issued|date of certification|valid from|certification date|effective(?: date| from)?)(?!\w)",
    re.IGNORECASE,
)
_EXPIRES = re.compile(
    r"\b(?:expir(?:y|ation)(?: date)?|date of expiry|expires(?: on)?|valid (?:until|to|through|till)|validity (?:until|to)|certificate expires)(?!\w)",
    re.IGNORECASE,
)
_SURVEYED = re.compile(
    r"\b(?:last |latest |most recent )?surveillance (?:audit|visit|assessment)(?: (?:date|completed|carried out|performed))?(?!\w)",
    re.IGNORECASE,
)
_CERTIFICATE_NO = re.compile(
    r"^(?:this )?(?:certificate|registration|certification|cert\.?) ?(?:registration )?(?:no\.?|number|#|id)\b",
    re.IGNORECASE,
)
_BODY = re.compile(r"^(?:certification body|issued by|certified by|registrar)\b", re.IGNORECASE)
_ACCREDITED = re.compile(r"^(?:accreditation(?: body)?|accredited by|under the accreditation of)\b", re.IGNORECASE)
_HOLDER = re.compile(
    r"^(?:organi[sz]ation|company|certificate holder|holder|this is to certify that(?: the (?:information security |AI )?management system of)?|awarded to|granted to|client)\b",
    re.IGNORECASE,
)
_SCOPE = re.compile(
    r"^(?:scope(?: of (?:certification|the certificate|registration))?|for the following activities|has been .{0,30}for|applicable to)\b",
    re.IGNORECASE,
)
_FIRST_ISSUE = re.compile(
    r"\b(?:original(?:ly)?|initial(?:ly)?|first)(?: (?:date of )?(?:issue|issued|certification|certified|approval))?(?: date)?[: ]*$",
    re.IGNORECASE,
)


def read_iso(pages: Sequence[str]) -> tuple[Proposal, ...]:
    """Return the proposals of an ISO/IEC 27001 certificate."""
    return _certificate(pages, "27001")


def read_iso42(pages: Sequence[str]) -> tuple[Proposal, ...]:
    """Return the proposals of an ISO/IEC 42001 certificate."""
    return _certificate(pages, "42001")


def _certificate(pages: Sequence[str], standard: str) -> tuple[Proposal, ...]:
    text = text_of(pages, most=LETTER_CHARACTERS)
    dates = [
        each for each in dates_in(text) if not _FIRST_ISSUE.search(text.whole[max(0, each.start - 50) : each.start])
    ]
    editions = [each for each in text.find(_EDITION) if each[1] == standard]
    found: list[Proposal] = []
    if len({each[2] for each in editions}) == 1:
        first = editions[0]
        found.append(
            _proposal(text, "edition", first[2], first.start(), first.end(), "standard named", Confidence.HIGH)
        )
    found += day_after(text, "issued_on", _ISSUED, dates)
    found += day_after(text, "expires_on", _EXPIRES, dates)
    found += day_after(text, "surveillance_on", _SURVEYED, dates)
    found += words_after(text, "certificate_no", _CERTIFICATE_NO, longest=40)
    for field, label in (("body", _BODY), ("accreditation", _ACCREDITED), ("entity", _HOLDER)):
        found += words_after(text, field, label, longest=100)
    found += words_after(text, "scope", _SCOPE, longest=400)
    return tuple(found)


# --- insurance

_POLICY_NO = re.compile(r"^policy (?:no\.?|number|#|ref(?:erence)?)", re.IGNORECASE)
_INSURER = re.compile(r"^(?:insurer|insurance company|underwritten by|carrier|underwriter)s?\b", re.IGNORECASE)
_INSURED = re.compile(r"^(?:(?:named |principal )?insured|policy ?holder)\b", re.IGNORECASE)
_STARTS = re.compile(
    r"\b(?:inception(?: date)?|effective(?: date)?|policy (?:eff(?:ective)?\.?|start)(?: date)?|cover(?:age)? (?:starts|begins|from)|start date|commencement(?: date)?|valid from)(?!\w)",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"\b(?P<label>(?:limit(?: of (?:liability|indemnity))?|aggregate(?: limit)?|(?:each|per|any one) (?:claim|occurrence)(?: limit)?|retention|deductible|excess)"
    r"[\w ,/()]{0,40}?)[:\s]{1,3}(?P<c1>USD|EUR|GBP|US\$|\$|€|£) ?(?P<amount>[0-9]{1,3}(?:,[0-9]{3}){0,4}|[0-9]{1,12})(?:\.[0-9]{1,2})?(?P<unit> ?(?:million|m|k)\b)?(?: (?P<c2>USD|EUR|GBP))?",
    re.IGNORECASE,
)
_CURRENCIES = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP"}
_UNITS = {"million": 1_000_000, "m": 1_000_000, "k": 1_000, "": 1}
_PERIOD = re.compile(
    r"\b(?:policy|cover(?:age)?|insurance)? ?period\b|\bperiod of (?:insurance|cover)\b|\bcovered from\b|\bin force from\b",
    re.IGNORECASE,
)


def read_insurance(pages: Sequence[str]) -> tuple[Proposal, ...]:
    """Return the proposals of an insurance certificate; an amount is "5000000 USD"."""
    text = text_of(pages, most=LETTER_CHARACTERS)
    dates = dates_in(text)
    found: list[Proposal] = []
    for field, label in (("policy_no", _POLICY_NO), ("insurer", _INSURER), ("insured", _INSURED)):
        found += words_after(text, field, label, longest=100)
    ranges = [
        each for each in ranges_in(text, dates) if _PERIOD.search(text.whole[max(0, each.start - 50) : each.start])
    ]
    if len({(each.first, each.last) for each in ranges}) == 1 and ranges[0].sure:
        only = ranges[0]
        found.append(
            _proposal(text, "starts_on", only.first.isoformat(), only.start, only.end, "period", Confidence.HIGH)
        )
        found.append(
            _proposal(text, "expires_on", only.last.isoformat(), only.start, only.end, "period", Confidence.HIGH)
        )
    elif not ranges:
        found += day_after(text, "starts_on", _STARTS, dates)
        found += day_after(text, "expires_on", _EXPIRES, dates)
    return (*found, *_limits(text))


def _limits(text: Text) -> Iterable[Proposal]:
    amounts: dict[str, dict[str, re.Match[str]]] = {}
    for match in text.find(_LIMIT):
        label = match["label"].lower()
        if "retention" in label or "deductible" in label or "excess" in label:
            field = "retention"
        elif "aggregate" in label:
            field = "limit_aggregate"
        elif "claim" in label or "occurrence" in label:
            field = "limit_claim"
        else:
            continue
        currency = match["c2"] or _CURRENCIES.get(match["c1"].upper(), match["c1"].upper())
        amount = int(match["amount"].replace(",", "")) * _UNITS[(match["unit"] or "").strip().lower()]
        amounts.setdefault(field, {}).setdefault(f"{amount} {currency.upper()}", match)
    for field, values in amounts.items():
        if len(values) == 1:
            value, match = next(iter(values.items()))
            yield _proposal(text, field, value, match.start(), match.end(), "label", Confidence.MEDIUM)


# --- penetration tests

_TESTED = re.compile(
    r"\b(?:test\w*|assessment|engagement|fieldwork|performed|conducted|carried out|took place|between|window)\b[^.]{0,80}$",
    re.IGNORECASE,
)
_RETESTED = re.compile(
    r"\bre-?test(?:ed|ing)?(?: (?:date|completed|performed|took place|done|was (?:completed|performed|done)))?(?!\w)",
    re.IGNORECASE,
)
_TESTER = re.compile(
    r"^(?:tested by|testing firm|testing company|performed by|prepared by|assessor|conducted by|tester)\b",
    re.IGNORECASE,
)
_LEAD = re.compile(r"^(?:lead tester|test lead|lead consultant|tester name)\b", re.IGNORECASE)
_TEST_SCOPE = re.compile(r"^(?:scope|in scope|targets?)\b", re.IGNORECASE)
_METHOD = re.compile(r"^(?:method(?:ology)?|approach)\b", re.IGNORECASE)
_COUNT = (
    r"(?:\b{0}(?: (?:findings?|issues?|vulnerabilities|severity|risk)){{0,2}}:? ?([0-9]{{1,3}}|none|nil|zero)\b"
    r"|\b([0-9]{{1,3}}|no|zero|one|two|three|four|five|six|seven|eight|nine|ten) (?:were |rated |of )?{0}\b"
    r"(?!(?: (?:findings?|issues?|vulnerabilities|severity|risk))?[:=]? ?[0-9]))"
)
_SEVERITIES = {each: re.compile(_COUNT.format(each), re.IGNORECASE) for each in ("critical", "high", "medium", "low")}
_OPEN = re.compile(
    r"\b([0-9]{1,3}|no|none|zero|one|two|three|four|five) (?:findings? |issues? )?(?:remains?|remained|are still|is still|still) (?:open|unresolved)\b|\b(?:open findings|still open|remaining findings): ?([0-9]{1,3}|none)\b",
    re.IGNORECASE,
)


def read_test(pages: Sequence[str]) -> tuple[Proposal, ...]:
    """Return the proposals of a penetration-test letter; a count is only proposed where a number or "no" is written."""
    text = text_of(pages, most=LETTER_CHARACTERS)
    dates = dates_in(text)
    found: list[Proposal] = []
    spans = [
        each
        for each in ranges_in(text, dates)
        if each.sure
        and (each.last - each.first).days <= 120
        and _TESTED.search(text.whole[max(0, each.start - 100) : each.start])
    ]
    if len({(each.first, each.last) for each in spans}) == 1:
        only = spans[0]
        found.append(
            _proposal(text, "tested_from", only.first.isoformat(), only.start, only.end, "period", Confidence.HIGH)
        )
        found.append(
            _proposal(text, "tested_until", only.last.isoformat(), only.start, only.end, "period", Confidence.HIGH)
        )
    found += day_after(text, "retested_on", _RETESTED, dates)
    for field, label in (("firm", _TESTER), ("tester", _LEAD), ("method", _METHOD)):
        found += words_after(text, field, label, longest=120)
    found += words_after(text, "scope", _TEST_SCOPE, longest=400)
    for field, pattern in _SEVERITIES.items():
        found += number_in(text, field, pattern, "count")
    found += number_in(text, "open", _OPEN, "count")
    return tuple(found)

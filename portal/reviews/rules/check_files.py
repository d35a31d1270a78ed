"""An answer against the files that it is signed with: the same thing said in both, numbers with the same word. Pure.

What is compared stands in a table or is stated by both sides with the same word. Nothing is guessed: where a side says
two numbers, or nothing, there is no contradiction to point at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from portal.evidence.rules import add_months, as_day
from portal.evidence.rules.companies import company_key, is_same
from portal.questionnaires.rules import Kind, Question
from portal.questionnaires.rules.text import date_from, day_words, number_from
from portal.reviews.rules.check_values import (
    Case,
    Check,
    CheckKind,
    File,
    Spoken,
    apart,
    counted,
    days_apart,
    named,
    number,
)

MILLION: Final = 1_000_000
HALF_A_YEAR: Final = 6


class How(StrEnum):
    """How the two sides are compared."""

    NUMBER = "number"
    MONEY = "money"
    MILLIONS = "millions"
    DAY = "day"
    COMPANY = "company"
    CHOICE = "choice"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Same:
    """One thing that an answer (or a field under it) and a kind of file both say."""

    question: str
    field: str
    kind: str
    stated: str
    how: How
    what: str


SAME: Final = (
    Same("gov.assurance.level", "period_start", "SOC2", "period_start", How.DAY, "the start of the period"),
    Same("gov.assurance.level", "period_end", "SOC2", "period_end", How.DAY, "the end of the period"),
    Same("gov.assurance.level", "firm", "SOC2", "auditor", How.COMPANY, "the auditor"),
    Same("gov.assurance.level", "opinion", "SOC2", "opinion", How.CHOICE, "the opinion"),
    Same("gov.assurance.level", "certificate_no", "ISO", "certificate_no", How.PLAIN, "the certificate number"),
    Same("gov.assurance.scope", "entity", "SOC2", "entity", How.COMPANY, "the company in the report"),
    Same("gov.assurance.auditor", "firm", "SOC2", "auditor", How.COMPANY, "the auditor"),
    Same("gov.assurance.auditor", "licence", "SOC2", "licence_no", How.PLAIN, "the licence number"),
    Same("gov.insurance.cyber", "", "INS", "limit_claim", How.MILLIONS, "the limit per claim"),
    Same("gov.insurance.cyber", "aggregate", "INS", "limit_aggregate", How.MILLIONS, "the limit for the year"),
    Same("gov.insurance.cyber", "retention", "INS", "retention", How.MONEY, "the retention"),
    Same("gov.insurance.cyber", "inception", "INS", "starts_on", How.DAY, "the first day of cover"),
    Same("gov.insurance.cyber", "expiry", "INS", "expires_on", How.DAY, "the last day of cover"),
    Same("gov.insurance.cyber", "insurer", "INS", "insurer", How.COMPANY, "the insurer"),
    Same("gov.insurance.cyber", "insured", "INS", "insured", How.COMPANY, "the insured company"),
    Same("gov.insurance.cyber", "policy_no", "INS", "policy_no", How.PLAIN, "the policy number"),
    Same("dat.flow", "dated", "ARC", "dated_on", How.DAY, "the day of the diagram"),
    Same("wrk.training", "", "TRN", "percent", How.NUMBER, "the share that was trained, in percent"),
    Same("inf.pentest", "firm", "PT", "firm", How.COMPANY, "the testing firm"),
    Same("inf.pentest", "test_end", "PT", "tested_until", How.DAY, "the last day of testing"),
    Same("inf.pentest", "retest", "PT", "retested_on", How.DAY, "the day of the retest"),
    Same("sub.list", "as_of", "SPL", "as_of", How.DAY, "the day of the list"),
)
"""What is stated on both sides, by the key of the question and the kind of the file."""


def against_files(case: Case) -> Iterator[tuple[str, Check]]:
    """Yield where an answer and its own files disagree."""
    for each in SAME:
        spoken = case.said(each.question)
        if spoken is not None and (found := _differs(case, spoken, each)) is not None:
            yield spoken.key, found
    yield from _assurance(case)
    yield from _pentest(case)
    yield from _suppliers(case)
    yield from _oldest_critical(case)
    yield from _fewer_than_work(case)
    for spoken in case.spoken.values():
        if spoken.is_said:
            yield from ((spoken.key, each) for each in _same_word(case, spoken))


def _check(words: str, case: Case, key: str, file: File, page: int = 0) -> Check:
    return Check(CheckKind.EVIDENCE, words, (case.answer_at(key), case.file_at(key, file, page)))


# --- the same thing on both sides


def _differs(case: Case, spoken: Spoken, same: Same) -> Check | None:
    """Return the contradiction with the first file of the kind, if every one of them that says it says otherwise."""
    here = _here(spoken, same)
    if here is None:
        return None
    stated = [
        (file, there)
        for file in spoken.files
        if file.kind == same.kind and (there := _there(file.details.get(same.stated), same.how)) is not None
    ]
    if not stated or any(_equal(here, there, same.how) for _, there in stated):
        return None
    file, there = stated[0]
    words = f"The answer gives {_said(here)} as {same.what}; the file says {_said(there)}{_by(here, there)}."
    return _check(words, case, spoken.key, file)


_Value = Decimal | date | str


def _here(spoken: Spoken, same: Same) -> _Value | None:
    if same.field:
        raw = spoken.answer.details.get(same.field)
        return _read(raw, same.how) if isinstance(raw, str) and raw.strip() else None
    return spoken.answer.number


def _there(raw: Any, how: How) -> _Value | None:
    if how in {How.MILLIONS, How.MONEY}:
        if not isinstance(raw, Mapping) or raw.get("currency") != "USD" or not isinstance(raw.get("amount"), int):
            return None
        amount = Decimal(raw["amount"])
        return amount / MILLION if how is How.MILLIONS else amount
    text = str(raw).strip() if raw is not None and not isinstance(raw, bool | list | Mapping) else ""
    return _read(text, how) if text else None


def _read(text: str, how: How) -> _Value | None:
    if how in {How.NUMBER, How.MILLIONS, How.MONEY}:
        return number_from(text)
    if how is How.DAY:
        return date_from(text)
    return text.strip()


def _equal(one: _Value, other: _Value, how: How) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        if how is How.COMPANY:
            return is_same(one, other) or is_same(other, one) or not company_key(one) or not company_key(other)
        return _plain(one) == _plain(other)
    return one == other


def _plain(text: str) -> str:
    return re.sub(r"[^\w]", "", text.casefold())


def _said(value: _Value) -> str:
    if isinstance(value, Decimal):
        return number(value)
    return day_words(value) if isinstance(value, date) else f"“{value}”"


def _by(one: _Value, other: _Value) -> str:
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return f", {apart(one, other)}"
    if isinstance(one, date) and isinstance(other, date):
        return f", {days_apart(one, other)}"
    return ""


# --- what a file of a kind says about one answer


_TYPE_2: Final = frozenset({"soc2_2", "soc2_2_iso"})


def _assurance(case: Case) -> Iterator[tuple[str, Check]]:
    spoken = case.said("gov.assurance.level")
    if spoken is None or spoken.answer.choice not in _TYPE_2:
        return
    key, reports = spoken.key, [each for each in spoken.files if each.kind == "SOC2"]
    types = {str(each.details.get("report_type", "")) for each in reports} - {""}
    if types == {"type1"}:
        words = "The answer says SOC 2 Type 2; the report is Type 1, which describes one day and no period."
        yield key, _check(words, case, key, reports[0])
        return
    spans = [
        (each, first, last)
        for each in reports
        if (first := as_day(each.details.get("period_start"))) and (last := as_day(each.details.get("period_end")))
    ]
    if spans and all(_is_short(first, last) for _, first, last in spans):
        file, first, last = spans[0]
        days = (last - first).days + 1
        label = _choice(spoken.question, spoken.answer.choice)
        words = f"The answer says “{label}”; the period of the report is {counted(days, 'day', 'days')} long, below "
        yield key, _check(f"{words}{HALF_A_YEAR} months.", case, key, file)


def _is_short(first: date, last: date) -> bool:
    # A period of six months from the first of a month ends on the day before the same day six months later.
    return (add_months(first, HALF_A_YEAR) - last).days > 1


def _choice(question: Question, key: str | None) -> str:
    option = question.option(key or "")
    return option.label if option is not None else key or ""


def _pentest(case: Case) -> Iterator[tuple[str, Check]]:
    spoken = case.said("inf.pentest")
    if spoken is None or spoken.answer.choice != "fixed":
        return
    for file in spoken.files:
        left = number_from(str(file.details.get("open", ""))) if file.kind == "PT" else None
        graver = [number_from(str(file.details.get(name, ""))) or Decimal(0) for name in ("critical", "high")]
        if left and sum(graver):
            many = counted(int(left), "finding is", "findings are")
            words = f"The answer says that what was high is fixed and retested; in the file {many} still open."
            yield spoken.key, _check(words, case, spoken.key, file)


def _suppliers(case: Case) -> Iterator[tuple[str, Check]]:
    spoken = case.said("sub.list")
    if spoken is None:
        return
    listed = names_in(spoken.answer.details.get("suppliers"), "name")
    files = [each for each in spoken.files if each.kind == "SPL" and names_in(each.details.get("rows"), "name")]
    if not listed or not files:
        return
    in_files = {name: file for file in files for name in names_in(file.details.get("rows"), "name")}
    more = [name for name in in_files if not among(name, listed)]
    fewer = [name for name in listed if not among(name, list(in_files))]
    for names, words in (
        (more, "The file lists {count} that the answer does not: {names}."),
        (fewer, "The answer lists {count} that the file does not: {names}."),
    ):
        if names:
            many = counted(len(names), "sub-processor", "sub-processors")
            file = in_files.get(names[0], files[0])
            yield spoken.key, _check(words.format(count=many, names=named(names)), case, spoken.key, file)


def names_in(rows: Any, column: str) -> list[str]:
    """Return the names in a column of a table, each once, in its order; nothing if there is no table."""
    found: dict[str, str] = {}
    for row in rows if isinstance(rows, list | tuple) else ():
        name = str(row.get(column, "")).strip() if isinstance(row, Mapping) else ""
        if name and company_key(name):
            found.setdefault(company_key(name), name)
    return list(found.values())


def among(name: str, others: list[str]) -> bool:
    """Whether a company is one of several, also by a short form of its name."""
    return any(is_same(name, other) or is_same(other, name) for other in others)


def _oldest_critical(case: Case) -> Iterator[tuple[str, Check]]:
    spoken, scans = case.said("inf.fix.days"), case.said("inf.scan")
    if spoken is None or spoken.answer.number is None:
        return
    for owner in (spoken, scans):
        for file in owner.files if owner is not None else ():
            scanned, oldest = (as_day(file.details.get(name)) for name in ("scanned_on", "oldest_critical_on"))
            if file.kind != "VS" or scanned is None or oldest is None or owner is None:
                continue
            days = Decimal((scanned - oldest).days)
            if days > spoken.answer.number:
                words = (
                    f"The answer says that a critical finding is fixed within {number(spoken.answer.number)} days; in "
                    f"the scan one was open for {number(days)} days, {number(days - spoken.answer.number)} more."
                )
                at = (case.answer_at(spoken.key), case.file_at(owner.key, file))
                yield spoken.key, Check(CheckKind.EVIDENCE, words, at)


_POPULATIONS: Final = (
    ("wrk.screening", "VER", "checked", "were screened"),
    ("wrk.idproof", "VER", "checked", "were checked"),
    ("wrk.training", "TRN", "people", "are in the training record"),
)


def _fewer_than_work(case: Case) -> Iterator[tuple[str, Check]]:
    """A record of fewer people than there are with access, behind an answer that speaks of all of them."""
    people = Decimal(case.engaged.people)
    for key, kind, name, verb in _POPULATIONS:
        spoken = case.said(key)
        if spoken is None or spoken.credit != 100:
            continue
        stated = [
            (file, value)
            for file in spoken.files
            if file.kind == kind and (value := number_from(str(file.details.get(name, "")))) is not None
        ]
        if stated and sum(value for _, value in stated) < people:
            total = sum((value for _, value in stated), Decimal(0))
            words = (
                f"The answer speaks of everybody; {number(total)} people {verb}, {number(people)} have access: "
                f"{number(people - total)} fewer."
            )
            file = stated[0][0]
            yield key, Check(CheckKind.EXPOSURE, words, (case.file_at(key, file), case.engaged_at))


# --- numbers with the same word in the text of both


_AMOUNT: Final = re.compile(
    r"(?<![\w.,:/#-])(?P<number>\d{1,3}(?:,\d{3})+|\d{1,9})(?P<rest>\.\d{1,3})?\s?(?P<word>%|[A-Za-z]{3,}(?:-[a-z]+)?)(?!\w)"
)
_OTHER_WORDS: Final = (
    "and or of to in on at by per from until the for with are is was were than other others more less most least "
    "january february march april may june july august september october november december jan feb mar apr jun jul aug "
    "sep sept oct nov dec percent usd eur gbp million billion page pages section version chapter table figure appendix "
    "not has have had that this these those all any each out new times"
)
_NO_WORDS: Final = frozenset(_OTHER_WORDS.split())
MEASURES: Final = frozenset({"hour", "day", "month", "minute", "week", "year", "%"})
"""Words that a text uses for many things: they are compared only where the question itself asks for that unit."""


def amounts(text: str) -> dict[str, set[Decimal]]:
    """Return the numbers that a text gives with each word: "61 laptops" and "4 laptop" under laptop."""
    found: dict[str, set[Decimal]] = {}
    for match in _AMOUNT.finditer(text):
        word = _singular(match["word"].lower())
        if word in _NO_WORDS:
            continue
        value = Decimal(match["number"].replace(",", "") + (match["rest"] or ""))
        found.setdefault(word, set()).add(value)
    return found


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        return word[:-1]
    return word


_UNITS: Final = {"hours": "hour", "days": "day", "months": "month", "minutes": "minute", "percent": "%"}


def _same_word(case: Case, spoken: Spoken) -> Iterator[Check]:
    here = {
        word: values
        for word, values in amounts(spoken.answer.comment).items()
        if len(values) == 1 and word not in MEASURES
    }
    unit = _UNITS.get(spoken.question.unit) if spoken.question.kind is Kind.NUMBER else None
    if unit is not None and spoken.answer.number is not None:
        here[unit] = {spoken.answer.number}
    if not here:
        return
    told: set[str] = set()
    for file in spoken.files:
        there = amounts("\n".join(text for _, text in file.pages))
        for word, values in here.items():
            stated = there.get(word, set())
            # The same question can be asked of several files: the first that states something else is enough.
            if word in told or len(stated) != 1 or stated == values:
                continue
            told.add(word)
            (one,), (other,) = values, stated
            page = next((at for at, text in file.pages if other in amounts(text).get(word, set())), 0)
            unit_words = "%" if word == "%" else f" {word if other == 1 else _plural(word)}"
            words = f"The answer says {number(one)}, the file {number(other)}{unit_words}: {apart(one, other)}."
            yield _check(words, case, spoken.key, file, page)


def _plural(word: str) -> str:
    return word[:-1] + "ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else f"{word}s"

"""Answers against each other: by the questionnaire’s own rules, and by a small table of questions. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from portal.evidence.rules import add_months
from portal.questionnaires.rules import broken
from portal.questionnaires.rules.text import date_from, day_words, number_from
from portal.reviews.rules.check_files import among, names_in
from portal.reviews.rules.check_values import (
    Case,
    Check,
    CheckKind,
    Source,
    Spoken,
    counted,
    named,
    quoted,
)


def _declared(case: Case) -> Iterator[tuple[str, Check]]:
    """The questionnaire's own rules about what answers must say together."""
    states = {key: each.state for key, each in case.spoken.items()}
    answers = {key: each.answer for key, each in case.spoken.items()}
    for each in broken(case.questionnaire, states, answers):
        keys = dict.fromkeys((each.question.key, *each.rule.condition.keys))
        places = tuple(case.answer_at(key) for key in keys if key in case.spoken)
        yield each.question.key, Check(CheckKind.ANSWERS, f"{each.rule.message.rstrip('.')}.", places)


_NO_SUPPLIERS: Final = re.compile(
    r"\b(?:use|have|engage|employ|are|with) no (?:sub-?processors|subcontractors|staffing partners)(?: at all)?\s*"
    r"(?:[.;!]|$)",
    re.IGNORECASE,
)
_OLDEST: Final = (
    ("inc.contact", "tested_on", 6, ("yes",), "the contact was tested"),
    ("inf.pentest", "test_end", 12, ("fixed", "highs_open"), "testing ended"),
)
"""Answers that claim something of the last months, and the field under them that says when it was."""


def _beside(case: Case) -> Iterator[tuple[str, Check]]:
    yield from _suppliers(case)
    yield from _within(case)
    test = case.said("inf.pentest")
    left = number_from(_text(test, "open_highs")) if test is not None else None
    if test is not None and test.answer.choice == "fixed" and left:
        many = counted(int(left), "finding", "findings")
        words = f"The answer says that what was high is fixed and retested; the field under it gives {many} still open."
        yield test.key, _own(case, test.key, words, "open_highs")
    screened, proofing = case.said("wrk.screening"), case.said("wrk.idproof")
    if screened is None or proofing is None:
        return
    if screened.answer.choice == "yes" and proofing.answer.choice == "none":
        words = "One answer says that everybody’s identity is screened before access, the other that none is proven."
        places = (case.answer_at(screened.key), case.answer_at(proofing.key))
        yield from ((key, Check(CheckKind.ANSWERS, words, places)) for key in (screened.key, proofing.key))


def _suppliers(case: Case) -> Iterator[tuple[str, Check]]:
    listing = case.said("sub.list")
    listed = names_in(listing.answer.details.get("suppliers"), "name") if listing is not None else []
    if listing is None or not listed:
        return
    many = counted(len(listed), "company", "companies")
    for spoken in case.spoken.values():
        if spoken.question.section != "sub":
            continue
        denies = _NO_SUPPLIERS.search(spoken.answer.comment) or _NO_SUPPLIERS.search(spoken.answer.na_reason)
        if not spoken.answer.na and denies is None:
            continue
        says = "says that this does not apply" if denies is None else f"says {quoted(denies[0])}"
        words = f"The answer {says}; the list of sub-processors has {many}: {named(listed)}."
        other = f"{len(listed)} rows of the list" if len(listed) > 1 else "The row of the list"
        at = (case.answer_at(spoken.key), Source(other, case.answer_at(listing.key).href))
        yield spoken.key, Check(CheckKind.ANSWERS, words, at)
    scope = case.said("gov.assurance.scope")
    behind = names_in(scope.answer.details.get("suppliers"), "name") if scope is not None else []
    left_out = [name for name in behind if not among(name, listed)]
    if scope is not None and listing.answer.choice == "yes" and left_out:
        words = (
            f"The list of sub-processors is called complete and leaves out {len(left_out)} of the {len(behind)} that "
            f"the report names: {named(left_out)}."
        )
        yield listing.key, Check(CheckKind.ANSWERS, words, (case.answer_at(listing.key), case.answer_at(scope.key)))


def _within(case: Case) -> Iterator[tuple[str, Check]]:
    for key, name, months, choices, what in _OLDEST:
        spoken = case.said(key)
        day = date_from(_text(spoken, name)) if spoken is not None else None
        if spoken is None or day is None or spoken.answer.choice not in choices:
            continue
        latest = add_months(day, months)
        if latest < case.today:
            words = (
                f"The answer claims it for the last {months} months; {what} on {day_words(day)}, "
                f"{counted((case.today - latest).days, 'day', 'days')} too long ago."
            )
            yield key, _own(case, key, words, name)


def _own(case: Case, key: str, words: str, name: str) -> Check:
    """Two parts of one answer: the choice, and a field under it."""
    question = case.spoken[key].question
    label = next((each.label for each in question.details if each.key == name), name)
    at = case.answer_at(key)
    return Check(CheckKind.ANSWERS, words, (at, Source(f"{label}, under it", at.href)))


def _text(spoken: Spoken | None, name: str) -> str:
    value = spoken.answer.details.get(name) if spoken is not None else None
    return value if isinstance(value, str) else ""


def against_answers(case: Case) -> Iterator[tuple[str, Check]]:
    """Yield where two answers, or two parts of one, disagree."""
    yield from _declared(case)
    yield from _beside(case)

"""An answer against the vendor’s SOC 2 reports: exceptions, carve-outs, controls left to us, opinions. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from portal.questionnaires.rules import Question
from portal.reviews.rules.check_files import among, names_in
from portal.reviews.rules.check_values import (
    Case,
    Check,
    CheckKind,
    Report,
    Spoken,
    counted,
    named,
    quoted,
    report_at,
)

FULL: Final = 100
_CRITERION: Final = re.compile(r"\b(?:CC|PI|A|C|P)\d{1,2}\.\d{1,2}\b")


def _mapped(question: Question) -> frozenset[str]:
    return frozenset(_CRITERION.findall(question.maps.get("tsc", "")))


def _claimed(case: Case) -> list[Spoken]:
    """The answers that claim everything; whoever answers partly has said already that something is missing."""
    return [each for each in case.spoken.values() if each.is_said and each.credit == FULL]


def _exceptions(case: Case) -> Iterator[tuple[str, Check]]:
    for report in case.reports:
        for each in report.exceptions:
            if each.acceptable:
                continue
            criteria = frozenset(_CRITERION.findall(f"{each.criterion} {each.control}"))
            for spoken in _claimed(case):
                shared = criteria & _mapped(spoken.question)
                if not (spoken.key in each.questions if each.questions else shared):
                    continue
                where = "" if each.questions else f" under {named(sorted(shared))}"
                words = f"The answer claims all {FULL} points; the report has an exception{where}: {quoted(each.text)}."
                place = report_at(report, "exceptions", f"Exception at {each.control}")
                yield spoken.key, Check(CheckKind.EXCEPTIONS, words, (case.answer_at(spoken.key), place))
    yield from _counted_exceptions(case)


def _counted_exceptions(case: Case) -> Iterator[tuple[str, Check]]:
    spoken = case.said("gov.assurance.exceptions")
    if spoken is None or spoken.answer.choice != "yes":
        return
    rows = spoken.answer.details.get("exceptions")
    told = len(rows) if isinstance(rows, tuple) else 0
    for report in case.reports:
        found = len(report.exceptions)
        if found > told:
            words = (
                f"The answer says that every exception is listed and lists {told}; the report has {found}, "
                f"{found - told} more."
            )
            place = report_at(report, "exceptions", "Exceptions")
            yield spoken.key, Check(CheckKind.EXCEPTIONS, words, (case.answer_at(spoken.key), place))


def _organisations(case: Case) -> Iterator[tuple[str, Check]]:
    scope, listing = case.said("gov.assurance.scope"), case.said("sub.list")
    listed = names_in(listing.answer.details.get("suppliers"), "name") if listing is not None else []
    for report in case.reports:
        if scope is not None and scope.answer.choice == "yes" and report.carved_out:
            many = counted(len(report.carved_out), "organisation", "organisations")
            words = (
                "The answer says that the report covers platform, workforce and sites; it leaves out the controls of "
                f"{many}: {named(report.carved_out)}."
            )
            place = report_at(report, "carve-outs", "Carve-outs")
            yield scope.key, Check(CheckKind.EXCEPTIONS, words, (case.answer_at(scope.key), place))
        missing = [name for name in report.organisations if not among(name, listed)]
        if listing is not None and listing.answer.choice == "yes" and listed and missing:
            words = (
                f"The list of sub-processors is called complete; the report names {len(missing)} that "
                f"{'is' if len(missing) == 1 else 'are'} not on it: {named(missing)}."
            )
            place = report_at(report, "carve-outs", "Organisations behind it")
            yield listing.key, Check(CheckKind.EXCEPTIONS, words, (case.answer_at(listing.key), place))


def _left_to_users(case: Case) -> Iterator[tuple[str, Check]]:
    """A control that a report leaves to its readers, behind an answer that rests on that report."""
    for report in case.reports:
        for text, criterion in report.left_to_users:
            criteria = frozenset(_CRITERION.findall(criterion))
            for spoken in _claimed(case):
                rests = any(file.evidence_id == report.evidence_id for file in spoken.files)
                if rests and criteria & _mapped(spoken.question):
                    words = f"The answer rests on the report; the report leaves this to its readers: {quoted(text)}."
                    place = report_at(report, "tasks", "Controls left to us")
                    yield spoken.key, Check(CheckKind.EXCEPTIONS, words, (case.answer_at(spoken.key), place))


def _opinions(case: Case) -> Iterator[tuple[str, Check]]:
    level = case.said("gov.assurance.level")
    for report in case.reports:
        if report.opinion in {"adverse", "disclaimer"} and level is not None and level.credit:
            said = "is adverse" if report.opinion == "adverse" else "is a disclaimer"
            words = f"The answer claims {level.credit} points for assurance; the auditor’s opinion {said}."
            yield level.key, _about_opinion(case, level.key, report, words)
        hit = frozenset(_CRITERION.findall(report.criteria_hit)) if report.opinion == "qualified" else frozenset()
        for spoken in _claimed(case) if hit else ():
            if both := hit & _mapped(spoken.question):
                words = (
                    f"The answer claims all {FULL} points; the auditor’s opinion is qualified on {named(sorted(both))}."
                )
                yield spoken.key, _about_opinion(case, spoken.key, report, words)


def _about_opinion(case: Case, key: str, report: Report, words: str) -> Check:
    at = (case.answer_at(key), report_at(report, "verdict", "The opinion"))
    return Check(CheckKind.EXCEPTIONS, words, at)


def against_reports(case: Case) -> Iterator[tuple[str, Check]]:
    """Yield where an answer and a report in force disagree."""
    for rule in (_exceptions, _organisations, _left_to_users, _opinions):
        yield from rule(case)

"""Contradictions that a machine points at: answer against answer, report, last year, engagement and file. Pure.

Each names what disagrees and by how much, and links both places. None of them changes a score or a verdict: a person
looks and decides. What is compared follows from the questionnaire's own rules and conditions, from the structure of the
reports, and from small tables by question key; nothing is guessed from free words.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from portal.reviews.rules.check_answers import against_answers
from portal.reviews.rules.check_before import against_before
from portal.reviews.rules.check_exposure import against_engagement
from portal.reviews.rules.check_files import against_files
from portal.reviews.rules.check_reports import against_reports
from portal.reviews.rules.check_values import (
    CHECK_WORDS,
    WHOLE,
    Case,
    Check,
    CheckKind,
    Engaged,
    Exception_,
    File,
    Report,
    Source,
    Spoken,
)

__all__ = [
    "CHECK_WORDS",
    "WHOLE",
    "Case",
    "Check",
    "CheckKind",
    "Engaged",
    "Exception_",
    "File",
    "Report",
    "Source",
    "Spoken",
    "check",
]

_RULES: Final = (against_answers, against_reports, against_before, against_engagement, against_files)


def check(case: Case, on: Collection[CheckKind] = frozenset(CheckKind)) -> Mapping[str, tuple[Check, ...]]:
    """Return what contradicts what, by the key of the question; under ``WHOLE`` what is about no single answer.

    :param on: what is looked for.
    """
    order = list(CheckKind)
    found: dict[str, list[Check]] = {}
    for rule in _RULES:
        for key, each in rule(case):
            if each.kind in on and each not in found.get(key, ()):
                found.setdefault(key, []).append(each)
    return {
        key: tuple(sorted(each, key=lambda one: order.index(one.kind)))
        for key, each in sorted(found.items(), key=lambda item: item[0])
    }

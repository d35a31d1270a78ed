"""Where each question of a signed assessment stands, as far as the vendor is told before the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flask import url_for

from portal.attestations.service import MessageLine
from portal.kernel.words import said
from portal.sites.vendor.work import REPLY_WORD, Work, slug
from portal.terms import AssessmentState, Side

_WORDS: Final[Mapping[AssessmentState, str]] = {
    AssessmentState.SUBMITTED: "Submitted",
    AssessmentState.IN_REVIEW: "In review",
    AssessmentState.RECOMMENDED: "Reviewed",
}
"""What holds of every question that nobody asked about. What a reviewer thinks of one is not told before the result."""


@dataclass(frozen=True, slots=True)
class TrackedQuestion:
    """One question: its state as a word of the status vocabulary, and the way to it."""

    number: str
    label: str
    word: str
    href: str


@dataclass(frozen=True, slots=True)
class TrackedSection:
    """The questions of one section; ``asked`` of them wait for a reply."""

    number: int
    title: str
    questions: Sequence[TrackedQuestion]
    asked: int
    replied: int


def tracked(work: Work, threads: Mapping[str, Sequence[MessageLine]]) -> list[TrackedSection]:
    """Return every question that was signed, by section; nothing while the vendor answers, or once it is decided."""
    base = _WORDS.get(work.row.state)
    if base is None:
        return []
    asked_word = said(REPLY_WORD, lab=work.lab)
    found = []
    for section in work.sections:
        questions = [
            TrackedQuestion(
                number=each.number,
                label=each.label,
                word=_word(threads.get(each.key, ()), base, asked_word),
                href=f"{url_for('vendor_section.show', assessment_id=work.id, section=section.key)}#q-{slug(each.key)}",
            )
            for each in work.visible
            if each.section == section.key
        ]
        found.append(
            TrackedSection(
                number=section.number,
                title=section.title,
                questions=questions,
                asked=sum(each.word == asked_word for each in questions),
                replied=sum(each.word == "You replied" for each in questions),
            )
        )
    return found


def _word(thread: Sequence[MessageLine], base: str, asked: str) -> str:
    if not thread:
        return base
    if thread[-1].side is Side.LAB:
        return asked
    return "You replied" if any(each.side is Side.LAB for each in thread) else base

"""What contradictions are looked for in, and how one is told: values of the checks. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote

from portal.questionnaires.rules import Answer, Facts, Question, Questionnaire, QuestionState

WHOLE: Final = ""
"""The key of what is not about one answer but about the whole revision."""

MOST_NAMED: Final = 3
MOST_QUOTED: Final = 160


class CheckKind(StrEnum):
    """What an answer is held against."""

    ANSWERS = "answers"
    EXCEPTIONS = "exceptions"
    LAST_YEAR = "last_year"
    EXPOSURE = "exposure"
    EVIDENCE = "evidence"


CHECK_WORDS: Final[Mapping[CheckKind, str]] = {
    CheckKind.ANSWERS: "Two answers disagree",
    CheckKind.EXCEPTIONS: "The answer and the auditor’s report disagree",
    CheckKind.LAST_YEAR: "The answer and the one before disagree",
    CheckKind.EXPOSURE: "The answer and the engagement disagree",
    CheckKind.EVIDENCE: "The answer and the evidence disagree",
}


@dataclass(frozen=True, slots=True)
class Source:
    """One of the two places that disagree, with a link to it."""

    words: str
    href: str


@dataclass(frozen=True, slots=True)
class Check:
    """A contradiction that a machine points at; it changes no score and no verdict. ``words``: what, by how much."""

    kind: CheckKind
    words: str
    sources: tuple[Source, ...]

    @property
    def title(self) -> str:
        """Which two disagree."""
        return CHECK_WORDS[self.kind]


@dataclass(frozen=True, slots=True)
class File:
    """A file that an answer is signed with: what is known of it, and the text of the pages that were pointed at."""

    citation_id: str
    evidence_id: str
    sha256: str
    name: str
    kind: str
    details: Mapping[str, Any] = field(default_factory=dict)
    pages: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Spoken:
    """One answer of the revision beside the one before; ``before`` is None if it was not asked then."""

    question: Question
    answer: Answer
    state: QuestionState
    credit: int | None
    level: int = 0
    files: tuple[File, ...] = ()
    before: Answer | None = None
    credit_before: int | None = None
    files_before: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The key of its question."""
        return self.question.key

    @property
    def is_said(self) -> bool:
        """Whether it was answered, and not said not to apply."""
        return self.state is QuestionState.ANSWERED


@dataclass(frozen=True, slots=True)
class Exception_:
    """One exception of a report; ``acceptable``: a reviewer said that we can live with it."""

    id: str
    control: str
    criterion: str
    text: str
    questions: tuple[str, ...] = ()
    acceptable: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """A SOC 2 report of the vendor that is in force."""

    evidence_id: str
    name: str
    opinion: str = ""
    criteria_hit: str = ""
    exceptions: tuple[Exception_, ...] = ()
    carved_out: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    left_to_users: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Engaged:
    """What the vendor is engaged for, as the lab declared it."""

    project: str
    href: str
    data_classes: tuple[int, ...]
    access_modes: tuple[str, ...]
    people: int
    services: tuple[str, ...]
    starts_on: date
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that is held against each other. ``here`` is the address of the review, ``earlier`` of the one before.

    ``before`` names the revision before, for people; empty if there is none.
    """

    here: str
    questionnaire: Questionnaire
    facts: Facts
    scoping: Mapping[str, Any]
    spoken: Mapping[str, Spoken]
    reports: tuple[Report, ...]
    engaged: Engaged
    today: date
    before: str = ""
    earlier: str = ""

    def said(self, key: str) -> Spoken | None:
        """Return what was answered to a question, nothing if it was not."""
        found = self.spoken.get(key)
        return found if found is not None and found.is_said else None

    def answer_at(self, key: str) -> Source:
        """Return the place of an answer of this revision."""
        question = self.spoken[key].question
        return Source(f"Answer {question.number} {question.label}", f"{self.here}?q={quote(key)}#wq")

    def before_at(self, key: str) -> Source:
        """Return the place of the answer before."""
        return Source(f"{self.before}", f"{self.earlier or self.here}?q={quote(key)}#wq")

    def file_at(self, key: str, file: File, page: int = 0) -> Source:
        """Return the place in a file, beside the answer."""
        at = f"&page={page}" if page else ""
        where = f", page {page}" if page else ""
        return Source(f"{file.name}{where}", f"{self.here}?q={quote(key)}&file={file.citation_id}{at}#evidence")

    @property
    def engaged_at(self) -> Source:
        """Return the place of the engagement."""
        return Source(f"Engagement {self.engaged.project}", self.engaged.href)


def report_at(report: Report, part: str, words: str) -> Source:
    """Return the place of a part of a report."""
    return Source(f"{words} in {report.name}", f"/lab/evidence/{report.evidence_id}#{part}")


def number(value: Decimal | int) -> str:
    """Return a number as people read it: 1,000 and 2.5."""
    plain = Decimal(value).normalize()
    return f"{plain:,f}"


def apart(one: Decimal, other: Decimal) -> str:
    """Return how far two numbers are apart."""
    return f"{number(abs(one - other))} apart"


def days_apart(one: date, other: date) -> str:
    """Return how far two days are apart."""
    days = abs((one - other).days)
    return "1 day apart" if days == 1 else f"{days:,} days apart"


def named(names: Sequence[str]) -> str:
    """Return some names and how many more there are."""
    shown, more = list(names[:MOST_NAMED]), len(names) - MOST_NAMED
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def quoted(text: str) -> str:
    """Return a passage as it is quoted: on one line, not too long."""
    line = " ".join(text.split()).rstrip(".")
    return f"“{line if len(line) <= MOST_QUOTED else line[: MOST_QUOTED - 1].rstrip() + '…'}”"


def counted(count: int, one: str, many: str) -> str:
    """Return a count with its word."""
    return f"1 {one}" if count == 1 else f"{count} {many}"

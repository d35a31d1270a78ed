"""Where a vendor stands, as far as the reader's roles go: its score, its findings, its files and its reviews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from portal.evidence.queries import LibraryLine
from portal.evidence.rules import Standing, Worth, state_on
from portal.findings import risks
from portal.findings.service import FindingLine
from portal.kernel.ledger import Tx
from portal.questionnaires import service as questionnaires
from portal.reviews import queries as reviews
from portal.reviews.queries import NewestReview
from portal.sites.lab.vendors.head import Head
from portal.sites.lab.vendors.scores import ScoreCard, score_card
from portal.sites.shared.evidence import Tag, tag_of
from portal.terms import FindingState, RemedyAct, Severity

MOST_FILES = 5
SEVERITY_WORDS = {Severity.HIGH: "High", Severity.MEDIUM: "Medium", Severity.LOW: "Low"}
PROOF_WORDS: Mapping[RemedyAct | None, str] = {
    RemedyAct.SENT: "proof to check",
    RemedyAct.RETURNED: "proof returned",
    RemedyAct.UNDONE: "its proof counts no more",
    RemedyAct.VERIFIED: "proof accepted",
}
_GRAVEST_FIRST = tuple(SEVERITY_WORDS.values())


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding that the vendor was told of, with the number and label of its question."""

    id: UUID
    name: str
    assessment_id: UUID
    question_key: str
    number: str
    label: str
    severity: str
    what: str
    closes_when: str
    due_on: date | None
    overdue: bool
    state: FindingState
    word: str
    proof: str
    closed_at: datetime | None
    accepted_until: date | None = None

    @property
    def open(self) -> bool:
        """Whether it is still to be closed."""
        return self.state is FindingState.OPEN

    @property
    def closed(self) -> bool:
        """Whether proof closed it."""
        return self.state is FindingState.CLOSED


@dataclass(frozen=True, slots=True)
class Findings:
    """The open findings, what is late and grave first, how many are closed, and those that are not open any more."""

    open: tuple[FindingRow, ...]
    closed: int
    past: tuple[FindingRow, ...] = ()

    @property
    def overdue(self) -> int:
        """How many are open after the day they were due."""
        return sum(each.overdue for each in self.open)


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file with its state, its end, and how much of its time is used (in percent; None where that is not known)."""

    id: UUID
    kind: str
    file_name: str
    tag: Tag
    valid_until: date | None
    words: str
    tone: str
    used: int | None


@dataclass(frozen=True, slots=True)
class Files:
    """The files that count, what ends first on top; ``total`` counts the whole library."""

    shown: tuple[FileRow, ...]
    total: int
    ended: int
    soon: int


@dataclass(frozen=True, slots=True)
class VendorStanding:
    """What the page shows beside the gate. None stands for what the reader's roles do not read."""

    score: ScoreCard | None
    findings: Findings | None
    files: Files | None
    reviews: Mapping[UUID, NewestReview]


def standing(tx: Tx, head: Head, today: date) -> VendorStanding:
    """Return where a vendor stands. Nothing that the actor may not read is fetched."""
    reads_reviews = head.may["REVIEW_READ"]
    return VendorStanding(
        score=score_card(tx, head.asked, head.projects, with_reasons=reads_reviews) if head.may["SCORE_READ"] else None,
        findings=findings_of(tx, head, today) if head.told is not None else None,
        files=files_of(head.library, today) if head.library is not None else None,
        reviews=reviews.newest_of(tx, [each.id for each in head.asked]) if reads_reviews and head.asked else {},
    )


def findings_of(tx: Tx, head: Head, today: date) -> Findings:
    """Return what the vendor was told of: the open ones with their questions, and how many are closed."""
    told = head.told or ()
    versions = {each.id: each.questionnaire_id for each in head.asked}
    accepted = dict(risks.accepted_until(tx, [head.vendor.id]).get(head.vendor.id, ())) if told else {}
    rows = []
    for each in told:
        number = label = ""
        if each.assessment_id in versions:
            # Remembered by the transaction: a statement a version, not a finding.
            questionnaire = questionnaires.compiled(tx, versions[each.assessment_id])
            if each.question_key in questionnaire:
                number = questionnaire.number_of(each.question_key)
                label = questionnaire.question(each.question_key).label
        rows.append(finding_row(each, number, label, today, accepted.get(each.number)))
    live = sorted((each for each in rows if each.open), key=_urgency)
    return Findings(tuple(live), sum(each.closed for each in rows), tuple(each for each in rows if not each.open))


def finding_row(
    line: FindingLine, number: str, label: str, today: date, accepted_until: date | None = None
) -> FindingRow:
    """Return a finding as the page shows it.

    :param accepted_until: the last day for which two people accepted its risk, also one that is over.
    """
    return FindingRow(
        id=line.id,
        name=line.name,
        assessment_id=line.assessment_id,
        question_key=line.question_key,
        number=number,
        label=label,
        severity=SEVERITY_WORDS[line.severity],
        what=line.what,
        closes_when=line.closes_when,
        due_on=line.due_on,
        overdue=line.overdue(today),
        state=line.state,
        word=line.word,
        proof=PROOF_WORDS.get(line.remedy, "no proof yet"),
        closed_at=line.closed_at,
        accepted_until=accepted_until if accepted_until is not None and accepted_until >= today else None,
    )


def _urgency(row: FindingRow) -> tuple[bool, int, date]:
    return (not row.overdue, _GRAVEST_FIRST.index(row.severity), row.due_on or date.max)


def files_of(library: Sequence[LibraryLine], today: date, *, most: int = MOST_FILES) -> Files:
    """Return a vendor's files by the day they end. A file that a newer one replaced says nothing any more."""
    counting = [each for each in library if each.replaced_by is None]
    counting.sort(key=lambda each: (each.ends_on or date.max, each.kind_title, each.id))
    stands = [_stands(each, today) for each in counting if each.can_open]
    return Files(
        shown=tuple(_file(each, today) for each in counting[:most]),
        total=len(library),
        ended=stands.count(Standing.ENDED),
        soon=stands.count(Standing.ENDS_SOON),
    )


def _file(line: LibraryLine, today: date) -> FileRow:
    state = _stands(line, today)
    left = (line.ends_on - today).days if line.ends_on else None
    if left is None:
        words = "until replaced"
    elif state is Standing.ENDED and left >= 0:
        words = "counts on no day"
    elif state is Standing.ENDED:
        words = f"ended {_days(-left)} ago"
    else:
        words = "last day today" if left == 0 else f"{_days(left)} left"
    return FileRow(
        id=line.id,
        kind=line.kind_title,
        file_name=line.file_name,
        tag=tag_of(line, today),
        valid_until=line.ends_on,
        words=words,
        tone={Standing.ENDED: "bad", Standing.ENDS_SOON: "warn"}.get(state, "ok"),
        used=_used(line, today),
    )


def _stands(line: LibraryLine, today: date) -> Standing:
    """Return where a file stands with the letters that bridge it; a bridged one ends soon."""
    if line.reach is None:
        return state_on(line, today)
    if line.reach.on(today) is Worth.EXPIRED:
        return Standing.ENDED
    return Standing.ENDS_SOON if line.reach.is_bridged(today) else state_on(line, today)


def _used(line: LibraryLine, today: date) -> int | None:
    if line.valid_from is None or line.ends_on is None:
        return None
    whole = max(1, (line.ends_on - line.valid_from).days)
    return max(0, min(100, 100 * (today - line.valid_from).days // whole))


def _days(count: int) -> str:
    return f"{count} {'day' if count == 1 else 'days'}"

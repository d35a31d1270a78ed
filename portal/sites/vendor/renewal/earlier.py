"""An answer of an earlier attestation as pages show it: what it said, its files, its source, what changed since."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from portal.attestations import service as attestations
from portal.attestations.rules.pace import CONFIRMING
from portal.attestations.service import CarriedLine, Cause, Fate
from portal.kernel.ledger import Tx
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Question, Questionnaire
from portal.sites.shared import question_changes, timed
from portal.sites.shared.language import ngettext, told
from portal.sites.vendor import wording
from portal.sites.vendor.work import Work
from portal.terms import N_, Settled

CAUSE_WORDS: Final[Mapping[Cause, str]] = {
    Cause.CLAIM: N_("The question means something else now."),
    Cause.KIND: N_("It is answered in another way now."),
    Cause.OPTION: N_("The answer you chose is not on offer any more."),
    Cause.SHAPE: N_("Your answer does not fit the new form."),
}


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of the earlier answers: how many wait for a word, are asked again, are new, are not asked any more.

    ``ended`` of those that wait name a file that cannot be attached again. ``last_year``: all of them were signed then.
    """

    to_confirm: int
    ended: int
    last_year: bool
    takes: str
    again: int
    new: int
    archived: int


def left_of(tx: Tx, work: Work) -> Left | None:
    """Return what is left of the earlier answers; nothing where there are none, or nothing can be answered now."""
    if not work.carried or not work.is_open:
        return None
    plan = attestations.plan_of(tx, work.row, work.standing)
    lines = [work.carried[key] for key in work.seen(plan.to_confirm)]
    return Left(
        to_confirm=len(lines),
        ended=sum(any(not file.usable for file in each.citations) for each in lines),
        last_year=bool(lines) and all(each.answered_at.year == tx.now.year - 1 for each in lines),
        takes=minutes(len(lines)),
        again=len(work.seen(plan.re_attest)),
        new=len(work.seen(plan.new)),
        archived=len(work.seen(plan.archived)),
    )


@dataclass(frozen=True, slots=True)
class EarlierFile:
    """A file that backed the earlier answer. ``why`` ends "This file …" if it cannot back it again; else nothing."""

    evidence_id: str
    name: str
    pages: str
    quote: str
    until: str
    why: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier answer beside the question as it is asked now.

    ``seen`` fingerprints what is shown. What was answered ``here`` was never signed: it comes from before this very
    assessment moved to another version. It is ``overdue`` if the day by which the rest was planned has passed.
    """

    fate: Fate
    settled: bool
    said: wording.Said
    by: str
    at: datetime
    source: str
    files: Sequence[EarlierFile]
    changes: Sequence[question_changes.Said]
    causes: Sequence[str]
    seen: str
    form: wording.Fields
    here: bool
    confirmed: bool
    overdue: bool

    @property
    def year(self) -> int:
        """When it was signed, as the tag says it."""
        return self.at.year

    @property
    def to_confirm(self) -> bool:
        """Whether a word is enough."""
        return self.fate is Fate.TO_CONFIRM and not self.settled

    @property
    def to_answer(self) -> bool:
        """Whether it is asked again because the question changed."""
        return self.fate is Fate.RE_ATTEST

    def to_attach(self, there: Collection[str]) -> Sequence[EarlierFile]:
        """Return the files that can back a new answer too, but for those that are attached by now.

        What was confirmed has taken its files along; one that was removed since is not offered again.
        """
        if self.confirmed:
            return ()
        return [each for each in self.files if not each.why and each.evidence_id not in there]

    @property
    def ended(self) -> Sequence[EarlierFile]:
        """The files that cannot back it again."""
        return [each for each in self.files if each.why]


class Sources:
    """The questionnaires that the earlier answers were given on, each compiled once."""

    def __init__(self, tx: Tx, lines: Collection[CarriedLine]) -> None:
        """Read those that are needed."""
        self._today = tx.now.date()
        self._known: dict[object, Questionnaire] = {
            each: questionnaires.compiled(tx, each) for each in {line.source_questionnaire_id for line in lines}
        }

    def question(self, line: CarriedLine) -> Question | None:
        """Return the question as it was asked then."""
        asked = self._known[line.source_questionnaire_id]
        return asked.question(line.key) if line.key in asked else None

    def earlier(self, line: CarriedLine, now: Question | None) -> Earlier:
        """Return an earlier answer beside the question of today, for a page."""
        return earlier_of(line, now, self.question(line), self._today)


def earlier_of(line: CarriedLine, now: Question | None, then: Question | None, today: date) -> Earlier:
    """Return an earlier answer for a page.

    Where a word is enough it is told in the words of today's question, for that is what is confirmed; where it is
    asked again, or not any more, in those of the question it was given to.
    """
    read_with = (now if line.fate is Fate.TO_CONFIRM else then) or then or now
    return Earlier(
        fate=line.fate,
        settled=line.is_settled,
        said=wording.said(read_with, line.answer) if read_with else wording.Said(),
        by=line.answered_by,
        at=line.answered_at,
        source=line.source_label,
        files=[
            EarlierFile(
                str(each.evidence_id),
                each.file_name,
                each.pages,
                each.quote,
                timed.on(each.valid_until) if each.valid_until else "",
                each.why,
            )
            for each in line.citations
        ],
        changes=question_changes.said_of(then, now) if then and now and line.fate is Fate.RE_ATTEST else (),
        causes=[told(CAUSE_WORDS[cause]) for cause in line.causes if cause in CAUSE_WORDS],
        seen=line.digest,
        form=wording.fields(line.answer),
        here=line.source_attestation_id is None,
        confirmed=line.settled is Settled.CONFIRMED,
        overdue=line.answer.planned_on is not None and line.answer.planned_on < today,
    )


def minutes(count: int) -> str:
    """Return about how long it takes to confirm so many answers."""
    found = max(1, round(count * CONFIRMING.total_seconds() / 60))
    return ngettext("%(num)s minute", "%(num)s minutes", found)

"""The history of one answer as a page tells it: runs of saves of one person as one step, with each save in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from portal.attestations.queries import EditLine
from portal.questionnaires.rules import Question
from portal.sites.vendor import wording
from portal.terms import Written

ONE_SITTING: Final = timedelta(minutes=5)
"""Saves of one person that follow each other within this time are one step: a text is saved as it is typed."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version: what it said, and what it changed in the one before."""

    number: int
    by: str
    at: datetime
    how: Written
    restored_version: int | None
    said: wording.Said
    changes: Sequence[wording.Change]

    @property
    def is_blank(self) -> bool:
        """Whether it said nothing."""
        return self.said.is_blank


@dataclass(frozen=True, slots=True)
class Step:
    """What one person did in one sitting: the version it ended with, and the versions on the way."""

    last: Version
    changes: Sequence[wording.Change]
    saves: Sequence[Version]
    first_at: datetime
    ago: str


def past_of(
    question: Question, edits: Sequence[EditLine], labels: Mapping[str, str], *, most: int, now: datetime
) -> Sequence[Step]:
    """Return the steps, the newest first.

    :param edits: versions, the newest first; one more than ``most`` is only what the last one is compared with.
    """
    steps: list[list[int]] = []
    shown = edits[:most]
    for place, each in enumerate(shown):
        if steps and _same_sitting(shown[place - 1], each):
            steps[-1].append(place)
        else:
            steps.append([place])
    found = []
    for places in steps:
        last, first = shown[places[0]], shown[places[-1]]
        before = _before(edits, places[-1])
        found.append(
            Step(
                last=_version(question, last, _before(edits, places[0]), labels),
                changes=wording.changes(question, before.answer if before else None, last.answer, labels),
                saves=[_version(question, shown[each], _before(edits, each), labels) for each in places[1:]],
                first_at=first.at,
                ago=wording.ago(last.at, now),
            )
        )
    return found


def _same_sitting(newer: EditLine, older: EditLine) -> bool:
    typed = newer.how is Written.TYPED and older.how is Written.TYPED
    return typed and newer.by_id == older.by_id and newer.at - older.at <= ONE_SITTING


def _before(edits: Sequence[EditLine], place: int) -> EditLine | None:
    return edits[place + 1] if place + 1 < len(edits) else None


def _version(question: Question, each: EditLine, before: EditLine | None, labels: Mapping[str, str]) -> Version:
    return Version(
        number=each.version,
        by=each.by,
        at=each.at,
        how=each.how,
        restored_version=each.restored_version,
        said=wording.said(question, each.answer, labels),
        changes=wording.changes(question, before.answer if before else None, each.answer, labels),
    )

"""The files of the library as an answer's picker offers them: those that fit its question first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from portal.attestations.library import FileUse
from portal.evidence.queries import LibraryLine
from portal.evidence.rules import KINDS
from portal.questionnaires.rules import Question

AT_HAND = 5
"""Files that stand open in a picker; the others are in one list under them, so that a page stays small."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One file to choose. ``used`` numbers the answers of this assessment that it backs already."""

    id: UUID
    title: str
    file_name: str
    kind: str
    fits: bool
    valid_until: date | None
    ended: bool
    used: tuple[str, ...]

    @property
    def kind_title(self) -> str:
        """The name of its kind."""
        return KINDS[self.kind].title


@dataclass(frozen=True, slots=True)
class Picker:
    """What can be attached to one answer: a few files at hand, and the others."""

    at_hand: tuple[Pick, ...]
    others: tuple[Pick, ...]


def picker(
    question: Question,
    library: Sequence[LibraryLine],
    uses: Mapping[UUID, Sequence[FileUse]],
    *,
    assessment_id: UUID,
    there: Collection[UUID],
    today: date,
) -> Picker:
    """Return the files for one answer: fitting kinds first, in the question's order, those in force before ended ones.

    :param there: files that the answer names already; they come last.
    """
    fits = {kind: place for place, kind in enumerate(question.evidence.kinds)}
    picks = []
    for line in library:
        numbers = [each.number for each in uses.get(line.id, ()) if each.assessment_id == assessment_id]
        ended = line.valid_until is not None and line.valid_until < today
        picks.append(
            Pick(
                id=line.id,
                title=line.title,
                file_name=line.file_name,
                kind=line.kind,
                fits=line.kind in fits,
                valid_until=line.valid_until,
                ended=ended,
                used=tuple(dict.fromkeys(numbers)),
            )
        )
    picks.sort(key=lambda each: (each.id in there, each.ended, fits.get(each.kind, len(fits))))
    return Picker(tuple(picks[:AT_HAND]), tuple(picks[AT_HAND:]))

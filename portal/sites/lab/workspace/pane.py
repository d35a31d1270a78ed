"""The evidence beside an answer: the file at the page that the vendor named, what stands in it, what else it backs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from portal.evidence import openings, queries, reading, service
from portal.evidence.queries import LibraryLine
from portal.evidence.rules import NEVER, Reach
from portal.kernel.errors import Forbidden, NotFound
from portal.kernel.ledger import Tx
from portal.kernel.memo import Memo
from portal.policy import Action
from portal.reviews.service import CitedFile
from portal.sites.lab.workspace.reading import AnswerPage, Reading
from portal.sites.lab.workspace.wording import pages_with, telling_words
from portal.sites.shared.evidence import Tag, reach_words, tag_of_use
from portal.sites.shared.pages import actor
from portal.sites.shared.viewer import Place, Viewer, resting, viewer
from portal.terms import ReadingState

OUTDATED: Tag = ("Said of an earlier answer", "t-bad", "history")
NOTHING = Reach(verified=False, verified_until=NEVER, valid_until=NEVER)


@dataclass(frozen=True, slots=True)
class Pane:
    """What stands beside the answer.

    ``also``: the other answers that the file backs, each by number and key. ``words`` are those of the answer that
    stand in the text of the file, each with its pages; ``unread`` says why none can be looked for. ``tag`` and
    ``until`` say what the use counts as, by the rule of the score; ``checked`` is the newer revision that counts
    instead of the file that was signed with.
    """

    viewer: Viewer
    tag: Tag
    until: str
    checked: LibraryLine | None
    also: tuple[tuple[str, str], ...]
    opened: int
    words: tuple[tuple[str, tuple[int, ...]], ...]
    unread: str


_found: Memo[tuple[tuple[str, tuple[int, ...]], ...]] = Memo(500)
"""Where words stand in a file that was read, which never changes."""


@dataclass(frozen=True, slots=True)
class File:
    """What a page reads of the file that it shows, in its own transaction."""

    line: LibraryLine
    checked: LibraryLine | None
    opened: int
    words: tuple[tuple[str, tuple[int, ...]], ...]
    unread: str
    place: Place
    rests: Mapping[int, str]
    today: date


def file_of(
    tx: Tx, review_id: UUID, answer: AnswerPage, shown: CitedFile | None, *, kept: dict[str, str]
) -> File | None:
    """Return what is shown of a file; None where there is none, or the reader may not see it."""
    if shown is None:
        return None
    try:
        service.get(tx, shown.evidence_id, Action.EVIDENCE_READ)
    except (NotFound, Forbidden):
        return None
    counted = shown.counts
    line = queries.line(tx, shown.evidence_id)
    words, unread = _words(tx, shown.evidence_id, answer)
    place = Place(
        "lab_workspace.show",
        {"review_id": review_id},
        {"q": answer.question.key, "file": str(shown.citation_id), **kept},
        anchor="evidence",
        first=shown.first_page,
    )
    return File(
        line=line,
        checked=queries.line(tx, counted.evidence_id) if counted is not None and counted.checked else None,
        opened=openings.times_of(tx, shown.evidence_id, actor().id),
        words=words,
        unread=unread,
        place=place,
        rests=resting(tx, line, place),
        today=tx.now.date(),
    )


def pane(read: Reading, shown: CitedFile | None, file: File | None) -> Pane | None:
    """Return the pane of the file that is shown, None where there is none; call it between transactions."""
    if shown is None or file is None:
        return None
    counted = shown.counts
    keys = {each.number: each.key for group in read.groups for each in group.lines}
    return Pane(
        tag=OUTDATED
        if counted is not None and counted.outdated
        else tag_of_use(
            file.checked or file.line,
            counted.reach if counted else None,
            file.today,
            check_again=shown.newer is not None,
        ),
        until=reach_words(counted.reach if counted is not None else file.line.reach or NOTHING, file.today),
        checked=file.checked,
        viewer=viewer(
            file.line,
            file.place,
            picture="lab_evidence.picture",
            quote=shown.quote,
            aside=False,
            rests=file.rests,
        ),
        also=tuple((number, keys[number]) for number in shown.also if number in keys),
        opened=file.opened,
        words=file.words,
        unread=file.unread,
    )


def _words(tx: Tx, evidence_id: UUID, answer: AnswerPage) -> tuple[tuple[tuple[str, tuple[int, ...]], ...], str]:
    """Return which words of the answer stand where in the file; or why its text cannot be looked into."""
    known = reading.reading_of(tx, evidence_id)
    if known is None or answer.now is None:
        return (), ""
    if known.state is ReadingState.WAITING:
        return (), "Its text is being read. Look again in a moment"
    if known.state is not ReadingState.READ:
        return (), known.reason
    words = telling_words(answer.now, answer.comment)
    name = (evidence_id, known.read_at, words)
    return _found.of(name, lambda: pages_with(words, reading.page_texts(tx, evidence_id))), ""

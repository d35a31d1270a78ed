"""The evidence beside an answer: the file at the page that the vendor named, what stands in it, what else it backs."""

from __future__ import annotations

from dataclasses import dataclass
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
from portal.sites.shared.pages import actor, begin
from portal.sites.shared.viewer import Place, Viewer, viewer
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


def pane(read: Reading, answer: AnswerPage, shown: CitedFile | None, *, kept: dict[str, str]) -> Pane | None:
    """Return the pane of the file that is shown, None where there is none; call it between transactions."""
    if shown is None:
        return None
    with begin() as tx:
        try:
            service.get(tx, shown.evidence_id, Action.EVIDENCE_READ)
        except (NotFound, Forbidden):
            return None
        line = queries.line(tx, shown.evidence_id)
        counted = shown.counts
        checked = queries.line(tx, counted.evidence_id) if counted is not None and counted.checked else None
        today = tx.now.date()
        opened = openings.times_of(tx, shown.evidence_id, actor().id)
        words, unread = _words(tx, shown.evidence_id, answer)
    keys = {each.number: each.key for group in read.groups for each in group.lines}
    place = Place(
        "lab_workspace.show",
        {"review_id": read.head.id},
        {"q": answer.question.key, "file": str(shown.citation_id), **kept},
        anchor="evidence",
        first=shown.first_page,
    )
    return Pane(
        tag=OUTDATED
        if counted is not None and counted.outdated
        else tag_of_use(
            checked or line, counted.reach if counted else None, today, check_again=shown.newer is not None
        ),
        until=reach_words(counted.reach if counted is not None else line.reach or NOTHING, today),
        checked=checked,
        viewer=viewer(line, place, picture="lab_evidence.picture", quote=shown.quote, aside=False),
        also=tuple((number, keys[number]) for number in shown.also if number in keys),
        opened=opened,
        words=words,
        unread=unread,
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

"""The evidence beside an answer: the file at the page that the vendor named, what stands in it, what else it backs."""

from __future__ import annotations

from dataclasses import dataclass

from portal.evidence import openings, queries, service
from portal.evidence.queries import LibraryLine
from portal.evidence.rules import NEVER, Reach
from portal.kernel.errors import Forbidden, NotFound
from portal.policy import Action
from portal.reviews.service import CitedFile
from portal.sites.lab.workspace.reading import Reading
from portal.sites.shared.evidence import Tag, reach_words, tag_of_use
from portal.sites.shared.pages import actor, begin
from portal.sites.shared.viewer import Place, Viewer, viewer

OUTDATED: Tag = ("Said of an earlier answer", "t-bad", "history")
NOTHING = Reach(verified=False, verified_until=NEVER, valid_until=NEVER)


@dataclass(frozen=True, slots=True)
class Pane:
    """What stands beside the answer. ``also``: the other answers that the file backs, each by number and key.

    ``tag`` and ``until`` say what the use counts as, by the rule of the score; ``checked`` is the newer revision that
    counts instead of the file that was signed with.
    """

    viewer: Viewer
    tag: Tag
    until: str
    checked: LibraryLine | None
    also: tuple[tuple[str, str], ...]
    opened: int


def pane(reading: Reading, key: str, shown: CitedFile | None) -> Pane | None:
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
    keys = {each.number: each.key for group in reading.groups for each in group.lines}
    place = Place(
        "lab_workspace.show",
        {"review_id": reading.head.id},
        {"q": key, "file": str(shown.citation_id)},
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
    )

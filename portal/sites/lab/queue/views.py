"""The queue: what waits, for whom, for how long; a preview of one review; and the shell of every lab page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.assessments import waits
from portal.identity import queries as people
from portal.kernel.ledger import Tx
from portal.policy import Action, may_ever
from portal.reviews import service as reviews
from portal.reviews.queries import Count, ReviewLine
from portal.reviews.rules import KIND_WORDS, ME, NOBODY, SIGNAL_WORDS, SORT_WORDS, VIEW_WORDS, Cursor, View, Wanted
from portal.reviews.views import ViewLine
from portal.sites.lab import shell
from portal.sites.lab.queue.previewing import Preview, preview_of
from portal.sites.shared.door import does
from portal.sites.shared.pages import begin, page
from portal.terms import DATA_CLASS_WORDS, Role

bp = Blueprint("lab_queue", __name__)
bp.before_app_request(shell.count)
bp.app_context_processor(shell.context)

ROWS = 25
EMPTY = {
    View.ALL: "Nothing waits for the lab.",
    View.MINE: "You have no review. Claim one under Unassigned.",
    View.UNCLAIMED: "Every review has somebody. What vendors sign next appears here.",
    View.TIER_1: "No review of tier 1 waits for the lab.",
    View.VENDOR: "No vendor has questions to answer. A review you send back appears here until it is signed again.",
    View.DECIDE: "No review is finished and undecided.",
    View.COSIGN: "No decision waits for a second signature.",
    View.SNOOZED: "No review is snoozed.",
}
SIGNAL_ICONS = {
    "knock_out_failed": "shield-alert",
    "finding_high": "flag",
    "escalated": "users",
    "contradiction": "scan-line",
    "knock_out_open": "message-circle-question-mark",
    "evidence_missing": "file-x",
    "evidence_expired": "file-clock",
    "went_down": "trending-down",
}
TONES = {"stop": "c-bad", "watch": "c-warn", "asked": "c-ask"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for, and addresses that ask for something else. What it says wrongly is left out."""

    wanted: Wanted
    after: Cursor | None
    show: str

    def link(self, **changes: Any) -> str:
        """Return the address of the list with something changed, from its first row on."""
        return address(replace(self.wanted, **changes))

    def row(self, review_id: UUID) -> str:
        """Return the address of this page with a row chosen."""
        return address(self.wanted, after=self.after.written() if self.after else "", show=str(review_id))

    def page(self, after: Cursor) -> str:
        """Return the address of the page that begins after a row."""
        return address(self.wanted, after=after.written())

    @property
    def news(self) -> str:
        """Return where this page asks what changed meanwhile."""
        parts = self.wanted.written() | ({"after": self.after.written()} if self.after else {})
        return url_for("lab_queue.news") + (f"?{urlencode(parts)}" if parts else "")


def address(wanted: Wanted, **more: str) -> str:
    """Return the address of a list of the queue."""
    parts = wanted.written() | {name: value for name, value in more.items() if value}
    return url_for("lab_queue.queue") + (f"?{urlencode(parts)}" if parts else "")


@dataclass(frozen=True, slots=True)
class Tab:
    """A view with its count; ``id`` of a person's own."""

    words: str
    href: str
    count: Count
    is_current: bool
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values of a filter."""

    words: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter: what it narrows by, what it says now, and what else it can say."""

    name: str
    said: str
    is_on: bool
    choices: tuple[Choice, ...]


@bp.get("/lab")
@does(Action.VENDOR_READ)
def lab() -> ResponseReturnValue:
    """Go to where the reader's work is."""
    if may_ever(g.actor, Action.REVIEW_READ):
        return redirect(url_for(".queue"))
    return redirect("/lab/vendors")


@bp.get("/lab/queue")
@does(Action.REVIEW_READ)
def queue() -> ResponseReturnValue:
    """Show what waits, first due first."""
    return _queue(Wanted.read(request.args))


@bp.get("/lab/reviews")
@does(Action.REVIEW_READ)
def mine() -> ResponseReturnValue:
    """Show the reader's own reviews."""
    return _queue(replace(Wanted.read(request.args), view=View.MINE), active="reviews")


@bp.get("/news/queue")
@does(Action.REVIEW_READ)
def news() -> ResponseReturnValue:
    """Show the list as it is now, for a page that compares it with what it shows; to ask is not to use the session."""
    asked = _asked(Wanted.read(request.args))
    with begin() as tx:
        return page("lab/queue/_list.html", **_listed(tx, asked))


@bp.get("/lab/queue/preview/<uuid:review_id>")
@does(Action.REVIEW_READ)
def preview(review_id: UUID) -> ResponseReturnValue:
    """Show the preview of one review, for a page that has the list already."""
    with begin() as tx:
        review = reviews.get(tx, review_id, Action.REVIEW_READ)
        lines = [each for each in reviews.lines(tx, [review.assessment_id]) if each.id == review_id]
        chosen = lines[0] if lines else None
        shown = preview_of(tx, chosen) if chosen is not None else None
        return page("lab/queue/_preview.html", chosen=chosen, preview=shown, **_said(tx.now))


def _queue(wanted: Wanted, *, active: str = "queue") -> str:
    asked = _asked(wanted)
    with begin() as tx:
        listed = _listed(tx, asked)
        chosen, shown = _chosen(tx, listed["lines"], asked.show)
        wait = waits.usual_wait(tx)
        coming = reviews.coming(tx) if not listed["lines"] and not wanted.is_narrowed else ()
        return page(
            "lab/queue/queue.html",
            active=active,
            filters=_filters(tx, wanted),
            chosen=chosen,
            preview=shown,
            wait=wait,
            coming=coming,
            sorts=[(words, asked.link(sort=sort), sort is wanted.sort) for sort, words in SORT_WORDS.items()],
            empty=EMPTY[wanted.view],
            narrowed=_narrowed_by(tx, wanted),
            may_keep=may_ever(g.actor, Action.VIEW_KEEP),
            **listed,
        )


def _listed(tx: Tx, asked: Asked) -> dict[str, Any]:
    """Return the list, its tabs and their counts: four statements, however long the list is."""
    own = reviews.own_views(tx)
    views = [Wanted(view=each) for each in View]
    counts, overdue = reviews.count(tx, [*views, *(each.wanted for each in own), asked.wanted])
    *of_views, total = counts
    found = reviews.page(tx, asked.wanted, after=asked.after, limit=ROWS)
    return {
        "asked": asked,
        "lines": found.lines,
        "onward": asked.page(found.onward) if found.onward else "",
        "tabs": _tabs(asked.wanted, own, of_views),
        "total": total,
        "open": of_views[0],
        "overdue": overdue,
        **_said(tx.now),
    }


def _said(now: datetime) -> dict[str, Any]:
    return {
        "now": now,
        "signal_icons": SIGNAL_ICONS,
        "tones": TONES,
        "may_assign": may_ever(g.actor, Action.REVIEW_ASSIGN),
        "may_decide": may_ever(g.actor, Action.DECISION_PROPOSE),
        "may_claim": may_ever(g.actor, Action.REVIEW_CLAIM),
        "may_pick": may_ever(g.actor, Action.REVIEW_CLAIM) or may_ever(g.actor, Action.REVIEW_SNOOZE),
    }


def _tabs(wanted: Wanted, own: Sequence[ViewLine], counts: Sequence[Count]) -> list[Tab]:
    """Return the views that everybody has and the reader's own; what nobody snoozed is no tab."""
    plain = replace(wanted, sort=Wanted().sort)
    mine = next((each for each in own if each.wanted == wanted), None)
    tabs = [
        Tab(VIEW_WORDS[view], address(Wanted(view=view)), count, mine is None and plain.view is view)
        for view, count in zip(View, counts, strict=False)
        if view is not View.SNOOZED or count.number or wanted.view is View.SNOOZED
    ]
    return [
        *tabs,
        *(
            Tab(each.name, address(each.wanted), count, mine is not None and each.id == mine.id, each.id)
            for each, count in zip(own, counts[len(View) :], strict=True)
        ),
    ]


def _chosen(tx: Tx, lines: Sequence[ReviewLine], show: str) -> tuple[ReviewLine | None, Preview | None]:
    """Return the row that the address names, else the first, with its preview."""
    found = next((line for line in lines if str(line.id) == show), lines[0] if lines else None)
    return found, preview_of(tx, found) if found is not None else None


def _filters(tx: Tx, wanted: Wanted) -> list[Filter]:
    def made(name: str, field: str, choices: Sequence[tuple[str, Any]], nothing: Any) -> Filter:
        now = getattr(wanted, field)
        said = next((words for words, value in choices if value == now), "any")
        listed = [("any", nothing), *choices]
        return Filter(
            name,
            said,
            now != nothing,
            tuple(Choice(words, address(replace(wanted, **{field: value})), value == now) for words, value in listed),
        )

    return [
        made("Tier", "tier", [(str(tier), tier) for tier in (1, 2, 3)], None),
        made("Kind", "kind", [(words, kind) for kind, words in KIND_WORDS.items()], None),
        made("Reviewer", "who", _reviewers(tx), ""),
        made("Signals", "signal", [(words, kind) for kind, words in SIGNAL_WORDS.items()], ""),
        made(
            "Data class",
            "data_class",
            [(f"{each.name} {words}", int(each)) for each, words in DATA_CLASS_WORDS.items()],
            None,
        ),
    ]


def _reviewers(tx: Tx) -> list[tuple[str, str]]:
    judges = [
        (each.full_name, str(each.id))
        for each in people.lab_people(tx, active_only=True)
        if {Role.REVIEWER, Role.LEAD_APPROVER} & set(each.roles) and each.id != g.actor.id
    ]
    return [("me", ME), ("nobody yet", NOBODY), *judges]


def _narrowed_by(tx: Tx, wanted: Wanted) -> list[str]:
    """Return the filters that are on, in words, for a list that they leave empty."""
    if not wanted.is_narrowed:
        return []
    return [
        f"{each.name.lower()} {each.said.lower() if each.said in {'me', 'nobody yet'} else each.said}"
        for each in _filters(tx, wanted)
        if each.is_on
    ]


def _asked(wanted: Wanted) -> Asked:
    return Asked(
        wanted=wanted, after=Cursor.read(request.args.get("after", "")[:80]), show=request.args.get("show", "")
    )

"""The queue: what waits, for whom, for how long; and the shell of every lab page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.kernel.actor import Actor
from portal.policy import Action, may_ever
from portal.reviews import queries as reviews
from portal.reviews.queries import ReviewLine
from portal.reviews.rules import STAGE_WORDS, Stage
from portal.scoring.rules import Recommendation
from portal.sites.lab import shell
from portal.sites.lab.score_words import RECOMMENDATION_TONES, RECOMMENDATION_WORDS
from portal.sites.shared.door import does
from portal.sites.shared.pages import begin, page

bp = Blueprint("lab_queue", __name__, url_prefix="/lab")
bp.before_app_request(shell.count)
bp.app_context_processor(shell.context)

Keep = Callable[[ReviewLine, Actor], bool]

TABS: Mapping[str, tuple[str, Keep]] = {
    "all": ("By time left", lambda line, _actor: line.is_open),
    "mine": ("Mine", lambda line, actor: line.is_open and line.reviewer_id == actor.id),
    "unclaimed": ("Unclaimed", lambda line, _actor: line.stage is Stage.NEW),
    "vendor": ("With vendor", lambda line, _actor: line.stage is Stage.WITH_VENDOR),
    "decide": ("To decide", lambda line, _actor: line.stage is Stage.TO_DECIDE),
    "cosign": ("To co-sign", lambda line, _actor: line.stage is Stage.TO_COSIGN),
}
EMPTY = {
    "all": "Nothing waits. What vendors sign next appears here.",
    "mine": "You have no review. Claim one under Unclaimed.",
    "unclaimed": "Every review has somebody. What vendors sign next appears here.",
    "vendor": "No vendor has questions to answer. A review you send back appears here until it is signed again.",
    "decide": "No review is finished and undecided.",
    "cosign": "No decision waits for a second signature.",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for. What it says wrongly is ignored, as if it were not there."""

    tab: str
    tier: int | None
    stage: Stage | None
    q: str
    show: str

    def link(self, **changes: Any) -> str:
        """Return the address with something changed; the selected row does not stay when the list changes."""
        values: dict[str, Any] = {
            "tab": self.tab if self.tab != "all" else None,
            "tier": self.tier,
            "state": self.stage.value if self.stage else None,
            "q": self.q or None,
            **changes,
        }
        return url_for("lab_queue.queue", **{key: value for key, value in values.items() if value is not None})

    @property
    def narrowed(self) -> bool:
        """Whether a filter beyond the tab is on."""
        return bool(self.tier or self.stage or self.q)


@bp.get("")
@does(Action.VENDOR_READ)
def lab() -> ResponseReturnValue:
    """Go to where the reader's work is."""
    if may_ever(g.actor, Action.REVIEW_READ):
        return redirect(url_for(".queue"))
    return redirect("/lab/vendors")


@bp.get("/queue")
@does(Action.REVIEW_READ)
def queue() -> ResponseReturnValue:
    """Show what waits, first due first."""
    return _queue(request.args.get("tab", "all"))


@bp.get("/reviews")
@does(Action.REVIEW_READ)
def mine() -> ResponseReturnValue:
    """Show the reader's own reviews."""
    return _queue(request.args.get("tab", "mine"), active="reviews")


def _queue(tab: str, *, active: str = "queue") -> str:
    asked = _asked(tab)
    with begin() as tx:
        lines = reviews.queue(tx)
        now = tx.now
    counts = {key: sum(keep(line, g.actor) for line in lines) for key, (_, keep) in TABS.items()}
    shown = narrowed([line for line in lines if TABS[asked.tab][1](line, g.actor)], asked)
    selected = next((line for line in shown if str(line.id) == asked.show), shown[0] if shown else None)
    return page(
        "lab/queue/queue.html",
        active=active,
        asked=asked,
        tabs=[(words, asked.link(tab=key), counts[key], key == asked.tab) for key, (words, _) in TABS.items()],
        lines=shown,
        now=now,
        selected=selected,
        chosen=bool(asked.show),
        overdue=sum(line.overdue(now) for line in lines),
        open_count=counts["all"],
        stages=STAGE_WORDS,
        empty=EMPTY[asked.tab],
        recommendation_words={each.value: words for each, words in RECOMMENDATION_WORDS.items()},
        recommendation_tones={each.value: RECOMMENDATION_TONES[Recommendation(each.value)] for each in Recommendation},
        may_claim=may_ever(g.actor, Action.REVIEW_CLAIM),
        may_assign=may_ever(g.actor, Action.REVIEW_ASSIGN),
        may_decide=may_ever(g.actor, Action.DECISION_PROPOSE),
    )


def narrowed(lines: Sequence[ReviewLine], asked: Asked) -> list[ReviewLine]:
    """Return the lines that the filters leave, in their order."""
    words = asked.q.casefold().split()
    return [
        line
        for line in lines
        if (asked.tier is None or line.tier == asked.tier)
        and (asked.stage is None or line.stage is asked.stage)
        and all(word in line.vendor.casefold() for word in words)
    ]


def _asked(tab: str) -> Asked:
    tier = request.args.get("tier", "")
    stage = request.args.get("state", "")
    return Asked(
        tab=tab if tab in TABS else "all",
        tier=int(tier) if tier in {"1", "2", "3"} else None,
        stage=Stage(stage) if stage in set(Stage) else None,
        q=request.args.get("q", "").strip()[:100],
        show=request.args.get("show", ""),
    )

"""watch_evidence: by night, scores that changed with their evidence are stored, and reviewers hear what is worse."""

from __future__ import annotations

from collections.abc import Sequence

from portal.jobs import recipients
from portal.jobs.tools import House, Job, Pace
from portal.kernel.actor import system
from portal.reviews import lapsing
from portal.reviews.lapsing import Lapse
from portal.scoring.rules import display
from portal.terms import Role

WATCH = "watch_evidence"


def watch_evidence(house: House, *, timestamp: int = 0) -> None:  # noqa: ARG001 - every periodic job is given its moment
    """Look at every approval in force again. What holds never waits for this: it is computed when it is asked."""
    actor = system(WATCH)
    with house.ledger.begin(actor) as tx:
        watched = lapsing.in_force(tx)
    found = []
    for assessment_id in watched:
        with house.ledger.begin(actor) as tx:
            lapse = lapsing.look_again(tx, assessment_id)
        if lapse is not None:
            found.append(lapse)
    if found:
        _tell(house, found)


def _tell(house: House, lapses: Sequence[Lapse]) -> None:
    """Write one mail to each reviewer and lead approver, with all of the night in it."""
    with house.ledger.begin(system(WATCH)) as tx:
        context = {
            "on": tx.now.date(),
            "lapses": [
                {
                    "vendor_name": each.vendor,
                    "title": each.title,
                    "before": each.before.value,
                    "now": each.now.value,
                    "score_before": display(each.score_before),
                    "score_now": display(each.score_now),
                }
                for each in lapses
            ],
        }
        readers = recipients.of_lab(tx, {Role.REVIEWER, Role.LEAD_APPROVER})
        recipients.tell(tx, readers, "evidence_lapsed", context, f"evidence_lapsed:{tx.now.date().isoformat()}")


def jobs(pace: Pace) -> tuple[Job, ...]:
    """Return the jobs of this module that run by the clock."""
    return (Job(WATCH, watch_evidence, cron=pace.watch_cron),)

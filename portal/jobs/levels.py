"""watch_levels: the clock is asked whether a review's time runs out or is over, and it is said, each once."""

from __future__ import annotations

from portal.assessments.models import Assessment
from portal.jobs import recipients
from portal.jobs.recipients import Recipient
from portal.jobs.tools import House, Job, Pace
from portal.kernel.actor import system
from portal.kernel.ledger import Tx
from portal.reviews import service_levels
from portal.reviews.models import Review
from portal.reviews.rules.levels import Stage
from portal.terms import AssessmentState, Role
from portal.vendors.models import Vendor

WATCH = "watch_levels"


def watch_levels(house: House, *, timestamp: int = 0) -> None:  # noqa: ARG001 - every periodic job is given its moment
    """Look at every review whose time runs. Run twice, or by two at once, it says all of it once (ux.md, e-mail 20)."""
    actor = system(WATCH)
    with house.ledger.begin(actor) as tx:
        running = service_levels.running(tx)
    for review_id in running:
        with house.ledger.begin(actor) as tx:
            stage = service_levels.notice(tx, review_id)
            if stage is not None:
                _tell(tx, tx.session.get_one(Review, review_id), stage)


def _tell(tx: Tx, review: Review, stage: Stage) -> None:
    assessment = tx.session.get_one(Assessment, review.assessment_id)
    context = {
        "vendor_name": tx.session.get_one(Vendor, review.vendor_id).name,
        "title": assessment.title,
        "tier": assessment.tier,
        "due_at": review.due_at,
        "review_id": review.id,
        "passed": stage is Stage.PASSED,
        "reviewer": recipients.name_of(tx, review.reviewer_id),
        "percent": service_levels.levels(tx).warn_at,
    }
    people = _concerned(tx, review, assessment, stage)
    recipients.tell(tx, people.values(), "service_level", context, f"service_level:{review.id}:{stage.value}")


def _concerned(tx: Tx, review: Review, assessment: Assessment, stage: Stage) -> dict[object, Recipient]:
    """Return who hears of it: whose review it is, every reviewer where it is nobody's; the leads when it is over.

    What is recommended waits for those who decide, so they hear of it from the first.
    """
    theirs = recipients.one(tx, review.reviewer_id) if review.reviewer_id else None
    people = [theirs] if theirs is not None else list(recipients.of_lab(tx, {Role.REVIEWER}))
    if stage is Stage.PASSED or assessment.state is AssessmentState.RECOMMENDED:
        people += recipients.of_lab(tx, {Role.LEAD_APPROVER})
    return {each.id: each for each in people}


def jobs(pace: Pace) -> tuple[Job, ...]:
    """Return the jobs of this module that run by the clock."""
    return (Job(WATCH, watch_levels, cron=pace.levels_cron),)

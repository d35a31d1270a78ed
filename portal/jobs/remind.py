"""remind_due: vendors hear of a date at half time, seven and two days before, until they have signed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.assessments import queries as assessments
from portal.assessments.models import Assessment, SectionAssignment
from portal.assessments.queries import AssessmentLine
from portal.attestations import service as attestations
from portal.attestations.rules import Blocker, BlockerKind, progress
from portal.attestations.rules import blockers as blockers_of
from portal.delivery import rules
from portal.delivery import service as delivery
from portal.delivery.mails.work import Blocks, Left
from portal.jobs import recipients
from portal.jobs.recipients import Recipient
from portal.jobs.tools import House, Job, Pace
from portal.kernel.actor import system
from portal.kernel.ledger import Tx
from portal.terms import AssessmentState, Role
from portal.vendors.models import Vendor

REMIND = "remind_due"
BLOCKS = {
    BlockerKind.SCOPING: "scoping",
    BlockerKind.CONFIRM: "confirm",
    BlockerKind.ANSWER: "answer",
    BlockerKind.RULE: "rule",
    BlockerKind.EVIDENCE: "evidence",
    BlockerKind.EVIDENCE_REFUSED: "evidence",
    BlockerKind.EVIDENCE_CHECKING: "checking",
    BlockerKind.REPLY: "reply",
}
"""What blocks signing, as the mail counts it."""
FURTHEST = timedelta(days=366)


def remind_due(house: House, *, timestamp: int = 0) -> None:  # noqa: ARG001 - every periodic job is given its moment
    """Queue the reminders of today. Run twice, or by two at once, it reminds once: the key names person and stage."""
    actor = system(REMIND)
    with house.ledger.begin(actor) as tx:
        owed = assessments.owed(tx, due_by=(tx.now + FURTHEST).date())
    for line in owed:
        with house.ledger.begin(actor) as tx:
            _remind(tx, line)


def _remind(tx: Tx, line: AssessmentLine) -> None:
    today = tx.now.astimezone(UTC).date()
    stage = rules.stage_on(line.requested_at.astimezone(UTC).date(), line.due_on, today)
    # What was sent back has its own mail, and its own short way.
    if stage is None or line.state is AssessmentState.CHANGES_REQUESTED:
        return
    vendor = tx.session.get_one(Vendor, line.vendor_id)
    now = attestations.standing(tx, tx.session.get_one(Assessment, line.id))
    left = {
        each.key: Left(section_title=each.title, open=each.total - each.answered)
        for each in progress(now)
        if each.answered < each.total
    }
    blockers = blockers_of(now)
    given = _sections_given(tx, line.id)
    # Where nothing is left but the signature, it is the signatories who can finish it.
    roles = {Role.VENDOR_ADMIN, Role.RESPONDENT} if blockers else {Role.VENDOR_ADMIN, Role.SIGNATORY}
    for person in recipients.of_vendor(tx, vendor.id, roles):
        blocks = _blocks(blockers, person, given, waiting=len(now.waiting()))
        theirs = _theirs(left, person, given)
        # A respondent whose sections are done has nothing to hear; an admin hears until it is signed.
        if blockers and Role.VENDOR_ADMIN not in person.roles and not (theirs or blocks):
            continue
        delivery.send(
            tx,
            kind="reminder",
            to_address=person.email,
            to_name=person.full_name,
            user_id=person.id,
            vendor_id=vendor.id,
            context={
                "assessment_id": line.id,
                "vendor_name": vendor.name,
                "title": line.title,
                "due_on": line.due_on,
                "days_left": (line.due_on - today).days,
                "left": theirs,
                "blocks": blocks,
            },
            dedupe_key=f"reminder:{line.id}:{line.due_on.isoformat()}:{stage}:{person.id}",
        )


def _blocks(
    blockers: Sequence[Blocker], person: Recipient, given: Mapping[UUID, frozenset[str]], *, waiting: int
) -> list[Blocks]:
    """Count what blocks signing, by kind: all of it for an admin, else what is in the person's sections."""
    everything = Role.VENDOR_ADMIN in person.roles
    mine = [each for each in blockers if everything or each.section in given.get(person.id, frozenset())]
    counts = Counter(BLOCKS[each.kind] for each in mine)
    if counts["confirm"]:
        counts["confirm"] = waiting
    return [Blocks(kind=kind, number=counts[kind]) for kind in dict.fromkeys(BLOCKS.values()) if counts[kind]]


def _theirs(left: Mapping[str, Left], person: Recipient, given: Mapping[UUID, frozenset[str]]) -> list[Left]:
    """Return what concerns the person: everything for an admin, else the sections that are theirs."""
    everything = Role.VENDOR_ADMIN in person.roles
    return [each for key, each in left.items() if everything or key in given.get(person.id, frozenset())]


def _sections_given(tx: Tx, assessment_id: UUID) -> Mapping[UUID, frozenset[str]]:
    rows = tx.session.execute(
        sa.select(SectionAssignment.user_id, SectionAssignment.section).where(
            SectionAssignment.assessment_id == assessment_id, SectionAssignment.ended_at.is_(None)
        )
    )
    given: dict[UUID, frozenset[str]] = {}
    for user_id, section in rows:
        given[user_id] = given.get(user_id, frozenset()) | {section}
    return given


def jobs(pace: Pace) -> tuple[Job, ...]:
    """Return the jobs of this module that run by the clock."""
    return (Job(REMIND, remind_due, cron=pace.remind_cron),)

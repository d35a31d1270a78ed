"""Mails to reviewers about their queue: what waits today, time that runs out, what a machine points at. Pure."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from portal.delivery.rules import Button, Frame, Parts, count, moment


class QueueDigest(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for one person on a day. ``soon``: of their reviews, those due by the end of the next working day."""

    on: date
    mine: int = 0
    overdue: int = 0
    soon: int = 0
    unclaimed: int = 0
    late_unclaimed: int = 0
    to_sign: int = 0
    proofs: int = 0
    second_looks: int = 0
    weekly: bool = False


def queue_digest(this: QueueDigest, frame: Frame) -> Parts:
    """How much there is of what, what is late first (ux.md, e-mail 19)."""
    late = this.overdue + this.late_unclaimed
    waits = this.mine + this.to_sign + this.proofs + this.second_looks + this.unclaimed
    lines = (
        (this.overdue, "of your reviews is over its time", "of your reviews are over their time"),
        (
            this.soon,
            "of your reviews is due by the end of the next working day",
            "of your reviews are due by the end of the next working day",
        ),
        (this.mine, "review is yours in all", "reviews are yours in all"),
        (this.to_sign, "decision waits for your signature", "decisions wait for your signature"),
        (this.proofs, "finding has proof to look at", "findings have proof to look at"),
        (
            this.second_looks,
            "second look waits for somebody who took no part",
            "second looks wait for somebody who took no part",
        ),
        (
            this.late_unclaimed,
            "review that nobody took is over its time",
            "reviews that nobody took are over their time",
        ),
        (this.unclaimed, "review waits for somebody to take it", "reviews wait for somebody to take them"),
    )
    return Parts(
        subject=f"Start with {count(late, 'review')} over time"
        if late
        else f"Look at your queue: {count(waits, 'item')}",
        paragraphs=(f"This waits for you in {frame.lab_name}'s Gatehouse today.",),
        list_title="Today",
        items=tuple(f"{number:,} {one if number == 1 else many}" for number, one, many in lines if number),
        button=Button("Open your reviews", "/lab/reviews") if this.mine else Button("Open the queue", "/lab/queue"),
        why=f"You get this {'once a week' if this.weekly else 'every working day'}, when something waits for you. "
        "Under Your account, Mail, you choose what you hear of and when.",
    )


class ServiceLevel(msgspec.Struct, frozen=True, kw_only=True):
    """A review whose time runs out, or is over (``passed``). ``reviewer`` is empty where nobody took it."""

    vendor_name: str
    title: str
    tier: int
    due_at: datetime
    review_id: UUID
    passed: bool = False
    reviewer: str = ""
    percent: int = 80


def service_level(this: ServiceLevel, frame: Frame) -> Parts:
    """Which review, by when, and whose it is (ux.md, e-mail 20)."""
    whose = f"It is {this.reviewer}'s." if this.reviewer else "Nobody has taken it yet."
    return Parts(
        subject="Finish a review that is over its time" if this.passed else "Finish a review before its time is over",
        paragraphs=(
            f"The review of {this.vendor_name} is over the time that was agreed for its tier. {whose}"
            if this.passed
            else f"{this.percent} percent of the time for the review of {this.vendor_name} is used. {whose}",
        ),
        details=(
            ("Vendor", this.vendor_name),
            ("Assessment", this.title),
            ("Tier", str(this.tier)),
            ("Was due" if this.passed else "Due", moment(this.due_at)),
        ),
        button=Button("Open the review", f"/lab/reviews/{this.review_id}"),
        why=f"You get this because you review or decide at {frame.lab_name}, once for each review.",
    )


class ContradictionFound(msgspec.Struct, frozen=True, kw_only=True):
    """A machine points at contradictions in a signed revision."""

    vendor_name: str
    title: str
    review_id: UUID
    found: int = 1


def contradiction_found(this: ContradictionFound, frame: Frame) -> Parts:
    """How many there are; which is behind the sign-in (ux.md, e-mail 23)."""
    return Parts(
        subject=f"Look at {count(this.found, 'contradiction')} in a review",
        paragraphs=(
            f"What {this.vendor_name} signed does not agree with another answer, with a report, with what it signed "
            "before or with what it is engaged for. Each is shown beside its two sources. A person judges whether it "
            "matters.",
        ),
        details=(("Vendor", this.vendor_name), ("Assessment", this.title)),
        button=Button("Open the review", f"/lab/reviews/{this.review_id}"),
        why=f"You get this because you review for {frame.lab_name}.",
    )

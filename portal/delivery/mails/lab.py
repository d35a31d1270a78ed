"""Mails to the lab's people: what waits for them. Pure."""

from __future__ import annotations

from uuid import UUID

import msgspec

from portal.delivery.rules import Button, Frame, Parts, count


class NewSubmission(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor signed; a review waits. ``review_id`` is None where only the queue is known."""

    vendor_name: str
    title: str
    tier: int
    revision: int = 1
    review_id: UUID | None = None


def new_submission(this: NewSubmission, frame: Frame) -> Parts:
    """Who signed, and how much risk is in it."""
    again = this.revision > 1
    return Parts(
        subject="Review a signed assessment" + (" that came back" if again else " in the queue"),
        paragraphs=(
            f"{this.vendor_name} has signed {'its answers again' if again else 'its answers'}.",
            "It waits in the queue until somebody takes it.",
        ),
        details=(("Vendor", this.vendor_name), ("Assessment", this.title), ("Tier", str(this.tier))),
        button=Button("Open the review", f"/lab/reviews/{this.review_id}")
        if this.review_id is not None
        else Button("Open the queue", "/lab/queue"),
        why=f"You get this because you review for {frame.lab_name}.",
    )


class ReplyReceived(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor answered in a thread of a review."""

    vendor_name: str
    title: str
    review_id: UUID | None = None
    replies: int = 1


def reply_received(this: ReplyReceived, frame: Frame) -> Parts:
    """That there is a reply; what it says is behind the sign-in (ux.md, e-mails 8 and 21)."""
    return Parts(
        subject=f"Read {count(this.replies, 'reply', 'replies')} to your review",
        paragraphs=(f"{this.vendor_name} has replied in a review of yours.",),
        details=(("Vendor", this.vendor_name), ("Assessment", this.title)),
        button=Button("Open the review", f"/lab/reviews/{this.review_id}")
        if this.review_id is not None
        else Button("Open the queue", "/lab/queue"),
        why=f"You get this because this review at {frame.lab_name} is yours.",
    )


class CoSign(msgspec.Struct, frozen=True, kw_only=True):
    """A decision needs a second person."""

    vendor_name: str
    title: str
    tier: int
    proposed_by: str


def cosign(this: CoSign, frame: Frame) -> Parts:
    """Who proposed it, for which vendor; the decision itself is behind the sign-in (ux.md, e-mail 22)."""
    return Parts(
        subject="Confirm or withhold a proposed decision",
        paragraphs=(
            f"{this.proposed_by} has proposed a decision on {this.vendor_name}. It counts once a second person has "
            "signed the same text.",
        ),
        details=(("Vendor", this.vendor_name), ("Assessment", this.title), ("Tier", str(this.tier))),
        button=Button("Read what to sign", "/lab/cosign"),
        why=f"You get this because you may confirm decisions at {frame.lab_name}.",
    )

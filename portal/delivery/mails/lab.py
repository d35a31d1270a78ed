"""Mails to the lab's people: what waits for them. Pure."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec

from portal.delivery.rules import Button, Frame, Parts, count, day


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
    assessment_id: UUID | None = None
    replies: int = 1


def reply_received(this: ReplyReceived, frame: Frame) -> Parts:
    """That there is a message; what it says is behind the sign-in (ux.md, e-mails 8 and 21)."""
    reviewed = this.review_id is not None
    return Parts(
        subject=f"Read {count(this.replies, 'reply', 'replies')} to your review"
        if reviewed
        else "Answer a vendor's question",
        paragraphs=(
            f"{this.vendor_name} has replied in a review of yours."
            if reviewed
            else f"{this.vendor_name} has written to you about what it is asked. No review has begun yet.",
        ),
        details=(("Vendor", this.vendor_name), ("Assessment", this.title)),
        button=Button("Open the review", f"/lab/reviews/{this.review_id}")
        if reviewed
        else Button("Read and answer", "/lab/messages"),
        why=f"You get this because this review at {frame.lab_name} is yours."
        if reviewed
        else f"You get this because you answer this vendor's questions for {frame.lab_name}.",
    )


class ProofReceived(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor sent proof for findings."""

    vendor_name: str
    title: str
    waiting: int = 1


def proof_received(this: ProofReceived, frame: Frame) -> Parts:
    """That there is proof to look at (ux.md, e-mail 21)."""
    return Parts(
        subject=f"Look at proof for {count(this.waiting, 'finding', 'findings')}",
        paragraphs=(f"{this.vendor_name} has sent proof that what was found is put right.",),
        details=(("Vendor", this.vendor_name), ("Assessment", this.title)),
        button=Button("Open the findings", "/lab/findings"),
        why=f"You get this because you review for {frame.lab_name}.",
    )


class SecondLookAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor asks for a second look at a decision."""

    second_look_id: UUID
    vendor_name: str
    title: str
    due_on: date


def second_look_asked(this: SecondLookAsked, frame: Frame) -> Parts:
    """Whose decision, and by when it is answered."""
    return Parts(
        subject="Take a second look at a decision",
        paragraphs=(
            f"{this.vendor_name} asks that somebody who took no part in the decision looks at it again.",
            "Whoever takes it first answers it.",
        ),
        details=(("Vendor", this.vendor_name), ("Assessment", this.title), ("Answer by", day(this.due_on))),
        button=Button("Open the second look", f"/lab/appeals/{this.second_look_id}"),
        why=f"You get this because you took no part in this decision of {frame.lab_name}.",
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


class Lapsed(msgspec.Struct, frozen=True, kw_only=True):
    """One approved vendor whose score or recommendation fell; recommendations by their keys, scores as shown."""

    vendor_name: str
    title: str
    before: str
    now: str
    score_before: str
    score_now: str


class EvidenceLapsed(msgspec.Struct, frozen=True, kw_only=True):
    """What was found to be worse on a day."""

    on: date
    lapses: list[Lapsed]


MOST_NAMED = 20


def evidence_lapsed(this: EvidenceLapsed, frame: Frame) -> Parts:
    """Whose score fell, from what to what; why is behind the sign-in."""
    named = tuple((each.vendor_name, _fell(each)) for each in this.lapses[:MOST_NAMED])
    more = len(this.lapses) - len(named)
    return Parts(
        subject=f"See what lapsed at {count(len(this.lapses), 'approved vendor')}",
        paragraphs=(
            f"Evidence lapsed, was replaced or was rejected: these scores were lower on {day(this.on)} than when "
            "they were last written down. The gate has followed by itself where an approval rested on it.",
            *((f"{count(more, 'more vendor')} stand on the list.",) if more else ()),
        ),
        details=named,
        button=Button("Open the vendors", "/lab/vendors"),
        why=f"You get this because you review or decide at {frame.lab_name}.",
    )


def _fell(this: Lapsed) -> str:
    scores = f"{this.score_before} → {this.score_now}"
    if this.before == this.now:
        return f"{this.title}: {scores}, still {WORDS[this.now]}"
    return f"{this.title}: {scores}, {WORDS[this.before]} → {WORDS[this.now]}"


WORDS = {
    "incomplete": "incomplete",
    "reject": "reject",
    "hold": "hold",
    "conditional": "approve with conditions",
    "approve": "approve",
}
"""Recommendations inside a sentence, by their keys."""

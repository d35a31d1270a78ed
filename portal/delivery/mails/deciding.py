"""Mails to those who decide: what fell, what ends soon, what is put before them, what came back. Pure."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec

from portal.delivery.rules import Button, Frame, Parts, day


class ProposalFell(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed decision will not be signed. ``declined_by`` is empty where nobody declined it."""

    vendor_name: str
    title: str
    number: int
    decision_id: UUID
    review_id: UUID | None = None
    declined_by: str = ""


def proposal_fell(this: ProposalFell, frame: Frame) -> Parts:
    """That it fell, and by whom; the reason is behind the sign-in."""
    return Parts(
        subject="Look at a proposal that fell",
        paragraphs=(
            f"{this.declined_by} has declined D-{this.number}, your proposal on {this.vendor_name}."
            if this.declined_by
            else f"D-{this.number}, a proposal of yours on {this.vendor_name}, does not hold any more.",
            "Nothing changed at the gate. The review waits for a decision again, with the reason as a note on it.",
        ),
        details=(("Vendor", this.vendor_name), ("Assessment", this.title)),
        button=Button("Read why", f"/lab/decisions/{this.decision_id}"),
        why=f"You get this because you proposed this decision at {frame.lab_name}.",
    )


class ProposalEnding(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed decision waits for a signature and ends soon, or has ended."""

    vendor_name: str
    title: str
    number: int
    decision_id: UUID
    ends_on: date
    ended: bool = False


def proposal_ending(this: ProposalEnding, frame: Frame) -> Parts:
    """Until when it can be signed; nothing changes by its end."""
    return Parts(
        subject="Propose a decision again" if this.ended else "Sign a proposal before it ends",
        paragraphs=(
            f"D-{this.number} on {this.vendor_name} waited for a signature until {day(this.ends_on)}. Nobody can "
            "sign it any more, and nothing changed at the gate."
            if this.ended
            else f"D-{this.number} on {this.vendor_name} waits for a signature. After {day(this.ends_on)} nobody can "
            "sign it any more, and it has to be proposed again.",
        ),
        details=(("Vendor", this.vendor_name), ("Assessment", this.title)),
        button=Button("Open the proposal", f"/lab/decisions/{this.decision_id}"),
        why=f"You get this because you proposed it or may sign it at {frame.lab_name}.",
    )


class Escalated(msgspec.Struct, frozen=True, kw_only=True):
    """A review was put before lead approvers."""

    vendor_name: str
    title: str
    tier: int
    raised_by: str
    due_on: date
    review_id: UUID


def escalated(this: Escalated, frame: Frame) -> Parts:
    """Who asks, and by when; why is behind the sign-in."""
    return Parts(
        subject="Answer a review that is put before you",
        paragraphs=(
            f"{this.raised_by} puts a review of {this.vendor_name} before you and asks for an answer by "
            f"{day(this.due_on)}.",
            "Nothing is decided meanwhile, and the gate answers as before. You decide, or hand it back with words.",
        ),
        details=(
            ("Vendor", this.vendor_name),
            ("Assessment", this.title),
            ("Tier", str(this.tier)),
            ("Answer by", day(this.due_on)),
        ),
        button=Button("Open the review", f"/lab/reviews/{this.review_id}/decide"),
        why=f"You get this because you decide at {frame.lab_name} and were named.",
    )


class HandedBack(msgspec.Struct, frozen=True, kw_only=True):
    """What was put before somebody came back with words."""

    vendor_name: str
    title: str
    handed_back_by: str
    review_id: UUID


def handed_back(this: HandedBack, frame: Frame) -> Parts:
    """Who answered; what they say is behind the sign-in."""
    return Parts(
        subject="Read the answer to what you escalated",
        paragraphs=(f"{this.handed_back_by} has handed the review of {this.vendor_name} back to you, with an answer.",),
        details=(("Vendor", this.vendor_name), ("Assessment", this.title)),
        button=Button("Read the answer", f"/lab/reviews/{this.review_id}/decide"),
        why=f"You get this because you escalated this review at {frame.lab_name}.",
    )


class SecondWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody asked for what takes two: a pause to end, or an approval to be revoked."""

    vendor_name: str
    asked_by: str
    revokes: bool
    vendor_slug: str
    about_id: UUID | None = None


def second_wanted(this: SecondWanted, frame: Frame) -> Parts:
    """Who asked for what; why is behind the sign-in, and nothing changes before somebody confirms."""
    return Parts(
        subject="Confirm that an approval is revoked" if this.revokes else "Confirm that a pause ends",
        paragraphs=(
            f"{this.asked_by} asked to revoke an approval of {this.vendor_name}."
            if this.revokes
            else f"{this.asked_by} asked to end the pause of {this.vendor_name}.",
            "A second lead approver reads why and confirms. Until then nothing changes at the gate.",
        ),
        details=(("Vendor", this.vendor_name), ("Asked by", this.asked_by)),
        button=Button("Read why", f"/lab/vendors/{this.vendor_slug}/{'revoke' if this.revokes else 'resume'}"),
        why=f"You get this because you are a lead approver at {frame.lab_name}.",
    )

"""Mails about a date that somebody asked to move. Pure."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec

from portal.delivery.mails.work import why
from portal.delivery.rules import Button, Frame, Parts, day, near_day
from portal.kernel.words import said


class MoreTimeAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor asks the lab for a later date."""

    assessment_id: UUID
    vendor_name: str
    vendor_slug: str
    title: str
    due_on: date
    wished_on: date
    asked_by: str


def more_time_asked(this: MoreTimeAsked, frame: Frame) -> Parts:
    """Who asks, and until when; why is behind the sign-in."""
    return Parts(
        subject="Answer a vendor that asks for more time",
        paragraphs=(f"{this.asked_by} of {this.vendor_name} asks for more time. The date stands until you answer.",),
        details=(
            ("Vendor", this.vendor_name),
            ("Assessment", this.title),
            ("Due", day(this.due_on)),
            ("Asked for", day(this.wished_on)),
        ),
        button=Button("Open the vendor", f"/lab/vendors/{this.vendor_slug}"),
        why=f"You get this because you ask vendors to attest at {frame.lab_name}.",
    )


class MoreTimeAnswered(msgspec.Struct, frozen=True, kw_only=True):
    """The lab agreed to a later date, or keeps the one it set."""

    assessment_id: UUID
    vendor_name: str
    title: str
    due_on: date
    agreed: bool


def more_time_answered(this: MoreTimeAnswered, frame: Frame) -> Parts:
    """By when it is due now."""
    by = near_day(this.due_on)
    first = (
        said("%(lab)s gives %(vendor)s more time.", lab=frame.lab_name, vendor=this.vendor_name)
        if this.agreed
        else said("%(lab)s keeps the date for %(vendor)s.", lab=frame.lab_name, vendor=this.vendor_name)
    )
    return Parts(
        subject=said("Finish by %(day)s: you have more time", day=by)
        if this.agreed
        else said("Finish by %(day)s: the date stays", day=by),
        paragraphs=(first,),
        details=((said("Assessment"), this.title), (said("Due"), day(this.due_on))),
        button=Button(said("Open the assessment"), f"/assessments/{this.assessment_id}"),
        why=why(this.vendor_name, frame),
    )

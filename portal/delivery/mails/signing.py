"""Mails between those who prepare answers and those who sign them: never an answer or a note in them. Pure."""

from __future__ import annotations

from uuid import UUID

import msgspec

from portal.delivery.rules import Button, Frame, Parts
from portal.kernel.words import said


class SentBack(msgspec.Struct, frozen=True, kw_only=True):
    """Who signs sent answers back with a note."""

    assessment_id: UUID
    vendor_name: str
    title: str
    sent_by: str


def sent_back(this: SentBack, frame: Frame) -> Parts:
    """Say who sent it back; what is to be looked at is behind the sign-in."""
    return Parts(
        subject=said("Look again at answers for %(lab)s", lab=frame.lab_name),
        paragraphs=(
            said(
                "%(person)s read the answers of %(vendor)s before signing and sent some back to you with a note.",
                person=this.sent_by,
                vendor=this.vendor_name,
            ),
            said("The note stands at the top of the assessment and beside the answers."),
        ),
        details=((said("Assessment"), this.title),),
        button=Button(said("Read the note"), f"/assessments/{this.assessment_id}#sent-back"),
        closing=(said("Everything else stays as it is."),),
        why=said(
            "You get this because you prepare answers in %(lab)s's assessment of %(vendor)s.",
            lab=frame.lab_name,
            vendor=this.vendor_name,
        ),
    )

"""Mails to a vendor about its access to the lab's data. Pure."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from portal.delivery.rules import Button, Frame, Parts, moment
from portal.kernel.words import said


class AccessPaused(msgspec.Struct, frozen=True, kw_only=True):
    """The lab paused a vendor."""

    vendor_name: str
    at: datetime
    pause_id: UUID | None = None


def access_paused(this: AccessPaused, frame: Frame) -> Parts:
    """Since when, and that no data may be touched (ux.md, e-mail 15)."""
    return Parts(
        subject=said("Stop work on %(lab)s's data: access is paused", lab=frame.lab_name),
        paragraphs=(
            said(
                "%(lab)s has paused the access of %(vendor)s to its data.", lab=frame.lab_name, vendor=this.vendor_name
            ),
            said("Stop work on it now and keep everything as it is: delete nothing, send nothing on."),
        ),
        details=((said("Since"), moment(this.at)),),
        button=Button(said("See your access"), "/"),
        closing=(said("A pause is not a decision on your assessment. Your answers and files stay as they are."),),
        why=_why(this.vendor_name, frame),
    )


class AccessRestored(msgspec.Struct, frozen=True, kw_only=True):
    """A pause ended."""

    vendor_name: str
    at: datetime
    pause_id: UUID | None = None


def access_restored(this: AccessRestored, frame: Frame) -> Parts:
    """Since when, and where to see for which data (ux.md, e-mail 15)."""
    return Parts(
        subject=said("See your access to %(lab)s's data: pause ended", lab=frame.lab_name),
        paragraphs=(
            said("%(lab)s has ended the pause of %(vendor)s.", lab=frame.lab_name, vendor=this.vendor_name),
            said("What you may work with is what was decided before, for as long as that is valid."),
        ),
        details=((said("Since"), moment(this.at)),),
        button=Button(said("See your access"), "/"),
        why=_why(this.vendor_name, frame),
    )


class ApprovalRevoked(msgspec.Struct, frozen=True, kw_only=True):
    """The lab took an approval of a vendor back. ``engagement`` is what the work is called."""

    vendor_name: str
    engagement: str
    at: datetime
    revocation_id: UUID | None = None


def approval_revoked(this: ApprovalRevoked, frame: Frame) -> Parts:
    """Since when, for which work, and that only a new decision opens it again (ux.md, e-mail 15)."""
    return Parts(
        subject=said("Stop work on %(lab)s's data: an approval was revoked", lab=frame.lab_name),
        paragraphs=(
            said(
                "%(lab)s has revoked the approval of %(vendor)s for %(engagement)s.",
                lab=frame.lab_name,
                vendor=this.vendor_name,
                engagement=this.engagement,
            ),
            said("Stop that work now and keep everything as it is: delete nothing, send nothing on."),
        ),
        details=((said("Since"), moment(this.at)),),
        button=Button(said("See your access"), "/"),
        closing=(said("Only a new decision of %(lab)s on a new assessment opens it again.", lab=frame.lab_name),),
        why=_why(this.vendor_name, frame),
    )


def _why(vendor_name: str, frame: Frame) -> str:
    return said(
        "You get this because you work on %(lab)s's assessment of %(vendor)s. It cannot be switched off.",
        lab=frame.lab_name,
        vendor=vendor_name,
    )


class IncidentQuestions(msgspec.Struct, frozen=True, kw_only=True):
    """The lab asks its vendors about an incident; ``number`` is the incident as people say it."""

    vendor_name: str
    number: str
    questions: int
    answer_by: datetime
    path: str = "/"


def incident_questions(this: IncidentQuestions, frame: Frame) -> Parts:
    """That it is about an incident, and until when; what is asked is behind the sign-in (ux.md, e-mail 14)."""
    return Parts(
        subject=said("Answer %(lab)s's incident questions within 48 h", lab=frame.lab_name),
        paragraphs=(
            said(
                "%(lab)s is looking into a security incident and asks every contractor that it may concern, "
                "%(vendor)s among them.",
                lab=frame.lab_name,
                vendor=this.vendor_name,
            ),
            said("Answer what you know now. You can add to it until the time below."),
        ),
        details=(
            (said("Incident"), this.number),
            (said("Questions"), f"{this.questions:,}"),
            (said("Answer by"), moment(this.answer_by)),
        ),
        button=Button(said("Answer the questions"), this.path),
        closing=(said("No answer counts as affected until we know better."),),
        why=_why(this.vendor_name, frame),
    )

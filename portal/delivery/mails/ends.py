"""Mails to a vendor about days that come near: a finding, evidence, an approval. Pure."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec

from portal.delivery.rules import Button, Frame, Parts, near_day
from portal.kernel.words import said, said_n


class FindingDue(msgspec.Struct, frozen=True, kw_only=True):
    """An open finding comes near its day, or is past it (``days_left`` below nought). ``number`` is F-1's 1."""

    finding_id: UUID
    number: int
    vendor_name: str
    due_on: date
    days_left: int


def finding_due(this: FindingDue, frame: Frame) -> Parts:
    """Which finding, until when; what is wrong is behind the sign-in (ux.md, e-mail 10)."""
    name = f"F-{this.number}"
    late = this.days_left < 0
    if late:
        subject = said("Send proof for finding %(finding)s: it is overdue", finding=name)
        first = said(
            "Finding %(finding)s in %(lab)s's assessment of %(vendor)s was due %(days)s.",
            finding=name,
            lab=frame.lab_name,
            vendor=this.vendor_name,
            days=said_n("%(num)s day ago", "%(num)s days ago", -this.days_left),
        )
    else:
        subject = said("Send proof for finding %(finding)s by %(day)s", finding=name, day=near_day(this.due_on))
        first = said(
            "Finding %(finding)s in %(lab)s's assessment of %(vendor)s is due %(days)s.",
            finding=name,
            lab=frame.lab_name,
            vendor=this.vendor_name,
            days=in_days(this.days_left),
        )
    return Parts(
        subject=subject,
        paragraphs=(
            first,
            said("One file that shows what the finding asks for closes it. No new questionnaire is needed."),
        ),
        details=((said("Finding"), name), (said("Due"), this.due_on)),
        button=Button(said("See what closes it"), f"/findings/{this.finding_id}"),
        closing=(said("These mails stop when you have sent proof."),),
        why=looks_after(this.vendor_name, frame),
    )


class ProofJudged(msgspec.Struct, frozen=True, kw_only=True):
    """The lab looked at the proof for a finding."""

    finding_id: UUID
    number: int
    vendor_name: str
    due_on: date | None = None


def proof_accepted(this: ProofJudged, frame: Frame) -> Parts:
    """Which finding is closed (ux.md, e-mail 11)."""
    name = f"F-{this.number}"
    return Parts(
        subject=said("See what is closed: proof for finding %(finding)s", finding=name),
        paragraphs=(
            said(
                "%(lab)s has accepted your proof for finding %(finding)s of %(vendor)s. The finding is closed.",
                lab=frame.lab_name,
                finding=name,
                vendor=this.vendor_name,
            ),
        ),
        details=((said("Finding"), name),),
        button=Button(said("See the finding"), f"/findings/{this.finding_id}"),
        why=looks_after(this.vendor_name, frame),
    )


def proof_returned(this: ProofJudged, frame: Frame) -> Parts:
    """Which finding needs another proof, until when; why is behind the sign-in (ux.md, e-mail 11)."""
    name = f"F-{this.number}"
    due = ((said("Due"), this.due_on),) if this.due_on is not None else ()
    return Parts(
        subject=said("Send another proof for finding %(finding)s", finding=name),
        paragraphs=(
            said(
                "%(lab)s has read your proof for finding %(finding)s of %(vendor)s, and it does not close it yet.",
                lab=frame.lab_name,
                finding=name,
                vendor=this.vendor_name,
            ),
            said("The page says what is still missing."),
        ),
        details=((said("Finding"), name), *due),
        button=Button(said("Read what is missing"), f"/findings/{this.finding_id}"),
        why=looks_after(this.vendor_name, frame),
    )


class SecondLookAnswered(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who took no part answered the vendor's wish for a second look."""

    outcome_id: UUID
    vendor_name: str
    title: str


def second_look_answered(this: SecondLookAnswered, frame: Frame) -> Parts:
    """That there is an answer; what it says is behind the sign-in."""
    return Parts(
        subject=said("Read the answer to your second look"),
        paragraphs=(
            said(
                "Somebody at %(lab)s who took no part in the decision on %(vendor)s has looked at it again.",
                lab=frame.lab_name,
                vendor=this.vendor_name,
            ),
        ),
        details=((said("Assessment"), this.title),),
        button=Button(said("Read the answer"), f"/results/{this.outcome_id}"),
        why=looks_after(this.vendor_name, frame),
    )


class EvidenceEnds(msgspec.Struct, frozen=True, kw_only=True):
    """Files of a vendor's library whose last day comes near; they are counted and not named."""

    evidence_ids: tuple[UUID, ...]
    vendor_name: str
    ends_on: date
    days_left: int


def evidence_ends(this: EvidenceEnds, frame: Frame) -> Parts:
    """How many files, and their last day (ux.md, e-mail 12)."""
    files = len(this.evidence_ids)
    return Parts(
        subject=said(
            "Replace %(files)s by %(day)s",
            files=said_n("%(num)s evidence file", "%(num)s evidence files", files),
            day=near_day(this.ends_on),
        ),
        paragraphs=(
            said_n(
                "%(num)s file in the evidence library of %(vendor)s ends %(days)s.",
                "%(num)s files in the evidence library of %(vendor)s end %(days)s.",
                files,
                vendor=this.vendor_name,
                days=in_days(this.days_left),
            ),
            said(
                "After that day it proves nothing, and an approval of %(lab)s that rests on it ends too.",
                lab=frame.lab_name,
            ),
        ),
        details=((said("Last day"), this.ends_on),),
        button=Button(said("Upload what comes next"), "/evidence"),
        closing=(said("A newer file takes its place in every answer that is still open."),),
        why=looks_after(this.vendor_name, frame),
    )


class ApprovalEnds(msgspec.Struct, frozen=True, kw_only=True):
    """An approval comes near its last day. ``by_evidence``: it ends early, with evidence that it rests on."""

    engagement_id: UUID
    vendor_name: str
    project: str
    ends_on: date
    days_left: int
    by_evidence: bool = False


def approval_ends(this: ApprovalEnds, frame: Frame) -> Parts:
    """For which work, and its last day (ux.md, e-mail 13)."""
    what = (
        said("It ends with the evidence that it rests on. Newer evidence keeps it.")
        if this.by_evidence
        else said("Access ends with it, unless a new assessment is decided before.")
    )
    return Parts(
        subject=said(
            "Keep your access to %(lab)s: approval ends %(day)s", lab=frame.lab_name, day=near_day(this.ends_on)
        ),
        paragraphs=(
            said(
                "%(lab)s's approval of %(vendor)s ends %(days)s.",
                lab=frame.lab_name,
                vendor=this.vendor_name,
                days=in_days(this.days_left),
            ),
            what,
        ),
        details=((said("For"), this.project), (said("Last day"), this.ends_on)),
        button=Button(said("See your evidence"), "/evidence")
        if this.by_evidence
        else Button(said("See your access"), "/"),
        why=looks_after(this.vendor_name, frame),
    )


def in_days(days: int) -> str:
    """Return "today", "in 1 day", "in 7 days"."""
    return said("today") if days == 0 else said_n("in %(num)s day", "in %(num)s days", days)


def looks_after(vendor_name: str, frame: Frame) -> str:
    """Return why somebody of the vendor gets a mail about its results."""
    return said(
        "You get this because you look after %(lab)s's assessment of %(vendor)s.",
        lab=frame.lab_name,
        vendor=vendor_name,
    )

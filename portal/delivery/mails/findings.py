"""Mails about what is agreed on a finding beside its proof: a plan, another day, an accepted risk. Pure."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec

from portal.delivery.mails.ends import looks_after
from portal.delivery.rules import Button, Frame, Parts, count, day, near_day
from portal.kernel.words import said


class PlanReceived(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor sent plans for findings of an assessment."""

    vendor_name: str
    title: str
    waiting: int = 1


def plan_received(this: PlanReceived, frame: Frame) -> Parts:
    """That there is a plan to agree to; what it says is behind the sign-in."""
    return Parts(
        subject=f"Answer {count(this.waiting, 'plan', 'plans')} for what was found",
        paragraphs=(
            f"{this.vendor_name} has said what it will do about what was found, and by when.",
            "You agree, or send it back with words. No due date moves by it.",
        ),
        details=(("Vendor", this.vendor_name), ("Assessment", this.title)),
        button=Button("Open the findings", "/lab/findings"),
        why=f"You get this because you follow this vendor's findings for {frame.lab_name}.",
    )


class RiskProposed(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody proposes that the lab lives with a finding until a day."""

    finding_id: UUID
    number: int
    vendor_name: str
    until: date
    proposed_by: str
    acceptance_id: UUID


def risk_proposed(this: RiskProposed, frame: Frame) -> Parts:
    """Who proposes it, for which finding, until when; why is behind the sign-in."""
    return Parts(
        subject="Confirm or decline an accepted risk",
        paragraphs=(
            f"{this.proposed_by} proposes that {frame.lab_name} lives with F-{this.number} of {this.vendor_name} until "
            f"{day(this.until)}.",
            "It counts once a second person has confirmed the same text. Until then the finding keeps closed what it "
            "keeps closed.",
        ),
        details=(
            ("Vendor", this.vendor_name),
            ("Finding", f"F-{this.number}"),
            ("Last day", day(this.until)),
        ),
        button=Button("Read what to confirm", f"/lab/findings/{this.finding_id}"),
        why=f"You get this because you may confirm it at {frame.lab_name}.",
    )


class Agreed(msgspec.Struct, frozen=True, kw_only=True):
    """The lab answered a vendor's plan, or set another due date."""

    finding_id: UUID
    number: int
    vendor_name: str
    due_on: date | None = None


def plan_agreed(this: Agreed, frame: Frame) -> Parts:
    """That the plan is agreed to, and that the due date is what it was."""
    name = f"F-{this.number}"
    return Parts(
        subject=said("See finding %(finding)s: your plan is agreed", finding=name),
        paragraphs=(
            said(
                "%(lab)s agrees to your plan for finding %(finding)s of %(vendor)s.",
                lab=frame.lab_name,
                finding=name,
                vendor=this.vendor_name,
            ),
            said("The due date stays what it is. Proof closes the finding."),
        ),
        details=_details(name, this.due_on),
        button=Button(said("See the finding"), f"/findings/{this.finding_id}"),
        why=looks_after(this.vendor_name, frame),
    )


def plan_returned(this: Agreed, frame: Frame) -> Parts:
    """That another plan is asked for; why is behind the sign-in."""
    name = f"F-{this.number}"
    return Parts(
        subject=said("Send another plan for finding %(finding)s", finding=name),
        paragraphs=(
            said(
                "%(lab)s has read your plan for finding %(finding)s of %(vendor)s and asks for another one.",
                lab=frame.lab_name,
                finding=name,
                vendor=this.vendor_name,
            ),
            said("The page says why. You can send proof instead."),
        ),
        details=_details(name, this.due_on),
        button=Button(said("Read what is missing"), f"/findings/{this.finding_id}"),
        why=looks_after(this.vendor_name, frame),
    )


class DueMoved(msgspec.Struct, frozen=True, kw_only=True):
    """The lab gave a finding another due date, or its first."""

    finding_id: UUID
    number: int
    vendor_name: str
    due_on: date
    was_due_on: date | None = None


def finding_due_moved(this: DueMoved, frame: Frame) -> Parts:
    """By when it is due now, and by when it was; the reason is behind the sign-in."""
    name = f"F-{this.number}"
    was = (said("It was due on %(day)s before.", day=this.was_due_on),) if this.was_due_on is not None else ()
    return Parts(
        subject=said("See the new due date of %(finding)s: %(day)s", finding=name, day=near_day(this.due_on)),
        paragraphs=(
            said(
                "%(lab)s gave finding %(finding)s of %(vendor)s another due date.",
                lab=frame.lab_name,
                finding=name,
                vendor=this.vendor_name,
            ),
            *was,
            said("A later due date does not move the day on which an approval ends."),
        ),
        details=_details(name, this.due_on),
        button=Button(said("See the finding"), f"/findings/{this.finding_id}"),
        why=looks_after(this.vendor_name, frame),
    )


class RiskAccepted(msgspec.Struct, frozen=True, kw_only=True):
    """The lab lives with a finding until a day."""

    finding_id: UUID
    number: int
    vendor_name: str
    until: date


def risk_accepted(this: RiskAccepted, frame: Frame) -> Parts:
    """That it keeps nothing closed until a day, and is still to be fixed."""
    name = f"F-{this.number}"
    return Parts(
        subject=said("See your access: %(finding)s keeps nothing closed for now", finding=name),
        paragraphs=(
            said(
                "%(lab)s lives with finding %(finding)s of %(vendor)s until %(day)s. Until then it keeps no access "
                "closed.",
                lab=frame.lab_name,
                finding=name,
                vendor=this.vendor_name,
                day=this.until,
            ),
            said("It is still to be fixed. When that day is over without proof, it closes the same access again."),
        ),
        details=((said("Finding"), name), (said("Last day"), this.until)),
        button=Button(said("See the finding"), f"/findings/{this.finding_id}"),
        why=looks_after(this.vendor_name, frame),
    )


class RiskRevoked(msgspec.Struct, frozen=True, kw_only=True):
    """The lab lives with a finding no more, before the day was over."""

    finding_id: UUID
    number: int
    vendor_name: str
    due_on: date | None = None


def risk_revoked(this: RiskRevoked, frame: Frame) -> Parts:
    """That what it kept closed is closed again, from now on."""
    name = f"F-{this.number}"
    return Parts(
        subject=said("Send proof for %(finding)s: it closes access again", finding=name),
        paragraphs=(
            said(
                "%(lab)s does not live with finding %(finding)s of %(vendor)s any more.",
                lab=frame.lab_name,
                finding=name,
                vendor=this.vendor_name,
            ),
            said("The access that it kept closed before is closed again from now on. Stop work that needs it."),
        ),
        details=_details(name, this.due_on),
        button=Button(said("See what closes it"), f"/findings/{this.finding_id}"),
        why=looks_after(this.vendor_name, frame),
    )


def _details(name: str, due_on: date | None) -> tuple[tuple[str, str | date], ...]:
    return ((said("Finding"), name), *(((said("Due"), due_on),) if due_on is not None else ()))

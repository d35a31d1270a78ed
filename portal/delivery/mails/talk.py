"""Mails to a vendor that gather: replies, who opened what, and the digest. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from uuid import UUID

import msgspec

from portal.delivery.rules import Button, Frame, Parts
from portal.kernel.words import Said, said, said_n


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The lab wrote in conversations of an assessment; ``keys`` are the questions, ``replies`` how many messages."""

    assessment_id: UUID
    vendor_name: str
    title: str
    replies: int
    keys: tuple[str, ...] = ()


def reply(this: Reply, frame: Frame) -> Parts:
    """How many there are; what they say is behind the sign-in (ux.md, e-mail 8)."""
    return Parts(
        subject=said(
            "Read %(replies)s from %(lab)s",
            replies=said_n("%(num)s message", "%(num)s messages", this.replies),
            lab=frame.lab_name,
        ),
        paragraphs=(
            said(
                "%(lab)s has written to you about its assessment of %(vendor)s.",
                lab=frame.lab_name,
                vendor=this.vendor_name,
            ),
        ),
        details=((said("Assessment"), this.title),),
        button=Button(said("Read and answer"), "/messages"),
        why=said(
            "You get this because you take part in a conversation about %(vendor)s, or have its section.",
            vendor=this.vendor_name,
        ),
    )


class EvidenceOpened(msgspec.Struct, frozen=True, kw_only=True):
    """How often the lab's people opened files of a vendor within a week that ended with ``until``."""

    vendor_name: str
    until: date
    openings: int
    files: int
    people: int


def evidence_opened(this: EvidenceOpened, frame: Frame) -> Parts:
    """How many people opened how many files; which and who is behind the sign-in (ux.md, e-mail 18)."""
    return Parts(
        subject=said("See who opened your evidence last week"),
        paragraphs=(
            said(
                "In the week until %(day)s, %(people)s of %(lab)s opened %(files)s of %(vendor)s.",
                day=this.until,
                people=said_n("%(num)s person", "%(num)s people", this.people),
                lab=frame.lab_name,
                files=said_n("%(num)s file", "%(num)s files", this.files),
                vendor=this.vendor_name,
            ),
            said("Each file says who opened it, when, and which pages."),
        ),
        details=((said("Openings"), f"{this.openings:,}"),),
        button=Button(said("See who opened what"), "/evidence"),
        why=_why(said("You get this summary once a week, when there is something to say.")),
    )


class Line(msgspec.Struct, frozen=True):
    """How many mails of one kind a digest stands for; ``number`` counts what was in them."""

    kind: str
    number: int


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """What happened since the digest before, counted. ``weekly``: once a week, else once a day."""

    on: date
    lines: tuple[Line, ...]
    weekly: bool = False
    side: str = "vendor"


LINES: Mapping[str, Callable[[int], Said]] = {
    "reply": lambda n: said_n("%(num)s message from the reviewers", "%(num)s messages from the reviewers", n),
    "section_given": lambda n: said_n("%(num)s section given to you", "%(num)s sections given to you", n),
    "asked_again": lambda n: said_n("%(num)s assessment asked again", "%(num)s assessments asked again", n),
    "receipt": lambda n: said_n("%(num)s assessment signed", "%(num)s assessments signed", n),
    "reminder": lambda n: said_n("%(num)s assessment is due soon", "%(num)s assessments are due soon", n),
    "finding_due": lambda n: said_n("%(num)s finding is due", "%(num)s findings are due", n),
    "evidence_ends": lambda n: said_n("%(num)s evidence file ends soon", "%(num)s evidence files end soon", n),
    "approval_ends": lambda n: said_n("%(num)s approval ends soon", "%(num)s approvals end soon", n),
    "proof_accepted": lambda n: said_n("%(num)s proof accepted", "%(num)s proofs accepted", n),
    "proof_returned": lambda n: said_n("%(num)s proof sent back", "%(num)s proofs sent back", n),
    "plan_agreed": lambda n: said_n("%(num)s plan agreed", "%(num)s plans agreed", n),
    "plan_returned": lambda n: said_n("%(num)s plan sent back", "%(num)s plans sent back", n),
    "finding_due_moved": lambda n: said_n(
        "%(num)s finding with another due date", "%(num)s findings with another due date", n
    ),
    "risk_accepted": lambda n: said_n(
        "%(num)s finding that keeps nothing closed for now", "%(num)s findings that keep nothing closed for now", n
    ),
    "risk_revoked": lambda n: said_n(
        "%(num)s finding that closes access again", "%(num)s findings that close access again", n
    ),
    "ready_to_sign": lambda n: said_n("%(num)s assessment to sign", "%(num)s assessments to sign", n),
    "questions": lambda n: said_n("%(num)s review with questions", "%(num)s reviews with questions", n),
    "decision": lambda n: said_n("%(num)s decision", "%(num)s decisions", n),
    "more_time_answered": lambda n: said_n(
        "%(num)s answer to your wish for more time", "%(num)s answers to your wishes for more time", n
    ),
    "sent_back": lambda n: said_n("%(num)s note from a signatory", "%(num)s notes from a signatory", n),
    "second_look_answered": lambda n: said_n("%(num)s second look answered", "%(num)s second looks answered", n),
    "more_time_asked": lambda n: said_n("%(num)s wish for more time", "%(num)s wishes for more time", n),
    "proof_received": lambda n: said_n("%(num)s finding with new proof", "%(num)s findings with new proof", n),
    "plan_received": lambda n: said_n("%(num)s plan to answer", "%(num)s plans to answer", n),
    "second_look_asked": lambda n: said_n("%(num)s second look asked for", "%(num)s second looks asked for", n),
    "reply_received": lambda n: said_n("%(num)s reply from a vendor", "%(num)s replies from vendors", n),
    "new_submission": lambda n: said_n("%(num)s assessment to review", "%(num)s assessments to review", n),
    "service_level": lambda n: said_n("%(num)s review whose time runs out", "%(num)s reviews whose time runs out", n),
    "contradiction_found": lambda n: said_n("%(num)s contradiction to look at", "%(num)s contradictions to look at", n),
}
"""What a digest says of each kind that it can gather."""


def digest(this: Digest, frame: Frame) -> Parts:
    """Say how much there is of each kind; nothing of what is in it (ux.md, e-mails)."""
    total = sum(each.number for each in this.lines)
    lab = this.side == "lab"
    return Parts(
        subject=said("Read what is new in Gatehouse: %(news)s", news=said_n("%(num)s item", "%(num)s items", total)),
        paragraphs=(
            said("This is new for you in %(lab)s's Gatehouse up to %(day)s.", lab=frame.lab_name, day=this.on),
        ),
        list_title=said("New"),
        items=tuple(LINES[each.kind](each.number) for each in this.lines if each.kind in LINES),
        button=Button(said("Open the queue"), "/lab/queue")
        if lab
        else Button(said("See what waits for you"), "/messages"),
        closing=(said("All of it waits on one page until you have dealt with it."),) if not lab else (),
        why=_why(said("You get this digest once a week.") if this.weekly else said("You get this digest once a day.")),
    )


def _why(rhythm: str) -> str:
    return said("%(rhythm)s Under Your account, Mail, you choose what you hear of and when.", rhythm=rhythm)

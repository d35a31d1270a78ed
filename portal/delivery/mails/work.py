"""Mails to a vendor's people about an assessment: never an answer, the name of a file or a score in them. Pure."""

from __future__ import annotations

from datetime import date, datetime
from urllib.parse import quote
from uuid import UUID

import msgspec

from portal.delivery.rules import Button, Frame, Parts, count, day, moment, near_day


def _why(vendor_name: str, frame: Frame) -> str:
    return f"You get this because you work on {frame.lab_name}'s assessment of {vendor_name}."


class SectionGiven(msgspec.Struct, frozen=True, kw_only=True):
    """A section was given to a person."""

    assessment_id: UUID
    vendor_name: str
    section: str
    section_title: str
    given_by: str
    due_on: date | None = None
    questions: int | None = None


def section_given(this: SectionGiven, frame: Frame) -> Parts:
    """Which section, from whom, until when (ux.md, e-mail 2)."""
    details = [("Section", this.section_title)]
    details += [("Size", count(this.questions, "question"))] if this.questions is not None else []
    details += [("Due", day(this.due_on))] if this.due_on is not None else []
    by = f" by {near_day(this.due_on)}" if this.due_on is not None else ""
    return Parts(
        subject=f"Answer the section that is now yours{by}",
        paragraphs=(f"{this.given_by} gave you a section of {frame.lab_name}'s assessment of {this.vendor_name}.",),
        details=tuple(details),
        button=Button("Open the section", f"/assessments/{this.assessment_id}/s/{quote(this.section, safe='')}"),
        closing=("Each answer is saved as you give it, so you can stop and come back.",),
        why=_why(this.vendor_name, frame),
    )


class ReadyToSign(msgspec.Struct, frozen=True, kw_only=True):
    """Everything is answered; a signatory is needed."""

    assessment_id: UUID
    vendor_name: str
    title: str
    due_on: date


def ready_to_sign(this: ReadyToSign, frame: Frame) -> Parts:
    """Ask the signatory to read and sign (ux.md, e-mail 5)."""
    return Parts(
        subject=f"Sign {frame.lab_name}'s assessment by {near_day(this.due_on)}",
        paragraphs=(
            f"Your colleagues have answered everything in {frame.lab_name}'s assessment of {this.vendor_name}.",
            "You are named as a signatory: read what they answered, then sign it or send it back.",
        ),
        details=(("Assessment", this.title), ("Due", day(this.due_on))),
        button=Button("Check and sign", f"/assessments/{this.assessment_id}/check"),
        why=f"You get this because you may sign for {this.vendor_name}.",
    )


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What was signed, by whom, and its fingerprint."""

    assessment_id: UUID
    vendor_name: str
    title: str
    signed_by: str
    signed_at: datetime
    fingerprint: str
    revision: int = 1


def receipt(this: Receipt, frame: Frame) -> Parts:
    """The proof of signing that stays with the vendor (ux.md, e-mail 6)."""
    return Parts(
        subject="Keep this receipt of your signed assessment",
        paragraphs=(
            f"The answers of {this.vendor_name} were signed and sent to {frame.lab_name}. A reviewer reads them next.",
            "The fingerprint below belongs to exactly what was signed. If one letter of it changed, so would the "
            "fingerprint.",
        ),
        details=(
            ("Assessment", this.title),
            ("Signed by", this.signed_by),
            ("Signed on", moment(this.signed_at)),
            ("Signature number", str(this.revision)),
            ("Fingerprint (SHA-256)", this.fingerprint),
        ),
        button=Button("See what was signed", f"/assessments/{this.assessment_id}"),
        why=_why(this.vendor_name, frame),
    )


class Questions(msgspec.Struct, frozen=True, kw_only=True):
    """A reviewer asks again; one mail for all questions of a review."""

    assessment_id: UUID
    vendor_name: str
    title: str
    questions: int
    due_on: date | None = None


def questions(this: Questions, frame: Frame) -> Parts:
    """How many, until when; what they are is behind the sign-in (ux.md, e-mail 7)."""
    by = f" by {near_day(this.due_on)}" if this.due_on is not None else ""
    asked = count(this.questions, "question")
    return Parts(
        subject=f"Answer {asked} from {frame.lab_name}{by}",
        paragraphs=(
            f"{frame.lab_name} has read the assessment of {this.vendor_name} and asks {asked}.",
            "Only what was asked is open again. Your other answers stay as they were signed.",
        ),
        details=(
            ("Assessment", this.title),
            *((("Due", day(this.due_on)),) if this.due_on is not None else ()),
        ),
        button=Button("Read the questions", f"/assessments/{this.assessment_id}"),
        closing=("When they are answered, a signatory signs once more.",),
        why=_why(this.vendor_name, frame),
    )


class AskedAgain(msgspec.Struct, frozen=True, kw_only=True):
    """What was signed before is asked again, or a running assessment moved to a newer version (``moved``)."""

    assessment_id: UUID
    vendor_name: str
    title: str
    due_on: date
    to_confirm: int
    again: int
    new: int
    moved: bool = False


def asked_again(this: AskedAgain, frame: Frame) -> Parts:
    """How much can be confirmed as it is, and how much needs an answer (ux.md, e-mail 17)."""
    owed = this.again + this.new
    what = f"Answer {frame.lab_name} again"
    if this.moved:
        what = f"Answer {count(owed, 'question')} again" if owed else f"Check {frame.lab_name}'s newer questions"
    moved = (
        f"{frame.lab_name} moved its assessment of {this.vendor_name} to a newer version of the questionnaire.",
        "Your answers stay where the question claims the same. The others are beside their questions.",
    )
    renewed = (
        f"{frame.lab_name} asks {this.vendor_name} again.",
        "What you signed before is laid beside the questions. Confirm what still holds, and answer the rest.",
    )
    counts = (
        ("To confirm", count(this.to_confirm, "answer"), this.to_confirm),
        ("To answer again", count(this.again, "question"), this.again),
        ("New", count(this.new, "question"), this.new),
    )
    return Parts(
        subject=f"{what} by {near_day(this.due_on)}",
        paragraphs=moved if this.moved else renewed,
        details=(
            ("Assessment", this.title),
            ("Due", day(this.due_on)),
            *((name, words) for name, words, number in counts if number),
        ),
        button=Button("Open the assessment", f"/assessments/{this.assessment_id}"),
        closing=("Nothing counts as answered until one of you confirms or answers it.",),
        why=_why(this.vendor_name, frame),
    )


class Left(msgspec.Struct, frozen=True):
    """What is left in one section."""

    section_title: str
    open: int


class Reminder(msgspec.Struct, frozen=True, kw_only=True):
    """A date comes near. ``left`` is empty when only the signature is missing, None when it is not known."""

    assessment_id: UUID
    vendor_name: str
    title: str
    due_on: date
    days_left: int
    left: tuple[Left, ...] | None = None


_MOST_LINES = 16


def reminder(this: Reminder, frame: Frame) -> Parts:
    """What is left and how long there is (ux.md, e-mail 4)."""
    days = "today" if this.days_left == 0 else f"in {count(this.days_left, 'day')}"
    left = this.left or ()
    total = sum(each.open for each in left)
    what = count(total, "answer") + f" for {frame.lab_name}" if total else f"{frame.lab_name}'s assessment"
    items = [f"{each.section_title}: {count(each.open, 'answer')} to finish" for each in left[:_MOST_LINES]]
    if len(left) > _MOST_LINES:
        items.append(f"and {count(len(left) - _MOST_LINES, 'more section')}")
    closing = ["These reminders stop when it is signed."]
    if this.left is not None and not left:
        closing.insert(0, "Everything is answered. What is missing is a signature.")
    return Parts(
        subject=f"Finish {what} by {near_day(this.due_on)}",
        paragraphs=(f"{frame.lab_name}'s assessment of {this.vendor_name} is due {days}.",),
        details=(("Assessment", this.title), ("Due", day(this.due_on))),
        list_title="Left to do" if items else "",
        items=tuple(items),
        button=Button("Go on with it", f"/assessments/{this.assessment_id}"),
        closing=tuple(closing),
        why=_why(this.vendor_name, frame),
    )


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision was published to the vendor."""

    outcome_id: UUID
    vendor_name: str
    title: str
    number: int | None = None


def decision(this: Decision, frame: Frame) -> Parts:
    """Say that there is a decision; what it is stands behind the sign-in (ux.md, e-mail 9)."""
    number = (("Decision", f"D-{this.number}"),) if this.number is not None else ()
    return Parts(
        subject=f"Read {frame.lab_name}'s decision on your assessment",
        paragraphs=(
            f"{frame.lab_name} has decided on the assessment of {this.vendor_name}.",
            "The page says what it means for your access, why, and what to do first.",
        ),
        details=(("Assessment", this.title), *number),
        button=Button("Read the decision", f"/results/{this.outcome_id}"),
        why=_why(this.vendor_name, frame),
    )

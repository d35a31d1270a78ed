"""Mails to a vendor's people about an assessment: never an answer, the name of a file or a score in them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from urllib.parse import quote
from uuid import UUID

import msgspec

from portal.delivery.mails.ends import in_days
from portal.delivery.rules import Button, Frame, Parts, answers_of, listed, moment, near_day, questions_of
from portal.kernel.words import Said, said, said_n


def why(vendor_name: str, frame: Frame) -> str:
    return said(
        "You get this because you work on %(lab)s's assessment of %(vendor)s.",
        lab=frame.lab_name,
        vendor=vendor_name,
    )


class SectionGiven(msgspec.Struct, frozen=True, kw_only=True):
    """A section was given to a person; ``others`` are the titles of those that were given with it."""

    assessment_id: UUID
    vendor_name: str
    section: str
    section_title: str
    others: tuple[str, ...] = ()
    given_by: str
    due_on: date | None = None
    questions: int | None = None


def section_given(this: SectionGiven, frame: Frame) -> Parts:
    """Which section, from whom, until when (ux.md, e-mail 2)."""
    titles = (this.section_title, *this.others)
    details: list[tuple[str, str | date]] = [
        (said("Sections"), listed(titles)) if this.others else (said("Section"), this.section_title)
    ]
    details += [(said("Size"), questions_of(this.questions))] if this.questions is not None else []
    details += [(said("Due"), this.due_on)] if this.due_on is not None else []
    return Parts(
        subject=_now_yours(this),
        paragraphs=(
            said(
                "%(person)s gave you a part of %(lab)s's assessment of %(vendor)s.",
                person=this.given_by,
                lab=frame.lab_name,
                vendor=this.vendor_name,
            ),
        ),
        details=tuple(details),
        button=Button(said("Open the section"), f"/assessments/{this.assessment_id}/s/{quote(this.section, safe='')}"),
        closing=(said("Each answer is saved as you give it, so you can stop and come back."),),
        why=why(this.vendor_name, frame),
    )


def _now_yours(this: SectionGiven) -> str:
    if this.due_on is None:
        alone = said("Answer the section that is now yours")
        return said("Answer the sections that are now yours") if this.others else alone
    if this.others:
        return said("Answer the sections that are now yours by %(day)s", day=near_day(this.due_on))
    return said("Answer the section that is now yours by %(day)s", day=near_day(this.due_on))


class ReadyToSign(msgspec.Struct, frozen=True, kw_only=True):
    """Everything is answered; a signatory is needed."""

    assessment_id: UUID
    vendor_name: str
    title: str
    due_on: date


def ready_to_sign(this: ReadyToSign, frame: Frame) -> Parts:
    """Ask the signatory to read and sign (ux.md, e-mail 5)."""
    return Parts(
        subject=said("Sign %(lab)s's assessment by %(day)s", lab=frame.lab_name, day=near_day(this.due_on)),
        paragraphs=(
            said(
                "Your colleagues have answered everything in %(lab)s's assessment of %(vendor)s.",
                lab=frame.lab_name,
                vendor=this.vendor_name,
            ),
            said("You are named as a signatory: read what they answered, then sign it or send it back."),
        ),
        details=((said("Assessment"), this.title), (said("Due"), this.due_on)),
        button=Button(said("Check and sign"), f"/assessments/{this.assessment_id}/check"),
        why=said("You get this because you may sign for %(vendor)s.", vendor=this.vendor_name),
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
        subject=said("Keep this receipt of your signed assessment"),
        paragraphs=(
            said(
                "The answers of %(vendor)s were signed and sent to %(lab)s. A reviewer reads them next.",
                vendor=this.vendor_name,
                lab=frame.lab_name,
            ),
            said(
                "The fingerprint below belongs to exactly what was signed. If one letter of it changed, so would the "
                "fingerprint."
            ),
        ),
        details=(
            (said("Assessment"), this.title),
            (said("Signed by"), this.signed_by),
            (said("Signed on"), moment(this.signed_at)),
            (said("Signature number"), str(this.revision)),
            (said("Fingerprint (SHA-256)"), this.fingerprint),
        ),
        button=Button(said("See what was signed"), f"/assessments/{this.assessment_id}"),
        why=why(this.vendor_name, frame),
    )


class Questions(msgspec.Struct, frozen=True, kw_only=True):
    """A reviewer asks again; one mail for all questions of a review."""

    assessment_id: UUID
    vendor_name: str
    title: str
    questions: int
    due_on: date | None = None
    revision: int | None = None


def questions(this: Questions, frame: Frame) -> Parts:
    """How many, until when; what they are is behind the sign-in (ux.md, e-mail 7)."""
    asked = questions_of(this.questions)
    return Parts(
        subject=said(
            "Answer %(questions)s from %(lab)s by %(day)s",
            questions=asked,
            lab=frame.lab_name,
            day=near_day(this.due_on),
        )
        if this.due_on is not None
        else said("Answer %(questions)s from %(lab)s", questions=asked, lab=frame.lab_name),
        paragraphs=(
            said(
                "%(lab)s has read the assessment of %(vendor)s and asks %(questions)s.",
                lab=frame.lab_name,
                vendor=this.vendor_name,
                questions=asked,
            ),
            said("Only what was asked is open again. Your other answers stay as they were signed."),
        ),
        details=(
            (said("Assessment"), this.title),
            *(((said("Due"), this.due_on),) if this.due_on is not None else ()),
        ),
        button=Button(said("Read the questions"), f"/assessments/{this.assessment_id}"),
        closing=(said("When they are answered, a signatory signs once more."),),
        why=why(this.vendor_name, frame),
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
    owed, by = this.again + this.new, near_day(this.due_on)
    if not this.moved:
        subject = said("Answer %(lab)s again by %(day)s", lab=frame.lab_name, day=by)
        first = said("%(lab)s asks %(vendor)s again.", lab=frame.lab_name, vendor=this.vendor_name)
        second = said(
            "What you signed before is laid beside the questions. Confirm what still holds, and answer the rest."
        )
    else:
        subject = (
            said("Answer %(questions)s again by %(day)s", questions=questions_of(owed), day=by)
            if owed
            else said("Check %(lab)s's newer questions by %(day)s", lab=frame.lab_name, day=by)
        )
        first = said(
            "%(lab)s moved its assessment of %(vendor)s to a newer version of the questionnaire.",
            lab=frame.lab_name,
            vendor=this.vendor_name,
        )
        second = said("Your answers stay where the question claims the same. The others are beside their questions.")
    counts = (
        (said("To confirm"), answers_of(this.to_confirm), this.to_confirm),
        (said("To answer again"), questions_of(this.again), this.again),
        (said("New"), questions_of(this.new), this.new),
    )
    return Parts(
        subject=subject,
        paragraphs=(first, second),
        details=(
            (said("Assessment"), this.title),
            (said("Due"), this.due_on),
            *((name, words) for name, words, number in counts if number),
        ),
        button=Button(said("Open the assessment"), f"/assessments/{this.assessment_id}"),
        closing=(said("Nothing counts as answered until one of you confirms or answers it."),),
        why=why(this.vendor_name, frame),
    )


class Left(msgspec.Struct, frozen=True):
    """What is left in one section."""

    section_title: str
    open: int


class Blocks(msgspec.Struct, frozen=True):
    """How many things of one kind block signing."""

    kind: str
    number: int


class Reminder(msgspec.Struct, frozen=True, kw_only=True):
    """A date comes near. ``left`` is empty when only the signature is missing, None when it is not known.

    ``blocks`` counts what blocks signing, by kind; mails of before said it by section only.
    """

    assessment_id: UUID
    vendor_name: str
    title: str
    due_on: date
    days_left: int
    left: tuple[Left, ...] | None = None
    blocks: tuple[Blocks, ...] = ()


_MOST_LINES = 16

BLOCKS: Mapping[str, Callable[[int], Said]] = {
    "scoping": lambda n: said_n("Settle %(num)s fact about the work", "Settle %(num)s facts about the work", n),
    "confirm": lambda n: said_n("Confirm %(num)s earlier answer", "Confirm %(num)s earlier answers", n),
    "answer": lambda n: said_n("Answer %(num)s question", "Answer %(num)s questions", n),
    "rule": lambda n: said_n(
        "Settle %(num)s answer that disagrees with another", "Settle %(num)s answers that disagree with others", n
    ),
    "evidence": lambda n: said_n("Add evidence to %(num)s answer", "Add evidence to %(num)s answers", n),
    "checking": lambda n: said_n("Wait for %(num)s file being checked", "Wait for %(num)s files being checked", n),
    "reply": lambda n: said_n(
        "Reply to %(num)s question of the reviewers", "Reply to %(num)s questions of the reviewers", n
    ),
}
"""What blocks signing, in the order of the home page, by its key there."""


def reminder(this: Reminder, frame: Frame) -> Parts:
    """What blocks signing, what is left where, and how long there is (ux.md, e-mail 4)."""
    left = this.left or ()
    total, by = sum(each.open for each in left), near_day(this.due_on)
    items: list[str] = [BLOCKS[each.kind](each.number) for each in this.blocks if each.kind in BLOCKS]
    items += [
        said("%(section)s: %(answers)s to finish", section=each.section_title, answers=answers_of(each.open))
        for each in left[:_MOST_LINES]
    ]
    if len(left) > _MOST_LINES:
        items.append(said_n("and %(num)s more section", "and %(num)s more sections", len(left) - _MOST_LINES))
    closing: list[str] = [said("These reminders stop when it is signed.")]
    if this.left is not None and not left and not this.blocks:
        closing.insert(0, said("Everything is answered. What is missing is a signature."))
    return Parts(
        subject=said("Finish %(answers)s for %(lab)s by %(day)s", answers=answers_of(total), lab=frame.lab_name, day=by)
        if total
        else said("Finish %(lab)s's assessment by %(day)s", lab=frame.lab_name, day=by),
        paragraphs=(
            said(
                "%(lab)s's assessment of %(vendor)s is due %(days)s.",
                lab=frame.lab_name,
                vendor=this.vendor_name,
                days=in_days(this.days_left),
            ),
        ),
        details=((said("Assessment"), this.title), (said("Due"), this.due_on)),
        list_title=said("Left to do") if items else "",
        items=tuple(items),
        button=Button(said("Go on with it"), f"/assessments/{this.assessment_id}"),
        closing=tuple(closing),
        why=why(this.vendor_name, frame),
    )


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision was published to the vendor."""

    outcome_id: UUID
    vendor_name: str
    title: str
    number: int | None = None


def decision(this: Decision, frame: Frame) -> Parts:
    """Say that there is a decision; what it is stands behind the sign-in (ux.md, e-mail 9)."""
    number = ((said("Decision"), f"D-{this.number}"),) if this.number is not None else ()
    return Parts(
        subject=said("Read %(lab)s's decision on your assessment", lab=frame.lab_name),
        paragraphs=(
            said("%(lab)s has decided on the assessment of %(vendor)s.", lab=frame.lab_name, vendor=this.vendor_name),
            said("The page says what it means for your access, why, and what to do first."),
        ),
        details=((said("Assessment"), this.title), *number),
        button=Button(said("Read the decision"), f"/results/{this.outcome_id}"),
        why=why(this.vendor_name, frame),
    )

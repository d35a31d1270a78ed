"""What the workspace shows of a review, in words: the list by kind of change, one answer beside the one before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from portal.attestations import service as attestations
from portal.attestations.service import Attested, CarriedLine
from portal.findings.service import FindingLine
from portal.identity import queries as people
from portal.kernel.errors import NotFound
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires.rules import Question
from portal.reviews import service as reviews
from portal.reviews.service import Changed, CitedFile, Desk, Earlier, Tally, VerdictLine, Workspace
from portal.scoring.rules import Mark
from portal.sites.lab.workspace.wording import AnswerShown, Piece, answer_shown, difference
from portal.terms import ASSESSMENT_STATE_WORDS, Settled, Verdict

GROUP_TITLES = {
    Changed.DOWN: "Went down",
    Changed.CHANGED: "Changed or new",
    Changed.EVIDENCE: "Same answer, evidence changed",
    Changed.UNCHANGED: "Unchanged, evidence valid",
}
CHIPS = {Changed.DOWN: "down", Changed.CHANGED: "diff", Changed.NEW: "new"}
TAGS = {
    Changed.DOWN: ("Went down", "t-bad", "trending-down"),
    Changed.CHANGED: ("Changed", "t-info", "git-compare"),
    Changed.NEW: ("New", "t-info", "plus"),
    Changed.EVIDENCE: ("Evidence changed", "t-info", "file-clock"),
    Changed.UNCHANGED: ("Unchanged", "t-plain", "check"),
    Changed.FIRST: ("", "", ""),
}
VERDICT_ICONS = {
    Verdict.ACCEPT: ("check", "c-ok", "accepted"),
    Verdict.FLAG: ("flag", "c-bad", "flagged"),
    Verdict.ASK: ("message-circle-question-mark", "c-ask", "asked"),
    None: ("circle-dashed", "c-mute", "no verdict yet"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One answer in the list: the word at its end, and the icon of its verdict with colour and word."""

    key: str
    number: str
    label: str
    chip: str
    icon: tuple[str, str, str]
    verdict: Verdict | None
    carried: bool
    by_rule: str


@dataclass(frozen=True, slots=True)
class Group:
    """Answers that are read together, under one title.

    ``rules`` says how many of them a rule accepted, by its name; ``by_hand`` how many wait for a person's glance.
    """

    title: str
    lines: tuple[Line, ...]
    folded: bool
    rules: tuple[tuple[str, int], ...] = ()
    by_hand: int = 0

    @property
    def ruled(self) -> int:
        """How many of them a rule accepted."""
        return sum(count for _, count in self.rules)


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """The selected answer with everything beside it."""

    question: Question
    section: str
    tag: tuple[str, str, str]
    maps: tuple[str, ...]
    now: AnswerShown | None
    before: AnswerShown | None
    before_label: str
    now_label: str
    said_changed: bool
    comment: tuple[Piece, ...]
    prepared_by: UUID | None
    mark: Mark | None
    mark_before: int | None
    loss: Fraction
    verdict: VerdictLine
    finding: FindingLine | None
    files: tuple[CitedFile, ...]
    messages: Sequence[Any]
    notes: Sequence[Any]
    position: int
    count: int
    previous: str
    next: str
    undecided: str


@dataclass(frozen=True, slots=True)
class Head:
    """Who and what the review is about, and where it stands."""

    id: UUID
    vendor: str
    slug: str
    vendor_id: UUID
    assessment_id: UUID
    attestation_id: UUID
    title: str
    questionnaire: str
    tier: int
    revision: int
    state: Any
    word: str
    signed_name: str
    signer_title: str
    signed_at: datetime
    digest: str
    reviewer_id: UUID | None
    row_version: int
    due_at: datetime
    closed_at: datetime | None
    recommended: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """An earlier revision to compare with, as the page calls it."""

    id: UUID
    label: str
    title: str
    signed_at: datetime
    chosen: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything read once for a page of the workspace: the review itself, and its head and list in words."""

    space: Workspace
    head: Head
    groups: tuple[Group, ...]
    choices: tuple[Choice, ...]

    @property
    def counts(self) -> Tally:
        """How far the review is."""
        return self.space.tally

    @property
    def to_read(self) -> int:
        """How many answers say or prove something that nobody has read."""
        return len(self.space.to_read)

    @property
    def left(self) -> int:
        """How many of those have no verdict."""
        return sum(1 for desk in self.space.to_read if desk.verdict.verdict is None)

    @property
    def compared(self) -> Choice | None:
        """What the answers are compared with."""
        return next((each for each in self.choices if each.chosen), None)

    @property
    def replaced(self) -> tuple[tuple[str, str], ...]:
        """The answers of which a file was replaced since they were signed, each by number and key."""
        return tuple((desk.question.number, desk.key) for desk in self.space.replaced)


def read(tx: Tx, review_id: UUID, action: Action = Action.REVIEW_READ, *, compare_with: UUID | None = None) -> Reading:
    """Return a review ready to be shown.

    :raises NotFound: if there is none, or no such earlier revision.
    :raises Forbidden: if the actor may not read it.
    """
    return reading_of(reviews.workspace(tx, reviews.get(tx, review_id, action), compare_with=compare_with))


def reading_of(space: Workspace, *, pointed_at: Collection[str] = ()) -> Reading:
    """Return what was read of a review, in words.

    :param pointed_at: the answers at which a machine points.
    """
    groups = []
    for each in space.groups:
        said = Counter(desk.verdict.by_rule for desk in each.desks if desk.verdict.by_rule)
        groups.append(
            Group(
                f"{each.section.number} {each.section.title}" if each.section else GROUP_TITLES[each.changed[0]],
                tuple(_line(desk, pointed_at=desk.key in pointed_at) for desk in each.desks),
                folded=Changed.UNCHANGED in each.changed,
                rules=tuple(sorted(said.items())),
                by_hand=sum(1 for desk in each.desks if desk.verdict.verdict is None),
            )
        )
    chosen = space.compared_with.id if space.compared_with is not None else None
    return Reading(space, _head(space), tuple(groups), tuple(_choice(each, space, chosen) for each in space.earlier))


def _choice(each: Earlier, space: Workspace, chosen: UUID | None) -> Choice:
    label = f"revision {each.revision}" if each.same_assessment else str(each.signed_at.year)
    same_year = each.signed_at.year == space.attested.signed_at.year
    if not each.same_assessment and same_year:
        label = f"{each.signed_at.day} {each.signed_at:%b %Y}"
    return Choice(each.id, label, each.title, each.signed_at, chosen=each.id == chosen)


def answer_page(space: Workspace, key: str) -> AnswerPage:
    """Return one answer with its proof, conversation and notes.

    :raises NotFound: if the revision does not ask this question.
    """
    desk = space.desk(key)
    if desk is None:
        raise NotFound
    question = desk.question
    now, before = answer_shown(question, desk.answer), answer_shown(desk.question_before or question, desk.before)
    at, order = space.order.index(key), space.order
    frameworks = space.questionnaire.frameworks
    was_scored = desk.question_before is not None and desk.question_before.is_scored
    return AnswerPage(
        question=question,
        section=desk.section.title,
        tag=TAGS[desk.changed],
        maps=tuple(f"{frameworks[name].name} {ids}" for name, ids in question.maps.items()),
        now=now,
        before=before,
        before_label=_label(space.compared_with, space.attested),
        now_label=_label(space.attested, space.compared_with),
        said_changed=before is not None and now is not None and before.said != now.said,
        comment=difference(before.comment, now.comment) if before and now else (),
        prepared_by=desk.signed.prepared_by,
        mark=desk.mark,
        mark_before=(desk.credit_before or 0) if was_scored else None,
        loss=desk.loss,
        verdict=desk.verdict,
        finding=desk.finding,
        files=desk.files,
        messages=desk.messages,
        notes=desk.notes,
        position=at + 1,
        count=len(order),
        previous=order[at - 1] if at else "",
        next=order[at + 1] if at + 1 < len(order) else "",
        undecided=space.undecided_after(key),
    )


def confirmed_from(tx: Tx, space: Workspace, answer: AnswerPage) -> CarriedLine | None:
    """Return the earlier answer that an answer was confirmed from; nothing if it says something else by now."""
    key = answer.question.key
    line = attestations.carried_of(tx, space.assessment, question_key=key).get(key)
    signed = space.attested.snapshot.answers.get(key)
    if line is None or line.settled is not Settled.CONFIRMED or signed is None:
        return None
    return line if dict(signed.content) == dict(line.content) else None


def findings_of(space: Workspace) -> list[tuple[str, str, FindingLine]]:
    """Return the findings of the assessment, each with the number and the label of its question."""
    asked = space.questionnaire
    return [
        (asked.number_of(each.question_key), asked.question(each.question_key).label, each)
        for each in space.findings
        if each.question_key in asked
    ]


def name_of(tx: Tx, person_id: UUID | None) -> str:
    """Return a person's name, nothing for nobody."""
    found = people.people(tx, [person_id]).get(person_id) if person_id else None
    return found.full_name if found else ""


POINTED_AT = ("scan-line", "c-ask", "no verdict yet, a check points at it")


def _line(desk: Desk, *, pointed_at: bool) -> Line:
    said = desk.verdict.verdict
    return Line(
        key=desk.key,
        number=desk.question.number,
        label=desk.question.label,
        chip=CHIPS.get(desk.changed, ""),
        icon=POINTED_AT if said is None and pointed_at else VERDICT_ICONS[said],
        verdict=said,
        carried=desk.verdict.carried,
        by_rule=desk.verdict.by_rule or "",
    )


def _head(space: Workspace) -> Head:
    review, assessment, vendor, signed = space.review, space.assessment, space.vendor, space.attested
    return Head(
        id=review.id,
        vendor=vendor.name,
        slug=vendor.slug,
        vendor_id=vendor.id,
        assessment_id=assessment.id,
        attestation_id=signed.id,
        title=assessment.title,
        questionnaire=f"{space.questionnaire.title} v{space.questionnaire.version}",
        tier=assessment.tier,
        revision=review.revision,
        state=assessment.state,
        word=ASSESSMENT_STATE_WORDS[assessment.state],
        signed_name=signed.signed_name,
        signer_title=signed.signer_title,
        signed_at=signed.signed_at,
        digest=signed.digest,
        reviewer_id=review.reviewer_id,
        row_version=review.row_version,
        due_at=review.due_at,
        closed_at=review.closed_at,
        recommended=review.recommended_at is not None,
    )


def _label(this: Attested | None, other: Attested | None) -> str:
    if this is None:
        return ""
    if other is not None and other.snapshot.assessment_id == this.snapshot.assessment_id:
        return f"Revision {this.snapshot.revision}"
    if other is not None and other.signed_at.year != this.signed_at.year:
        return str(this.signed_at.year)
    return f"{this.signed_at.day} {this.signed_at:%b %Y}"

"""Accepting without reading one by one: by rule, and several answers in one act that can be taken back as one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.attestations import service as attestations
from portal.attestations.models import Citation
from portal.attestations.rules import SignedAnswer, Snapshot
from portal.delivery.queue import enqueue
from portal.evidence.models import Evidence as File
from portal.evidence.rules import KEPT
from portal.findings.models import Finding
from portal.kernel.actor import Actor, ActorKind, system
from portal.kernel.canonical import digest
from portal.kernel.errors import Conflict, Forbidden, Refused
from portal.kernel.ledger import Ledger, Tx
from portal.policy import Action
from portal.questionnaires.rules import QuestionState, credit
from portal.reviews import checking, policies, reviewing
from portal.reviews.checking import Both
from portal.reviews.facts import (
    AcceptedTogetherUndone,
    AnswersAccepted,
    AnswersAcceptedByRule,
    ReviewAssigned,
    ReviewClaimed,
)
from portal.reviews.models import AnswerVerdict, Review
from portal.reviews.policies import InForce
from portal.reviews.rules import Changed, acceptance, changed_how
from portal.reviews.rules.acceptance import AcceptedBy, Because, Rules, Ruling, Subject
from portal.reviews.rules.checks import WHOLE, Check
from portal.reviews.workspace import Desk, Workspace, workspace
from portal.scoring import rules as scores
from portal.scoring.rules import Evidence
from portal.terms import Acceptance, AssessmentState, FindingState, Side, Verdict

JOB: Final = "accept_by_rule"
MOST: Final = 100
"""How many answers one act takes."""

RULE: Final[Actor] = system("acceptance by rule")
"""Who accepts by rule: nobody in person."""

A_KNOCK_OUT: Final = "It is a knock-out"
NOT_TOGETHER: Final = "It is said not to apply: read it by itself, for accepting that takes it out of the score"
SEEN_OTHERWISE: Final = (
    "Something changed since you looked: a verdict, a file or a check. Nothing was accepted. Look again, then accept."
)


# --- what the rules say of a review


def rulings(
    tx: Tx,
    review: Review,
    rules: Rules,
    *,
    inputs: scores.Inputs,
    both: Both | None = None,
    found: Mapping[str, Sequence[Check]] | None = None,
    as_then: bool = False,
) -> Mapping[str, Ruling]:
    """Return what the rules say of every answer of a review, by question key, whatever was said of it so far.

    :param inputs: of the score that says how good the evidence is, and on which day.
    :param as_then: whether to leave aside what became known later: newer files, and findings opened since.
    """
    both = both or checking.both_of(tx, review)
    contradicted = checking.of_review(tx, review, both=both, on=rules.checks) if found is None else found
    before = _accepted_before(tx, both)
    wrong = _found_wrong(tx, review, at=review.opened_at if as_then else None)
    again = frozenset() if as_then else _to_check(tx, both.signed.snapshot)
    marks = {each.question.key: each for each in scores.marks(inputs)}
    proofs = {each.key: each.proofs for each in inputs.answers}
    said: dict[str, Ruling] = {}
    for question in both.questionnaire.questions:
        key, signed = question.key, both.signed.snapshot.answers.get(question.key)
        if signed is None or not signed.is_asked:
            continue
        mark = marks.get(key)
        holds = all(each.on(inputs.as_of) is not Evidence.EXPIRED for each in proofs.get(key, ()))
        subject = Subject(
            key=key,
            draw=str(review.id),
            state=signed.state,
            changed=_changed(both, key, signed, holds=holds),
            tier=both.assessment.tier,
            level=mark.level if mark is not None else 0,
            evidence=mark.evidence if mark is not None else Evidence.NONE,
            knock_out=question.is_knock_out_in(both.assessment.tier),
            before=before.get(key),
            checks=len(contradicted.get(key, ())),
            finding=key in wrong,
            to_check=key in again,
        )
        said[key] = acceptance.ruling(rules, subject)
    return said


def _changed(both: Both, key: str, signed: SignedAnswer, *, holds: bool) -> Changed:
    before = both.before
    earlier = before.signed.snapshot.answers.get(key) if before is not None else None
    if before is None or earlier is None or not earlier.is_asked or key not in before.questionnaire:
        return Changed.NEW
    return changed_how(
        old=earlier.content,
        new=signed.content,
        old_credit=credit(before.questionnaire.question(key), earlier.answer),
        new_credit=credit(both.questionnaire.question(key), signed.answer),
        same_files=_bytes(before.signed.snapshot, key) == _bytes(both.signed.snapshot, key),
        files_hold=holds,
    )


def _bytes(snapshot: Snapshot, key: str) -> set[tuple[str, str]]:
    return {(each.sha256, each.pages) for each in snapshot.citations_of(key)}


def _accepted_before(tx: Tx, both: Both) -> Mapping[str, AcceptedBy]:
    """Return by whom each answer was accepted in the review before, if that review came to its end."""
    if both.before is None or both.before.review_id is None:
        return {}
    statement = (
        sa.select(AnswerVerdict.question_key, AnswerVerdict.by_rule)
        .join(Review, Review.id == AnswerVerdict.review_id)
        .where(
            AnswerVerdict.review_id == both.before.review_id,
            AnswerVerdict.verdict == Verdict.ACCEPT,
            sa.or_(Review.recommended_at.is_not(None), AnswerVerdict.sent_at.is_not(None)),
        )
    )
    return {
        row.question_key: AcceptedBy.PERSON if row.by_rule is None else AcceptedBy.RULE
        for row in tx.session.execute(statement)
    }


def _found_wrong(tx: Tx, review: Review, *, at: datetime | None) -> frozenset[str]:
    """Return the questions with a finding of this vendor that is not settled; with ``at`` those open at that moment."""
    statement = sa.select(Finding.question_key).where(Finding.vendor_id == review.vendor_id)
    if at is None:
        statement = statement.where(Finding.state.in_([FindingState.DRAFT, FindingState.OPEN]))
    else:
        statement = statement.where(
            Finding.shared_at < at,
            Finding.state != FindingState.WITHDRAWN,
            sa.or_(Finding.closed_at.is_(None), Finding.closed_at > at),
        )
    return frozenset(tx.session.execute(statement).scalars())


def _to_check(tx: Tx, snapshot: Snapshot) -> frozenset[str]:
    """Return the questions behind which a file was replaced, turned down, taken away or damaged."""
    ids = [each.citation_id for each in snapshot.citations]
    if not ids:
        return frozenset()
    statement = (
        sa.select(Citation.id)
        .join(File, File.id == Citation.evidence_id)
        .where(
            Citation.id.in_(ids),
            Citation.acceptance != Acceptance.REJECTED,
            File.state.in_(KEPT),
            File.removed_at.is_(None),
        )
    )
    good = set(tx.session.execute(statement).scalars()) - set(attestations.check_again_of(tx, ids))
    return frozenset(each.question_key for each in snapshot.citations if each.citation_id not in good)


# --- accepting by rule


def ask(tx: Tx, fact: ReviewClaimed | ReviewAssigned) -> None:
    """A reviewer has a review: what a rule accepts is accepted soon, and not in that person's name."""
    enqueue(tx, JOB, once=f"{JOB}:{fact.review_id}", review_id=fact.review_id)


def run(ledger: Ledger, review_id: UUID) -> int:
    """Let the rules in force accept what they accept; return how many answers. Repeating it accepts nothing twice.

    Nothing happens while nobody has the review, or once it is over.
    """
    with ledger.begin(RULE) as tx:
        review = tx.session.get(Review, review_id)
        return 0 if review is None else apply_rules(tx, review=review)


def apply_rules(tx: Tx, *, review: Review) -> int:
    """Accept by rule what nobody has looked at; return how many answers.

    What a person judged once, or took back, is a person's from then on.

    :raises Forbidden: for a person: a rule accepts in nobody's name.
    """
    if tx.actor.kind is not ActorKind.SYSTEM:
        raise Forbidden("A rule accepts in nobody's name.")
    assessment = reviewing.hold(tx, review)
    if review.closed_at is not None or review.reviewer_id is None or assessment.state is not AssessmentState.IN_REVIEW:
        return 0
    force = policies.acceptance(tx)
    said = rulings(tx, review, force.rules, inputs=reviewing.score_now(tx, review).inputs)
    touched = set(
        tx.session.execute(sa.select(AnswerVerdict.question_key).where(AnswerVerdict.review_id == review.id)).scalars()
    )
    by_rule: dict[str, list[str]] = {}
    for key, each in said.items():
        if each.rule is not None and key not in touched:
            by_rule.setdefault(each.rule.name, []).append(key)
    for name, keys in by_rule.items():
        for key in keys:
            tx.session.add(
                AnswerVerdict(
                    review_id=review.id,
                    question_key=key,
                    vendor_id=review.vendor_id,
                    verdict=Verdict.ACCEPT,
                    given_by=None,
                    given_at=tx.now,
                    by_rule=acceptance.stamp(name, force.version),
                )
            )
        tx.record(
            AnswersAcceptedByRule(review.id, review.vendor_id, name, force.version, force.digest, tuple(sorted(keys)))
        )
    tx.session.flush()
    return sum(map(len, by_rule.values()))


# --- several in one act


@dataclass(frozen=True, slots=True)
class Item:
    """One answer that may be accepted together with others: how good its proof is, and what warns of it.

    ``because`` says why no rule accepted it. ``cannot`` says why it is read by itself, nothing if it may be taken.
    """

    desk: Desk
    evidence: Evidence | None
    level: int
    checks: tuple[Check, ...]
    warnings: tuple[str, ...]
    because: Because | None
    cannot: str = ""

    @property
    def key(self) -> str:
        """The question's key."""
        return self.desk.key

    @property
    def seen(self) -> dict[str, object]:
        """What a person saw of it, so that a page can say which state it showed."""
        return {
            "key": self.key,
            "version": self.desk.verdict.version,
            "evidence": self.evidence.name if self.evidence is not None else "",
            "warnings": list(self.warnings),
            "checks": [each.words for each in self.checks],
            "files": [[str(each.citation_id), each.state.value, str(each.newer or "")] for each in self.desk.files],
        }


@dataclass(frozen=True, slots=True)
class Open:
    """The answers of a review without a verdict, and how many were accepted by which rule."""

    space: Workspace
    items: tuple[Item, ...]
    by_rule: Mapping[str, int]
    whole: tuple[Check, ...]
    force: InForce

    @property
    def glances(self) -> tuple[Item, ...]:
        """The answers that say and prove what they did before, and wait for a person's glance."""
        return tuple(each for each in self.items if each.desk.changed is Changed.UNCHANGED)

    def chosen(self, keys: Collection[str]) -> tuple[Item, ...]:
        """Return those of these keys, in the order of reading."""
        return tuple(each for each in self.items if each.key in keys)


def open_answers(tx: Tx, review: Review, space: Workspace | None = None) -> Open:
    """Return what nobody has judged yet, with what speaks for and against accepting it.

    :raises Forbidden: if the actor may not read reviews.
    """
    space = space or workspace(tx, review)
    both = checking.both_of(tx, review, space)
    force = policies.acceptance(tx)
    found = checking.of_review(tx, review, both=both, on=force.rules.checks)
    said = rulings(tx, review, force.rules, inputs=space.live.inputs, both=both, found=found)
    items: list[Item] = []
    by_rule: dict[str, int] = {}
    for key in space.order:
        desk = space.desk(key)
        if desk is None:
            continue
        if desk.verdict.by_rule and desk.verdict.verdict is Verdict.ACCEPT:
            by_rule[desk.verdict.by_rule] = by_rule.get(desk.verdict.by_rule, 0) + 1
        if desk.verdict.verdict is None:
            items.append(_item(desk, found.get(key, ()), said[key].because if key in said else None))
    return Open(space, tuple(items), by_rule, tuple(found.get(WHOLE, ())), force)


def pointed_at(count: int) -> str:
    """Return how many checks point at an answer, as a warning."""
    return "1 check points at it" if count == 1 else f"{count} checks point at it"


def _item(desk: Desk, found: Sequence[Check], because: Because | None) -> Item:
    mark = desk.mark
    warnings = [
        *(["It went down"] if desk.changed is Changed.DOWN else []),
        *([pointed_at(len(found))] if found else []),
        *([A_KNOCK_OUT] if desk.knock_out else []),
    ]
    if mark is not None and mark.level == 2 and mark.evidence < Evidence.ATTACHED:
        warnings.append("Evidence is required and none counts")
    elif mark is not None and mark.evidence is Evidence.EXPIRED:
        warnings.append("Its evidence ended")
    if any(each.newer is not None for each in desk.files):
        warnings.append("A file behind it was replaced: check the new revision")
    if desk.messages and desk.messages[-1].side is not Side.LAB:
        warnings.append("The vendor waits for your reply")
    return Item(
        desk=desk,
        evidence=mark.evidence if mark is not None else None,
        level=mark.level if mark is not None else 0,
        checks=tuple(found),
        warnings=tuple(warnings),
        because=because,
        cannot=NOT_TOGETHER if desk.signed.state is QuestionState.NA_CLAIMED else "",
    )


def digest_seen(items: Sequence[Item]) -> str:
    """Return the fingerprint of what a person sees before accepting these."""
    return digest([each.seen for each in items])


def accept_together(tx: Tx, *, review: Review, keys: Collection[str], seen: str) -> UUID:
    """Accept several answers in one act; return the act, by which it can be taken back.

    :param seen: the fingerprint of what was shown of them (``digest_seen``).
    :raises Forbidden: for anybody but the reviewer.
    :raises Refused: if none or too many are chosen, or one has to be read by itself.
    :raises Conflict: if it is not in review, or something of it changed since it was shown.
    """
    policy.check(tx.actor, Action.REVIEW_JUDGE, review)
    assessment = reviewing.hold(tx, review)
    policy.check(tx.actor, Action.REVIEW_JUDGE, review)
    reviewing.check_working(review, assessment)
    wanted = frozenset(keys)
    if not wanted:
        raise Refused(problems={"key": ["Choose at least one answer"]})
    if len(wanted) > MOST:
        raise Refused(problems={"key": [f"Choose at most {MOST} answers for one act"]})
    items = open_answers(tx, review).chosen(wanted)
    if len(items) != len(wanted) or digest_seen(items) != seen:
        raise Conflict(SEEN_OTHERWISE)
    if alone := [each for each in items if each.cannot]:
        raise Refused(problems={"key": [f"{each.desk.question.number}: {each.cannot}" for each in alone]})
    act_id = tx.new_id()
    rows = {
        row.question_key: row
        for row in tx.session.execute(
            sa.select(AnswerVerdict).where(AnswerVerdict.review_id == review.id, AnswerVerdict.question_key.in_(wanted))
        ).scalars()
    }
    for each in items:
        row = rows.get(each.key)
        if row is None:
            tx.session.add(
                AnswerVerdict(
                    review_id=review.id,
                    question_key=each.key,
                    vendor_id=review.vendor_id,
                    verdict=Verdict.ACCEPT,
                    given_by=tx.actor.id,
                    given_at=tx.now,
                    act_id=act_id,
                )
            )
        else:
            row.verdict, row.note, row.finding_id, row.carried_from = Verdict.ACCEPT, "", None, None
            row.given_by, row.given_at, row.by_rule, row.act_id = tx.actor.id, tx.now, None, act_id
            row.version += 1
    tx.session.flush()
    tx.record(AnswersAccepted(review.id, review.vendor_id, act_id, tuple(sorted(wanted))))
    return act_id


def undo_together(tx: Tx, *, review: Review, act_id: UUID) -> int:
    """Take back what one act accepted, as far as nobody said otherwise since; return how many answers.

    :raises Forbidden: for anybody but the reviewer.
    :raises Conflict: if it is not in review, or nothing of that act is left.
    """
    policy.check(tx.actor, Action.REVIEW_JUDGE, review)
    assessment = reviewing.hold(tx, review)
    policy.check(tx.actor, Action.REVIEW_JUDGE, review)
    reviewing.check_working(review, assessment)
    rows = (
        tx.session.execute(
            sa.select(AnswerVerdict)
            .where(AnswerVerdict.review_id == review.id, AnswerVerdict.act_id == act_id)
            .order_by(AnswerVerdict.question_key)
            .execution_options(populate_existing=True)
        )
        .scalars()
        .all()
    )
    if not rows:
        raise Conflict("There is nothing left to take back.")
    for row in rows:
        row.verdict, row.given_by, row.given_at, row.act_id = None, tx.actor.id, tx.now, None
        row.version += 1
    tx.session.flush()
    tx.record(AcceptedTogetherUndone(review.id, review.vendor_id, act_id, tuple(row.question_key for row in rows)))
    return len(rows)


def left_of(tx: Tx, review: Review, act_id: UUID) -> int:
    """Return how many answers stand as one act accepted them, so that it can still be taken back."""
    statement = (
        sa.select(sa.func.count())
        .select_from(AnswerVerdict)
        .where(AnswerVerdict.review_id == review.id, AnswerVerdict.act_id == act_id)
    )
    return tx.session.execute(statement).scalar_one()

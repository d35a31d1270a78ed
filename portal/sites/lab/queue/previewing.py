"""The preview of a review: how large the job is, what is at stake, and what to read first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import floor

from flask import g, url_for

from portal import policy
from portal.gate import queries as gate
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.reviews import checking
from portal.reviews import service as reviews
from portal.reviews.queries import ReviewLine, SignatureLine
from portal.reviews.rules import Changed, Stage
from portal.reviews.rules.checks import Check
from portal.reviews.service import Desk, SnoozeLine, Workspace
from portal.sites.lab.workspace.wording import answer_shown
from portal.terms import ACCESS_MODE_WORDS, DATA_CLASS_WORDS, AccessMode, ClearanceAct, DataClass
from portal.vendors import service as vendors

APPROVALS = frozenset({ClearanceAct.APPROVE.value, ClearanceAct.APPROVE_WITH_CONDITIONS.value})
FIRST = 5
"""How many answers are named to be read first."""
FACTOR_WORDS: Mapping[str, str] = {
    "totp": "with a code from an app",
    "passkey": "with a passkey",
    "recovery_code": "with a recovery code",
}
CHANGED_WORDS: Mapping[Changed, str] = {
    Changed.DOWN: "went down",
    Changed.NEW: "is new",
    Changed.CHANGED: "changed",
    Changed.EVIDENCE: "has other evidence",
}


@dataclass(frozen=True, slots=True)
class First:
    """One answer to read first: its number and label, the link to it, and why."""

    name: str
    href: str
    why: str
    icon: str
    tone: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What is said of one review before it is opened. ``last`` is the score of what was signed before."""

    score: int
    threshold: int
    last: int | None
    stake: str
    lapses: str
    lapses_on: date | None
    signed: SignatureLine
    factor: str
    first: tuple[First, ...]
    snooze: SnoozeLine | None
    may: Mapping[str, bool]


def preview_of(tx: Tx, line: ReviewLine) -> Preview:
    """Return the preview of a row.

    :raises Forbidden: if the reader may not read reviews.
    """
    review = reviews.get(tx, line.id, Action.REVIEW_READ)
    space = reviews.workspace(tx, review)
    engagement = vendors.engagement(tx, space.assessment.engagement_id, Action.VENDOR_READ)
    modes = ", ".join(ACCESS_MODE_WORDS[AccessMode(each)].lower() for each in engagement.access_modes)
    highest = DataClass(max(engagement.data_classes))
    signed = reviews.signature_of(tx, review.attestation_id)
    lapses, on = _lapses(tx, line, space)
    return Preview(
        score=floor(space.live.score.measures.score),
        threshold=space.live.inputs.policy.thresholds[line.tier - 1].approve,
        last=reviews.score_of(tx, space.compared_with.id) if space.compared_with is not None else None,
        stake=f"{DATA_CLASS_WORDS[highest]} ({highest.name}); {modes}",
        lapses=lapses,
        lapses_on=on,
        signed=signed,
        factor=FACTOR_WORDS.get(signed.factor, "with a second factor"),
        first=_first(space, checking.of_review(tx, review, space), tx.now.date()),
        snooze=reviews.snoozed(tx, review),
        may=_rights(line, space),
    )


def _rights(line: ReviewLine, space: Workspace) -> dict[str, bool]:
    review = space.review
    working = line.stage in {Stage.NEW, Stage.REVIEWING}
    return {
        "claim": line.stage is Stage.NEW and policy.may(g.actor, Action.REVIEW_CLAIM, review),
        "assign": working and policy.may(g.actor, Action.REVIEW_ASSIGN, review),
        "snooze": working and policy.may(g.actor, Action.REVIEW_SNOOZE, review),
        "release": line.stage is Stage.REVIEWING and line.reviewer_id == g.actor.id,
        "decide": line.stage in {Stage.TO_DECIDE, Stage.TO_COSIGN}
        and policy.may(g.actor, Action.DECISION_PROPOSE, review),
    }


def _lapses(tx: Tx, line: ReviewLine, space: Workspace) -> tuple[str, date | None]:
    """Return what closes at the gate if nobody acts, and on which day."""
    engagement = space.assessment.engagement_id
    newest = next((each for each in gate.history(tx, line.vendor_id) if each.engagement_id == engagement), None)
    if newest is None or newest.act not in APPROVALS or newest.valid_until is None:
        return "Nothing is open: the gate denies until this is decided", None
    if newest.valid_until < tx.now.date():
        return "Has lapsed: the gate denies since the approval ended on", newest.valid_until
    return f"Access for {line.project} closes after", newest.valid_until


def _first(space: Workspace, found: Mapping[str, Sequence[Check]], today: date) -> tuple[First, ...]:
    """Return the answers to read first: those that went down, contradictions, ended evidence, then what costs most."""

    def named(desk: Desk, why: str, icon: str, tone: str) -> First:
        return First(
            name=f"{space.questionnaire.number_of(desk.key)} {desk.question.label}",
            href=url_for("lab_workspace.show", review_id=space.review.id, q=desk.key),
            why=why,
            icon=icon,
            tone=tone,
        )

    first: dict[str, First] = {}
    by_loss = sorted(space.desks, key=lambda desk: -desk.loss)
    for desk in by_loss:
        if desk.changed is Changed.DOWN:
            was = answer_shown(desk.question_before or desk.question, desk.before)
            words = f"went down from “{was.said}”" if was is not None and was.said else "went down"
            first.setdefault(desk.key, named(desk, words, "trending-down", "c-bad"))
    for desk in by_loss:
        for each in found.get(desk.key, ()):
            first.setdefault(desk.key, named(desk, f": {each.words}", "scan-line", "c-ask"))
    for desk in by_loss:
        if desk.files and not all(each.holds(today) for each in desk.files if each.counts is not None):
            first.setdefault(desk.key, named(desk, "rests on evidence that has ended", "file-clock", "c-warn"))
    for desk in by_loss:
        if desk.knock_out and desk.loss:
            first.setdefault(desk.key, named(desk, "is a knock-out and costs points", "shield-alert", "c-warn"))
    for desk in by_loss:
        if desk.changed in CHANGED_WORDS and desk.is_to_read:
            first.setdefault(desk.key, named(desk, CHANGED_WORDS[desk.changed], "git-compare", "c-acc"))
    for desk in by_loss:
        if desk.loss:
            first.setdefault(desk.key, named(desk, "costs points", "minus", "c-mute"))
    return tuple(first.values())[:FIRST]

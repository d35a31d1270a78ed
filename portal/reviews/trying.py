"""Rules of acceptance tried on reviews that are over: what each would have accepted, and where a person said otherwise.

Everything is taken as it was then where it is kept: the answers and files that were signed, the score with its evidence
states, the findings that were open. What a check points at is worked out from what is known today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.assessments.models import Assessment
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires.rules import Questionnaire
from portal.reviews import accepting, checking
from portal.reviews.models import AnswerVerdict, Review
from portal.reviews.rules.acceptance import BECAUSE_WORDS, Because, Rules
from portal.scoring import service as scoring
from portal.scoring.models import ScoreSnapshot
from portal.terms import Verdict
from portal.vendors.models import Vendor

MOST: Final = 30
"""How many past reviews are tried, the newest first."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer of a past review: its number, its words, and what a person said of it."""

    key: str
    number: str
    label: str
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Tried:
    """What the rules would have done with one past review, of ``asked`` answers.

    ``glances``: those that the draw would have left to a person. ``otherwise``: those that would have been accepted and
    a person flagged or asked about. ``kept``: how many answers no rule would have accepted, by the reason.
    """

    review_id: UUID
    vendor: str
    title: str
    revision: int
    opened_at: datetime
    asked: int
    accepted: tuple[Answered, ...]
    glances: tuple[Answered, ...]
    otherwise: tuple[Answered, ...]
    kept: Mapping[Because, int]

    @property
    def kept_words(self) -> Sequence[tuple[str, int]]:
        """Why how many were kept from the rules, the most frequent reason first."""
        order = list(Because)
        return [
            (BECAUSE_WORDS[each], count)
            for each, count in sorted(self.kept.items(), key=lambda item: (-item[1], order.index(item[0])))
        ]


def past(tx: Tx, rules: Rules, *, limit: int = MOST) -> Sequence[Tried]:
    """Return what these rules would have done with the newest reviews that were finished, the newest first.

    A review with nothing signed before it is left out: no rule says anything of it.

    :raises Forbidden: if the actor may not read reviews.
    """
    policy.check_ever(tx.actor, Action.REVIEW_READ)
    statement = (
        sa.select(Review, Vendor.name, Assessment.title)
        .join(Vendor, Vendor.id == Review.vendor_id)
        .join(Assessment, Assessment.id == Review.assessment_id)
        .where(Review.recommended_at.is_not(None))
        .order_by(Review.opened_at.desc(), Review.id)
        .limit(limit * 4)
    )
    found: list[Tried] = []
    for review, vendor, title in tx.session.execute(statement):
        if (tried := _tried(tx, review, rules, vendor, title)) is not None:
            found.append(tried)
        if len(found) == limit:
            break
    return found


def _tried(tx: Tx, review: Review, rules: Rules, vendor: str, title: str) -> Tried | None:
    both = checking.both_of(tx, review)
    if both.before is None:
        return None
    # The first score of the revision: how good its evidence was when the reviewer began.
    snapshot = tx.session.execute(
        sa.select(ScoreSnapshot)
        .where(ScoreSnapshot.attestation_id == review.attestation_id)
        .order_by(ScoreSnapshot.made_at, ScoreSnapshot.id)
        .limit(1)
    ).scalar_one()
    said = accepting.rulings(tx, review, rules, inputs=scoring.inputs_of(snapshot), both=both, as_then=True)
    verdicts = {
        row.question_key: row.verdict
        for row in tx.session.execute(
            sa.select(AnswerVerdict.question_key, AnswerVerdict.verdict).where(
                AnswerVerdict.review_id == review.id, AnswerVerdict.by_rule.is_(None)
            )
        )
    }
    accepted = [_answered(both.questionnaire, key, verdicts) for key, each in said.items() if each.rule is not None]
    glances = [
        _answered(both.questionnaire, key, verdicts) for key, each in said.items() if each.because is Because.GLANCE
    ]
    kept: dict[Because, int] = {}
    for each in said.values():
        if each.because is not None and each.because is not Because.GLANCE:
            kept[each.because] = kept.get(each.because, 0) + 1
    return Tried(
        review_id=review.id,
        vendor=vendor,
        title=title,
        revision=review.revision,
        opened_at=review.opened_at,
        asked=len(said),
        accepted=tuple(accepted),
        glances=tuple(glances),
        otherwise=tuple(each for each in accepted if each.verdict in {Verdict.FLAG, Verdict.ASK}),
        kept=kept,
    )


def _answered(questionnaire: Questionnaire, key: str, verdicts: Mapping[str, Verdict | None]) -> Answered:
    question = questionnaire.question(key)
    return Answered(key, question.number, question.label, verdicts.get(key))

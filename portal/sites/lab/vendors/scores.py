"""The score of a vendor on its page: the newest stored one in words, and the line of the stored ones before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from math import ceil, floor
from uuid import UUID

from portal.assessments.queries import AssessmentLine
from portal.kernel.ledger import Tx
from portal.questionnaires import service as questionnaires
from portal.scoring import queries as scores
from portal.scoring import service as scoring
from portal.scoring.queries import ScorePoint
from portal.scoring.rules import Recommendation
from portal.sites.lab.score_words import RECOMMENDATION_TONES, RECOMMENDATION_WORDS, ScoreShown, shown
from portal.sites.shared.ui import day, points

LEFT, RIGHT, TOP, BOTTOM = 4.0, 276.0, 5.0, 60.0
"""The room of the line inside its picture of 280 by 60; what it says in numbers stands below it as text."""

CAUSE_WORDS = {
    "signed": "The vendor signed",
    "recommended": "The review ended",
    "proposed": "A decision was proposed",
    "lapsed": "Evidence lapsed",
    "renewed": "Evidence was renewed",
    "remedied": "A proof closed a finding",
    "undone": "A proof was taken back",
}
MOST_REASONS = 2


@dataclass(frozen=True, slots=True)
class Line:
    """The stored scores over time, ready to draw, and the same as one sentence."""

    path: str
    area: str
    dots: tuple[tuple[float, float], ...]
    threshold_y: float
    first: datetime
    last: datetime
    words: str


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One stored score in the table beside the line."""

    id: UUID
    made_at: datetime
    cause: str
    revision: int
    claim: Fraction
    score: Fraction
    verified: Fraction
    word: str


@dataclass(frozen=True, slots=True)
class OtherScore:
    """The newest score of another engagement."""

    project: str
    score: Fraction
    word: str
    tone: str
    icon: str


@dataclass(frozen=True, slots=True)
class ScoreCard:
    """The newest stored score of a vendor, those before it for the same engagement, and those of its other ones."""

    id: UUID
    assessment_id: UUID
    project: str
    revision: int
    made_at: datetime
    cause: str
    shown: ScoreShown
    reasons: tuple[str, ...]
    more_reasons: int
    line: Line | None
    rows: tuple[ScoreRow, ...]
    others: tuple[OtherScore, ...]


def score_card(
    tx: Tx, asked: Sequence[AssessmentLine], projects: Mapping[UUID, str], *, with_reasons: bool
) -> ScoreCard | None:
    """Return what the page says of a vendor's score; None before anything was signed. Four statements at most.

    :param with_reasons: whether the reader may know which answers are wanting.
    """
    if not asked:
        return None
    found = scores.of_assessments(tx, [each.id for each in asked])
    if not found:
        return None
    by_id = {each.id: each for each in asked}
    newest = found[0]
    assessment = by_id[newest.assessment_id]
    same = [each for each in found if by_id[each.assessment_id].engagement_id == assessment.engagement_id]
    stored = scoring.get(tx, newest.id)
    words = shown(
        scoring.result_of(stored),
        scoring.inputs_of(stored),
        questionnaires.compiled(tx, assessment.questionnaire_id),
    )
    return ScoreCard(
        id=newest.id,
        assessment_id=assessment.id,
        project=projects.get(assessment.engagement_id, ""),
        revision=newest.revision,
        made_at=newest.made_at,
        cause=_cause(newest.cause),
        shown=words if with_reasons else replace(words, reasons=(), losses=(), knock_outs=(), domains=()),
        reasons=words.reasons[:MOST_REASONS] if with_reasons else (),
        more_reasons=len(words.reasons[MOST_REASONS:]) if with_reasons else 0,
        line=line_of(same[::-1], words.threshold),
        rows=tuple(_row(each) for each in same),
        others=_others(found, by_id, assessment.engagement_id, projects),
    )


def line_of(stored: Sequence[ScorePoint], threshold: int) -> Line | None:
    """Return the line through stored scores, the oldest first; None for fewer than two, for one point is no line."""
    if len(stored) < 2:
        return None
    values = [each.score for each in stored]
    low = max(0, floor((min(*values, Fraction(threshold)) - 4) / 10) * 10)
    high = min(100, ceil((max(*values, Fraction(threshold)) + 2) / 10) * 10)

    def y_of(value: Fraction | int) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * float((value - low) / Fraction(high - low)), 1)

    dots = tuple(zip(_across(stored), (y_of(each) for each in values), strict=True))
    path = "M" + "L".join(f"{x} {y}" for x, y in dots)
    return Line(
        path=path,
        area=f"{path}V{BOTTOM}H{dots[0][0]}z",
        dots=dots,
        threshold_y=y_of(threshold),
        first=stored[0].made_at,
        last=stored[-1].made_at,
        words=_said(stored, threshold),
    )


def _across(stored: Sequence[ScorePoint]) -> list[float]:
    first = stored[0].made_at
    span = (stored[-1].made_at - first).total_seconds()
    shares = [
        (each.made_at - first).total_seconds() / span if span else number / (len(stored) - 1)
        for number, each in enumerate(stored)
    ]
    return [round(LEFT + (RIGHT - LEFT) * share, 1) for share in shares]


def _said(stored: Sequence[ScorePoint], threshold: int) -> str:
    first, last = stored[0], stored[-1]
    least, most = min(each.score for each in stored), max(each.score for each in stored)
    return (
        f"{len(stored)} stored scores, from {points(first.score)} on {day(first.made_at)} to {points(last.score)} on "
        f"{day(last.made_at)}, the lowest {points(least)}, the highest {points(most)}; approval needs {threshold}"
    )


def _row(point: ScorePoint) -> ScoreRow:
    return ScoreRow(
        id=point.id,
        made_at=point.made_at,
        cause=_cause(point.cause),
        revision=point.revision,
        claim=point.claim,
        score=point.score,
        verified=point.verified,
        word=RECOMMENDATION_WORDS[Recommendation(point.recommendation.value)],
    )


def _others(
    found: Sequence[ScorePoint], by_id: Mapping[UUID, AssessmentLine], shown_one: UUID, projects: Mapping[UUID, str]
) -> tuple[OtherScore, ...]:
    newest: dict[UUID, ScorePoint] = {}
    for each in found:
        newest.setdefault(by_id[each.assessment_id].engagement_id, each)
    others = [
        OtherScore(
            projects.get(engagement_id, "an engagement"),
            each.score,
            RECOMMENDATION_WORDS[Recommendation(each.recommendation.value)],
            *RECOMMENDATION_TONES[Recommendation(each.recommendation.value)],
        )
        for engagement_id, each in newest.items()
        if engagement_id != shown_one
    ]
    return tuple(sorted(others, key=lambda each: each.project))


def _cause(cause: str) -> str:
    return CAUSE_WORDS.get(cause, cause)

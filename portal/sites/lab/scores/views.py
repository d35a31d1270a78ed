"""A stored score by itself, and beside another one of the same vendor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue

from portal.kernel.errors import NotFound
from portal.kernel.ledger import Tx
from portal.policy import Action, may_ever
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Questionnaire
from portal.scoring import queries, replaying, rules
from portal.scoring import service as scoring
from portal.scoring.queries import Placed
from portal.scoring.rules.causes import NUMBERS, explain
from portal.sites.lab.score_words import RECOMMENDATION_TONES, RECOMMENDATION_WORDS, ScoreShown, shown
from portal.sites.lab.scores import why
from portal.sites.lab.vendors.scores import CAUSE_WORDS
from portal.sites.shared.door import does
from portal.sites.shared.pages import begin, page

bp = Blueprint("lab_scores", __name__, url_prefix="/lab/scores")

NUMBER_WORDS = {
    "claim": "If every claim holds",
    "score": "Score",
    "verified": "Verified",
    "strength": "Strength",
    "residual": "Residual risk",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored score as the pages name it."""

    id: UUID
    made_at: datetime
    cause: str
    revision: int
    place: Placed
    questionnaire: Questionnaire
    inputs: rules.Inputs
    shown: ScoreShown
    inputs_digest: str
    result_digest: str
    size: int


@bp.get("/<uuid:snapshot_id>")
@does(Action.SCORE_READ)
def show(snapshot_id: UUID) -> ResponseReturnValue:
    """Show what a stored score is made of; with ``replay`` also what comes of computing it again now."""
    with begin() as tx:
        row = scoring.read(tx, snapshot_id, Action.SCORE_READ)
        assessment_id = row.assessment_id
        stored = _stored(tx, row.id)
        replayed = replaying.replay(row) if "replay" in request.args else None
        others = queries.of_vendor(tx, row.vendor_id)
        now = tx.now
    order = (stored.made_at, stored.id)
    earlier = next(
        (each for each in others if each.assessment_id == assessment_id and (each.made_at, each.id) < order), None
    )
    return page(
        "lab/scores/show.html",
        stored=stored,
        replayed=replayed,
        now=now,
        earlier=earlier,
        others=[each for each in others if each.id != snapshot_id],
        words=RECOMMENDATION_WORDS,
        tones=RECOMMENDATION_TONES,
        causes=CAUSE_WORDS,
        may_open=may_ever(g.actor, Action.REVIEW_READ),
    )


@bp.get("/<uuid:snapshot_id>/against/<uuid:other_snapshot_id>")
@does(Action.REVIEW_READ)
def against(snapshot_id: UUID, other_snapshot_id: UUID) -> ResponseReturnValue:
    """Show why the second score is not the first: four parts, each opened down to single answers, rules and files."""
    with begin() as tx:
        before, after = _stored(tx, snapshot_id), _stored(tx, other_snapshot_id)
        if before.place.vendor_id != after.place.vendor_id:
            raise NotFound
        files = queries.files_named(tx, why.ids_of((before.inputs, after.inputs)))
    explanation = explain(before.inputs, after.inputs)
    words = why.Words(before.questionnaire, after.questionnaire, files)
    first, last = why.ends(explanation)
    return page(
        "lab/scores/against.html",
        before=before,
        after=after,
        explanation=explanation,
        parts=why.opened(explanation, words),
        first=first,
        last=last,
        sentence=why.sentence(explanation),
        numbers=[
            (name, NUMBER_WORDS[name], _of(explanation.before, name), _of(explanation.after, name)) for name in NUMBERS
        ],
        exact="exact" in request.args,
        words=RECOMMENDATION_WORDS,
        tones=RECOMMENDATION_TONES,
        causes=CAUSE_WORDS,
        reached=explanation.difference.recommendations,
    )


def _of(score: rules.Score, name: str) -> object:
    return getattr(score if name in {"strength", "residual"} else score.measures, name)


def _stored(tx: Tx, snapshot_id: UUID) -> Stored:
    row = scoring.read(tx, snapshot_id, Action.SCORE_READ)
    place = queries.placed(tx, row.assessment_id)
    questionnaire = questionnaires.compiled(tx, place.questionnaire_id)
    inputs = scoring.inputs_of(row)
    return Stored(
        id=row.id,
        made_at=row.made_at,
        cause=CAUSE_WORDS.get(row.cause, row.cause),
        revision=row.revision,
        place=place,
        questionnaire=questionnaire,
        inputs=inputs,
        shown=shown(scoring.result_of(row), inputs, questionnaire),
        inputs_digest=row.inputs_digest,
        result_digest=row.result_digest,
        size=len(row.inputs.encode()),
    )

"""The published questionnaires, and one version to read."""

from __future__ import annotations

from collections import Counter

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.kernel.errors import NotFound
from portal.policy import Action
from portal.questionnaires import queries
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Kind
from portal.sites.shared.door import does
from portal.sites.shared.pages import begin, page

bp = Blueprint("lab_questionnaires", __name__, url_prefix="/lab/questionnaires")

KIND_WORDS = {
    Kind.YES_PARTIAL_NO: "Yes, partly, no",
    Kind.YES_NO: "Yes or no",
    Kind.YES_NO_STRICT: "Yes or no, always applies",
    Kind.ONE_CHOICE: "One choice",
    Kind.NUMBER: "Number",
    Kind.MANY_CHOICES: "Several choices",
    Kind.TABLE: "Table",
    Kind.DATE: "Date",
    Kind.RANGE: "Period",
    Kind.TEXT: "Text",
    Kind.URL: "Web address",
    Kind.FILE: "File",
}


@bp.get("")
@does(Action.QUESTIONNAIRE_READ)
def index() -> ResponseReturnValue:
    """List the published versions."""
    with begin() as tx:
        rows = [(line, questionnaires.compiled(tx, line.id)) for line in questionnaires.list_versions(tx)]
    return page("lab/questionnaires/index.html", rows=rows)


@bp.get("/<slug>/v<int:version>")
@does(Action.QUESTIONNAIRE_READ)
def show(slug: str, version: int) -> ResponseReturnValue:
    """Show one version, section by section."""
    if not slug.isascii() or not slug.isprintable() or not 0 < version < 10_000:
        raise NotFound
    with begin() as tx:
        line = queries.version_named(tx, slug, version)
        if line is None:
            raise NotFound
        questionnaire = questionnaires.compiled(tx, line.id)
    scored = [question for question in questionnaire.questions if question.is_scored]
    tiers = Counter(tier for question in questionnaire.questions for tier in question.tiers)
    return page(
        "lab/questionnaires/show.html",
        line=line,
        questionnaire=questionnaire,
        kinds=KIND_WORDS,
        tiers=[(tier, tiers[tier]) for tier in (1, 2, 3)],
        scored=len(scored),
        knock_outs=sum(question.knock_out is not None for question in questionnaire.questions),
    )

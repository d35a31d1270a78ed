"""The published questionnaires with the drafts of the next ones, and one version to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from flask import g
from flask.typing import ResponseReturnValue

from portal.kernel.errors import NotFound
from portal.policy import Action, may_ever
from portal.questionnaires import queries
from portal.questionnaires import service as questionnaires
from portal.sites.lab.questionnaires import changes, drafts, importing, publishing
from portal.sites.lab.questionnaires.blueprint import bp
from portal.sites.lab.questionnaires.reading import origin_words
from portal.sites.lab.questionnaires.wording import KIND_WORDS
from portal.sites.shared.door import does
from portal.sites.shared.pages import begin, page

__all__ = ["bp", "changes", "drafts", "importing", "publishing"]


@bp.get("")
@does(Action.QUESTIONNAIRE_READ)
def index() -> ResponseReturnValue:
    """List the drafts and the published versions."""
    with begin() as tx:
        lines = questionnaires.list_versions(tx)
        before = {(each.slug, each.version): earlier for each, earlier in _with_earlier(lines)}
        rows = [(line, questionnaires.compiled(tx, line.id), before.get((line.slug, line.version))) for line in lines]
        open_drafts = queries.drafts(tx)
    return page(
        "lab/questionnaires/index.html",
        rows=rows,
        drafts=open_drafts,
        origin_words=origin_words,
        may_draft=may_ever(g.actor, Action.QUESTIONNAIRE_DRAFT),
    )


def _with_earlier(lines: Sequence[queries.VersionLine]) -> list[tuple[queries.VersionLine, queries.VersionLine]]:
    """Return each version with the one before it; the first of a questionnaire has none."""
    pairs = pairwise(lines)
    return [(later, earlier) for later, earlier in pairs if later.slug == earlier.slug]


@bp.get("/<slug>/v<int:version>")
@does(Action.QUESTIONNAIRE_READ)
def show(slug: str, version: int) -> ResponseReturnValue:
    """Show one version, section by section, and who signed it."""
    if not slug.isascii() or not slug.isprintable() or not 0 < version < 10_000:
        raise NotFound
    with begin() as tx:
        line = queries.version_named(tx, slug, version)
        if line is None:
            raise NotFound
        questionnaire = questionnaires.compiled(tx, line.id)
        earlier = queries.newest_before(tx, slug, version)
        signatures = queries.signatures_of_version(tx, line.id)
    scored = [question for question in questionnaire.questions if question.is_scored]
    tiers = Counter(tier for question in questionnaire.questions for tier in question.tiers)
    return page(
        "lab/questionnaires/show.html",
        line=line,
        earlier=earlier,
        signatures=signatures,
        may_draft=may_ever(g.actor, Action.QUESTIONNAIRE_DRAFT),
        questionnaire=questionnaire,
        kinds=KIND_WORDS,
        tiers=[(tier, tiers[tier]) for tier in (1, 2, 3)],
        scored=len(scored),
        knock_outs=sum(question.knock_out is not None for question in questionnaire.questions),
    )

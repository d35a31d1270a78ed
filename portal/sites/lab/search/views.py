"""Search from anywhere: what some words lead to, by group; a vendor that is meant alone opens at once."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.evidence.rules import KINDS
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.reviews import service as reviews
from portal.reviews.rules import MOST_WORDS, Excerpt, asked_words
from portal.reviews.searching import AnswerHit, Results
from portal.sites.shared.door import does
from portal.sites.shared.pages import begin, page
from portal.terms import Severity

bp = Blueprint("lab_search", __name__, url_prefix="/lab/search")

LONGEST = 100
SEVERITY_WORDS = {Severity.HIGH: "High", Severity.MEDIUM: "Medium", Severity.LOW: "Low"}


@dataclass(frozen=True, slots=True)
class AnswerShown:
    """An answer that was found, with the number and label of its question and the link to it."""

    vendor: str
    title: str
    question: str
    href: str
    excerpt: Excerpt


@bp.get("")
@does(Action.VENDOR_READ)
def search() -> ResponseReturnValue:
    """Show what the words lead to; one vendor whose name begins with them opens, unless everything is asked for."""
    text = " ".join(request.args.get("q", "").split())[:LONGEST]
    words = asked_words(text)
    with begin() as tx:
        found = reviews.search(tx, text)
        only = _only(found) if request.args.get("all") is None else ""
        if only:
            return redirect(url_for("lab_vendors.show", slug=only, found=text))
        answers = [_answer(tx, each) for each in found.answers] if found.answers is not None else None
    return page(
        "lab/search/results.html",
        searched=text,
        words=words,
        found=found,
        answers=answers,
        kinds={code: kind.title for code, kind in KINDS.items()},
        severities=SEVERITY_WORDS,
        most_words=MOST_WORDS,
    )


def _only(found: Results) -> str:
    """Return the vendor that is meant: the only one whose name begins with the words as they were typed."""
    typed = " ".join(found.words)
    named = [each for each in found.vendors if " ".join(asked_words(each.name)).startswith(typed)]
    return named[0].slug if typed and len(named) == 1 else ""


def _answer(tx: Tx, hit: AnswerHit) -> AnswerShown:
    version = questionnaires.compiled(tx, hit.questionnaire_id)
    known = hit.question_key in version
    label = f"{version.number_of(hit.question_key)} {version.question(hit.question_key).label}" if known else ""
    return AnswerShown(
        vendor=hit.vendor,
        title=hit.title,
        question=label or hit.question_key,
        href=url_for("lab_workspace.show", review_id=hit.review_id, q=hit.question_key),
        excerpt=hit.excerpt,
    )

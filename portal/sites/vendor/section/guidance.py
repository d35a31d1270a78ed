"""What stands beside a question: the same for everybody who may do the same, so it is rendered once and kept."""

from __future__ import annotations

from typing import Final

from flask import current_app
from markupsafe import Markup

from portal.questionnaires.rules import Section
from portal.sites.shared.language import language
from portal.sites.vendor.section.cards import Card
from portal.sites.vendor.work import Work

MOST: Final = 4096
"""Pieces that one process keeps: a few megabytes. Beyond that it begins anew."""

_kept: dict[tuple[object, ...], Markup] = {}


def guidance(card: Card, work: Work, part: Section, may_assign: bool) -> Markup:
    """Return why we ask, what is strong, what proves it, and the ways to somebody who knows. No answer is in it."""
    asked = (work.questionnaire.digest, card.question.key, work.id)
    reader = (language(), work.lab, may_assign, card.writable)
    found = _kept.get((*asked, *reader))
    if found is None:
        template = current_app.jinja_env.get_template("vendor/section/side.html")
        text = template.render(card=card, work=work, part=part, may_assign=may_assign)
        found = Markup(text)  # noqa: S704 - our own template escapes  # nosec B704
        if len(_kept) >= MOST:
            _kept.clear()
        _kept[(*asked, *reader)] = found
    return found

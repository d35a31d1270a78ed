"""What the cards of a page have in common, and the pieces of a card in which no answer stands: rendered once and kept.

The key of a piece is everything that stands in it but the token of its forms, which is filled in for each page. So a
piece that was kept for one reader is shown to another only where it would have been drawn the same, letter by letter.
"""

from __future__ import annotations

import secrets
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from flask import current_app
from markupsafe import Markup, escape

from portal.evidence.rules import KINDS
from portal.exchange.external import Suggested
from portal.questionnaires.rules import Question, Section
from portal.sites.shared.language import _, reader, told
from portal.sites.vendor.section.cards import Card
from portal.sites.vendor.section.picker import Picker
from portal.sites.vendor.work import Work

MOST: Final = 8_000_000
"""Letters that one process keeps of such pieces. Beyond that it begins anew."""
TOKEN: Final = secrets.token_hex(24)
"""Stands in a kept piece where the token of a page comes; nobody outside of this process can write it."""


class _Kept(dict[tuple[Hashable, ...], str]):
    """The pieces, and how many letters they have."""

    size = 0

    def keep(self, key: tuple[Hashable, ...], text: str) -> None:
        """Keep a piece; when it gets too much, only this one."""
        if self.size > MOST:
            self.clear()
            self.size = 0
        self[key] = text
        self.size += len(text)


_kept = _Kept()


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the cards of one page have in common."""

    work: Work
    part: Section
    at: str
    """The address of the section, below which each question has its own."""
    lab: str
    token: str
    name: str
    """Who reads, as the one who answered."""
    may_assign: bool
    limits: str = ""
    """What is said next to every upload button."""
    picks: Mapping[str, Picker] = field(default_factory=dict)
    suggestions: Mapping[str, Suggested] = field(default_factory=dict)
    prefilled: str = ""

    def of(self, card: Card) -> str:
        """Return the address of a question."""
        return f"{self.at}/{quote(card.question.key, safe='')}"

    def guidance(self, card: Card) -> Markup:
        """Return why we ask, what is strong, what proves it, and the ways to somebody who knows."""
        return self._once("vendor/section/side.html", card, card.writable, self.may_assign)

    def ask(self, card: Card) -> Markup:
        """Return the way to ask about a question that nobody has asked about yet."""
        if card.reply or card.reply_problem:
            return self._draw("vendor/section/ask.html", card, self.token)
        return self._once("vendor/section/ask.html", card)

    def upload(self, card: Card) -> Markup:
        """Return the form that uploads a file for an answer."""
        return self._once("vendor/section/upload.html", card, self.limits, kinds=_kinds(card.question))

    def library(self, card: Card) -> Markup:
        """Return the form that takes a file of the library for an answer."""
        offer = self.picks.get(card.question.key)
        if card.file_form or card.file_problems:
            return self._draw("vendor/section/library.html", card, self.token, offer=offer)
        return self._once("vendor/section/library.html", card, offer, offer=offer)

    def _once(self, template: str, card: Card, *more: Hashable, **context: Any) -> Markup:
        """Return a piece; ``more`` is what stands in it beside the question, the assessment and the reader."""
        key = (template, self.work.questionnaire.digest, card.question.key, self.work.id, self.lab, reader(), *more)
        found = _kept.get(key)
        if found is None:
            found = str(self._draw(template, card, TOKEN, **context))
            _kept.keep(key, found)
        # Our own template has escaped what stands in it.
        return Markup(found.replace(TOKEN, str(escape(self.token))))  # noqa: S704  # nosec B704

    def _draw(self, template: str, card: Card, token: str, **context: Any) -> Markup:
        drawn = current_app.jinja_env.get_template(template)
        text = drawn.render(sheet=self, card=card, work=self.work, part=self.part, token=token, **context)
        return Markup(text)  # noqa: S704  # nosec B704 - our own template escapes


def _kinds(question: Question) -> Sequence[tuple[str, str]]:
    """Return the kinds of file that prove an answer, to choose from; all of them where the question names none."""
    named = [(code, told(KINDS[code].title)) for code in question.evidence.kinds if code in KINDS]
    return named or [
        ("", _("Choose the type of evidence")),
        *((code, told(kind.title)) for code, kind in KINDS.items()),
    ]

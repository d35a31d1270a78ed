"""In which language a page speaks: texts by gettext (Flask-Babel), and the sentences of the rooms at the edge.

Templates use ``_()``, ``ngettext()`` and ``{% trans %}``; views use ``_`` and ``ngettext`` of this module. A word that
comes out of a table (a role, a state) or a sentence that a room said goes through ``told``. Pages of the lab speak
English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

from flask import Flask, g, has_request_context, request
from flask_babel import Babel
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from portal.kernel.actor import Actor
from portal.kernel.words import ENGLISH, Said, catalogue, translated, whole, zone_of
from portal.terms import LANGUAGES

__all__ = [
    "COOKIE",
    "Reader",
    "_",
    "asked_in",
    "language",
    "ngettext",
    "questions_in",
    "read_as",
    "reader",
    "register",
    "told",
]

COOKIE = "language"


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a page speaks to: a language and a zone."""

    language: str = ENGLISH
    zone: tzinfo = UTC


NOBODY = Reader()


def language() -> str:
    """Return the language of this request.

    Who is signed in has one; a visitor chose one in this browser, or the browser asks for one that we speak. The lab
    reads English.
    """
    return reader().language


def reader() -> Reader:
    """Return whom this request speaks to; outside of a request it is English in UTC."""
    if not has_request_context():
        return NOBODY
    # A page asks some hundred times: the proxy is followed once for both.
    here = g._get_current_object()
    who: Actor | None = here.get("actor")
    known: tuple[Actor | None, Reader] | None = here.get("reader")
    if known is None or known[0] is not who:
        known = here.reader = (who, _reader(who))
    return known[1]


def _reader(who: Actor | None) -> Reader:
    if who is not None and who.id is not None:
        return Reader(ENGLISH if who.is_lab or who.language not in LANGUAGES else who.language, zone_of(who.timezone))
    chosen = request.cookies.get(COOKIE, "")
    if chosen not in LANGUAGES:
        chosen = request.accept_languages.best_match(list(LANGUAGES)) or ENGLISH
    return Reader(chosen)


def questions_in(speaks: str) -> None:
    """Note in which language the questions on this page are asked."""
    g.asked_in = speaks


def asked_in() -> Markup:
    """Return the attribute that marks a text of a question, where the page around it speaks another language."""
    speaks = g.get("asked_in", "") if has_request_context() else ""
    return Markup("") if speaks in ("", language()) else Markup(' lang="{}"').format(speaks)


def read_as(language: str, timezone: str) -> None:
    """Speak the rest of this request to a reader who has just changed how they read."""
    if not g.actor.is_lab:
        g.reader = (g.actor, Reader(language, zone_of(timezone)))


def _(text: str, /, **values: Any) -> str:
    """Return a text in the language of this request, with its ``%(name)s`` filled in."""
    found = catalogue(language()).gettext(text)
    return found % _told(values) if values else found


def ngettext(one: str, many: str, number: int, /, **values: Any) -> str:
    """Return a text about a number of things, which may stand in both as ``%(num)s``."""
    speaks = language()
    return catalogue(speaks).ngettext(one, many, number) % {"num": whole(number, speaks), **_told(values)}


def told(text: str) -> str:
    """Return a word or a sentence of a room in the language of this request."""
    if not text:
        return text
    who = reader()
    if type(text) is str:
        return catalogue(who.language).gettext(text)
    return translated(text, catalogue(who.language), who.zone)


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: told(each) if isinstance(each, Said) else each for name, each in values.items()}


# What templates call. Jinja asks for the text alone, and fills in the values itself so that each is escaped.


@pass_eval_context
def _in_template(context: EvalContext, text: str, /, **values: Any) -> str:
    found = catalogue(language()).gettext(text)
    # As in Jinja's own: a literal percent is written twice, with and without values.
    return (Markup(found) if context.autoescape else found) % _told(values)  # noqa: S704  # nosec B704 - our own text


@pass_eval_context
def _many_in_template(context: EvalContext, one: str, many: str, number: int, /, **values: Any) -> str:
    speaks = language()
    found = catalogue(speaks).ngettext(one, many, number)
    filled = {"num": whole(number, speaks), **_told(values)}
    return (Markup(found) if context.autoescape else found) % filled  # noqa: S704  # nosec B704 - our own text


def _finalize(value: Any) -> Any:
    return told(value) if isinstance(value, Said) else value


def register(app: Flask) -> None:
    """Give the application its languages; a sentence of a room that a template prints is told by itself."""
    app.config.update(BABEL_TRANSLATION_DIRECTORIES="translations", BABEL_DEFAULT_LOCALE=ENGLISH)
    Babel(app, locale_selector=language)
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.newstyle_gettext = True  # type: ignore[attr-defined]  # the i18n extension reads it
    app.jinja_env.finalize = _finalize
    app.jinja_env.globals.update(
        asked_in=asked_in,
        LANGUAGES=LANGUAGES,
        language=language,
        gettext=_in_template,
        ngettext=_many_in_template,
        _=_in_template,
    )

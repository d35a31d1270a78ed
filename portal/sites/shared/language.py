"""In which language a page speaks: texts by gettext (Flask-Babel), and the sentences of the rooms at the edge.

Templates use ``_()``, ``ngettext()`` and ``{% trans %}``; views use ``_`` and ``ngettext`` of this module. A word that
comes out of a table (a role, a state) or a sentence that a room said goes through ``told``. Pages of the lab speak
English.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, g, request
from flask_babel import Babel, get_translations
from flask_babel import gettext as _
from flask_babel import ngettext as ngettext

from portal.kernel.actor import Actor
from portal.kernel.words import Said, translated
from portal.terms import LANGUAGES

__all__ = ["_", "language", "ngettext", "register", "told"]

COOKIE = "language"


def language() -> str:
    """Return the language of this request: the one chosen, else the first that the browser asks for and we speak."""
    who: Actor | None = g.get("actor")
    if who is not None and who.is_lab and who.id is not None:
        return "en"
    chosen = request.cookies.get(COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    return request.accept_languages.best_match(list(LANGUAGES)) or "en"


def told(text: str) -> str:
    """Return a word or a sentence of a room in the language of this request."""
    return translated(text, get_translations())


def _finalize(value: Any) -> Any:
    return told(value) if isinstance(value, Said) else value


def register(app: Flask) -> None:
    """Give the application its languages; a sentence of a room that a template prints is told by itself."""
    app.config.update(BABEL_TRANSLATION_DIRECTORIES="translations", BABEL_DEFAULT_LOCALE="en")
    Babel(app, locale_selector=language)
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.finalize = _finalize
    app.jinja_env.filters["told"] = told
    app.jinja_env.globals["language"] = language

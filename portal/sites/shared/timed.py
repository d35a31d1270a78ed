"""Sentences made in views whose days are told to machines too: every time on a page is a ``<time>``."""

from __future__ import annotations

import re
from datetime import date

from flask import Flask
from markupsafe import Markup, escape

from portal.sites.shared.ui import day

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY = re.compile(rf"\b(\d{{1,2}})\s({'|'.join(_MONTHS)})[a-z]*\s(\d{{4}})\b")


def on(value: date, *, short: bool = False) -> Markup:
    """Return a day as it is read, in a ``<time>``."""
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), day(value, short=short))


def sentence(text: str, **given: object) -> Markup:
    """Return a text of ours with its values put in, escaped but for times: ``sentence(_("Until %(day)s"), day=…)``."""
    return Markup(text) % given  # noqa: S704  # nosec B704 - the text is our own


def timed(text: str) -> Markup:
    """Return a sentence of the lab's pages with every day in it in a ``<time>``; what was escaped stays as it is.

    For sentences that are also said where there is no page: in a mail, in a document, as the gate's reason.
    """

    def told(found: re.Match[str]) -> str:
        number, name, year = found.groups()
        try:
            when = date(int(year), _MONTHS.index(name) + 1, int(number))
        except ValueError:
            return found[0]
        return f'<time datetime="{when.isoformat()}">{found[0]}</time>'

    # What stands around the days is escaped; the days themselves have nothing to escape.
    return Markup(_DAY.sub(told, escape(text)))  # noqa: S704  # nosec B704


def register(app: Flask) -> None:
    """Give templates the filter ``timed``."""
    app.jinja_env.filters.update(timed=timed)

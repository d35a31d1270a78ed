"""Sentences made in views whose days are told to machines too: every time on a page is a ``<time>``."""

from __future__ import annotations

from datetime import date

from markupsafe import Markup

from portal.sites.shared.ui import day


def on(value: date, *, short: bool = False) -> Markup:
    """Return a day as it is read, in a ``<time>``."""
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), day(value, short=short))


def sentence(text: str, **given: object) -> Markup:
    """Return a text of ours with its values put in, escaped but for times: ``sentence(_("Until %(day)s"), day=…)``."""
    return Markup(text) % given  # noqa: S704  # nosec B704 - the text is our own

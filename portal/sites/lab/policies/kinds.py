"""The kinds of policies that have pages, each with its differences in words and its look ahead."""

from __future__ import annotations

from typing import Final

from portal.kernel.errors import NotFound
from portal.sites.lab.policies import acceptance, levels, scoring
from portal.sites.lab.policies.page import KindPage

PAGES: Final[dict[str, KindPage]] = {each.kind.name: each for each in (scoring.PAGE, acceptance.PAGE, levels.PAGE)}
"""By the name of the kind, in the order of the list. A new kind is a line here."""


def page_of(name: str) -> KindPage:
    """Return the pages of a kind by its name.

    :raises NotFound: if there is no such kind.
    """
    if name not in PAGES:
        raise NotFound
    return PAGES[name]

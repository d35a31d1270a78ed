"""The service levels on their pages: their differences in words, and which open reviews would be late by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from portal.reviews.rules.levels import differences, read
from portal.reviews.service_levels import LEVELS
from portal.rulebook.service import Published
from portal.sites.lab.policies.page import KindPage, Told


def told(before: Published, after: Published) -> Sequence[Told]:
    """Return how two documents of service levels differ, in words."""
    return [Told(*each) for each in differences(read(before.text), read(after.text))]


PAGE: Final = KindPage(kind=LEVELS, told=told)

"""The scoring policy on its pages: its differences in words, and what would become of every vendor's score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from portal.rulebook.service import Published
from portal.scoring.policies import SCORING
from portal.scoring.rules.written import changes, policy_of
from portal.sites.lab.policies.page import KindPage, Told


def told(before: Published, after: Published) -> Sequence[Told]:
    """Return how two scoring policies differ, in words."""
    found = changes(policy_of(before.text, before.version), policy_of(after.text, after.version))
    return [Told(each.words, each.old, each.new) for each in found]


PAGE: Final = KindPage(kind=SCORING, told=told)

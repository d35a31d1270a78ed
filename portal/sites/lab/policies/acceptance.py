"""The rules of acceptance on their pages: their differences in words, and a dry run on the reviews that are over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from portal.kernel.ledger import Tx
from portal.reviews import trying
from portal.reviews.policies import ACCEPTANCE
from portal.reviews.rules.acceptance import differences, read
from portal.reviews.trying import Tried
from portal.rulebook.service import Published
from portal.sites.lab.policies.page import KindPage, Told


def told(before: Published, after: Published) -> Sequence[Told]:
    """Return how two documents of rules differ, in words."""
    return [Told(*each) for each in differences(before.text, after.text)]


@dataclass(frozen=True, slots=True)
class Totals:
    """What a document would have done with all the reviews that were tried."""

    asked: int
    accepted: int
    glances: int
    otherwise: int


@dataclass(frozen=True, slots=True)
class DryRun:
    """Past reviews with what each document would have accepted: the draft, and what is in force."""

    tried: Sequence[tuple[Tried, Tried]]
    now: Totals
    then: Totals


def foresee(tx: Tx, before: Published, after: Published, query: Mapping[str, str]) -> DryRun:  # noqa: ARG001
    """Return what the draft would have accepted of past reviews, beside what is in force; nothing is written."""
    drafted, standing = trying.past(tx, read(after.text)), trying.past(tx, read(before.text))
    by_review = {each.review_id: each for each in standing}
    pairs = [(each, by_review[each.review_id]) for each in drafted if each.review_id in by_review]
    return DryRun(pairs, _totals([each for each, _ in pairs]), _totals([each for _, each in pairs]))


def _totals(tried: Sequence[Tried]) -> Totals:
    return Totals(
        asked=sum(each.asked for each in tried),
        accepted=sum(len(each.accepted) for each in tried),
        glances=sum(len(each.glances) for each in tried),
        otherwise=sum(len(each.otherwise) for each in tried),
    )


PAGE: Final = KindPage(kind=ACCEPTANCE, told=told, foresee=foresee, template="lab/policies/acceptance.html")

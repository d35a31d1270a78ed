"""The scoring policy on its pages: its differences in words, and what would become of every vendor's score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from portal.kernel.ledger import Tx
from portal.rulebook.service import Published
from portal.scoring.policies import SCORING
from portal.scoring.rules import Recommendation
from portal.scoring.rules.written import changes, policy_of
from portal.scoring.what_if import Foreseen, WhatIf, what_if
from portal.sites.lab.policies.page import KindPage, Told
from portal.sites.lab.score_words import RECOMMENDATION_TONES, RECOMMENDATION_WORDS
from portal.sites.shared.ui import plural, points

PAGE_SIZE: Final = 40
MOST_NAMED: Final = 4


@dataclass(frozen=True, slots=True)
class Look:
    """What the page shows of it: sentences, counts, and one page of the vendors for whom anything differs."""

    what: WhatIf
    sentences: Sequence[str]
    rows: Sequence[Foreseen]
    total: int
    first: int
    at: int
    pages: int

    @property
    def last(self) -> int:
        """The number of the last row shown."""
        return self.first + len(self.rows) - 1

    @staticmethod
    def word(recommendation: Recommendation) -> str:
        """Return what a page calls a recommendation."""
        return RECOMMENDATION_WORDS[recommendation]

    @staticmethod
    def tone(recommendation: Recommendation) -> tuple[str, str]:
        """Return how a page marks a recommendation: a tone and an icon."""
        return RECOMMENDATION_TONES[recommendation]


def told(before: Published, after: Published) -> Sequence[Told]:
    """Return how two scoring policies differ, in words."""
    found = changes(policy_of(before.text, before.version), policy_of(after.text, after.version))
    return [Told(each.words, each.old, each.new) for each in found]


def foresee(tx: Tx, before: Published, after: Published, query: Mapping[str, str]) -> Look:
    """Return what the draft would make of every vendor's newest score, one page of it."""
    what = what_if(tx, policy_of(before.text, before.version), policy_of(after.text, after.version))
    changed = what.changed
    pages = max(1, -(-len(changed) // PAGE_SIZE))
    wanted = query.get("page", "1")
    at = min(int(wanted), pages) if wanted.isascii() and wanted.isdigit() and len(wanted) < 6 and int(wanted) else 1
    first = (at - 1) * PAGE_SIZE
    return Look(
        what=what,
        sentences=sentences(what),
        rows=changed[first : first + PAGE_SIZE],
        total=len(changed),
        first=first + 1,
        at=at,
        pages=pages,
    )


def sentences(what: WhatIf) -> list[str]:
    """Return what would follow, in sentences of exact numbers."""
    if not what.lines:
        return ["Nobody signed anything yet, so no score differs."]
    count = len(what.lines)
    if not what.changed:
        return [f"None of {plural(count, 'score')} would differ."]
    otherwise = sum(each.recommends_otherwise for each in what.lines)
    worse = sum(each.worse for each in what.lines)
    if otherwise:
        which = f", {worse} of them for the worse" if worse else ", all for the better"
        first = f"The suggestion would differ for {otherwise} of {plural(count, 'engagement')}{which}."
    else:
        first = f"No suggestion would differ, for any of {plural(count, 'engagement')}."
    found = [first]
    if what.points:
        named = [f"{each.vendor} {points(each.by, signed=True)}" for each in what.points[:MOST_NAMED]]
        more = f", and {len(what.points) - len(named)} more" if len(what.points) > len(named) else ""
        found.append(f"{plural(len(what.points), 'score')} would differ: {', '.join(named)}{more}.")
    else:
        found.append("No score would differ.")
    if what.bands or what.tiers:
        parts = [
            f"{plural(what.bands, 'residual risk')} would lie in another band" if what.bands else "",
            f"{plural(what.tiers, 'engagement')} would be weighed in another tier" if what.tiers else "",
        ]
        found.append(f"{', and '.join(each for each in parts if each)}.")
    if what.files:
        found.append(
            f"{plural(what.files, 'file')} would count until another day. When the version is in force they do, and "
            "approvals that rest on them follow."
        )
    return found


PAGE: Final = KindPage(kind=SCORING, told=told, foresee=foresee, template="lab/policies/_scoring.html")

"""What the lab of the demo keeps beside its reviews: policies that two people published, a draft, lists with a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.policy import Action
from portal.reviews import service as reviews
from portal.reviews.policies import ACCEPTANCE
from portal.reviews.rules import Wanted
from portal.reviews.rules.timing import Kind as ReviewKind
from portal.reviews.service_levels import LEVELS
from portal.rulebook import service as rulebook
from portal.rulebook.queries import drafts

if TYPE_CHECKING:
    from portal.demo.story import Story

VIEWS = (
    ("Renewals", Wanted(kind=ReviewKind.RENEWAL)),
    ("Contradictions", Wanted(signal="contradiction")),
)


def keep_house(story: Story) -> None:
    """Publish a second version, begin a draft, name lists. What is there already stays as it is."""
    _publish(story)
    _draft(story)
    story.at(days_ago=30)
    with story.then.ledger.begin(story.lab("Ines Valdarno")) as tx:
        if not reviews.own_views(tx):
            for name, wanted in VIEWS:
                reviews.save_view(tx, name=name, wanted=wanted)


def _publish(story: Story) -> None:
    """Judge the least risky a day earlier: one writes it, another signs the same text."""
    story.at(days_ago=12)
    first, second = story.lab("Hana Kobayashi"), story.lab("Mara Ilves")
    with story.then.ledger.begin(first) as tx:
        before = rulebook.current(tx, LEVELS)
        if before.version > 1:
            return
        draft = rulebook.create_draft(tx, kind=LEVELS, text=before.text.replace("tier_3: 10", "tier_3: 9"))
        draft_id, digest = draft.id, draft.digest
        rulebook.sign_draft(tx, draft=draft, kind=LEVELS, digest_seen=digest, row_version=draft.row_version)
    story.at(days_ago=11)
    with story.then.ledger.begin(second) as tx:
        draft = rulebook.get_draft(tx, draft_id, Action.POLICY_PUBLISH)
        rulebook.sign_draft(tx, draft=draft, kind=LEVELS, digest_seen=digest, row_version=draft.row_version)


def _draft(story: Story) -> None:
    """Propose that fewer answers stay for a glance; a second person has not signed yet."""
    story.at(days_ago=2)
    with story.then.ledger.begin(story.lab("Theo Brandvold")) as tx:
        if drafts(tx, [ACCEPTANCE.name]) or rulebook.current(tx, ACCEPTANCE).version > 1:
            return
        text = rulebook.current(tx, ACCEPTANCE).text.replace("glance_every: 10", "glance_every: 20")
        draft = rulebook.create_draft(tx, kind=ACCEPTANCE, text=text)
        rulebook.sign_draft(tx, draft=draft, kind=ACCEPTANCE, digest_seen=draft.digest, row_version=draft.row_version)

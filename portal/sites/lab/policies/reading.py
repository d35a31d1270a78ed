"""What the pages of one draft have in common: the draft, how far it is, who touched it, and its tabs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import g, url_for

from portal.identity import queries as people
from portal.identity.publishers import MAY_PUBLISH
from portal.kernel.ledger import Tx
from portal.policy import Action, may_ever
from portal.rulebook import service as rulebook
from portal.rulebook.rules import Line, compared
from portal.rulebook.service import Draft, Published, Readiness
from portal.sites.lab.policies.kinds import page_of
from portal.sites.lab.policies.page import KindPage, Told
from portal.terms import DraftState


@dataclass(frozen=True, slots=True)
class Reading:
    """One draft as its pages show it, read in one transaction."""

    draft: Draft
    page: KindPage
    state: Readiness
    created_by: str
    updated_by: str

    @property
    def name(self) -> str:
        """What people call it: Scoring policy v2."""
        return f"{self.page.kind.title} policy v{self.draft.version}"

    @property
    def is_open(self) -> bool:
        """Whether it can still be changed."""
        return self.draft.state is DraftState.OPEN

    @property
    def may_edit(self) -> bool:
        """Whether the reader may change it now."""
        return self.is_open and may_ever(g.actor, Action.POLICY_DRAFT)

    @property
    def may_sign(self) -> bool:
        """Whether the reader may sign it, once it is ready."""
        return self.is_open and may_ever(g.actor, Action.POLICY_PUBLISH)

    @property
    def after(self) -> Published:
        """The draft as the version that it would be."""
        return Published(self.draft.kind, self.draft.version, self.draft.digest, self.draft.text)

    @property
    def is_sound(self) -> bool:
        """Whether the text is a policy of its kind, so that it can be told in words and looked ahead with."""
        return not self.page.kind.check(self.draft.text)

    @property
    def told(self) -> Sequence[Told]:
        """How it differs from the version before, in words; nothing while the text is not sound."""
        return self.page.told(self.state.before, self.after) if self.is_sound else ()

    @property
    def lines(self) -> Sequence[Sequence[Line]]:
        """How it differs from the version before, line by line."""
        return compared(self.state.before.text, self.draft.text)

    def tabs(self, current: str) -> Sequence[tuple[str, str, int | None, bool]]:
        """Return the tabs of a draft; the number at the changes is how many values differ."""
        tabs: list[tuple[str, str, int | None]] = [
            ("show", "Text", None),
            ("changes", "Changes", len(self.told) or None),
            ("publish", "Publish", None),
        ]
        return [
            (words, url_for(f"lab_policies.draft_{name}", policy_draft_id=self.draft.id), count, name == current)
            for name, words, count in tabs
        ]


def read(tx: Tx, draft_id: UUID) -> Reading:
    """Return a draft and how far it is.

    :raises NotFound: if there is none.
    """
    draft = rulebook.get_draft(tx, draft_id, Action.POLICY_READ)
    kind_page = page_of(draft.kind)
    names = people.people(tx, [draft.created_by, draft.updated_by])
    created, updated = (
        names[each].full_name if each in names else "Somebody" for each in (draft.created_by, draft.updated_by)
    )
    return Reading(draft, kind_page, rulebook.readiness(tx, draft, kind_page.kind), created, updated)


def who_else(tx: Tx, now: Reading) -> list[str]:
    """Return the names of those who can still sign this text."""
    signed = {each.signed_by for each in now.state.counting}
    return [
        each.full_name
        for each in people.lab_people(tx, active_only=True)
        if each.roles & set(MAY_PUBLISH) and each.id not in signed
    ]

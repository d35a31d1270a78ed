"""What the pages of one draft have in common: the draft, how far it is, who touched it, and its tabs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import g, url_for

from portal.identity import queries as people
from portal.kernel.ledger import Tx
from portal.policy import Action, may_ever
from portal.questionnaires import service as questionnaires
from portal.questionnaires.service import Draft, Readiness
from portal.terms import DraftState

ORIGIN_WORDS = {
    "file": "a file",
    "edit": "an edited text",
    "cli": "the command line",
    "overlay": "a base and its overlays",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One draft as its pages show it, read in one transaction."""

    draft: Draft
    state: Readiness
    created_by: str
    updated_by: str

    @property
    def name(self) -> str:
        """What people call it: ai-contractor v2."""
        return f"{self.draft.slug} v{self.draft.version}"

    @property
    def is_open(self) -> bool:
        """Whether it can still be changed."""
        return self.draft.state is DraftState.OPEN

    @property
    def may_edit(self) -> bool:
        """Whether the reader may change it now."""
        return self.is_open and may_ever(g.actor, Action.QUESTIONNAIRE_DRAFT)

    @property
    def may_sign(self) -> bool:
        """Whether the reader may sign it, once it is ready."""
        return self.is_open and may_ever(g.actor, Action.QUESTIONNAIRE_PUBLISH)

    @property
    def origin(self) -> str:
        """Where the text came from, in words."""
        return origin_words(self.draft.origin)

    def tabs(self, current: str) -> Sequence[tuple[str, str, int | None, bool]]:
        """Return the tabs of a draft; the number at the changes is how many are undecided."""
        left = len(self.state.undecided)
        tabs: list[tuple[str, str, int | None]] = [("show", "Text", None), ("questions", "Questions", None)]
        if self.state.before is not None:
            tabs.append(("changes", "Changes", left or None))
        tabs.append(("publish", "Publish", None))
        return [
            (words, url_for(f"lab_questionnaires.draft_{name}", draft_id=self.draft.id), count, name == current)
            for name, words, count in tabs
        ]


def read(tx: Tx, draft_id: UUID) -> Reading:
    """Return a draft and how far it is.

    :raises NotFound: if there is none.
    """
    draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_READ)
    names = people.people(tx, [draft.created_by, draft.updated_by])
    created, updated = (
        names[each].full_name if each is not None and each in names else "Gatehouse"
        for each in (draft.created_by, draft.updated_by)
    )
    return Reading(draft, questionnaires.readiness(tx, draft), created, updated)


def origin_words(origin: str) -> str:
    """Return where a text came from: "a file", "version 1", "an import (vsaq)"."""
    kind, _, more = origin.partition(":")
    if kind == "version":
        return f"version {more}"
    if kind == "import":
        return f"an import ({more})" if more else "an import"
    return ORIGIN_WORDS.get(kind, origin)

"""Policies of the lab: drafts, and versions that two people published."""

from __future__ import annotations

from uuid import UUID

from portal.policy import Action
from portal.rulebook import service as rulebook
from portal.rulebook.rules import Kind
from portal.scoring.policies import SCORING
from portal.terms import Role
from portal.wiring import House
from tests.factories.identity import Person, person


def scoring_text(*changes: tuple[str, str]) -> str:
    """Return the first text of the scoring policy with these parts replaced, each once."""
    text = SCORING.first
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def policy_draft(house: House, who: Person, text: str | None = None, *, kind: Kind = SCORING) -> UUID:
    """Begin a draft."""
    with house.ledger.begin(who.actor) as tx:
        return rulebook.create_draft(tx, kind=kind, text=text).id


def sign_policy(house: House, who: Person, draft_id: UUID, *, kind: Kind = SCORING, digest: str = "") -> int | None:
    """Sign the text as it stands, or as it stood with a digest; return the version that came into force."""
    with house.ledger.begin(who.actor) as tx:
        draft = rulebook.get_draft(tx, draft_id, Action.POLICY_PUBLISH)
        row = rulebook.sign_draft(
            tx, draft=draft, kind=kind, digest_seen=digest or draft.digest, row_version=draft.row_version
        )
        return row.version if row is not None else None


def policy_published(house: House, text: str, *, kind: Kind = SCORING, by: tuple[Person, Person] | None = None) -> int:
    """Put a text into force, signed by two people."""
    first, second = by or (
        person(house, roles=[Role.LEAD_APPROVER], name="Policy Author"),
        person(house, roles=[Role.PROGRAM_ADMIN], name="Policy Signer"),
    )
    draft_id = policy_draft(house, first, text, kind=kind)
    assert sign_policy(house, first, draft_id, kind=kind) is None
    version = sign_policy(house, second, draft_id, kind=kind)
    assert version is not None
    return version

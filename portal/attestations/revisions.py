"""A newer revision of a cited file: which citations wait to be checked again, and the word that it proves the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.attestations import rules
from portal.attestations.facts import CitationChecked
from portal.attestations.models import Citation
from portal.evidence import queries as files
from portal.evidence.models import Evidence
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.ledger import Tx
from portal.kernel.swap import swap
from portal.kernel.words import said
from portal.policy import Action
from portal.terms import Acceptance

NEWER = said("A newer revision of this file came while you looked. Open it, then say whether it proves the same.")
"""Said to whoever checked a revision that is not the newest any more."""


def check_again_of(tx: Tx, citation_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
    """Return, of these citations, those to check again, each with the newest revision of its file."""
    statement = sa.select(Citation.id, Citation.evidence_id, Citation.checked_evidence_id).where(
        Citation.id.in_(list(citation_ids))
    )
    rows = tx.session.execute(statement).all()
    newest = files.heads(tx, {row.evidence_id for row in rows})
    return {
        row.id: newest[row.evidence_id]
        for row in rows
        if rules.needs_check(row.evidence_id, row.checked_evidence_id, newest[row.evidence_id])
    }


def recheck(tx: Tx, *, citation: Citation, evidence: Evidence) -> None:
    """Say that a newer revision proves the same answer. Saying it twice is saying it once.

    Whether it is the moment, and the person the one to say it, is for the room of reviews (``reviews.recheck``).

    :raises Forbidden: if the actor may not judge evidence.
    :raises NotFound: if the file is no revision of the cited one.
    :raises Conflict: if it is not the newest one, cannot be used, or the use was turned down or changed meanwhile.
    """
    policy.check(tx.actor, Action.EVIDENCE_JUDGE, evidence)
    tx.session.refresh(citation, with_for_update=True)
    # Held, so that it cannot be turned down or leave the library between this look and our commit.
    tx.session.refresh(evidence, with_for_update={"read": True})
    if evidence.vendor_id != citation.vendor_id:
        raise NotFound
    if citation.checked_evidence_id == evidence.id:
        return
    if evidence.id == citation.evidence_id:
        raise Conflict(said("This is the file that was signed with. There is nothing to check."))
    if files.heads(tx, [citation.evidence_id])[citation.evidence_id] != evidence.id:
        raise Conflict(NEWER)
    if rules.use_of(evidence.state, evidence.scan, removed=evidence.removed_at is not None) is not rules.Use.USABLE:
        raise Conflict(said("The new revision cannot be opened yet. Look again in a minute."))
    if citation.acceptance is Acceptance.REJECTED:
        raise Conflict(said("This file was not accepted for this answer. Accept it there first."))
    change = {"checked_evidence_id": evidence.id, "checked_by": tx.actor.id, "checked_at": tx.now}
    expect = {"checked_evidence_id": citation.checked_evidence_id, "acceptance": citation.acceptance}
    if not swap(tx, citation, expect=expect, change=change):
        raise Conflict(said("Somebody judged this file meanwhile. Look at it again."))
    tx.record(
        CitationChecked(
            citation_id=citation.id,
            assessment_id=citation.assessment_id,
            vendor_id=citation.vendor_id,
            question_key=citation.question_key,
            cited_id=citation.evidence_id,
            evidence_id=evidence.id,
        )
    )

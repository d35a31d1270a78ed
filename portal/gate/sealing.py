"""Sealed records of what closes and opens a vendor's access: anybody can check them with the published keys, offline.

The envelope's very bytes are stored and handed out; nothing is put together again later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from portal.gate.facts import AccessSealed
from portal.gate.models import AccessRecord, Clearance
from portal.gate.queries import newest_steps
from portal.identity import queries as people
from portal.kernel.canonical import canonical_bytes
from portal.kernel.errors import NotFound
from portal.kernel.ledger import Tx
from portal.kernel.signing import Signer
from portal.reviews.models import Decision
from portal.terms import AccessKind
from portal.vendors.models import Engagement, Vendor

FORMAT: Final = "gatehouse access record 1"
TYPE: Final = "application/vnd.gatehouse.access+json"


@dataclass(frozen=True, slots=True)
class Part:
    """What one person did of it, by which kind of factor, when."""

    person_id: UUID
    did: str
    factor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RecordLine:
    """A sealed record, for a list."""

    id: UUID
    kind: AccessKind
    sealed_at: datetime
    digest: str


def seal(
    tx: Tx,
    *,
    kind: AccessKind,
    about_id: UUID,
    vendor: Vendor | None,
    sequence: int | None,
    engagement: Engagement | None = None,
    parts: Sequence[Part],
    words: dict[str, str],
    sealer: Signer,
) -> AccessRecord:
    """Write down who closed or opened whose access and why, on which decisions, and sign it with the key of the house.

    :param sequence: the vendor's number that this gave; None for everybody. The one before it stands beside it.
    :param engagement: what it is about; None for all of the vendor's.
    :param words: the reason, the plan and the ticket, as they were typed.
    :raises Unavailable: if no signing key is in force.
    """
    names = people.people(tx, [each.person_id for each in parts])
    statement = {
        "format": FORMAT,
        "type": TYPE,
        "kind": kind,
        "about": about_id,
        "at": tx.now,
        "vendor": {"id": vendor.id, "slug": vendor.slug, "name": vendor.name} if vendor is not None else None,
        "engagement": {"id": engagement.id, "slug": engagement.slug} if engagement is not None else None,
        "sequence": sequence,
        "sequence_before": sequence - 1 if sequence is not None else None,
        "people": [
            {
                "id": each.person_id,
                "name": names[each.person_id].full_name if each.person_id in names else "",
                "did": each.did,
                "factor": each.factor,
                "at": each.at,
            }
            for each in parts
        ],
        "words": words,
        "stands_on": _standing(tx, vendor.id, engagement.id if engagement is not None else None) if vendor else [],
    }
    text = canonical_bytes(sealer.sign(TYPE, statement, now=tx.now)).decode()
    row = AccessRecord(
        id=tx.new_id(),
        vendor_id=vendor.id if vendor is not None else None,
        kind=kind,
        about_id=about_id,
        envelope=text,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        sealed_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    tx.record(AccessSealed(row.id, row.vendor_id, kind.value, row.digest))
    return row


def records_of(tx: Tx, vendor_id: UUID, *, limit: int = 20) -> list[RecordLine]:
    """Return the sealed records of a vendor's access, newest first."""
    rows = tx.session.execute(
        sa.select(AccessRecord.id, AccessRecord.kind, AccessRecord.sealed_at, AccessRecord.digest)
        .where(AccessRecord.vendor_id == vendor_id)
        .order_by(AccessRecord.sealed_at.desc(), AccessRecord.id.desc())
        .limit(limit)
    )
    return [RecordLine(*row) for row in rows]


def envelope_of(tx: Tx, vendor_id: UUID, record_id: UUID) -> tuple[str, AccessKind]:
    """Return a record's envelope as stored, and what it is about. The caller checked who may read of the vendor.

    :raises NotFound: if the vendor has no such record.
    """
    row = tx.session.get(AccessRecord, record_id)
    if row is None or row.vendor_id != vendor_id:
        raise NotFound
    return row.envelope, row.kind


def _standing(tx: Tx, vendor_id: UUID, engagement_id: UUID | None) -> list[dict[str, Any]]:
    """Return the newest step of each engagement with the decision that it comes from, by their digests."""
    named = () if engagement_id is None else (Clearance.engagement_id == engagement_id,)
    newest = newest_steps(Clearance.vendor_id == vendor_id, *named).with_only_columns(Clearance.id)
    rows = tx.session.execute(
        sa.select(Clearance, Engagement.slug, Decision)
        .join(Engagement, Engagement.id == Clearance.engagement_id)
        .outerjoin(Decision, Decision.id == Clearance.decision_id)
        .where(Clearance.id.in_(newest))
        .order_by(Engagement.slug)
    )
    return [
        {
            "engagement": slug,
            "sequence": step.sequence,
            "act": step.act,
            "valid_until": step.valid_until,
            "decision": f"D-{decision.number}" if decision is not None else None,
            "document_sha256": decision.digest if decision is not None else None,
            "attestation_sha256": decision.attestation_digest if decision is not None else None,
        }
        for step, slug, decision in rows
    ]

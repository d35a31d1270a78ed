"""Who stands behind a vendor: by its reports and by its signed list of suppliers, and who else leans on the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import aliased

from portal import policy
from portal.attestations.models import Attestation, AttestedAnswer
from portal.evidence.models import Evidence, ReportCarveOut
from portal.evidence.rules import KEPT, organisation_key
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.reviews.unchanged import unchanged
from portal.terms import CarveMethod
from portal.vendors.models import Vendor

SUPPLIERS = ("sub.list", "suppliers")
"""The question that asks for the list of suppliers, and the table in its details."""
MOST = 5_000


@dataclass(frozen=True, slots=True)
class Named:
    """Where an organisation is named: by a report (with its file), or by the signed answers (without)."""

    evidence_id: UUID | None
    file_name: str
    method: CarveMethod | None


@dataclass(slots=True)
class FourthParty:
    """One organisation behind a vendor. ``others`` are the vendors that name it too, by name."""

    key: str
    name: str
    purpose: str = ""
    country: str = ""
    data_class: str = ""
    named: list[Named] = field(default_factory=list)
    others: Sequence[tuple[str, str]] = ()


def of_vendor(tx: Tx, vendor: Vendor) -> Sequence[FourthParty]:
    """Return the organisations behind a vendor by name, without who else leans on them.

    Reports are those in force; answers are the newest that the vendor signed.

    :raises Forbidden: if the actor reads no reviews or no evidence.
    """
    policy.check(tx.actor, Action.REVIEW_READ, vendor)
    policy.check(tx.actor, Action.EVIDENCE_READ, vendor)
    return unchanged(tx, vendor.id).of("fourth parties", lambda: _of_vendor(tx, vendor))


def _of_vendor(tx: Tx, vendor: Vendor) -> Sequence[FourthParty]:
    found: dict[str, FourthParty] = {}
    reported = _reported().where(ReportCarveOut.vendor_id == vendor.id)
    newest_first = (Evidence.created_at.desc(), ReportCarveOut.position, ReportCarveOut.id)
    for row in tx.session.execute(reported.order_by(*newest_first).limit(MOST)):
        party = found.setdefault(row.organisation_key, FourthParty(row.organisation_key, row.organisation))
        party.purpose = party.purpose or row.purpose
        party.named.append(Named(row.evidence_id, row.file_name, row.method))
    listed = _listed().where(Attestation.vendor_id == vendor.id)
    for _vendor_id, content in tx.session.execute(listed):
        for key, supplier in suppliers_in(content):
            party = found.setdefault(key, FourthParty(key, str(supplier.get("name", "")).strip()))
            party.purpose = party.purpose or str(supplier.get("purpose") or "")
            party.country = str(supplier.get("country") or "")
            party.data_class = str(supplier.get("data_class") or "")
            party.named.append(Named(None, "", None))
    return tuple(sorted(found.values(), key=lambda each: each.name.casefold()))


def with_others(tx: Tx, vendor: Vendor, parties: Sequence[FourthParty]) -> Sequence[FourthParty]:
    """Return the organisations with the other vendors that lean on them, the most shared first, then by name.

    Whoever reads answers and evidence of every vendor may know who else leans on an organisation; nobody else is told
    of any.

    :raises Forbidden: if the actor reads no reviews or no evidence.
    """
    policy.check(tx.actor, Action.REVIEW_READ, vendor)
    policy.check(tx.actor, Action.EVIDENCE_READ, vendor)
    if not parties:
        return parties
    wanted = [each.key for each in parties]
    users: dict[str, set[UUID]] = defaultdict(set)
    reported = _reported().where(ReportCarveOut.organisation_key.in_(wanted), ReportCarveOut.vendor_id != vendor.id)
    for row in tx.session.execute(reported.limit(MOST)):
        users[row.organisation_key].add(row.vendor_id)
    listed = _listed().where(Attestation.vendor_id != vendor.id)
    for vendor_id, content in tx.session.execute(listed.limit(MOST)):
        for key, _supplier in suppliers_in(content):
            users[key].add(vendor_id)
    found = set().union(*(users.get(key, set()) for key in wanted))
    names = {
        row.id: (row.name, row.slug)
        for row in tx.session.execute(sa.select(Vendor.id, Vendor.name, Vendor.slug).where(Vendor.id.in_(found)))
    }
    shared = [
        replace(each, others=tuple(sorted(names[user] for user in users.get(each.key, ()) if user in names)))
        for each in parties
    ]
    return sorted(shared, key=lambda each: (-len(each.others), each.name.casefold()))


@cache
def _reported() -> sa.Select[UUID, str, str, str, CarveMethod, UUID, str]:
    """Return what reports in force name; one that a newer report replaced says nothing any more."""
    newer = aliased(Evidence)
    replaced = sa.exists().where(
        newer.supersedes_id == Evidence.id,
        newer.vendor_id == Evidence.vendor_id,
        newer.removed_at.is_(None),
        newer.state.in_(list(KEPT)),
    )
    return (
        sa.select(
            ReportCarveOut.vendor_id,
            ReportCarveOut.organisation_key,
            ReportCarveOut.organisation,
            ReportCarveOut.purpose,
            ReportCarveOut.method,
            ReportCarveOut.evidence_id,
            Evidence.file_name,
        )
        .join(
            Evidence,
            sa.and_(Evidence.id == ReportCarveOut.evidence_id, Evidence.vendor_id == ReportCarveOut.vendor_id),
        )
        .where(
            ReportCarveOut.removed_at.is_(None),
            Evidence.removed_at.is_(None),
            Evidence.state.in_(list(KEPT)),
            ~replaced,
        )
    )


@cache
def _listed() -> sa.Select[Any]:
    """Return the newest signed list of suppliers of each vendor: one look by key for each signed revision."""
    question, _table = SUPPLIERS
    return (
        sa.select(Attestation.vendor_id, AttestedAnswer.content)
        .join(
            AttestedAnswer,
            sa.and_(AttestedAnswer.attestation_id == Attestation.id, AttestedAnswer.vendor_id == Attestation.vendor_id),
        )
        .where(AttestedAnswer.question_key == question)
        .ext(postgresql.distinct_on(Attestation.vendor_id))
        .order_by(Attestation.vendor_id, Attestation.signed_at.desc(), Attestation.id.desc())
    )


def suppliers_in(content: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the rows of the list of suppliers in an answer's content, each with the key of its name."""
    details = content.get("details")
    rows = details.get(SUPPLIERS[1]) if isinstance(details, Mapping) else None
    for row in rows if isinstance(rows, list) else ():
        name = str(row.get("name") or "").strip() if isinstance(row, Mapping) else ""
        if name and (key := organisation_key(name)):
            yield key, row

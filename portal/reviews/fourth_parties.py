"""Who stands behind a vendor: by its reports and by its signed list of suppliers, and who else leans on the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
    """Return the organisations behind a vendor, the most shared first, then by name.

    Reports are those in force; answers are the newest that the vendor signed. Whoever reads answers and evidence of
    every vendor may know who else leans on an organisation; nobody else is told of any.

    :raises Forbidden: if the actor reads no reviews or no evidence.
    """
    policy.check(tx.actor, Action.REVIEW_READ, vendor)
    policy.check(tx.actor, Action.EVIDENCE_READ, vendor)
    reported = _reported(tx)
    listed = _listed(tx)
    found: dict[str, FourthParty] = {}
    for key, name, purpose, method, evidence_id, file_name in reported.get(vendor.id, ()):
        party = found.setdefault(key, FourthParty(key, name))
        party.purpose = party.purpose or purpose
        party.named.append(Named(evidence_id, file_name, method))
    for key, row in listed.get(vendor.id, ()):
        party = found.setdefault(key, FourthParty(key, str(row.get("name", "")).strip()))
        party.purpose = party.purpose or str(row.get("purpose") or "")
        party.country = str(row.get("country") or "")
        party.data_class = str(row.get("data_class") or "")
        party.named.append(Named(None, "", None))
    users: dict[str, set[UUID]] = defaultdict(set)
    for vendor_id, parties in reported.items():
        for each in parties:
            users[each[0]].add(vendor_id)
    for vendor_id, rows in listed.items():
        for key, _row in rows:
            users[key].add(vendor_id)
    wanted = {user for key in found for user in users[key]} - {vendor.id}
    names = {
        row.id: (row.name, row.slug)
        for row in tx.session.execute(sa.select(Vendor.id, Vendor.name, Vendor.slug).where(Vendor.id.in_(wanted)))
    }
    for key, party in found.items():
        party.others = tuple(sorted(names[each] for each in users[key] if each in names))
    return sorted(found.values(), key=lambda each: (-len(each.others), each.name.casefold()))


def _reported(tx: Tx) -> Mapping[UUID, list[tuple[str, str, str, CarveMethod, UUID, str]]]:
    newer = aliased(Evidence)
    replaced = sa.exists().where(
        newer.supersedes_id == Evidence.id,
        newer.vendor_id == Evidence.vendor_id,
        newer.removed_at.is_(None),
        newer.state.in_(list(KEPT)),
    )
    statement = (
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
        .order_by(ReportCarveOut.vendor_id, Evidence.created_at.desc(), ReportCarveOut.position, ReportCarveOut.id)
        .limit(MOST)
    )
    found: dict[UUID, list[tuple[str, str, str, CarveMethod, UUID, str]]] = {}
    for vendor_id, *rest in tx.session.execute(statement):
        found.setdefault(vendor_id, []).append(tuple(rest))  # type: ignore[arg-type] # a row of the statement above
    return found


def _listed(tx: Tx) -> Mapping[UUID, list[tuple[str, Mapping[str, Any]]]]:
    question, _table = SUPPLIERS
    newest = (
        sa.select(AttestedAnswer.vendor_id, AttestedAnswer.content)
        .join(
            Attestation,
            sa.and_(Attestation.id == AttestedAnswer.attestation_id, Attestation.vendor_id == AttestedAnswer.vendor_id),
        )
        .where(AttestedAnswer.question_key == question)
        .ext(postgresql.distinct_on(AttestedAnswer.vendor_id))
        .order_by(AttestedAnswer.vendor_id, Attestation.signed_at.desc(), Attestation.id.desc())
        .limit(MOST)
    )
    return {vendor_id: list(suppliers_in(content)) for vendor_id, content in tx.session.execute(newest)}


def suppliers_in(content: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the rows of the list of suppliers in an answer's content, each with the key of its name."""
    details = content.get("details")
    rows = details.get(SUPPLIERS[1]) if isinstance(details, Mapping) else None
    for row in rows if isinstance(rows, list) else ():
        name = str(row.get("name") or "").strip() if isinstance(row, Mapping) else ""
        if name and (key := organisation_key(name)):
            yield key, row

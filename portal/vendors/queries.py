"""Vendors and engagements as pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from uuid import UUID

import sqlalchemy as sa

from portal.kernel.ledger import Tx
from portal.vendors.models import Engagement, Vendor

PAGE = 50


@dataclass(frozen=True, slots=True)
class VendorLine:
    """One row of the lab's list. ``tier`` is the strictest of its engagements, None without one."""

    id: UUID
    slug: str
    name: str
    legal_name: str
    disabled: bool
    engagements: int
    tier: int | None


@dataclass(frozen=True, slots=True)
class VendorPage:
    """One page of the list, by name; ``next`` is the slug to continue after, empty at the end."""

    lines: tuple[VendorLine, ...]
    total: int
    next: str = ""


def vendors(tx: Tx, *, q: str = "", tier: int | None = None, after: str = "", limit: int = PAGE) -> VendorPage:
    """Return the vendors whose name, legal name or slug holds every word of ``q``, by name.

    :param after: the slug of the last row of the page before.
    """
    strictest = sa.func.min(sa.func.coalesce(Engagement.raised_tier, Engagement.computed_tier))
    facts = (
        sa.select(
            Engagement.vendor_id.label("vendor_id"), sa.func.count().label("engagements"), strictest.label("tier")
        )
        .group_by(Engagement.vendor_id)
        .subquery()
    )
    matching = (
        sa.select(
            Vendor.id,
            Vendor.slug,
            Vendor.name,
            Vendor.legal_name,
            Vendor.disabled_at.is_not(None),
            sa.func.coalesce(facts.c.engagements, 0),
            facts.c.tier,
        )
        .outerjoin(facts, facts.c.vendor_id == Vendor.id)
        .where(*[_holds(word) for word in q.split()[:8]])
    )
    if tier is not None:
        matching = matching.where(facts.c.tier == tier)
    total = tx.session.execute(sa.select(sa.func.count()).select_from(matching.subquery())).scalar_one()
    by_name = sa.func.lower(Vendor.name)
    if after:
        start = sa.select(sa.func.lower(Vendor.name)).where(Vendor.slug == after).scalar_subquery()
        matching = matching.where(sa.tuple_(by_name, Vendor.slug) > sa.tuple_(start, sa.literal(after)))
    rows = tx.session.execute(matching.order_by(by_name, Vendor.slug).limit(limit + 1)).all()
    lines = tuple(VendorLine(*row) for row in rows[:limit])
    return VendorPage(lines, total, lines[-1].slug if len(rows) > limit else "")


@cache
def number_of_vendors() -> sa.Select[int]:
    """Count the vendors, however they stand."""
    return sa.select(sa.func.count()).select_from(Vendor)


def _holds(word: str) -> sa.ColumnElement[bool]:
    return sa.or_(
        *(column.icontains(word, autoescape=True) for column in (Vendor.name, Vendor.legal_name, Vendor.slug))
    )


def names_of(tx: Tx, vendor_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the names of vendors by id."""
    rows = tx.session.execute(sa.select(Vendor.id, Vendor.name).where(Vendor.id.in_(vendor_ids)))
    return {row.id: row.name for row in rows}


def names(tx: Tx) -> list[tuple[UUID, str]]:
    """Return every vendor by name, to choose one of."""
    statement = sa.select(Vendor.id, Vendor.name).order_by(sa.func.lower(Vendor.name), Vendor.id).limit(5_000)
    return [(row.id, row.name) for row in tx.session.execute(statement)]


def engagements_of(tx: Tx, vendor_id: UUID) -> Sequence[Engagement]:
    """Return the engagements of a vendor, the newest first."""
    statement = (
        sa.select(Engagement)
        .where(Engagement.vendor_id == vendor_id)
        .order_by(Engagement.starts_on.desc(), Engagement.created_at.desc(), Engagement.id.desc())
        .limit(200)
    )
    return tx.session.execute(statement).scalars().all()

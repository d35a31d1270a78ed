"""Vendors, and what each was engaged for."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Base


class Vendor(Base, kw_only=True):
    """An AI training contractor."""

    __tablename__ = "vendor"
    __table_args__ = (
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 60", name="slug_shape"),
        sa.CheckConstraint("name <> ''", name="named"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    legal_name: Mapped[str]
    mail_domains: Mapped[list[str]] = mapped_column(default_factory=list)
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None] = mapped_column(default=None)
    row_version: Mapped[int] = mapped_column(default=1)

    @property
    def vendor_id(self) -> UUID:
        """Whose row this is, for the policy: the vendor's own."""
        return self.id


class Engagement(Base, kw_only=True):
    """A vendor on a project: which data, by which access, by whom, from when to when.

    ``inherent_risk`` (0..25) and ``computed_tier`` follow from the facts; ``raised_tier`` is a person's, only stricter.
    """

    __tablename__ = "engagement"
    __table_args__ = (
        sa.UniqueConstraint("vendor_id", "id"),
        sa.UniqueConstraint("vendor_id", "slug"),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="ends_after_it_starts"),
        sa.CheckConstraint(
            "cardinality(data_classes) > 0 AND data_classes <@ ARRAY[0,1,2,3,4,5]", name="data_classes_known"
        ),
        sa.CheckConstraint(
            "cardinality(access_modes) > 0 AND access_modes <@ ARRAY['A1','A2','A3','A4','A5']",
            name="access_modes_known",
        ),
        sa.CheckConstraint("inherent_risk BETWEEN 0 AND 25", name="inherent_risk_range"),
        sa.CheckConstraint("computed_tier BETWEEN 1 AND 3", name="tier_range"),
        sa.CheckConstraint("raised_tier IS NULL OR raised_tier < computed_tier", name="only_raised"),
        sa.CheckConstraint("(raised_tier IS NULL) = (raised_reason = '')", name="raised_with_reason"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("vendor.id"))
    slug: Mapped[str]
    project: Mapped[str]
    purpose: Mapped[str] = mapped_column(default="")
    services: Mapped[list[str]]
    data_classes: Mapped[list[int]]
    access_modes: Mapped[list[str]]
    persons: Mapped[list[str]] = mapped_column(default_factory=list)
    people: Mapped[int] = mapped_column(default=0)
    workforce: Mapped[list[str]] = mapped_column(default_factory=list)
    devices: Mapped[list[str]] = mapped_column(default_factory=list)
    starts_on: Mapped[date]
    ends_on: Mapped[date | None] = mapped_column(default=None)
    inherent_risk: Mapped[int]
    computed_tier: Mapped[int]
    raised_tier: Mapped[int | None] = mapped_column(default=None)
    raised_reason: Mapped[str] = mapped_column(default="")
    raised_by: Mapped[UUID | None] = mapped_column(default=None)
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    row_version: Mapped[int] = mapped_column(default=1)

    @property
    def tier(self) -> int:
        """The tier in force: 1 high … 3 low."""
        return self.raised_tier if self.raised_tier is not None else self.computed_tier

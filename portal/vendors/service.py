"""Taking vendors onto the list and engaging them; the risk and the tier follow from what is stated."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal import policy
from portal.kernel.database import Base, constraint_of
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.swap import swap
from portal.policy import Action
from portal.vendors import checks, rules
from portal.vendors.facts import EngagementChanged, EngagementWidened, TierRaised, VendorAdded, VendorEngaged
from portal.vendors.models import Engagement as Engagement
from portal.vendors.models import Vendor as Vendor

Row = TypeVar("Row", bound=Base)
TRIES = 5


def get(tx: Tx, vendor_id: UUID, action: Action) -> Vendor:
    """Return a vendor that the actor may do this to.

    :raises NotFound: if there is none, or the actor may not know of it.
    :raises Forbidden: if the actor may not do this.
    """
    return _permitted(tx, tx.session.get(Vendor, vendor_id), action)


def by_slug(tx: Tx, slug: str, action: Action) -> Vendor:
    """Return the vendor with this slug; refusals as ``get``."""
    if not rules.is_slug(slug):
        raise NotFound
    return _permitted(tx, get_one(tx, sa.select(Vendor).where(Vendor.slug == slug)), action)


def engagement(tx: Tx, engagement_id: UUID, action: Action) -> Engagement:
    """Return an engagement; refusals as ``get``."""
    row = tx.session.get(Engagement, engagement_id)
    if row is None:
        raise NotFound
    policy.check(tx.actor, action, row)
    return row


def engagement_by_slug(tx: Tx, vendor: Vendor, slug: str, action: Action) -> Engagement:
    """Return a vendor's engagement by its slug; refusals as ``get``."""
    if not rules.is_slug(slug):
        raise NotFound
    row = get_one(tx, sa.select(Engagement).where(Engagement.vendor_id == vendor.id, Engagement.slug == slug))
    if row is None:
        raise NotFound
    policy.check(tx.actor, action, row)
    return row


def _permitted(tx: Tx, vendor: Vendor | None, action: Action) -> Vendor:
    if vendor is None:
        raise NotFound
    policy.check(tx.actor, action, vendor)
    return vendor


def add(tx: Tx, *, name: str, legal_name: str = "", mail_domains: Collection[str] = (), slug: str = "") -> Vendor:
    """Take a vendor onto the list. Without a slug, one is made of the name.

    :raises Forbidden: if the actor may not add vendors.
    :raises Refused: with problems of name, legal_name, mail_domains and slug.
    """
    policy.check_ever(tx.actor, Action.VENDOR_ADD)
    fields = checks.vendor_fields(name=name, legal_name=legal_name, mail_domains=mail_domains, slug=slug)
    same = sa.select(Vendor.name).where(sa.func.lower(Vendor.name) == fields.name.lower()).limit(1)
    if known := tx.session.execute(same).scalar_one_or_none():
        raise Refused(problems={"name": [f"{known} is on the list already. Open it, or add what tells the two apart"]})
    if slug and tx.session.execute(sa.select(sa.exists().where(Vendor.slug == fields.slug))).scalar_one():
        raise Refused(problems={"slug": [f"“{fields.slug}” is taken. Choose another short name"]})
    base = fields.slug or rules.slug_of(fields.name, fallback="vendor")

    def made() -> Vendor:
        taken = tx.session.execute(sa.select(Vendor.slug).where(Vendor.slug.startswith(base[:40]))).scalars().all()
        return Vendor(
            id=tx.new_id(),
            slug=rules.free_slug(base, taken),
            name=fields.name,
            legal_name=fields.legal_name,
            mail_domains=list(fields.mail_domains),
            created_by=tx.actor.id,
            created_at=tx.now,
        )

    vendor = _stored(tx, made, "uq_vendor_slug")
    tx.record(VendorAdded(vendor_id=vendor.id, slug=vendor.slug))
    return vendor


def engage(
    tx: Tx,
    *,
    vendor: Vendor,
    project: str,
    services: Collection[str],
    data_classes: Collection[int],
    access_modes: Collection[str],
    people: int,
    workforce: Collection[str],
    devices: Collection[str],
    starts_on: date,
    ends_on: date | None = None,
    purpose: str = "",
    persons: Collection[str] = (),
) -> Engagement:
    """Engage a vendor for a project. Its inherent risk and its tier follow.

    :raises Forbidden: if the actor may not engage vendors.
    :raises Conflict: if the vendor is switched off.
    :raises Refused: with the problems of each field.
    """
    policy.check(tx.actor, Action.ENGAGEMENT_WRITE, vendor)
    if vendor.disabled_at is not None:
        raise Conflict(f"{vendor.name} is switched off. Switch it on before you engage it.")
    stated = checks.engagement_fields(
        project=project,
        purpose=purpose,
        services=services,
        data_classes=data_classes,
        access_modes=access_modes,
        persons=persons,
        people=people,
        workforce=workforce,
        devices=devices,
        starts_on=starts_on,
        ends_on=ends_on,
    )
    base = rules.slug_of(stated["project"], fallback="engagement")

    def made() -> Engagement:
        taken = tx.session.execute(sa.select(Engagement.slug).where(Engagement.vendor_id == vendor.id)).scalars().all()
        return Engagement(
            id=tx.new_id(),
            vendor_id=vendor.id,
            slug=rules.free_slug(base, taken),
            created_by=tx.actor.id,
            created_at=tx.now,
            **stated,
            **_risk(stated),
        )

    row = _stored(tx, made, "uq_engagement_vendor_id_slug")
    tx.record(
        VendorEngaged(
            engagement_id=row.id,
            vendor_id=vendor.id,
            data_classes=tuple(row.data_classes),
            access_modes=tuple(row.access_modes),
            inherent_risk=row.inherent_risk,
            tier=row.tier,
        )
    )
    return row


def change_engagement(tx: Tx, *, engagement: Engagement, row_version: int, **changes: Any) -> Engagement:
    """State an engagement anew; what is not given stays. A raise that the new tier reaches anyway is dropped.

    :raises Forbidden: if the actor may not change engagements.
    :raises Conflict: if somebody changed it since ``row_version``.
    :raises Refused: with the problems of each field.
    """
    policy.check(tx.actor, Action.ENGAGEMENT_WRITE, engagement)
    before = {name: getattr(engagement, name) for name in checks.ENGAGEMENT_FIELDS}
    stated = checks.engagement_fields(**{**before, **changes})
    changed = tuple(name for name in checks.ENGAGEMENT_FIELDS if stated[name] != before[name])
    if not changed and row_version == engagement.row_version:
        return engagement
    risk = _risk(stated)
    raised = rules.raised(risk["computed_tier"], engagement.raised_tier)
    if raised is None:
        risk |= {"raised_tier": None, "raised_reason": "", "raised_by": None}
    _swap_or_refuse(tx, engagement, row_version, {**stated, **risk})
    tx.record(
        EngagementChanged(
            engagement_id=engagement.id,
            vendor_id=engagement.vendor_id,
            changed=changed,
            data_classes=tuple(engagement.data_classes),
            access_modes=tuple(engagement.access_modes),
            inherent_risk=engagement.inherent_risk,
            tier=engagement.tier,
        )
    )
    return engagement


def widen(
    tx: Tx, *, engagement: Engagement, people: int = 0, workforce: Collection[str] = (), devices: Collection[str] = ()
) -> None:
    """Add to an engagement what its vendor stated of who works and on what; nothing is ever taken away by it.

    The risk and the tier follow. The caller checked who may; the lab can state the engagement anew if it was a mistake.
    """
    tx.session.refresh(engagement, with_for_update=True)
    stated = {
        **{name: getattr(engagement, name) for name in checks.ENGAGEMENT_FIELDS},
        "people": max(engagement.people, people),
        "workforce": sorted({*engagement.workforce, *(set(workforce) & set(rules.WORKFORCE_WORDS))}),
        "devices": sorted({*engagement.devices, *(set(devices) & set(rules.DEVICE_WORDS))}),
    }
    wider = {name: stated[name] for name in ("people", "workforce", "devices")}
    if all(_settled(getattr(engagement, name)) == value for name, value in wider.items()):
        return
    risk = _risk(stated)
    if rules.raised(risk["computed_tier"], engagement.raised_tier) is None:
        risk |= {"raised_tier": None, "raised_reason": "", "raised_by": None}
    _swap_or_refuse(tx, engagement, engagement.row_version, {**wider, **risk})
    tx.record(EngagementWidened(engagement.id, engagement.vendor_id, engagement.inherent_risk, engagement.tier))


def raise_tier(tx: Tx, *, engagement: Engagement, tier: int, reason: str, row_version: int | None = None) -> None:
    """Put an engagement into a stricter tier than the one in force (scoring.md: a person may only raise it).

    :raises Forbidden: if the actor may not.
    :raises Conflict: if somebody changed the engagement since ``row_version``.
    :raises Refused: if the tier is not stricter, or no reason is given.
    """
    policy.check(tx.actor, Action.TIER_RAISE, engagement)
    reason = checks.line(reason)
    problems: dict[str, list[str]] = {}
    if engagement.tier == 1:
        problems["tier"] = ["Tier 1 is the strictest. It cannot be raised"]
    elif tier not in range(1, engagement.tier):
        problems["tier"] = [f"Choose a stricter tier than {engagement.tier}. A person may only raise the tier"]
    if not reason:
        problems["reason"] = ["Say why the facts understate the risk"]
    elif len(reason) > checks.MAX_REASON:
        problems["reason"] = [f"Shorten the reason to {checks.MAX_REASON} characters; this has {len(reason):,}"]
    if problems:
        raise Refused(problems=problems)
    before = engagement.tier
    change = {"raised_tier": tier, "raised_reason": reason, "raised_by": tx.actor.id}
    _swap_or_refuse(tx, engagement, engagement.row_version if row_version is None else row_version, change)
    tx.record(
        TierRaised(
            engagement_id=engagement.id,
            vendor_id=engagement.vendor_id,
            from_tier=before,
            to_tier=tier,
            reason=reason,
        )
    )


def _settled(value: int | list[str]) -> int | list[str]:
    return sorted(value) if isinstance(value, list) else value


def _risk(stated: dict[str, Any]) -> dict[str, Any]:
    told = tuple(stated[name] for name in ("data_classes", "access_modes", "people", "workforce", "devices"))
    return {"inherent_risk": rules.inherent_risk(*told), "computed_tier": rules.tier(*told)}


def _swap_or_refuse(tx: Tx, engagement: Engagement, row_version: int, change: dict[str, Any]) -> None:
    change = {**change, "row_version": row_version + 1}
    if not swap(tx, engagement, expect={"row_version": row_version}, change=change):
        raise Conflict(
            f"Somebody changed {engagement.project} since you opened it. Look at it again, then repeat your change.",
            current={"row_version": engagement.row_version},
        )


def _stored(tx: Tx, made: Callable[[], Row], unique: str) -> Row:
    """Store a row under a slug of its own; a rival that takes the slug first makes us take the next."""
    for left in reversed(range(TRIES)):
        row = made()
        try:
            with tx.session.begin_nested():
                tx.session.add(row)
                tx.session.flush()
        except IntegrityError as failure:
            if constraint_of(failure) != unique or not left:
                raise
        else:
            return row
    raise AssertionError("tries must be positive")

"""People, what they may be, how they prove it, and where they are signed in."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Base
from portal.terms import Role, Side

_VENDOR_ROLES = "('respondent', 'vendor_admin', 'signatory')"
_LAB_ROLES = "('reviewer', 'lead_approver', 'program_admin', 'auditor')"


class UserAccount(Base, kw_only=True):
    """A person, on one side only. Without a password it is invited; deactivated it is nobody."""

    __tablename__ = "user_account"
    __table_args__ = (
        sa.CheckConstraint("(side = 'vendor') = (vendor_id IS NOT NULL)", name="vendor_iff_vendor_side"),
        sa.CheckConstraint("email = lower(email)", name="email_lower"),
        sa.CheckConstraint("(password_hash IS NULL) = (enrolled_at IS NULL)", name="password_iff_enrolled"),
        sa.UniqueConstraint("id", "side"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    full_name: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    side: Mapped[Side]
    vendor_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("vendor.id"), index=True, default=None)
    password_hash: Mapped[str | None] = mapped_column(default=None)
    totp_sealed: Mapped[bytes | None] = mapped_column(default=None)
    totp_last_step: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    timezone: Mapped[str] = mapped_column(default="UTC")
    language: Mapped[str] = mapped_column(default="en")
    single_keys: Mapped[bool] = mapped_column(default=True)
    given_only: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    enrolled_at: Mapped[datetime | None] = mapped_column(default=None)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(default=None)
    deactivated_at: Mapped[datetime | None] = mapped_column(default=None)


class RoleGrant(Base, kw_only=True):
    """A role given to a person by a person, from then until it was taken away. Kept as history (S6, S7)."""

    __tablename__ = "role_grant"
    __table_args__ = (
        sa.ForeignKeyConstraint(["user_id", "side"], ["user_account.id", "user_account.side"]),
        sa.CheckConstraint(
            f"(side = 'vendor' AND role IN {_VENDOR_ROLES}) OR (side = 'lab' AND role IN {_LAB_ROLES})",
            name="role_of_the_side",
        ),
        sa.Index(
            "uq_role_grant_live",
            "user_id",
            "role",
            unique=True,
            postgresql_where=sa.text("revoked_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    side: Mapped[Side]
    role: Mapped[Role]
    granted_by: Mapped[UUID | None]
    granted_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(default=None)
    revoked_by: Mapped[UUID | None] = mapped_column(default=None)
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)


class RoleRequest(Base, kw_only=True):
    """A role of the lab that one admin asked for and another has to confirm. Confirmed or withdrawn, it is closed."""

    __tablename__ = "role_request"
    __table_args__ = (
        sa.ForeignKeyConstraint(["user_id", "side"], ["user_account.id", "user_account.side"]),
        sa.CheckConstraint(f"side = 'lab' AND role IN {_LAB_ROLES}", name="role_of_the_lab"),
        sa.CheckConstraint("asked_by <> user_id", name="not_for_oneself"),
        sa.CheckConstraint("confirmed_by IS NULL OR confirmed_by NOT IN (asked_by, user_id)", name="another_confirms"),
        sa.CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="confirmed_by_somebody"),
        sa.CheckConstraint("confirmed_at IS NULL OR withdrawn_at IS NULL", name="confirmed_or_withdrawn"),
        sa.Index(
            "uq_role_request_open",
            "user_id",
            "role",
            unique=True,
            postgresql_where=sa.text("confirmed_at IS NULL AND withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    side: Mapped[Side]
    role: Mapped[Role]
    asked_by: Mapped[UUID]
    asked_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(default=None)
    confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    withdrawn_at: Mapped[datetime | None] = mapped_column(default=None)


class RecoveryCode(Base, kw_only=True):
    """A code for the day the authenticator is lost; hashed, used once."""

    __tablename__ = "recovery_code"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    code_hash: Mapped[str]
    used_at: Mapped[datetime | None] = mapped_column(default=None)


class Passkey(Base, kw_only=True):
    """A key pair in a person's device; we hold the public half. Removed, it stays as history and opens nothing.

    ``backup_eligible``: its device may copy it into a cloud of its maker, and ``backed_up`` says that it did.
    """

    __tablename__ = "passkey"
    __table_args__ = (
        sa.CheckConstraint("backup_eligible OR NOT backed_up", name="backed_up_if_eligible"),
        sa.CheckConstraint("sign_count >= 0", name="counted"),
        sa.CheckConstraint("octet_length(credential_id) BETWEEN 1 AND 1023", name="id_length"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    label: Mapped[str]
    transports: Mapped[list[str]]
    aaguid: Mapped[str]
    backup_eligible: Mapped[bool]
    backed_up: Mapped[bool]
    sign_count: Mapped[int] = mapped_column(sa.BigInteger)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)
    removed_at: Mapped[datetime | None] = mapped_column(default=None)


class SpentChallenge(Base, kw_only=True):
    """A challenge that was answered, by its digest, until it would not count any more anyway."""

    __tablename__ = "spent_challenge"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]


class Invitation(Base, kw_only=True):
    """A one-time way in for one address. ``generation`` counts resends: only the newest link works.

    The token is derived from the id and generation when the mail leaves, and only its digest is stored.
    ``purpose``: join, bootstrap (first admin), reset (password), address (a new one, instead of ``was_email``).
    """

    __tablename__ = "invitation"
    __table_args__ = (
        sa.CheckConstraint("purpose IN ('join', 'bootstrap', 'reset', 'address')", name="purpose_known"),
        sa.CheckConstraint("(side = 'vendor') = (vendor_id IS NOT NULL)", name="vendor_iff_vendor_side"),
        sa.CheckConstraint("(purpose = 'address') = (was_email IS NOT NULL)", name="was_email_of_a_change"),
        sa.CheckConstraint("redeemed_at IS NULL OR revoked_at IS NULL", name="redeemed_or_revoked"),
        sa.CheckConstraint("email = lower(email)", name="email_lower"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(default="join")
    email: Mapped[str] = mapped_column(index=True)
    full_name: Mapped[str]
    was_email: Mapped[str | None] = mapped_column(default=None)
    side: Mapped[Side]
    vendor_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("vendor.id"), index=True, default=None)
    roles: Mapped[list[str]]
    sections: Mapped[list[str]] = mapped_column(default_factory=list)
    assessment_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("assessment.id"), default=None)
    due_on: Mapped[date | None] = mapped_column(default=None)
    takes_over_from: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    user_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    generation: Mapped[int] = mapped_column(default=1)
    invited_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    opened_at: Mapped[datetime | None] = mapped_column(default=None)
    redeemed_at: Mapped[datetime | None] = mapped_column(default=None)
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)


class EarlierLink(Base, kw_only=True):
    """A link of an invitation from before it was sent again: it stays good for as long as it was promised."""

    __tablename__ = "earlier_link"

    token_digest: Mapped[bytes] = mapped_column(primary_key=True)
    invitation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("invitation.id"), index=True)
    vendor_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("vendor.id"), default=None)
    generation: Mapped[int]
    expires_at: Mapped[datetime]


class WebSession(Base, kw_only=True):
    """A signed-in browser. The cookie holds the token; we hold its digest, so a stolen table opens nothing."""

    __tablename__ = "web_session"
    __table_args__ = (sa.CheckConstraint("expires_at > created_at", name="ends_after_it_begins"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    fresh_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    user_agent: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    data: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)


class Throttle(Base, kw_only=True):
    """How often something was tried under one key within a window (guessing, resets, invitations)."""

    __tablename__ = "throttle"

    key: Mapped[str] = mapped_column(primary_key=True)
    window_started_at: Mapped[datetime]
    count: Mapped[int]


class ServiceClient(Base, kw_only=True):
    """A machine that asks the gate. Its token is shown once and stored as a digest."""

    __tablename__ = "service_client"
    __table_args__ = (sa.CheckConstraint("expires_at > created_at", name="ends_after_it_begins"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    token_hint: Mapped[str]
    scopes: Mapped[list[str]]
    vendor_ids: Mapped[list[UUID] | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)
    disabled_at: Mapped[datetime | None] = mapped_column(default=None)

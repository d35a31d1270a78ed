"""Mails about a person's way in: invitation, new password, and what changed in the account. Pure."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from portal.delivery.rules import Button, Frame, Parts, day, listed, moment
from portal.terms import ROLE_WORDS, Role

_ACCOUNT = Button("Look at your account", "/account")
_NOT_YOU = "If this was not you, sign out everywhere on that page, change your password and tell us."


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is asked in. ``vendor_name`` is None for the lab's own people, ``work`` where no form waits yet."""

    invitation_id: UUID
    expires_at: datetime
    roles: tuple[Role, ...]
    invited_by: str = ""
    vendor_name: str | None = None
    work: str | None = None
    sections: tuple[str, ...] = ()
    due_on: date | None = None
    hours: str | None = None


def invitation(this: Invitation, frame: Frame) -> Parts:
    """Who asks, why, how long it takes, until when, and what to have ready (ux.md, e-mail 1)."""
    who = this.invited_by or frame.lab_name
    rights = listed([ROLE_WORDS[role].lower() for role in this.roles])
    details = [("Link works until", moment(this.expires_at))]
    ready = ["A phone with an authenticator app: you need it each time you sign in."]
    if this.vendor_name is None:
        asks = f"{who} gives you access to Gatehouse, where {frame.lab_name} assesses its training contractors."
        why = f"You get this because {who} gave this address access at {frame.lab_name}."
    else:
        asks = f"{who} asks you to help {this.vendor_name} answer {frame.lab_name}'s security assessment."
        why = f"You get this because {who} named this address for {this.vendor_name}."
    paragraphs = [asks]
    if this.work is not None:
        paragraphs.append(
            f"{frame.lab_name} shares training data only with contractors whose protection it has assessed. "
            "Your answers decide which data you may work with."
        )
        details.insert(0, ("What", this.work))
        ready.append("Policies and reports you already have, for example SOC 2, ISO 27001 or a penetration test.")
        ready.append("The names of colleagues who know the parts you do not: you can give them sections.")
    if this.sections:
        details.append(("Your sections", listed(this.sections)))
    if this.due_on is not None:
        details.append(("Due", day(this.due_on)))
    if this.hours is not None:
        details.append(("Time it takes", this.hours))
    details.append(("You join as", rights))
    return Parts(
        subject=f"Accept your invitation to {frame.lab_name}'s Gatehouse",
        paragraphs=tuple(paragraphs),
        details=tuple(details),
        list_title="Have ready",
        items=tuple(ready),
        button=Button("Accept the invitation", "/invitation", this.invitation_id),
        closing=("The link is yours alone and works once. You can save and come back at any time.",),
        why=why,
    )


class PasswordReset(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody asked for a new password."""

    invitation_id: UUID
    expires_at: datetime


def password_reset(this: PasswordReset, frame: Frame) -> Parts:
    """The one-time link to a new password."""
    return Parts(
        subject="Choose a new password for Gatehouse",
        paragraphs=("Somebody asked for a new password for this address.",),
        details=(("Link works until", moment(this.expires_at)),),
        button=Button("Choose a new password", "/reset", this.invitation_id),
        closing=("If it was not you, do nothing: your password stays as it is.",),
        why=f"You get this because this address signs in to {frame.lab_name}'s Gatehouse.",
    )


class NewSignIn(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in from a browser that was not seen before."""

    at: datetime
    device: str = ""
    address: str = ""


def new_sign_in(this: NewSignIn, _frame: Frame) -> Parts:
    """Say when and from where, so that its owner can end it (ux.md, e-mail 16; never batched)."""
    details = [("When", moment(this.at))]
    details += [("Browser", this.device)] if this.device else []
    details += [("Network address", this.address)] if this.address else []
    return Parts(
        subject="Check a new sign-in to your Gatehouse account",
        paragraphs=("Your account was used from a browser that we have not seen before.",),
        details=tuple(details),
        button=_ACCOUNT,
        closing=("If this was you, there is nothing to do.", _NOT_YOU),
        why="You get this after every sign-in from a new browser. It cannot be switched off.",
    )


class RoleChanged(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may do has changed. Without roles the person has none left."""

    at: datetime
    roles: tuple[Role, ...]
    changed_by: str = ""


def role_changed(this: RoleChanged, _frame: Frame) -> Parts:
    """Say what the person may do now, and who changed it (ux.md, e-mail 16)."""
    now = listed([ROLE_WORDS[role].lower() for role in this.roles]) or "none"
    by = f" by {this.changed_by}" if this.changed_by else ""
    return Parts(
        subject="Check what your Gatehouse account may do now",
        paragraphs=(f"Your roles were changed{by}.",),
        details=(("When", moment(this.at)), ("Roles now", now)),
        button=_ACCOUNT,
        closing=("If you did not expect this, ask the person named above.",),
        why="You get this whenever your roles change. It cannot be switched off.",
    )


class Change(StrEnum):
    """What can change in an account besides its roles."""

    PASSWORD = "password"  # noqa: S105 - the name of a change
    AUTHENTICATOR = "authenticator"
    RECOVERY_CODE_USED = "recovery_code_used"
    RECOVERY_CODES = "recovery_codes"
    DEACTIVATED = "deactivated"


_CHANGES = {
    Change.PASSWORD: "Your password was changed. All other sessions were ended.",
    Change.AUTHENTICATOR: "The authenticator of your account was replaced.",
    Change.RECOVERY_CODE_USED: "A recovery code was used to sign in. It does not work again.",
    Change.RECOVERY_CODES: "New recovery codes were made. The old ones do not work any more.",
    Change.DEACTIVATED: "Your account was deactivated. You cannot sign in any more.",
}


class AccountChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Something of an account changed that its owner must hear of."""

    at: datetime
    change: Change


def account_changed(this: AccountChanged, _frame: Frame) -> Parts:
    """Say what changed (ux.md, e-mail 16; never batched)."""
    return Parts(
        subject="Check a change to your Gatehouse account",
        paragraphs=(_CHANGES[this.change],),
        details=(("When", moment(this.at)),),
        button=_ACCOUNT,
        closing=("If this was you, there is nothing to do.", _NOT_YOU),
        why="You get this after every change of this sort. It cannot be switched off.",
    )

"""Mails about a person's way in: invitation, new password, and what changed in the account. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from portal.delivery.rules import Button, Frame, Parts, listed, moment, near_day
from portal.kernel.words import said
from portal.terms import ROLE_WORDS, Role

_ACCOUNT = Button(said("Look at your account"), "/account")
_NOT_YOU = said("If this was not you, sign out everywhere on that page, change your password and tell us.")
_YOU = said("If this was you, there is nothing to do.")

_ROLES = {
    Role.RESPONDENT: said("respondent"),
    Role.VENDOR_ADMIN: said("vendor admin"),
    Role.SIGNATORY: said("signatory"),
}


def _named(roles: Sequence[Role]) -> str:
    return listed([_ROLES.get(role, ROLE_WORDS[role].lower()) for role in roles])


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
    questions: int | None = None


def invitation(this: Invitation, frame: Frame) -> Parts:
    """Who asks, why, how long it takes, until when, and what to have ready (ux.md, e-mail 1)."""
    who = this.invited_by or frame.lab_name
    details: list[tuple[str, str | date]] = [(said("Link works until"), moment(this.expires_at))]
    ready: list[str] = [said("A phone with an authenticator app: you need it each time you sign in.")]
    if this.vendor_name is None:
        asks = said(
            "%(person)s gives you access to Gatehouse, where %(lab)s assesses its training contractors.",
            person=who,
            lab=frame.lab_name,
        )
        why = said(
            "You get this because %(person)s gave this address access at %(lab)s.", person=who, lab=frame.lab_name
        )
    else:
        asks = said(
            "%(person)s asks you to help %(vendor)s answer %(lab)s's security assessment.",
            person=who,
            vendor=this.vendor_name,
            lab=frame.lab_name,
        )
        why = said(
            "You get this because %(person)s named this address for %(vendor)s.", person=who, vendor=this.vendor_name
        )
    paragraphs: list[str] = [asks]
    if this.work is not None:
        paragraphs.append(
            said(
                "%(lab)s shares training data only with contractors whose protection it has assessed. "
                "Your answers decide which data you may work with.",
                lab=frame.lab_name,
            )
        )
        details.insert(0, (said("What"), this.work))
        ready.append(said("Policies and reports you already have, for example SOC 2, ISO 27001 or a penetration test."))
        ready.append(said("The names of colleagues who know the parts you do not: you can give them sections."))
    if this.sections:
        details.append((said("Your sections"), listed(this.sections)))
    if this.due_on is not None:
        details.append((said("Due"), this.due_on))
    if this.hours is not None or this.questions is not None:
        details.append(
            (said("Time it takes"), hours(this.questions) if this.questions is not None else this.hours or "")
        )
    details.append((said("You join as"), _named(this.roles)))
    return Parts(
        subject=said("Accept your invitation to %(lab)s's Gatehouse", lab=frame.lab_name),
        paragraphs=tuple(paragraphs),
        details=tuple(details),
        list_title=said("Have ready"),
        items=tuple(ready),
        button=Button(said("Accept the invitation"), "/invitation", this.invitation_id),
        closing=(said("The link is yours alone and works once. You can save and come back at any time."),),
        why=why,
    )


def hours(questions: int) -> str:
    """Return how long so many questions take, at three to six minutes each with the papers at hand."""
    if questions <= 10:
        return said("less than an hour")
    low, high = round(questions / 20) or 1, round(questions / 10) or 1
    if low == high:
        return said("about an hour")
    return said("%(low)s to %(high)s hours, in as many sittings as you like", low=low, high=high)


class InvitationEnding(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation that was not taken up ends soon."""

    invitation_id: UUID
    expires_at: datetime
    invited_by: str = ""
    vendor_name: str | None = None


def invitation_ending(this: InvitationEnding, frame: Frame) -> Parts:
    """Until when the link works, and what to do afterwards (ux.md, e-mail 3)."""
    who = this.invited_by or frame.lab_name
    return Parts(
        subject=said("Accept your invitation by %(day)s", day=near_day(this.expires_at.date())),
        paragraphs=(
            said(
                "%(person)s asked you to join %(lab)s's Gatehouse for %(vendor)s, and the link ends soon.",
                person=who,
                lab=frame.lab_name,
                vendor=this.vendor_name,
            )
            if this.vendor_name is not None
            else said(
                "%(person)s gave you access to %(lab)s's Gatehouse, and the link ends soon.",
                person=who,
                lab=frame.lab_name,
            ),
        ),
        details=((said("Link works until"), moment(this.expires_at)),),
        button=Button(said("Accept the invitation"), "/invitation", this.invitation_id),
        closing=(said("If it ended before you came, the same link sends a new one to this address."),),
        why=said("You get this because %(person)s named this address.", person=who),
    )


class PasswordReset(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody asked for a new password."""

    invitation_id: UUID
    expires_at: datetime


def password_reset(this: PasswordReset, frame: Frame) -> Parts:
    """The one-time link to a new password."""
    return Parts(
        subject=said("Choose a new password for Gatehouse"),
        paragraphs=(said("Somebody asked for a new password for this address."),),
        details=((said("Link works until"), moment(this.expires_at)),),
        button=Button(said("Choose a new password"), "/reset", this.invitation_id),
        closing=(said("If it was not you, do nothing: your password stays as it is."),),
        why=said("You get this because this address signs in to %(lab)s's Gatehouse.", lab=frame.lab_name),
    )


class NewSignIn(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in from a browser that was not seen before."""

    at: datetime
    device: str = ""
    address: str = ""


def new_sign_in(this: NewSignIn, _frame: Frame) -> Parts:
    """Say when and from where, so that its owner can end it (ux.md, e-mail 16; never batched)."""
    details: list[tuple[str, str | date]] = [(said("When"), moment(this.at))]
    details += [(said("Browser"), this.device)] if this.device else []
    details += [(said("Network address"), this.address)] if this.address else []
    return Parts(
        subject=said("Check a new sign-in to your Gatehouse account"),
        paragraphs=(said("Your account was used from a browser that we have not seen before."),),
        details=tuple(details),
        button=_ACCOUNT,
        closing=(_YOU, _NOT_YOU),
        why=said("You get this after every sign-in from a new browser. It cannot be switched off."),
    )


class RoleChanged(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may do has changed. Without roles the person has none left."""

    at: datetime
    roles: tuple[Role, ...]
    changed_by: str = ""


def role_changed(this: RoleChanged, _frame: Frame) -> Parts:
    """Say what the person may do now, and who changed it (ux.md, e-mail 16)."""
    by = this.changed_by
    return Parts(
        subject=said("Check what your Gatehouse account may do now"),
        paragraphs=(
            said("Your roles were changed by %(person)s.", person=by) if by else said("Your roles were changed."),
        ),
        details=((said("When"), moment(this.at)), (said("Roles now"), _named(this.roles) or said("none"))),
        button=_ACCOUNT,
        closing=(
            said("If you did not expect this, ask the person named above.")
            if by
            else said("If you did not expect this, ask your vendor admin."),
        ),
        why=said("You get this whenever your roles change. It cannot be switched off."),
    )


class Change(StrEnum):
    """What can change in an account besides its roles."""

    PASSWORD = "password"  # noqa: S105 - the name of a change
    AUTHENTICATOR = "authenticator"
    RECOVERY_CODE_USED = "recovery_code_used"
    RECOVERY_CODES = "recovery_codes"
    DEACTIVATED = "deactivated"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"


_CHANGES = {
    Change.PASSWORD: said("Your password was changed. All other sessions were ended."),
    Change.AUTHENTICATOR: said("The authenticator of your account was replaced."),
    Change.RECOVERY_CODE_USED: said("A recovery code was used to sign in. It does not work again."),
    Change.RECOVERY_CODES: said("New recovery codes were made. The old ones do not work any more."),
    Change.DEACTIVATED: said("Your account was deactivated. You cannot sign in any more."),
    Change.PASSKEY_ADDED: said("A passkey was added to your account. It signs you in from now on."),
    Change.PASSKEY_REMOVED: said("A passkey was removed from your account. It does not sign you in any more."),
}


class AccountChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Something of an account changed that its owner must hear of."""

    at: datetime
    change: Change


def account_changed(this: AccountChanged, _frame: Frame) -> Parts:
    """Say what changed (ux.md, e-mail 16; never batched)."""
    return Parts(
        subject=said("Check a change to your Gatehouse account"),
        paragraphs=(_CHANGES[this.change],),
        details=((said("When"), moment(this.at)),),
        button=_ACCOUNT,
        closing=(_YOU, _NOT_YOU),
        why=said("You get this after every change of this sort. It cannot be switched off."),
    )


class EverythingTaken(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody of the vendor took all it entered out."""

    at: datetime
    taken_by: str
    with_files: bool


def everything_taken(this: EverythingTaken, frame: Frame) -> Parts:
    """Say who took everything out, so that a vendor's admin can ask, or act."""
    what = said("Answers, history, messages and the original files")
    if not this.with_files:
        what = said("Answers, history and messages, without the files")
    return Parts(
        subject=said("Check who took your answers out of Gatehouse"),
        paragraphs=(said("%(who)s took everything that your team entered out of Gatehouse.", who=this.taken_by),),
        details=((said("When"), moment(this.at)), (said("What"), what)),
        button=Button(said("See what was taken out"), "/everything"),
        closing=(said("If you did not expect this, ask the person named above. Your team page can switch them off."),),
        why=said(
            "You get this because you manage your team at %(lab)s's Gatehouse. It cannot be switched off.",
            lab=frame.lab_name,
        ),
    )

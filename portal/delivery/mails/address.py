"""Mails about another address of a person: a link to the new one, word to the old one. Pure."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from portal.delivery.rules import Button, Frame, Parts, moment
from portal.kernel.words import said


class AddressConfirm(msgspec.Struct, frozen=True, kw_only=True):
    """A person is to be reached at this address from now on."""

    invitation_id: UUID
    expires_at: datetime
    asked_by: str
    own: bool


def address_confirm(this: AddressConfirm, frame: Frame) -> Parts:
    """The link that proves the new address."""
    return Parts(
        subject=said("Confirm your new address for Gatehouse"),
        paragraphs=(
            said("You asked to sign in to %(lab)s's Gatehouse with this address.", lab=frame.lab_name)
            if this.own
            else said(
                "%(person)s asked that you sign in to %(lab)s's Gatehouse with this address.",
                person=this.asked_by,
                lab=frame.lab_name,
            ),
        ),
        details=((said("Link works until"), moment(this.expires_at)),),
        button=Button(said("Confirm the address"), "/team/address", this.invitation_id),
        closing=(said("Until then nothing changes. If you did not expect this, do nothing."),),
        why=said("You get this because somebody named this address at %(lab)s's Gatehouse.", lab=frame.lab_name),
    )


class AddressMoved(msgspec.Struct, frozen=True, kw_only=True):
    """A person is reached at another address from now on; this goes to the earlier one."""

    at: datetime
    asked_by: str
    own: bool


def address_moved(this: AddressMoved, frame: Frame) -> Parts:
    """Say that it happened, and whom to tell if it should not have (ux.md, e-mail 16; never batched)."""
    return Parts(
        subject=said("Check a change to your Gatehouse account"),
        paragraphs=(
            said("Your account signs in with another address now. This one does not work any more."),
            said("You asked for it yourself.") if this.own else said("%(person)s asked for it.", person=this.asked_by),
        ),
        details=((said("When"), moment(this.at)),),
        button=Button(said("Read how to reach us"), "/help"),
        closing=(said("If you did not want this, write to us at once: we can stop the account."),),
        why=said("You get this after every change of address at %(lab)s's Gatehouse.", lab=frame.lab_name),
    )


class InvitedElsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody asked an address in that signs in for another organisation already."""

    invited_by: str
    vendor_name: str


def invited_elsewhere(this: InvitedElsewhere, frame: Frame) -> Parts:
    """Tell the owner of the address, and nobody else, why no link comes."""
    who = this.invited_by or frame.lab_name
    return Parts(
        subject=said("Choose another address to help %(vendor)s", vendor=this.vendor_name),
        paragraphs=(
            said(
                "%(person)s asks you to help %(vendor)s answer %(lab)s's security assessment.",
                person=who,
                vendor=this.vendor_name,
                lab=frame.lab_name,
            ),
            said(
                "This address signs in to Gatehouse for another organisation already, and an address belongs to one. "
                "%(person)s does not see this.",
                person=who,
            ),
        ),
        button=Button(said("Read how to reach us"), "/help"),
        closing=(said("To join, ask for an invitation to another work address of yours."),),
        why=said(
            "You get this because %(person)s named this address for %(vendor)s.", person=who, vendor=this.vendor_name
        ),
    )

"""Jobs that write to a person's new address, and to the one they had."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from portal.delivery import service as delivery
from portal.delivery.follow import NOTIFY_ADDRESS
from portal.identity import service as identity
from portal.identity.models import Invitation, UserAccount
from portal.identity.rules import InvitationState
from portal.jobs import recipients
from portal.jobs.tools import House, Job
from portal.kernel.actor import system


def notify_address(house: House, *, invitation_id: str, changed: bool) -> None:
    """Send the link to a new address, or tell the earlier one that it was confirmed.

    An address that somebody has already gets no link, and whoever asked is told nothing of it.
    """
    with house.ledger.begin(system(NOTIFY_ADDRESS)) as tx:
        asked = tx.session.get(Invitation, UUID(invitation_id))
        if asked is None or asked.was_email is None:
            return
        taken = sa.select(UserAccount.id).where(UserAccount.email == asked.email)
        if not changed and (
            identity.state_of(tx, asked) is not InvitationState.OPEN or tx.session.execute(taken).first() is not None
        ):
            return
        about = {"asked_by": recipients.name_of(tx, asked.invited_by), "own": asked.invited_by == asked.user_id}
        link = {"invitation_id": asked.id, "expires_at": asked.expires_at}
        delivery.send(
            tx,
            kind="address_moved" if changed else "address_confirm",
            to_address=asked.was_email if changed else asked.email,
            to_name=asked.full_name,
            user_id=asked.user_id,
            vendor_id=asked.vendor_id,
            context=about | ({"at": asked.redeemed_at or tx.now} if changed else link),
            dedupe_key=f"address:{'moved' if changed else 'confirm'}:{asked.id}",
        )


JOBS = (Job(NOTIFY_ADDRESS, notify_address),)

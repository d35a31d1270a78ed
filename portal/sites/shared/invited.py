"""How far an invitation has come, in words: what became of its mail, whether its link was followed, how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal.delivery import queries as delivery
from portal.delivery.queries import Fate
from portal.identity.queries import InvitationLine
from portal.identity.rules import InvitationState
from portal.kernel.ledger import Tx
from portal.kernel.words import said
from portal.terms import N_, MailState

SAID = "The mail server said "
"""How the reason of a refused mail begins, where it is the other side's own words."""

_ENDS = {
    InvitationState.USED: N_("Joined"),
    InvitationState.WITHDRAWN: N_("Withdrawn"),
    InvitationState.EXPIRED: N_("Expired"),
}


@dataclass(frozen=True, slots=True)
class Trail:
    """Where an invitation stands: a word of the status vocabulary, since when, and why if its mail did not arrive."""

    word: str
    at: datetime | None = None
    why: str = ""


def trail_of(line: InvitationLine, fate: Fate | None) -> Trail:
    """Return where an invitation stands. A link that was followed did arrive, whatever a mail server said."""
    undelivered = fate is not None and line.opened_at is None and (fate.bounced or fate.state is MailState.FAILED)
    why = _why(fate) if undelivered and fate is not None else ""
    if line.state in _ENDS:
        return Trail(_ENDS[line.state], line.expires_at if line.state is InvitationState.EXPIRED else None, why)
    if line.opened_at is not None:
        return Trail(N_("Opened"), line.opened_at)
    if undelivered and fate is not None:
        return Trail(N_("Not delivered"), fate.at, why)
    if fate is None or fate.state is not MailState.SENT:
        waits = fate is not None and bool(fate.reason)
        return Trail(N_("Queued"), None, said("The mail server asks us to wait. We go on trying") if waits else "")
    return Trail(N_("Sent"), fate.at)


def trails(tx: Tx, lines: Iterable[InvitationLine]) -> Mapping[UUID, Trail]:
    """Return where each of these invitations stands, by its id."""
    wanted = list(lines)
    fates = delivery.fates(tx, [each.mail_key for each in wanted])
    return {each.id: trail_of(each, fates.get(each.mail_key)) for each in wanted}


def newest_invitations(lines: Iterable[InvitationLine]) -> Mapping[UUID, InvitationLine]:
    """Return the newest invitation of each person; the lines come newest first."""
    found: dict[UUID, InvitationLine] = {}
    for line in lines:
        if line.user_id is not None:
            found.setdefault(line.user_id, line)
    return found


def _why(fate: Fate) -> str:
    """Return why a mail did not arrive. Of our own machinery only that it failed: the reason is for its operators."""
    if fate.bounced:
        return said("A mail server gave it back: %(reason)s", reason=fate.reason)
    if fate.reason.startswith(SAID):
        return said("Their mail server said %(reason)s", reason=fate.reason.removeprefix(SAID))
    return said("We could not hand it over to a mail server. Send it again")

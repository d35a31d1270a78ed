"""How a person reads: the language and the zone of pages and mails."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

from portal.identity.facts import KeysSwitched, ReadingChanged
from portal.identity.models import UserAccount
from portal.kernel.errors import NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.words import said
from portal.terms import LANGUAGES

_REGIONS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


@cache
def zones() -> tuple[str, ...]:
    """Return the zones a person may choose from: UTC, then each place by its region and name."""
    places = (name for name in available_timezones() if name.split("/")[0] in _REGIONS and "/" in name)
    return ("UTC", *sorted(places))


def begin_reading(tx: Tx, *, user: UserAccount, language: str, timezone: str) -> None:
    """Speak to a person who has just enrolled as the browser they came with does; what we do not know is left out."""
    wanted = (
        language if language in LANGUAGES else user.language,
        timezone if timezone in zones() else user.timezone,
    )
    if wanted != (user.language, user.timezone):
        user.language, user.timezone = wanted
        tx.record(ReadingChanged(user.id, user.vendor_id, *wanted))


def read_in(tx: Tx, *, language: str | None = None, timezone: str | None = None) -> None:
    """Speak to the actor in a language and a zone from now on; what is None stays as it is.

    :raises NotFound: if the actor is no person with an account.
    :raises Refused: with problems at language or timezone.
    """
    user = tx.session.get(UserAccount, tx.actor.id) if tx.actor.id else None
    if user is None:
        raise NotFound
    problems: dict[str, list[str]] = {}
    if language is not None and language not in LANGUAGES:
        problems["language"] = [said("Choose one of the languages listed")]
    if timezone is not None and timezone not in zones():
        problems["timezone"] = [said("Choose one of the time zones listed")]
    if problems:
        raise Refused(problems=problems)
    wanted = (language or user.language, timezone or user.timezone)
    if wanted == (user.language, user.timezone):
        return
    user.language, user.timezone = wanted
    tx.record(ReadingChanged(user.id, user.vendor_id, *wanted))


def switch_keys(tx: Tx, *, on: bool) -> None:
    """Let single keys act on the actor's pages from now on, or not (WCAG 2.1.4).

    :raises NotFound: if the actor is no person with an account.
    """
    user = tx.session.get(UserAccount, tx.actor.id) if tx.actor.id else None
    if user is None:
        raise NotFound
    if user.single_keys is not on:
        user.single_keys = on
        tx.record(KeysSwitched(user.id, user.vendor_id, on))

"""What one hears of by mail, and when; and the link in a digest that ends it, which needs no sign-in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.delivery import preferences, unsubscribing
from portal.delivery.channels import CHANNEL_WORDS, CHOICES, Channel, Group, choices_of
from portal.delivery.preferences import Wishes
from portal.delivery.unsubscribing import Ending, TooOld, Unreadable
from portal.identity import queries as people
from portal.kernel.actor import system
from portal.kernel.errors import Conflict, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.sites.shared.door import does
from portal.sites.shared.language import _, told
from portal.sites.shared.pages import begin, house, ledger, page
from portal.terms import Side

bp = Blueprint("preferences", __name__)

UNSUBSCRIBER = system("unsubscribe")


@bp.get("/account/mail")
@does(Action.ACCOUNT_MANAGE)
def show() -> ResponseReturnValue:
    """Show what may be chosen, and what is."""
    return _page()


@bp.post("/account/mail")
@does(Action.ACCOUNT_MANAGE)
def choose() -> ResponseReturnValue:
    """Keep what was chosen."""
    form = request.form
    version = form.get("row_version", "")
    try:
        with begin() as tx:
            preferences.choose(
                tx,
                channels={group.value: form.get(group.value, "") for group in _offered()},
                hour=form.get("hour", ""),
                row_version=int(version) if version.isascii() and version.isdigit() and len(version) < 10 else -1,
            )
    except Refused as refused:
        return _page(problems={name: told(texts[0]) for name, texts in refused.problems.items()}), 422
    except Conflict as late:
        return _page(late=told(late.message)), 409
    flash(_("Your choice is kept. It counts from the next mail on."))
    return redirect(url_for(".show"), 303)


def _offered() -> Mapping[Group, Any]:
    return choices_of(Side.LAB if g.actor.is_lab else Side.VENDOR)


def _page(*, problems: Mapping[str, str] | None = None, late: str = "") -> str:
    with begin() as tx:
        me = people.person(tx, g.actor.id)
        wishes: Wishes = preferences.wishes(tx, me.id)
    chosen = {group.value: wishes.channel(group).value for group in _offered()}
    if problems:
        # What was typed stays, where it was one of the choices at all.
        chosen |= {name: request.form[name] for name in chosen if name in request.form and name not in problems}
    return page(
        "shared/auth/preferences.html",
        base="lab/base.html" if g.actor.is_lab else "vendor/base.html",
        me=me,
        groups=[
            (
                group.value,
                told(choice.title),
                told(choice.about),
                [(channel.value, _channel(channel)) for channel in Channel if channel in choice.channels],
            )
            for group, choice in _offered().items()
        ],
        chosen=chosen,
        hour=request.form.get("hour", "") if problems else wishes.hour,
        hours=[(hour, f"{hour:02}:00") for hour in range(24)],
        zone=g.actor.timezone,
        row_version=wishes.row_version,
        problems=problems or {},
        late=late,
        errors=bool(problems),
    )


def _channel(channel: Channel) -> str:
    return told(CHANNEL_WORDS[channel])


@bp.get("/unsubscribe/<token>")
@does(Action.PUBLIC)
def unsubscribe(token: str) -> ResponseReturnValue:
    """Say what the link ends; only pressing the button, or a mail program's own, ends it."""
    with ledger().begin(UNSUBSCRIBER) as tx:
        ending, why_not = _read(tx, token)
    return _ended(ending, why_not, done=False)


@bp.post("/unsubscribe/<token>")
@does(Action.PUBLIC)
def unsubscribe_now(token: str) -> ResponseReturnValue:
    """End it, once or many times, whoever is signed in: the link itself is the right to (RFC 8058)."""
    with ledger().begin(UNSUBSCRIBER) as tx:
        ending, why_not = _read(tx, token)
        who = people.people(tx, [ending.user_id]).get(ending.user_id) if ending is not None else None
        if ending is not None and who is not None:
            preferences.switch_off(tx, user_id=who.id, vendor_id=who.vendor_id, groups=ending.groups)
    return _ended(ending, why_not, done=True)


def _read(tx: Tx, token: str) -> tuple[Ending | None, str]:
    try:
        return unsubscribing.read(house().keyring, token, on=tx.now.astimezone(UTC).date()), ""
    except TooOld:
        return None, _("This link is too old. Sign in and choose under Your account, Mail.")
    except Unreadable:
        return None, _(
            "This link is not complete. Copy all of it from the mail, or sign in and choose under Your account."
        )


def _ended(ending: Ending | None, why_not: str, *, done: bool) -> ResponseReturnValue:
    groups = [told(CHOICES[group].title) for group in ending.groups] if ending is not None else []
    shown = page("shared/auth/unsubscribe.html", groups=groups, why_not=why_not, done=done)
    return shown, 410 if ending is None else 200

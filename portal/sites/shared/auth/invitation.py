"""The invitation: who asked, whom for and who invited, before anything is typed; then a password and a factor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import segno
from flask import flash, g, make_response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from portal.identity import queries as people
from portal.identity import service as identity
from portal.identity import totp
from portal.identity.rules import InvitationState
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.sites.shared.auth.blueprint import DOOR, INVITATION, address, bp, counted, hasher, invited_here
from portal.sites.shared.auth.forms import EnrolForm, add_problems
from portal.sites.shared.door import does
from portal.sites.shared.language import language, told
from portal.sites.shared.pages import house, ledger, page
from portal.sites.shared.sessions import come_in, leave
from portal.terms import N_, ROLE_WORDS, Role, Side
from portal.vendors import service as vendors

LINK, SECRET = INVITATION, "enrolling"
SENT = N_("If the invitation can be renewed, a new link is on its way to the address it was sent to.")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an invitation says of itself."""

    state: InvitationState
    email: str
    full_name: str
    roles: tuple[str, ...]
    vendor_name: str
    inviter: str
    sections: tuple[str, ...]
    first: bool
    again: bool
    expires_at: datetime
    assessment_id: UUID | None = None
    newer: bool = False
    """Whether a newer link than this one is good."""

    @property
    def onward(self) -> str:
        """Where the person goes once in: the first section given to them, else the home page."""
        if not self.vendor_name:
            return "/lab"
        if not self.sections:
            return "/"
        there = f"/assessments/{self.assessment_id}" if self.assessment_id else ""
        return f"{there}/s/{self.sections[0]}"


def as_said(role: str) -> str:
    """Return a role as it stands in the middle of a sentence: English writes it small."""
    words = told(role)
    return words.lower() if language() == "en" else words


def _look(tx: Tx, token: str) -> Asked:
    link = identity.find_link(tx, token=token)
    found = link.invitation
    inviter = people.people(tx, [found.invited_by]).get(found.invited_by) if found.invited_by else None
    vendor = vendors.get(tx, found.vendor_id, Action.VENDOR_READ) if found.vendor_id else None
    held = people.person(tx, found.user_id).roles if found.user_id else frozenset[Role]()
    return Asked(
        state=identity.link_state(tx, link),
        email=found.email,
        full_name=found.full_name,
        roles=tuple(as_said(ROLE_WORDS[role]) for role in sorted({*map(Role, found.roles), *held})),
        vendor_name=vendor.name if vendor else "",
        inviter=inviter.full_name if inviter else "",
        sections=tuple(found.sections),
        first=found.purpose == "bootstrap",
        again=bool(held),
        expires_at=link.expires_at,
        assessment_id=found.assessment_id,
        newer=not link.newest and identity.state_of(tx, found) is InvitationState.OPEN,
    )


def asked_here() -> Asked | None:
    """Return what the invitation says by which this browser came, None if it came by none that we know."""
    if not (token := invited_here()):
        return None
    try:
        with ledger().begin(DOOR) as tx:
            return _look(tx, token)
    except NotFound:
        return None


@bp.get("/invitation/<token>")
@does(Action.PUBLIC)
def take_invitation(token: str) -> ResponseReturnValue:
    """Take the token out of the address at once, so that it stays in no history and no log (ASVS 14.2.1)."""
    session[LINK] = token[:100]
    session.pop(SECRET, None)
    return redirect(url_for("auth.invitation"), 303)


@bp.get("/invitation")
@does(Action.PUBLIC)
def invitation() -> ResponseReturnValue:
    """Say who asked, whom for and who invited, and let the person enrol; or say what became of the invitation."""
    try:
        with ledger().begin(DOOR) as tx:
            asked = _look(tx, session.get(LINK, ""))
            # Here and not where the link leads first: what merely looks into mails brings no cookie along.
            identity.note_opened(tx, invitation=identity.find(tx, token=session.get(LINK, "")))
    except NotFound:
        return page("shared/auth/no_invitation.html"), 404
    if asked.state is not InvitationState.OPEN:
        return page("shared/auth/closed_invitation.html", asked=asked), 410
    form = EnrolForm(full_name=asked.full_name)
    return _enrol_page(asked, form)


def _enrol_page(asked: Asked, form: EnrolForm, status: int = 200) -> ResponseReturnValue:
    secret = _secret(asked)
    issuer = f"Gatehouse {house().settings.lab_name}"
    picture = segno.make(totp.uri(secret, email=asked.email, issuer=issuer), error="m").svg_inline(
        scale=4, border=3, light="#fff", dark="#000", svgclass="qr", lineclass=None
    )
    return (
        page(
            "shared/auth/invitation.html",
            asked=asked,
            form=form,
            picture=Markup(picture),  # noqa: S704 - segno escapes  # nosec B704
            secret=totp.grouped(secret),
        ),
        status,
    )


def _secret(asked: Asked) -> str:
    """Return the secret this browser is enrolling with: the same until it is done, sealed in its own cookie."""
    sealed = session.get(SECRET)
    if isinstance(sealed, str):
        try:
            email, _, secret = house().keyring.open(sealed.encode()).partition("\n")
        except ValueError:
            email, secret = "", ""
        if secret and email == asked.email:
            return secret
    secret = totp.new_secret()
    session[SECRET] = house().keyring.seal(f"{asked.email}\n{secret}").decode()
    return secret


@bp.post("/invitation")
@does(Action.PUBLIC)
def enrol() -> ResponseReturnValue:
    """Enrol, sign in, and show the recovery codes, this once."""
    if refusal := counted(identity.link_limits(address())):
        raise refusal
    form = EnrolForm(request.form)
    token = session.get(LINK, "")
    try:
        with ledger().begin(DOOR) as tx:
            asked = _look(tx, token)
    except NotFound:
        return page("shared/auth/no_invitation.html"), 404
    if asked.state is not InvitationState.OPEN:
        return page("shared/auth/closed_invitation.html", asked=asked), 410
    if not form.validate():
        return _enrol_page(asked, form, 422)
    try:
        with ledger().begin(DOOR) as tx:
            user, codes = identity.enrol(
                tx,
                invitation=identity.open_invitation(tx, token=token),
                full_name=form.full_name.data or "",
                password=form.password.data or "",
                totp_secret=_secret(asked),
                totp_code=form.code.data or "",
                keyring=house().keyring,
                about=(house().settings.lab_name, asked.vendor_name),
                hasher=hasher(),
            )
            identity.begin_reading(tx, user=user, language=language(), timezone=request.form.get("timezone", ""))
            new = identity.begin_session(
                tx, user=user, address=address(), user_agent=request.user_agent.string, factor="totp"
            )
    except Refused as refused:
        add_problems(form, refused.problems)
        return _enrol_page(asked, form, 422)
    except Conflict:
        with ledger().begin(DOOR) as tx:
            asked = _look(tx, token)
        return page("shared/auth/closed_invitation.html", asked=asked), 409
    if g.actor.id is not None:
        leave()
    come_in(new)
    onward = "/lab" if user.side is Side.LAB else asked.onward
    return make_response(page("shared/auth/recovery_codes.html", codes=codes, onward=onward, welcome=True))


@bp.post("/invitation/renew")
@does(Action.PUBLIC)
def renew_invitation() -> ResponseReturnValue:
    """Send a new link to the same address if the invitation has merely ended. The answer is the same for all."""
    if refusal := counted(identity.mail_limits(session.get(LINK, ""), address())):
        raise refusal
    try:
        with ledger().begin(DOOR) as tx:
            link = identity.find_link(tx, token=session.get(LINK, ""))
            if identity.link_state(tx, link) is InvitationState.EXPIRED:
                identity.resend(tx, invitation=link.invitation, keyring=house().keyring)
    except (NotFound, Conflict):
        pass
    flash(told(SENT), "info")
    return redirect(url_for("auth.sign_in"), 303)

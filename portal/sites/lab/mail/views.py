"""Mail as it was sent, where no mail server is: in development only, for it shows links that open doors."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, make_response
from flask.typing import ResponseReturnValue

from portal.delivery import queries
from portal.delivery.queries import MailBody
from portal.delivery.render import STYLE_HASH, NotWanted, render
from portal.delivery.rules import Frame, Message
from portal.jobs import recipients
from portal.kernel.errors import NotFound
from portal.policy import Action
from portal.sites.lab.mail.wording import KINDS
from portal.sites.shared.door import does
from portal.sites.shared.pages import begin, house, page
from portal.terms import MailState

bp = Blueprint("lab_mail", __name__, url_prefix="/lab/mail")

STATES = {
    MailState.QUEUED: ("Waiting", "t-info", "clock"),
    MailState.SENT: ("Sent", "t-plain", "check"),
    MailState.FAILED: ("Parked", "t-bad", "triangle-alert"),
    MailState.DROPPED: ("Not needed", "t-plain t-off", "ban"),
}
FRAME_POLICY = (
    f"default-src 'none'; style-src '{STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


@bp.before_request
def only_in_development() -> None:
    """Refuse in production, before anything is read.

    :raises NotFound: there.
    """
    if house().settings.production:
        raise NotFound


@bp.get("")
@does(Action.MAIL_READ)
def index() -> ResponseReturnValue:
    """List the newest mails and the jobs that were given up."""
    with begin() as tx:
        lines = queries.mails(tx)
        parked = queries.parked(tx)
    return page("lab/mail/index.html", lines=lines, parked=parked, states=STATES, kinds=KINDS)


@bp.get("/<uuid:mail_id>")
@does(Action.MAIL_READ)
def show(mail_id: UUID) -> ResponseReturnValue:
    """Show one mail: its words, its one link, and how a mail program draws it."""
    body = _fetched(mail_id)
    try:
        message, over = _written(body), ""
    except NotWanted as refusal:
        message, over = None, str(refusal)
    return page("lab/mail/show.html", line=body.line, message=message, over=over, states=STATES, kinds=KINDS)


@bp.get("/<uuid:mail_id>/html")
@does(Action.MAIL_READ)
def html(mail_id: UUID) -> ResponseReturnValue:
    """Give the HTML of one mail, for the frame of its page: no scripts, no forms, nothing loaded."""
    try:
        message = _written(_fetched(mail_id))
    except NotWanted:
        raise NotFound from None
    response = make_response(message.html)
    response.headers["Content-Security-Policy"] = FRAME_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _fetched(mail_id: UUID) -> MailBody:
    with begin() as tx:
        return queries.mail(tx, mail_id)


def _written(body: MailBody) -> Message:
    settings = house().settings
    with begin() as tx:
        reader = recipients.reader_of(tx, body.user_id)
    return render(
        body.line.kind,
        body.context,
        to_name=body.line.to_name,
        frame=Frame(lab_name=settings.lab_name, base_url=settings.base_url),
        link_token=house().link_token,
        reader=reader,
    )

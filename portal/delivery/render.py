"""Laying a mail out: the same words as plain text and as light HTML, with the one link made here."""

from __future__ import annotations

import base64
import hashlib
import textwrap
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from portal.delivery.mails import KINDS
from portal.delivery.rules import Button, Frame, Message, Parts, Reader, is_address, one_line, quoted, subject_line
from portal.kernel.words import Said, catalogue, said, translated, zone_of

LinkToken = Callable[[UUID], str | None]
"""Gives the one-time token of an invitation, None if it is not open any more."""

LAST_MINUTE = time(23, 59)
"""Days are days of the world's clock, here as at the gate."""

ANYBODY = Reader()
"""Somebody we know nothing of yet: English, and the world's clock."""

STYLE = """\
:root{color-scheme:light dark}
body{margin:0;padding:16px;font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
.sheet{max-width:36rem;margin:0 auto}
table{border-collapse:collapse;margin:0 0 16px}
td{padding:4px 16px 4px 0;vertical-align:top;overflow-wrap:anywhere}
.name{white-space:nowrap;opacity:.75}
.button{display:inline-block;padding:11px 20px;border-radius:6px;background:#2c5b86;color:#fff;text-decoration:none;\
font-weight:600}
hr{border:0;border-top:1px solid #8888;margin:24px 0 16px}
.small{font-size:13px;opacity:.8}
"""
STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
"""For the content security policy of a page that shows a mail."""


class NotWanted(Exception):
    """The mail is about something that is over. Its words say why."""


def _wrapped(text: str, hanging: str = "") -> str:
    return textwrap.fill(text, 72, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False)


def _environment(*, escape: bool) -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=escape,  # noqa: S701 - off for plain text only  # nosec B701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["wrapped"] = _wrapped
    return made


_TEXT = _environment(escape=False)
_HTML = _environment(escape=True)


def render(
    kind: str,
    context: Mapping[str, Any],
    *,
    to_name: str,
    frame: Frame,
    link_token: LinkToken,
    reader: Reader = ANYBODY,
) -> Message:
    """Return the finished mail of a stored row, in the language and zone of its reader.

    :raises NotWanted: if the invitation it is about is not open any more.
    :raises KeyError: for an unknown kind; :raises msgspec.ValidationError: for a context that does not fit it.
    """
    this = KINDS[kind]
    parts = this.write(msgspec.convert(dict(context), this.fields), frame)
    link = link_of(parts.button, frame, link_token)
    return _laid_out(parts, to_name=to_name, frame=frame, link=link, reader=reader)


def link_of(button: Button, frame: Frame, link_token: LinkToken) -> str:
    """Return the full link: the base URL of the settings, our path, and the token where there is one.

    :raises NotWanted: if the invitation is not open any more.
    """
    link = frame.base_url + button.path
    if button.invitation_id is None:
        return link
    token = link_token(button.invitation_id)
    if token is None:
        raise NotWanted("The invitation was used, renewed or taken back before this mail left.")
    return f"{link}/{quote(token, safe='')}"


def _laid_out(parts: Parts, *, to_name: str, frame: Frame, link: str, reader: Reader) -> Message:
    spoken, zone = catalogue(reader.language), zone_of(reader.zone)

    def told(text: str) -> str:
        return quoted(translated(text, spoken, zone) if isinstance(text, Said) else text)

    def shown(value: str | date) -> str:
        if not isinstance(value, date):
            return told(value)
        end = datetime.combine(value, LAST_MINUTE, tzinfo=UTC)
        if not end.astimezone(zone).utcoffset():
            return told(said("%(day)s", day=value))
        return told(said("%(day)s, for you until %(moment)s", day=value, moment=end))

    def _(template: str, **values: str) -> str:
        return translated(said(template, **values), spoken)

    subject, label = subject_line(told(parts.subject)), told(parts.button.label)
    words = {
        "_": _,
        "language": "en-GB" if reader.language == "en" else reader.language,
        "subject": subject,
        "to_name": quoted(to_name),
        "paragraphs": [told(each) for each in parts.paragraphs],
        "details": [(told(name), shown(value)) for name, value in parts.details],
        "list_title": told(parts.list_title),
        "items": [told(each) for each in parts.items],
        "label": label,
        "link": link,
        "closing": [told(each) for each in parts.closing],
        "why": told(parts.why),
        "host": frame.host,
    }
    text = _TEXT.get_template("mail.txt").render(words)
    html = _HTML.get_template("mail.html").render(words, style=Markup(STYLE))  # noqa: S704 - our own constant  # nosec B704
    return Message(subject=subject, text=text, html=html, label=label, link=link)


def envelope(
    message: Message,
    *,
    mail_id: UUID,
    to_address: str,
    to_name: str,
    sender: str,
    lab_name: str,
    created_at: datetime,
    unsubscribe: str = "",
) -> EmailMessage:
    """Return the mail as it goes over the wire.

    :param unsubscribe: where one click ends mails of this sort (RFC 8058); empty where none may be ended.

    Its Message-ID and date are those of the row, so that a mail sent twice is recognised as one.

    :raises ValueError: if an address is not one plain address, or anything would begin another header.
    """
    if not is_address(to_address):
        raise ValueError("The address is not one plain address.")
    wire = EmailMessage(policy=SMTP)
    wire["Subject"] = message.subject
    wire["From"] = Address(display_name=f"{one_line(lab_name)} Gatehouse", addr_spec=sender)
    wire["To"] = Address(display_name=one_line(to_name), addr_spec=to_address)
    wire["Date"] = format_datetime(created_at)
    wire["Message-ID"] = f"<{mail_id}@{sender.rpartition('@')[2]}>"
    wire["Auto-Submitted"] = "auto-generated"
    if unsubscribe:
        wire["List-Unsubscribe"] = f"<{unsubscribe}>"
        wire["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    wire.set_content(message.text)
    wire.add_alternative(message.html, subtype="html")
    return wire

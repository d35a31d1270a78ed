"""The talk with the mail server: short, bounded, and with an answer that says whether to try again."""

from __future__ import annotations

import ipaddress
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum
from urllib.parse import unquote, urlsplit

PATIENCE = 20.0
"""The longest talk with a mail server, in seconds; less than the lease of a mail."""
SHAPE = "GATEHOUSE_SMTP_URL must look like smtp://name:password@host:587, smtp+starttls://host:587 or smtps://host:465."


class Security(StrEnum):
    """How the line is protected: TLS where the server offers it, TLS or nothing, TLS from the first byte."""

    OFFERED = "smtp"
    REQUIRED = "smtp+starttls"
    IMPLICIT = "smtps"


_PORTS = {Security.OFFERED: 25, Security.REQUIRED: 587, Security.IMPLICIT: 465}


class Later(Exception):
    """It did not leave and may another time. Its words say why."""


class Never(Exception):
    """It did not leave and will not. Its words say why."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over."""

    host: str
    port: int
    security: Security
    name: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str) -> Server:
        """Read GATEHOUSE_SMTP_URL.

        :raises ValueError: with one sentence, never with the password in it.
        """
        try:
            parts = urlsplit(url)
            security = Security(parts.scheme)
            port = parts.port or _PORTS[security]
        except ValueError:
            raise ValueError(SHAPE) from None
        if not parts.hostname or parts.path not in {"", "/"} or parts.query or parts.fragment:
            raise ValueError(SHAPE)
        return cls(parts.hostname, port, security, unquote(parts.username or ""), unquote(parts.password or ""))

    @property
    def is_here(self) -> bool:
        """Whether the server is on this machine, so that a password does not cross a network."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def problems(url: str | None, *, production: bool) -> list[str]:
    """Return what keeps mail from leaving, one sentence each, for whoever looks after the installation."""
    if not url:
        return ["GATEHOUSE_SMTP_URL is not set: mail waits and nobody gets it."] if production else []
    try:
        Server.of(url)
    except ValueError as refusal:
        return [str(refusal)]
    return []


def deliver(
    server: Server, wire: EmailMessage, *, patience: float = PATIENCE, trust: ssl.SSLContext | None = None
) -> None:
    """Hand one mail over and return once the server took it.

    :raises Later: if the server is away, slow, busy or not to be trusted today.
    :raises Never: if it will not take this mail.
    """
    with _bounded(patience) as watch:
        try:
            _talk(server, wire, trust or ssl.create_default_context(), watch, patience)
        except OSError as failure:
            # Half an answer of a server that was left is no answer, so the watch is asked first.
            slow = watch.rang or isinstance(failure, TimeoutError)
            outcome = Later(f"The mail server took longer than {patience:g} s.") if slow else _outcome(failure)
            raise outcome from failure


def _outcome(failure: OSError) -> Exception:
    """Return what a failed talk means; every smtplib error is an OSError."""
    match failure:
        case smtplib.SMTPRecipientsRefused():
            code, said = next(iter(failure.recipients.values()))
            return _refused(code, said)
        case smtplib.SMTPDataError():
            return _refused(failure.smtp_code, failure.smtp_error)
        case smtplib.SMTPAuthenticationError():
            return Later(f"The mail server did not take our name and password ({failure.smtp_code}).")
        case smtplib.SMTPResponseException():
            return Later(_said(failure.smtp_code, failure.smtp_error))
        case ssl.SSLCertVerificationError():
            return Later("The mail server's certificate could not be verified.")
    return Later(f"The mail server could not be reached ({type(failure).__name__}).")


class _Watch:
    """Ends the talk when its time is over, however slowly the other side drips."""

    def __init__(self) -> None:
        self.rang = False
        self._line: socket.socket | None = None

    def over(self, line: socket.socket) -> None:
        """Watch this line. The copy stays good when TLS takes the line over."""
        self._line = line.dup()

    def ring(self) -> None:
        self.rang = True
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        if self._line is not None:
            self._line.close()


@contextmanager
def _bounded(patience: float) -> Iterator[_Watch]:
    watch = _Watch()
    timer = threading.Timer(patience, watch.ring)
    timer.daemon = True
    timer.start()
    try:
        yield watch
    finally:
        timer.cancel()
        timer.join()
        watch.end()


def _talk(server: Server, wire: EmailMessage, context: ssl.SSLContext, watch: _Watch, patience: float) -> None:
    line = socket.create_connection((server.host, server.port), timeout=patience)
    watch.over(line)
    client: _Client | None = None
    try:
        client = _Client(line, server, context, patience, our_name=_our_name(wire))
        _open(client, server, context)
        try:
            client.send_message(wire)
        except smtplib.SMTPNotSupportedError as refusal:
            raise Never("The mail server does not take addresses of this kind.") from refusal
        # The server has it. What happens to the goodbye changes nothing.
        with suppress(OSError):
            client.quit()
    finally:
        if client is not None:
            client.close()
        line.close()


def _open(client: _Client, server: Server, context: ssl.SSLContext) -> None:
    client.ehlo_or_helo_if_needed()
    if server.security is not Security.IMPLICIT:
        if client.has_extn("starttls"):
            client.starttls(context=context)
            client.ehlo_or_helo_if_needed()
        elif server.security is Security.REQUIRED:
            raise Later("The mail server offers no TLS, which GATEHOUSE_SMTP_URL asks for.")
    if server.name:
        if not isinstance(client.sock, ssl.SSLSocket) and not server.is_here:
            raise Later("The mail server offers no TLS, so our password was not given to it.")
        try:
            client.login(server.name, server.password)
        except smtplib.SMTPNotSupportedError as refusal:
            raise Later("The mail server takes no name and password.") from refusal


class _Client(smtplib.SMTP):
    """smtplib on a line that is open already, so that the watch can end it at any moment."""

    def __init__(
        self, line: socket.socket, server: Server, context: ssl.SSLContext, patience: float, *, our_name: str
    ) -> None:
        self._line, self._context = line, context
        self._implicit = server.security is Security.IMPLICIT
        super().__init__(server.host, server.port, local_hostname=our_name, timeout=patience)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002 - smtplib's shape
        return self._context.wrap_socket(self._line, server_hostname=host) if self._implicit else self._line


def _our_name(wire: EmailMessage) -> str:
    """Return the name we greet with: the sender's domain, so that no look-up is needed."""
    return str(wire["From"].addresses[0].domain) or "localhost"


def _said(code: int, said: bytes | str) -> str:
    return f"The mail server said {code}: {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"


def _refused(code: int, said: bytes | str) -> Exception:
    return Never(_said(code, said)) if code >= 500 else Later(_said(code, said))

"""Mail over real SMTP: taken once, refused, away, slow, with and without TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal.delivery.render import envelope
from portal.delivery.rules import Message
from portal.delivery.transport import Later, Never, Security, Server, deliver, problems
from portal.settings import Settings, UnsafeSettings

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
MAIL_ID = UUID(int=7)


class Letterbox:
    """Keeps what arrives; answers what it is told to."""

    def __init__(self, *, rcpt: str = "250 OK", data: str = "250 OK") -> None:
        """Take the answers to RCPT and DATA."""
        self.rcpt, self.data = rcpt, data
        self.envelopes: list[Any] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.envelopes.append(envelope)
        return self.data


@pytest.fixture
def post_office() -> Iterator[Callable[..., Server]]:
    """Start mail servers; none outlives the test."""
    running: list[Controller] = []

    def start(box: Letterbox, *, security: Security = Security.OFFERED, name: str = "", **options: Any) -> Server:
        controller = Controller(box, hostname="127.0.0.1", port=free_port(), **options)
        controller.start()
        running.append(controller)
        return Server("localhost", controller.port, security, name, "s3cret" if name else "")

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of localhost that only its own holder trusts, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def a_mail(to_name: str = "Ada Okafor") -> EmailMessage:
    return envelope(
        Message("Answer 3 questions", "Hello\n.\nAda", "<p>Hello</p>"),
        mail_id=MAIL_ID,
        to_address="ada@acme.example",
        to_name=to_name,
        sender="gatehouse@orrery.example",
        lab_name="Orrery",
        created_at=AT,
    )


def test_a_mail_arrives_whole_with_a_message_id_and_date_that_do_not_change(post_office) -> None:
    box = Letterbox()

    deliver(post_office(box), a_mail())

    (arrived,) = box.envelopes
    message = message_from_bytes(arrived.content, policy=default)
    assert (arrived.mail_from, arrived.rcpt_tos) == ("gatehouse@orrery.example", ["ada@acme.example"])
    assert message["Message-ID"] == f"<{MAIL_ID}@orrery.example>"
    assert message["Date"].datetime == AT
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_body(("plain",)).get_content().splitlines() == ["Hello", ".", "Ada"]
    assert message.get_body(("html",)).get_content().strip() == "<p>Hello</p>"


def test_a_name_with_line_breaks_begins_no_header(post_office) -> None:
    box = Letterbox()

    deliver(post_office(box), a_mail("Ada\r\nBcc: all@acme.example\r\n\r\nHello"))

    (arrived,) = box.envelopes
    message = message_from_bytes(arrived.content, policy=default)
    assert message["Bcc"] is None
    assert arrived.rcpt_tos == ["ada@acme.example"]
    assert message["To"].addresses[0].addr_spec == "ada@acme.example"


@pytest.mark.parametrize("address", ["ada@acme.example\r\nBcc: x@y.example", "a@b.example, c@d.example"])
def test_an_envelope_for_more_than_one_plain_address_is_never_made(address) -> None:
    with pytest.raises(ValueError, match="one plain address"):
        envelope(
            Message("S", "t", "h"),
            mail_id=MAIL_ID,
            to_address=address,
            to_name="",
            sender="gatehouse@orrery.example",
            lab_name="Orrery",
            created_at=AT,
        )


def test_a_server_that_is_away_is_tried_later() -> None:
    with pytest.raises(Later, match="could not be reached"):
        deliver(Server("127.0.0.1", free_port(), Security.OFFERED), a_mail())


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({"rcpt": "451 4.3.0 try later"}, Later),
        ({"rcpt": "550 5.1.1 no such person"}, Never),
        ({"data": "452 4.2.2 full"}, Later),
        ({"data": "554 5.7.1 not this"}, Never),
    ],
)
def test_what_the_server_says_decides_whether_to_try_again(post_office, answers, outcome) -> None:
    with pytest.raises(outcome, match=next(iter(answers.values()))[:3]):
        deliver(post_office(Letterbox(**answers)), a_mail())


@pytest.mark.parametrize("greeting", [b"", b"220 slow\r\n"])
def test_a_server_that_says_nothing_is_left(greeting) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        lines: list[socket.socket] = []

        def answer() -> None:
            line, _ = listener.accept()
            line.sendall(greeting)
            lines.append(line)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(Later, match="longer than"):
            deliver(Server("127.0.0.1", listener.getsockname()[1], Security.OFFERED), a_mail(), patience=0.3)
        thread.join()
        lines[0].close()


def test_a_server_that_drips_is_left_too() -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            line, _ = listener.accept()
            with line:
                while not over.wait(0.05):
                    try:
                        line.sendall(b"2")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        with pytest.raises(Later, match="longer than"):
            deliver(Server("127.0.0.1", listener.getsockname()[1], Security.OFFERED), a_mail(), patience=0.4)
        over.set()
        thread.join()


def test_tls_is_used_where_it_is_offered_and_the_password_goes_through_it(post_office, certificate) -> None:
    box = Letterbox()
    seen: list[bytes] = []

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        seen.append(data.password)
        return AuthResult(success=session.ssl is not None)

    server = post_office(
        box,
        name="gatehouse",
        tls_context=server_side(certificate),
        authenticator=check,
        auth_required=True,
        require_starttls=True,
    )
    deliver(server, a_mail(), trust=trusting(certificate))

    assert seen == [b"s3cret"]
    assert len(box.envelopes) == 1


def test_tls_from_the_first_byte(post_office, certificate) -> None:
    box = Letterbox()

    deliver(
        post_office(box, security=Security.IMPLICIT, ssl_context=server_side(certificate)),
        a_mail(),
        trust=trusting(certificate),
    )

    assert len(box.envelopes) == 1


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(post_office, certificate) -> None:
    box = Letterbox()
    with pytest.raises(Later, match="certificate"):
        deliver(post_office(box, security=Security.REQUIRED, tls_context=server_side(certificate)), a_mail())
    assert box.envelopes == []


def test_no_tls_where_it_is_asked_for_is_no_mail(post_office) -> None:
    box = Letterbox()
    with pytest.raises(Later, match="no TLS"):
        deliver(post_office(box, security=Security.REQUIRED), a_mail())
    assert box.envelopes == []


def test_a_url_is_read_with_its_password_kept_out_of_sight() -> None:
    server = Server.of("smtp+starttls://gatehouse:p%40ss@mail.example")

    assert (server.host, server.port, server.name, server.password) == ("mail.example", 587, "gatehouse", "p@ss")
    assert "p@ss" not in repr(server)


@pytest.mark.parametrize("url", ["", "mail.example", "http://mail.example", "smtp://", "smtp://h:x", "smtp://h/path"])
def test_a_url_that_is_none_gets_one_sentence(url) -> None:
    with pytest.raises(ValueError, match="must look like"):
        Server.of(url)


@pytest.mark.parametrize(
    ("url", "production", "said"),
    [
        (None, False, []),
        (None, True, ["GATEHOUSE_SMTP_URL is not set: mail waits and nobody gets it."]),
        ("smtp://mail.example", True, []),
    ],
)
def test_what_keeps_mail_from_leaving_is_said(url, production, said) -> None:
    assert problems(url, production=production) == said


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GATEHOUSE_SMTP_URL", "mail.example"),
        ("GATEHOUSE_SMTP_URL", "smtp://host:port"),
        ("GATEHOUSE_MAIL_FROM", "Gatehouse"),
        ("GATEHOUSE_MAIL_FROM", "a@b.example\nBcc: c@d.example"),
    ],
)
def test_settings_that_could_send_nothing_are_refused_at_the_start(variable, value) -> None:
    with pytest.raises(UnsafeSettings, match=variable):
        Settings.from_env({variable: value, "GATEHOUSE_SECRET_KEY": "k" * 40})

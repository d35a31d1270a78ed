"""Ask a ClamAV daemon whether a stream is malware, in its own INSTREAM protocol."""

import re
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from portal.kernel.objects.values import Source, chunks


class ScannerUnavailable(Exception):
    """No verdict: the daemon is away, slow, full, or refused the size. Never to be read as clean."""


@dataclass(frozen=True, slots=True)
class Clean:
    """The daemon knows nothing against it."""


@dataclass(frozen=True, slots=True)
class Found:
    """The daemon recognised malware."""

    name: str


@dataclass(frozen=True, slots=True)
class Signatures:
    """What the daemon knows: engine version, and number and time of its database (None: it has none)."""

    engine: str
    number: int | None
    published_at: datetime | None


def scan(stream: Source, url: str, *, timeout: float = 60) -> Clean | Found:
    """Return the daemon's verdict; ``url`` is ``tcp://host:port`` or ``unix:///path``.

    :raises ScannerUnavailable: if there is none.
    """
    with _connected(url, timeout) as daemon:
        daemon.sendall(b"zINSTREAM\0")
        try:
            for piece in chunks(stream):
                if piece:
                    daemon.sendall(struct.pack("!L", len(piece)) + piece)
            daemon.sendall(struct.pack("!L", 0))
        except (BrokenPipeError, ConnectionResetError):
            pass  # the daemon stops listening when a stream is too long, and says so
        said = _answer(daemon)
    if said == "stream: OK":
        return Clean()
    if found := re.fullmatch(r"stream: (.+) FOUND", said):
        return Found(found[1])
    raise ScannerUnavailable(said or "the daemon hung up")


def signatures(url: str, *, timeout: float = 10) -> Signatures:
    """Return what the daemon knows, so that old or absent signatures can be seen.

    :raises ScannerUnavailable: if it does not say.
    """
    with _connected(url, timeout) as daemon:
        daemon.sendall(b"zVERSION\0")
        said = _answer(daemon)
    found = re.fullmatch(r"ClamAV ([^/]+)(?:/(\d+)/(.+))?", said)
    if not found:
        raise ScannerUnavailable(said or "the daemon hung up")
    engine, number, at = found.groups()
    if not number:
        return Signatures(engine, None, None)
    try:
        published = datetime.strptime(at, "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    except ValueError:
        published = None
    return Signatures(engine, int(number), published)


@contextmanager
def _connected(url: str, timeout: float) -> Iterator[socket.socket]:
    address = urlsplit(url)
    try:
        if address.scheme == "unix":
            daemon = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            daemon.settimeout(timeout)
            with daemon:
                daemon.connect(address.path)
                yield daemon
        elif address.scheme == "tcp" and address.hostname:
            with socket.create_connection((address.hostname, address.port or 3310), timeout) as daemon:
                yield daemon
        else:
            raise ScannerUnavailable(f"not a scanner address: {url}")
    except OSError as error:
        raise ScannerUnavailable(str(error)) from error


def _answer(daemon: socket.socket) -> str:
    said = b""
    while not said.endswith(b"\0") and len(said) < 4096:
        piece = daemon.recv(4096)
        if not piece:
            break
        said += piece
    return said.rstrip(b"\0\n").decode(errors="replace")

"""The malware daemon is asked in its own protocol, and silence is never read as clean."""

import io
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from portal.kernel.clamd import Clean, Found, ScannerUnavailable, Signatures, scan, signatures

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
LIMIT = 1_000_000


class Daemon:
    """Speaks the daemon's side of INSTREAM and VERSION: frames, size limit and replies as documented."""

    def __init__(
        self, listener: socket.socket, version: bytes = b"ClamAV 1.4.3/27500/Mon Nov 23 08:00:00 2026"
    ) -> None:
        self.listener = listener
        self.version = version
        self.received = b""

    def serve(self) -> None:
        while True:
            try:
                caller, _ = self.listener.accept()
            except OSError:
                return
            with caller:
                self.answer(caller)

    def answer(self, caller: socket.socket) -> None:
        file = caller.makefile("rb")
        command = b""
        while not command.endswith(b"\0"):
            command += file.read(1)
        if command == b"zVERSION\0":
            caller.sendall(self.version + b"\0")
            return
        assert command == b"zINSTREAM\0"
        content = b""
        while length := struct.unpack("!L", file.read(4))[0]:
            content += file.read(length)
            if len(content) > LIMIT:
                caller.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                return
        self.received = content
        caller.sendall(b"stream: Eicar-Test-Signature FOUND\0" if EICAR in content else b"stream: OK\0")


@contextmanager
def listening(listener: socket.socket, daemon: Daemon) -> Iterator[Daemon]:
    thread = threading.Thread(target=daemon.serve)
    thread.start()
    try:
        yield daemon
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.fixture(params=["tcp", "unix"])
def daemon(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Daemon, str]]:
    if request.param == "tcp":
        listener = socket.create_server(("127.0.0.1", 0))
        url = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    else:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(tmp_path / "clamd"))
        listener.listen()
        url = f"unix://{tmp_path / 'clamd'}"
    with listening(listener, Daemon(listener)) as running:
        yield running, url


def test_a_harmless_stream_is_clean_and_arrived_whole(daemon: tuple[Daemon, str]) -> None:
    running, url = daemon
    content = bytes(range(256)) * 3000

    assert scan(io.BytesIO(content), url) == Clean()
    assert running.received == content


def test_malware_is_named(daemon: tuple[Daemon, str]) -> None:
    assert scan(iter([b"before ", EICAR[:30], EICAR[30:]]), daemon[1]) == Found("Eicar-Test-Signature")


def test_a_stream_that_the_daemon_will_not_take_has_no_verdict(daemon: tuple[Daemon, str]) -> None:
    with pytest.raises(ScannerUnavailable):
        scan((b"x" * 100_000 for _ in range(200)), daemon[1])


def test_the_age_of_the_signatures_can_be_seen(daemon: tuple[Daemon, str]) -> None:
    assert signatures(daemon[1]) == Signatures("1.4.3", 27500, datetime(2026, 11, 23, 8, tzinfo=UTC))


def test_a_daemon_without_signatures_says_so(daemon: tuple[Daemon, str]) -> None:
    daemon[0].version = b"ClamAV 1.4.3"

    assert signatures(daemon[1]) == Signatures("1.4.3", None, None)


@pytest.mark.parametrize("reply", [b"", b"stream: Can't allocate memory ERROR\0", b"UNKNOWN COMMAND\0"])
def test_any_other_reply_is_no_verdict(reply: bytes) -> None:
    class Odd(Daemon):
        def answer(self, caller: socket.socket) -> None:
            caller.recv(4096)
            caller.sendall(reply)

    listener = socket.create_server(("127.0.0.1", 0))
    with listening(listener, Odd(listener)), pytest.raises(ScannerUnavailable):
        scan(io.BytesIO(b"x"), f"tcp://127.0.0.1:{listener.getsockname()[1]}")


def test_a_connection_that_is_cut_in_the_middle_of_the_file_is_no_verdict() -> None:
    class Cut(Daemon):
        def answer(self, caller: socket.socket) -> None:
            caller.recv(64)
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    listener = socket.create_server(("127.0.0.1", 0))
    with listening(listener, Cut(listener)), pytest.raises(ScannerUnavailable):
        scan((b"x" * 100_000 for _ in range(200)), f"tcp://127.0.0.1:{listener.getsockname()[1]}")


def test_a_reply_that_ends_in_the_middle_of_a_word_is_no_verdict() -> None:
    class Half(Daemon):
        def answer(self, caller: socket.socket) -> None:
            caller.recv(4096)
            caller.sendall(b"stream: O")

    listener = socket.create_server(("127.0.0.1", 0))
    with listening(listener, Half(listener)), pytest.raises(ScannerUnavailable):
        scan(io.BytesIO(EICAR), f"tcp://127.0.0.1:{listener.getsockname()[1]}")


@pytest.mark.parametrize(
    "url", ["tcp://127.0.0.1:1", "unix:///nowhere/clamd", "http://127.0.0.1:3310", "clamd", "nobody:"]
)
def test_a_daemon_that_is_not_there_is_no_verdict(url: str) -> None:
    with pytest.raises(ScannerUnavailable):
        scan(io.BytesIO(b"x"), url)


def test_a_daemon_that_does_not_answer_in_time_is_no_verdict() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(ScannerUnavailable):
        scan(io.BytesIO(b"x"), f"tcp://127.0.0.1:{deaf.getsockname()[1]}", timeout=0.2)

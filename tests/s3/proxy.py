"""An S3 server that fails as asked: a small proxy on loopback in front of a real one."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from portal.kernel.objects.s3 import S3Config
from tests.s3.servers import Server

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}
WRITES = {"PUT", "POST"}


@dataclass(frozen=True)
class Asked:
    """One request that came by."""

    method: str
    path: str
    credential: str

    @property
    def completes(self) -> bool:
        """Whether it makes parts into an object."""
        return self.method == "POST" and "uploadId=" in self.path

    @property
    def reads(self) -> bool:
        """Whether it asks for the bytes of an object."""
        return self.method == "GET" and "versionId=" in self.path


Fault = Callable[["Asked", "_Answer"], None]


class _Answer:
    """What the handler will do about a request; a fault changes it."""

    def __init__(self) -> None:
        self.forward = True
        self.answer = True
        self.wait = False
        self.said: tuple[int, str] | None = None
        self.change: Callable[[bytes], bytes] = lambda body: body
        self.cut: int | None = None


def down(_asked: Asked, answer: _Answer) -> None:
    """The connection is closed before anything is said."""
    answer.forward = answer.answer = False


def slow(_asked: Asked, answer: _Answer) -> None:
    """Nothing is said until the proxy stops."""
    answer.forward, answer.wait = False, True


def says(status: int, code: str) -> Fault:
    """Everything is refused with this code."""

    def fault(_asked: Asked, answer: _Answer) -> None:
        answer.forward, answer.said = False, (status, code)

    return fault


def flips(asked: Asked, answer: _Answer) -> None:
    """One byte of what is read is another."""
    if asked.reads:
        answer.change = lambda body: bytes([body[0] ^ 1]) + body[1:] if body else body


def shortens(asked: Asked, answer: _Answer) -> None:
    """What is read lacks its last byte, and its length says so."""
    if asked.reads:
        answer.change = lambda body: body[:-1]


def breaks_off(asked: Asked, answer: _Answer) -> None:
    """The connection ends in the middle of what is read."""
    if asked.reads:
        answer.cut = 10


def loses_the_answer(only: Callable[[Asked], bool] = lambda asked: asked.method in WRITES, *, times: int = 99) -> Fault:
    """A write is done, and its answer never arrives."""
    left = [times]

    def fault(asked: Asked, answer: _Answer) -> None:
        if only(asked) and left[0]:
            left[0] -= 1
            answer.answer = False

    return fault


def knows_only(credential: str) -> Fault:
    """Every other access key is unknown."""

    def fault(asked: Asked, answer: _Answer) -> None:
        if asked.credential != credential:
            answer.forward, answer.said = False, (403, "InvalidAccessKeyId")

    return fault


class Proxy:
    """The server in the middle: ``fault`` is what it does, None is nothing; ``asked`` is what came by."""

    def __init__(self, upstream: str) -> None:
        self.fault: Fault | None = None
        self.asked: list[Asked] = []
        self.released = threading.Event()
        there = urlsplit(upstream)
        self.upstream = (there.hostname or "127.0.0.1", there.port or 80)
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                proxy._pass(self)

            do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def _pass(self, came: BaseHTTPRequestHandler) -> None:
        body = came.rfile.read(int(came.headers.get("Content-Length") or 0))
        said = came.headers.get("Authorization") or came.path
        credential = said.partition("Credential=")[2].replace("%2F", "/").partition("/")[0]
        asked, answer = Asked(came.command, came.path, credential), _Answer()
        self.asked.append(asked)
        if self.fault is not None:
            self.fault(asked, answer)
        came.close_connection = True
        if answer.wait:
            self.released.wait(30)
        status, headers, content = 503, [], b""
        if answer.forward:
            status, headers, content = self._ask(came, body)
        elif answer.said:
            status, code = answer.said
            content = f"<Error><Code>{code}</Code></Error>".encode()
        if answer.answer and not answer.wait:
            self._answer(came, answer, status, headers, content)

    def _ask(self, came: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = http.client.HTTPConnection(*self.upstream, timeout=30)
        try:
            kept = {name: value for name, value in came.headers.items() if name.lower() not in {"connection", "expect"}}
            upstream.request(came.command, came.path, body=body or None, headers=kept)
            got = upstream.getresponse()
            return got.status, got.getheaders(), got.read()
        finally:
            upstream.close()

    @staticmethod
    def _answer(
        came: BaseHTTPRequestHandler, answer: _Answer, status: int, headers: list[tuple[str, str]], content: bytes
    ) -> None:
        content = answer.change(content)
        length = next((value for name, value in headers if name.lower() == "content-length"), "0")
        came.send_response(status)
        for name, value in headers:
            if name.lower() not in HOP:
                came.send_header(name, value)
        came.send_header("Content-Length", length if came.command == "HEAD" else str(len(content)))
        # Each request has its own connection, so that no fault reaches into the next.
        came.send_header("Connection", "close")
        came.end_headers()
        if came.command != "HEAD":
            came.wfile.write(content[: answer.cut] if answer.cut is not None else content)


@contextmanager
def in_front_of(server: Server) -> Iterator[Proxy]:
    """Run a proxy before a server."""
    proxy = Proxy(server.endpoint)
    thread = threading.Thread(target=proxy.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.released.set()
        proxy.server.shutdown()
        proxy.server.server_close()
        thread.join()


def by_way_of(proxy: Proxy, config: S3Config) -> S3Config:
    """Return the settings of a bucket as reached by the proxy, with a patience that tests can afford."""
    return replace(config, endpoint_url=proxy.endpoint, timeout=0.4)

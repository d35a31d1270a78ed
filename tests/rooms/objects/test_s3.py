"""What an S3 server does with our presigned addresses, and what we make of a server that fails."""

import io
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import time_machine

from portal.kernel.objects import (
    AlreadyExists,
    IntegrityFailure,
    ObjectMissing,
    Reason,
    StoredObject,
    StoreUnavailable,
    TicketRefused,
    UploadTicket,
    finalise,
    verified_stream,
)
from portal.kernel.objects.s3 import S3Config, S3Store
from tests.rooms.objects.conftest import NOW, clock
from tests.rooms.objects.test_contract import BODY, KEY, SHA256, nothing_is_left, read, received
from tests.s3.servers import PROJECT, Server

pytestmark = pytest.mark.slow

MINUTE = timedelta(seconds=60)


def reserved(store: S3Store, key: str = KEY, **changed: object) -> UploadTicket:
    promise: dict[str, object] = {
        "size": len(BODY),
        "content_type": "application/pdf",
        "sha256": SHA256,
        "expires": MINUTE,
    }
    return store.reserve(key, **(promise | changed))  # type: ignore[arg-type]


def put(ticket: UploadTicket, body: bytes = BODY, **changed: str | None) -> int:
    headers = {k: v for k, v in (dict(ticket.headers) | changed).items() if v is not None}
    return requests.put(ticket.url, data=body, headers=headers, timeout=30).status_code


def test_the_address_signs_everything_that_was_promised() -> None:
    store = S3Store(S3Config("bucket-1", "http://127.0.0.1:1", access_key="a", secret_key="s"), clock=clock)

    ticket = reserved(store, expires=timedelta(seconds=120))

    query = parse_qs(urlsplit(ticket.url).query)
    assert urlsplit(ticket.url).path == f"/bucket-1/{KEY}"
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["120"]
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host;if-none-match;x-amz-checksum-sha256"]
    assert ticket.method == "PUT"
    assert set(ticket.headers) == {"Content-Type", "If-None-Match", "x-amz-checksum-sha256"}
    assert ticket.expires_at == NOW + timedelta(seconds=120)


def test_no_checksum_header_is_signed_where_the_server_refuses_them() -> None:
    config = S3Config("bucket-1", "http://127.0.0.1:1", access_key="a", secret_key="s", checksums=False)

    ticket = reserved(S3Store(config, clock=clock))

    assert set(ticket.headers) == {"Content-Type", "If-None-Match"}
    assert "checksum" not in ticket.url


def test_another_upload_than_the_promised_one_is_turned_away(strict: Server) -> None:
    store = S3Store(strict.new_bucket(), clock=clock)

    assert put(reserved(store), BODY + b"x") == 403
    assert put(reserved(store), BODY[:-1]) == 403
    assert put(reserved(store), **{"Content-Type": "text/html"}) == 403
    assert put(reserved(store), **{"If-None-Match": None}) == 403
    assert put(reserved(store), **{"x-amz-checksum-sha256": None}) == 403
    moved = reserved(store)
    assert put(replace(moved, url=moved.url.replace("0001", "0002"))) == 403
    assert put(replace(moved, url=moved.url[:-4] + "0000")) == 403

    assert nothing_is_left(store)
    assert put(moved) == 200


def test_an_address_that_is_out_of_time_is_turned_away(strict: Server) -> None:
    store = S3Store(strict.new_bucket(), clock=clock)
    with time_machine.travel(NOW - timedelta(minutes=10), tick=True):
        late = reserved(store)

    assert put(late) == 403
    assert nothing_is_left(store)


def test_other_bytes_of_the_same_length_never_become_evidence(strict: Server) -> None:
    store = S3Store(strict.new_bucket(), clock=clock)

    code = put(reserved(store), BODY[:-1] + b"X")

    # A server that knows checksums refuses at once; with an older one, finalising reads and finds out.
    assert code == (400 if strict.knows_checksums else 200)
    with pytest.raises(ObjectMissing if strict.knows_checksums else IntegrityFailure):
        finalise(store, KEY, size=len(BODY), content_type="application/pdf", sha256=SHA256)
    assert nothing_is_left(store)


def test_using_an_address_again_does_not_change_the_pinned_version(strict: Server) -> None:
    store = S3Store(strict.new_bucket(), clock=clock)
    ticket = reserved(store, sha256=None)
    assert put(ticket) == 200
    pinned = finalise(store, KEY, size=len(BODY), content_type="application/pdf")

    code = put(ticket, BODY[:-1] + b"X")

    assert code == (412 if strict.knows_checksums else 200)
    assert read(store, pinned) == BODY
    assert read(store, store.promote(pinned, "evidence/v1/a1/0001")) == BODY


def test_a_download_address_gives_the_pinned_version_as_an_attachment(strict: Server) -> None:
    store = S3Store(strict.new_bucket(), clock=clock)
    stored = received(store)

    url = store.presign_get(stored, filename='Über "den" Bericht.pdf', expires=MINUTE)

    assert url is not None
    answer = requests.get(url, timeout=30)
    assert answer.content == BODY
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"_ber _den_ Bericht.pdf\"; filename*=UTF-8''%C3%9Cber%20%22den%22%20Bericht.pdf"
    )
    assert requests.get(url.replace(stored.version_id, "0" * 32), timeout=30).status_code == 403


def test_a_browser_may_send_from_the_portal_when_the_bucket_allows_its_origin(strict: Server) -> None:
    config = strict.new_bucket()
    store = S3Store(config, clock=clock)
    headers = ["content-type", "if-none-match", "x-amz-checksum-sha256"]
    rule = {"AllowedOrigins": ["https://portal.example"], "AllowedMethods": ["PUT"], "AllowedHeaders": headers}
    strict.client().put_bucket_cors(Bucket=config.bucket, CORSConfiguration={"CORSRules": [rule]})

    def asks(origin: str) -> str | None:
        return requests.options(
            reserved(store).url,
            headers={
                "Origin": origin,
                "Access-Control-Request-Method": "PUT",
                "Access-Control-Request-Headers": ",".join(headers),
            },
            timeout=30,
        ).headers.get("Access-Control-Allow-Origin")

    assert asks("https://portal.example") == "https://portal.example"
    assert asks("https://elsewhere.example") is None


def test_wrong_credentials_are_told_apart_from_an_outage_and_new_ones_are_picked_up(
    strict: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(strict.new_bucket(), access_key=None, secret_key=None)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", strict.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong" * 5)
    store = S3Store(config, clock=clock)
    if strict.checks_header_signature:
        with pytest.raises(StoreUnavailable) as refused:
            received(store)
        assert refused.value.reason is Reason.FORBIDDEN
    else:
        assert put(reserved(store)) == 403
        store._s3.forget()

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", strict.secret_key)

    assert put(reserved(store)) == 200


def test_a_bucket_that_keeps_no_versions_is_not_fit(strict: Server) -> None:
    store = S3Store(strict.new_bucket(versions=False), clock=clock)

    with pytest.raises(StoreUnavailable) as refused:
        store.probe()

    assert refused.value.reason is Reason.MISCONFIGURED


def test_a_bucket_that_is_not_there_is_a_matter_of_settings(strict: Server) -> None:
    store = S3Store(replace(strict.new_bucket(), bucket="no-such-bucket-here"), clock=clock)

    for attempt in (store.probe, lambda: received(store)):
        with pytest.raises(StoreUnavailable) as refused:
            attempt()
        assert refused.value.reason is Reason.MISCONFIGURED


def test_the_bucket_takes_no_tickets_of_the_application(moto: Server) -> None:
    with pytest.raises(TicketRefused):
        S3Store(moto.new_bucket(), clock=clock).accept("token", io.BytesIO(BODY))


@pytest.mark.s3
@pytest.mark.xdist_group("s3")
def test_two_writers_of_one_key_end_with_one_object(localstack: Server) -> None:
    store = S3Store(localstack.new_bucket(), clock=clock)

    def overtaken() -> Iterator[bytes]:
        yield BODY
        received(store, body=b"the other one was faster")

    with pytest.raises(AlreadyExists):
        store.receive(KEY, overtaken(), content_type="text/plain", max_bytes=10_000)

    assert read(store, store.stat(KEY)) == b"the other one was faster"


@contextmanager
def answering(status: int, code: str, *, body: bytes | None = None, length: int | None = None) -> Iterator[S3Store]:
    """A server that says the same to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = body if body is not None else f"<Error><Code>{code}</Code></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text) if length is None else length))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

        do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield store_at(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def store_at(port: int) -> S3Store:
    config = S3Config("bucket-1", f"http://127.0.0.1:{port}", "us-east-1", access_key="a", secret_key="s", timeout=0.3)
    return S3Store(config, clock=clock)


PINNED = StoredObject("bucket-1", KEY, "v1", len(BODY), SHA256, "application/pdf")


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (403, "AccessDenied", Reason.FORBIDDEN),
        (403, "SignatureDoesNotMatch", Reason.FORBIDDEN),
        (400, "ExpiredToken", Reason.FORBIDDEN),
        (404, "NoSuchBucket", Reason.MISCONFIGURED),
        (500, "InternalError", Reason.DOWN),
        (503, "ServiceUnavailable", Reason.DOWN),
        (507, "InsufficientStorage", Reason.NO_SPACE),
        (501, "NotImplemented", Reason.DOWN),
        (400, "MalformedXML", Reason.MISCONFIGURED),
    ],
)
def test_each_refusal_of_the_server_has_its_reason(status: int, code: str, reason: Reason) -> None:
    with answering(status, code) as store, pytest.raises(StoreUnavailable) as refused:
        store.open(KEY, "v1")

    assert refused.value.reason is reason
    assert "Nothing was lost" in refused.value.message


def test_a_server_that_is_away_is_down() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(StoreUnavailable) as refused:
            store_at(unused.getsockname()[1]).stat(KEY)

    assert refused.value.reason is Reason.DOWN


def test_a_server_that_does_not_answer_in_time_is_slow() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(StoreUnavailable) as refused:
        store_at(deaf.getsockname()[1]).stat(KEY)

    assert refused.value.reason is Reason.SLOW


@pytest.mark.parametrize("body", [BODY[:-1] + b"X", BODY[:-1], BODY + b"x"], ids=["flipped", "shorter", "longer"])
def test_other_bytes_than_the_pinned_are_never_passed_on_whole(body: bytes) -> None:
    with answering(200, "", body=body) as store, pytest.raises(IntegrityFailure):
        list(verified_stream(store.open(KEY, "v1"), sha256=PINNED.sha256, size=PINNED.size))


def test_an_answer_that_breaks_off_is_an_outage() -> None:
    with answering(200, "", body=BODY, length=len(BODY) + 100) as store, pytest.raises(StoreUnavailable):
        list(store.open(KEY, "v1"))


def test_starting_without_uploads_does_not_load_the_aws_library() -> None:
    script = (
        "import sys\n"
        "from datetime import datetime\n"
        "from portal.kernel.objects.s3 import S3Config, S3Store\n"
        "S3Store(S3Config('bucket-1'), clock=datetime.now)\n"
        "print([name for name in ('boto3', 'botocore') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"

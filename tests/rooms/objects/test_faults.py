"""A bucket that is down, slow, closed, lying or forgetful: what a store promises then (security.md R8 to R12)."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from portal.kernel.clock import FixedClock
from portal.kernel.objects import (
    AlreadyExists,
    IntegrityFailure,
    ObjectMissing,
    Reason,
    StoredObject,
    StoreUnavailable,
    finalise,
    verified_file,
)
from portal.kernel.objects.s3 import S3Config, S3Store
from tests.rooms.objects.test_contract import BODY, KEY, LONG, SHA256, nothing_is_left, read, received
from tests.rooms.objects.test_parts import FIRST, LAST, TYPE, WHOLE, completed, sent
from tests.rooms.objects.test_parts import SHA256 as WHOLE_SHA256
from tests.s3 import proxy as faults
from tests.s3.proxy import Proxy
from tests.s3.servers import Server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def proxy(moto: Server) -> Iterator[Proxy]:
    with faults.in_front_of(moto) as made:
        yield made


@pytest.fixture(autouse=True)
def _tries_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait before a second try is left to chance, up to a second."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)


@pytest.fixture
def time() -> FixedClock:
    return FixedClock(datetime.now(UTC))


@pytest.fixture
def config(proxy: Proxy, moto: Server) -> Iterator[S3Config]:
    yield faults.by_way_of(proxy, moto.new_bucket())
    proxy.fault = None


@pytest.fixture
def store(config: S3Config, time: FixedClock) -> S3Store:
    return S3Store(config, clock=lambda: time.instant)


def refused(call) -> StoreUnavailable:  # type: ignore[no-untyped-def]
    with pytest.raises(StoreUnavailable) as raised:
        call()
    return raised.value


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (faults.down, Reason.DOWN),
        (faults.says(503, "SlowDown"), Reason.DOWN),
        (faults.says(403, "AccessDenied"), Reason.FORBIDDEN),
        (faults.says(400, "ExpiredToken"), Reason.FORBIDDEN),
        (faults.says(507, "InsufficientStorage"), Reason.NO_SPACE),
    ],
    ids=["down", "503", "403", "expired", "full"],
)
def test_each_fault_has_its_reason_leaves_nothing_and_is_over_when_it_is_over(
    store: S3Store, proxy: Proxy, fault: faults.Fault, reason: Reason
) -> None:
    proxy.fault = fault

    refusal = refused(lambda: received(store))

    assert refusal.reason is reason
    assert "Nothing was lost" in refusal.message
    assert refusal.retry_after > 0
    proxy.fault = None
    assert nothing_is_left(store)
    assert read(store, received(store)) == BODY


def test_an_upload_in_parts_survives_an_outage_between_any_two_parts(store: S3Store, proxy: Proxy) -> None:
    upload = sent(store, FIRST)
    proxy.fault = faults.down
    for call in (lambda: store.parts(KEY, upload), lambda: completed(store, upload), lambda: store.probe()):
        assert refused(call).reason is Reason.DOWN
    proxy.fault = None

    assert [part.number for part in store.parts(KEY, upload)] == [1]


def test_after_one_wait_in_vain_nobody_waits_until_a_later_one_tries(
    store: S3Store, proxy: Proxy, time: FixedClock
) -> None:
    stored = received(store)
    proxy.fault = faults.slow
    before = len(proxy.asked)

    assert refused(lambda: store.stat(KEY)).reason is Reason.SLOW
    waited = len(proxy.asked)
    for _ in range(20):
        assert refused(lambda: store.stat(KEY)).reason is Reason.SLOW

    assert waited - before == 2
    assert len(proxy.asked) == waited
    proxy.fault = None
    time.advance(seconds=6)
    assert store.stat(KEY) == stored
    assert store.stat(KEY) == stored


def test_while_one_tries_a_slow_server_again_the_others_do_not_wait(
    store: S3Store, proxy: Proxy, time: FixedClock
) -> None:
    proxy.fault = faults.slow
    refused(lambda: store.stat(KEY))
    time.advance(seconds=6)
    reached, answers = threading.Event(), []

    def notice(asked: faults.Asked, answer: object) -> None:
        reached.set()
        faults.slow(asked, answer)  # type: ignore[arg-type]

    proxy.fault = notice
    trying = threading.Thread(target=lambda: answers.append(refused(lambda: store.stat(KEY)).detail))
    trying.start()
    assert reached.wait(10)
    came = len(proxy.asked)

    assert refused(lambda: store.stat(KEY)).detail == "it was slow a moment ago"

    trying.join()
    assert answers == ["ReadTimeoutError"]
    assert len(proxy.asked) - came <= 1


def test_no_call_waits_longer_than_the_settings_allow(store: S3Store, config: S3Config) -> None:
    with store._s3.signing(KEY) as client:
        made = client.meta.config

    assert made.retries["total_max_attempts"] * made.read_timeout <= config.timeout
    assert made.retries["total_max_attempts"] * made.connect_timeout <= config.timeout
    assert S3Config("bucket-1").timeout == 10


def test_an_address_is_signed_without_asking_a_slow_server(store: S3Store, proxy: Proxy) -> None:
    proxy.fault = faults.slow
    refused(lambda: store.stat(KEY))
    came = len(proxy.asked)

    store.reserve(KEY, size=1, content_type=TYPE, sha256=None, expires=timedelta(seconds=60))

    assert len(proxy.asked) == came


@pytest.mark.parametrize("fault", [faults.flips, faults.shortens], ids=["flipped", "shorter"])
def test_other_bytes_are_never_lent(store: S3Store, proxy: Proxy, tmp_path: Path, fault: faults.Fault) -> None:
    stored = received(store)
    proxy.fault = fault

    with pytest.raises(IntegrityFailure), verified_file(store, stored, folder=tmp_path):
        pass

    assert list(tmp_path.iterdir()) == []
    proxy.fault = None
    assert read(store, stored) == BODY


def test_an_answer_that_breaks_off_is_an_outage_and_not_a_changed_file(
    store: S3Store, proxy: Proxy, tmp_path: Path
) -> None:
    stored = received(store)
    proxy.fault = faults.breaks_off

    with pytest.raises(StoreUnavailable), verified_file(store, stored, folder=tmp_path):
        pass

    assert list(tmp_path.iterdir()) == []


def test_bytes_that_change_on_their_way_are_not_promoted(store: S3Store, proxy: Proxy) -> None:
    incoming = received(store)
    proxy.fault = faults.flips

    with pytest.raises(IntegrityFailure):
        store.promote(incoming, "vendor/a")

    proxy.fault = None
    assert [listed.key for listed in store.versions("")] == [KEY]
    assert read(store, store.promote(incoming, "vendor/a")) == BODY


@pytest.mark.parametrize("body", [BODY, LONG], ids=["short", "long"])
def test_a_write_whose_answer_was_lost_once_is_known_again(store: S3Store, proxy: Proxy, body: bytes) -> None:
    def makes_the_object(asked: faults.Asked) -> bool:
        return asked.completes or (asked.method == "PUT" and "partNumber" not in asked.path)

    proxy.fault = faults.loses_the_answer(makes_the_object, times=1)

    stored = received(store, body=body)

    proxy.fault = None
    assert store.stat(KEY) == stored
    assert read(store, stored) == body
    assert len(list(store.versions(""))) == 1


def test_a_write_whose_answers_were_all_lost_is_found_by_the_next_try(store: S3Store, proxy: Proxy) -> None:
    proxy.fault = faults.loses_the_answer()
    assert refused(lambda: received(store)).reason is Reason.DOWN
    proxy.fault = None

    with pytest.raises(AlreadyExists):
        received(store)

    assert finalise(store, KEY, size=len(BODY), content_type="application/pdf", sha256=SHA256).sha256 == SHA256
    assert len(list(store.versions(""))) == 1


def test_parts_whose_completion_was_lost_become_one_object(store: S3Store, proxy: Proxy) -> None:
    upload = sent(store, FIRST, LAST)
    proxy.fault = faults.loses_the_answer(lambda asked: asked.completes, times=1)
    stored = completed(store, upload)
    proxy.fault = faults.loses_the_answer(lambda asked: asked.completes)

    assert completed(store, upload) == stored

    proxy.fault = None
    assert (stored.sha256, stored.size) == (WHOLE_SHA256, len(WHOLE))
    assert len(list(store.versions(""))) == 1
    assert list(store.unfinished("")) == []


def test_two_completions_at_once_refuse_nobodys_file(store: S3Store, proxy: Proxy) -> None:
    upload = sent(store, FIRST, LAST)

    def conflict(asked: faults.Asked, answer) -> None:  # type: ignore[no-untyped-def]
        if asked.completes:
            faults.says(409, "ConditionalRequestConflict")(asked, answer)

    proxy.fault = conflict

    assert refused(lambda: completed(store, upload)).detail == "another write of this key is under way"

    proxy.fault = None
    assert completed(store, upload).sha256 == WHOLE_SHA256


def test_giving_up_during_an_outage_is_finished_by_the_next_try(store: S3Store, proxy: Proxy) -> None:
    upload = sent(store, FIRST)
    proxy.fault = faults.loses_the_answer(lambda asked: asked.method == "DELETE")
    refused(lambda: store.abort_parts(KEY, upload))
    proxy.fault = None

    store.abort_parts(KEY, upload)

    assert list(store.unfinished("")) == []
    with pytest.raises(ObjectMissing):
        store.parts(KEY, upload)


def test_new_credentials_are_taken_up_without_a_restart_and_refused_ones_raise_their_own_alarm(
    proxy: Proxy, config: S3Config, time: FixedClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def credentials(key: str) -> None:
        (tmp_path / "credentials").write_text(f"[default]\naws_access_key_id={key}\naws_secret_access_key=secret\n")

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    credentials("old")
    store = S3Store(S3Config(config.bucket, proxy.endpoint, "us-east-1", timeout=0.6), clock=lambda: time.instant)
    stored = received(store)
    proxy.fault = faults.knows_only("new")

    with capture_logs() as alarmed:
        assert refused(lambda: store.stat(KEY)).reason is Reason.FORBIDDEN
    credentials("new")
    proxy.fault = faults.down
    with capture_logs() as outage:
        assert refused(lambda: store.stat(KEY)).reason is Reason.DOWN
    proxy.fault = faults.knows_only("new")

    assert store.stat(KEY) == stored
    said = [(each["log_level"], each["event"]) for each in alarmed + outage]
    assert said == [("error", "the store refuses our credentials"), ("warning", "the store did not serve")]
    assert proxy.asked[-1].credential == "new"


def test_what_is_pinned_is_not_confused_with_what_was_written_since(store: S3Store, moto: Server) -> None:
    stored = received(store)
    moto.client().put_object(Bucket=store.bucket, Key=KEY, Body=b"written over it")

    assert read(store, stored) == BODY
    with pytest.raises(IntegrityFailure):
        read(store, StoredObject(**{**as_dict(store.stat(KEY)), "sha256": stored.sha256}))


def as_dict(stored: StoredObject) -> dict[str, object]:
    return {name: getattr(stored, name) for name in StoredObject.__slots__}

"""``gatehouse_gate``: whatever goes wrong, the decision is no."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from gatehouse_gate import Gate
from gatehouse_gate.client import Decision
from gatehouse_gate.verify import TYPE, Unverified, verified

from portal.kernel.signing import Signer, SigningKey

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
US = "01936b2a-0000-7000-8000-000000000001"


def signer(name: str = "k1") -> Signer:
    private = Ed25519PrivateKey.generate().private_bytes_raw()
    return Signer([SigningKey(name, private, NOW - timedelta(days=1), NOW + timedelta(days=1))])


@dataclass
class Scripted:
    """A gate that answers as a test says, and notes how often it was asked."""

    signer: Signer = field(default_factory=signer)
    now: datetime = NOW
    said: dict[str, Any] = field(default_factory=dict)
    spoil: Callable[[dict[str, Any]], Any] = lambda answer: answer
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, query: dict[str, str]) -> Any:
        question = {name: query.get(name) for name in ("vendor", "data_class", "access_mode", "purpose", "engagement")}
        statement = {
            "type": TYPE,
            "audience": US,
            "question": question,
            "decision": "allow",
            "reasons": ["cleared"],
            "sequence": 3,
            "issued_at": self.now,
            "expires_at": self.now + timedelta(minutes=5),
            **self.said,
        }
        return self.spoil({"decision": "deny", "statement": self.signer.sign(TYPE, statement, now=NOW)})


@contextmanager
def served(gate: Scripted) -> Iterator[Scripted]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            where = urlsplit(self.path)
            gate.asked.append(where.path)
            status = gate.statuses.pop(0) if gate.statuses else 200
            query = {name: values[0] for name, values in parse_qs(where.query).items()}
            keys = {"keys": gate.signer.published()}
            body = json.dumps(keys if where.path.endswith("/keys") else gate.answer(query)).encode()
            self.send_response(status)
            for name, value in gate.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    gate.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield gate
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def gate() -> Iterator[Scripted]:
    with served(Scripted()) as scripted:
        yield scripted


def client(gate: Scripted, **given: Any) -> Gate:
    return Gate(
        gate.url,
        token="ghs_x",
        audience=US,
        **{"clock": lambda: gate.now, "wait": lambda _seconds: None, **given},
    )


def ask(one: Gate, vendor: str = "quillmark", **given: Any) -> Decision:
    return one.may(vendor, **{"data_class": "d3", "access_mode": "a2", "purpose": "labels", **given})


def test_a_verified_allow_is_an_allow_and_the_words_around_it_count_for_nothing(gate: Scripted) -> None:
    found = ask(client(gate))
    assert (found.allow, found.reasons, found.kept, found.trouble) == (True, ("cleared",), False, None)
    assert found.expires_at == NOW + timedelta(minutes=5)
    gate.said = {"decision": "deny", "reasons": ["paused"], "sequence": 4}
    gate.spoil = lambda answer: {**answer, "decision": "allow"}
    assert not ask(client(gate)).allow


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"audience": "somebody else"}, "not made for us"),
        ({"type": "another"}, "not made for us"),
        ({"expires_at": NOW}, "out of its time"),
        ({"issued_at": NOW + timedelta(minutes=2)}, "out of its time"),
        ({"question": {"vendor": "tern"}}, "another question"),
        ({"issued_at": "soon"}, "not a statement"),
        ({"expires_at": None}, "not a statement"),
    ],
)
def test_a_statement_that_is_not_ours_or_not_now_is_a_no(gate: Scripted, said: dict[str, Any], why: str) -> None:
    gate.said = said
    found = ask(client(gate))
    assert (found.allow, found.reasons) == (False, ("statement_unverified",))
    assert why in str(found.trouble)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: [],
        lambda _: {},
        lambda _: {"statement": None},
        lambda _: {"statement": {"payloadType": TYPE, "payload": "&", "signatures": [{"sig": ""}]}},
        lambda each: {"statement": {**each["statement"], "signatures": []}},
        lambda each: {"statement": {**each["statement"], "payloadType": "text/plain"}},
        lambda each: {"statement": {**each["statement"], "payload": each["statement"]["payload"][:-4] + "AAAA"}},
    ],
)
def test_an_answer_that_proves_nothing_is_a_no(gate: Scripted, spoil: Callable[[Any], Any]) -> None:
    gate.spoil = spoil
    found = ask(client(gate))
    assert not found.allow
    assert found.trouble


def test_gw_02_a_statement_with_any_byte_changed_proves_nothing(gate: Scripted) -> None:
    envelope = gate.answer({"vendor": "quillmark"})["statement"]
    keys = gate.signer.published()
    assert verified(envelope, keys, audience=US, now=NOW)["decision"] == "allow"
    body = base64.b64decode(envelope["payload"])
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    for at in range(len(body) + len(signature)):
        whole = bytearray(body + signature)
        whole[at] ^= 1
        spoilt = {
            **envelope,
            "payload": base64.b64encode(whole[: len(body)]).decode(),
            "signatures": [{"keyid": "k1", "sig": base64.b64encode(whole[len(body) :]).decode()}],
        }
        with pytest.raises(Unverified):
            verified(spoilt, keys, audience=US, now=NOW)


def test_a_stranger_s_key_is_no_key_where_keys_are_pinned_and_new_keys_are_fetched_where_not(gate: Scripted) -> None:
    pinned = client(gate, keys=gate.signer.published())
    follows = client(gate)
    assert (ask(pinned).allow, ask(follows).allow) == (True, True)
    gate.signer = signer("k2")
    assert (ask(pinned).allow, ask(follows).allow) == (False, True)
    assert gate.asked.count("/api/v1/gate/keys") == 2


def test_it_asks_again_while_that_may_help_and_gives_up_in_time(gate: Scripted) -> None:
    waits: list[float] = []
    gate.statuses, gate.headers = [503, 429], {"Retry-After": "2"}
    assert ask(client(gate, keys=gate.signer.published(), wait=waits.append)).allow
    assert waits == [2.0, 2.0]
    gate.statuses, gate.headers = [503] * 3, {}
    assert ask(client(gate, keys=gate.signer.published())).reasons == ("gate_unreachable",)
    gate.asked.clear()
    gate.statuses = [401]
    assert "401" in str(ask(client(gate, keys=gate.signer.published())).trouble)
    assert len(gate.asked) == 1, "a token that opens nothing is not tried again"
    gate.asked.clear()
    gate.statuses, gate.headers = [503], {"Retry-After": "600"}
    assert not ask(client(gate, keys=gate.signer.published())).allow
    assert len(gate.asked) == 1, "nobody is kept waiting for longer than the patience"


def test_a_redirect_is_not_followed(gate: Scripted) -> None:
    gate.statuses, gate.headers = [302], {"Location": gate.url + "/elsewhere"}
    assert not ask(client(gate, keys=gate.signer.published())).allow
    assert gate.asked == ["/api/v1/gate"]


def test_while_the_gate_is_away_what_it_said_holds_until_its_end_and_no_longer(gate: Scripted, tmp_path: Path) -> None:
    keys = gate.signer.published()
    assert ask(client(gate, keys=keys, folder=tmp_path)).allow
    restarted = client(gate, keys=keys, folder=tmp_path)
    gate.statuses = [503] * 30
    found = ask(restarted)
    assert (found.allow, found.kept) == (True, True)
    assert not ask(restarted, purpose="another").allow, "it was said of one question"
    assert not ask(client(gate, keys=keys)).allow, "and to one folder"
    gate.now = NOW + timedelta(minutes=5)
    assert ask(restarted).reasons == ("gate_unreachable",)


def test_a_kept_allow_ends_with_a_no_and_with_any_later_number_of_the_vendor(gate: Scripted, tmp_path: Path) -> None:
    one = client(gate, keys=gate.signer.published(), folder=tmp_path)
    assert ask(one).allow
    assert ask(one, data_class="D2").allow
    gate.said = {"decision": "deny", "reasons": ["paused"], "sequence": 4}
    assert not ask(one, data_class="D2").allow
    gate.statuses = [503] * 30
    assert not ask(one, data_class="D2").allow
    assert not ask(one).allow, "its number is lower than one that was seen since"
    assert not ask(client(gate, keys=gate.signer.published(), folder=tmp_path)).allow, "also after a restart"


def test_an_older_answer_than_was_seen_is_a_no(gate: Scripted) -> None:
    one = client(gate, keys=gate.signer.published())
    assert ask(one).allow
    gate.said = {"sequence": 2}
    assert "older" in str(ask(one).trouble)


def test_what_somebody_changed_in_the_folder_opens_nothing(gate: Scripted, tmp_path: Path) -> None:
    one = client(gate, keys=gate.signer.published(), folder=tmp_path)
    assert ask(one).allow
    (kept,) = [each for each in tmp_path.iterdir() if each.stem != "sequences"]
    envelope = json.loads(kept.read_text())
    kept.write_text(json.dumps({**envelope, "payload": envelope["payload"][:-4] + "AAAA"}))
    gate.statuses = [503] * 30
    assert not ask(client(gate, keys=gate.signer.published(), folder=tmp_path)).allow
    kept.write_text("{")
    assert not ask(client(gate, keys=gate.signer.published(), folder=tmp_path)).allow


def test_a_fresh_statement_answers_without_asking_where_that_is_wanted(gate: Scripted) -> None:
    one = client(gate, keys=gate.signer.published(), fresh_for=timedelta(seconds=30))
    assert (ask(one).allow, ask(one).allow) == (True, True)
    assert len(gate.asked) == 1
    gate.now = NOW + timedelta(seconds=30)
    ask(one)
    assert len(gate.asked) == 2


def test_a_gate_that_is_not_there_and_a_folder_that_cannot_be_written_are_a_no(gate: Scripted, tmp_path: Path) -> None:
    away = Gate("http://127.0.0.1:9", token="ghs_x", audience=US, wait=lambda _: None, clock=lambda: NOW)
    assert ask(away).reasons == ("gate_unreachable",)
    folder = tmp_path / "kept"
    one = client(gate, folder=folder)
    folder.rmdir()
    found = ask(one)
    assert (found.allow, found.reasons) == (False, ("client_failed",))

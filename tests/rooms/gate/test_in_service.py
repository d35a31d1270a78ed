"""The gate as it serves: four processes, many readers, and what is taken away from under it. No doubt is an allow."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

import psutil
import pytest

from bench.servers import HOST, Server, serving
from portal.gate import service as gate
from portal.identity import service as identity
from portal.kernel import migrate, signing
from portal.kernel.actor import Actor, system
from portal.kernel.embedded import EmbeddedPostgres
from portal.settings import Settings
from portal.terms import Role, Scope
from portal.vendors.models import Vendor
from portal.wiring import House
from tests.conftest import SECRET
from tests.factories.gate import make_clearance
from tests.factories.vendors import make_engagement, make_vendor
from tests.rooms.gate.test_gate import actor_of

SYSTEM = system("test")
READERS, WORKERS = 50, 4
AWAY = "no answer"


@dataclass
class Installation:
    """A running gate with its own database, and how it is asked."""

    house: House
    database: EmbeddedPostgres
    server: Server
    reviewer: Actor
    token: str
    vendors: list[Vendor]

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(HOST, self.server.port, timeout=20)

    def ask(self, vendor: Vendor, connection: http.client.HTTPConnection | None = None) -> str:
        """Return the decision; the status where there is none, and that nobody answered."""
        question = {"vendor": vendor.slug, "data_class": "D3", "access_mode": "A2", "purpose": "ranking"}
        line = connection or self.connection()
        try:
            line.request(
                "GET", f"/api/v1/gate?{urlencode(question)}", headers={"Authorization": f"Bearer {self.token}"}
            )
            answer = line.getresponse()
            body = json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            line.close()
            return AWAY
        return str(body["decision"]) if answer.status == 200 else str(answer.status)

    def pause(self, vendor: Vendor) -> None:
        with self.house.ledger.begin(self.reviewer) as tx:
            gate.pause(tx, vendor=vendor, reason="breach reported")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Installation]:
    """Serve from a database that may be killed, with one approved vendor a round and two for what is taken away."""
    folder = tmp_path_factory.mktemp("in-service")
    rounds = 10 if request.config.getoption("--thorough") else 2
    # As it is deployed: what is committed outlives a database that is killed.
    with EmbeddedPostgres(folder / "pg") as database:
        environment = {
            "GATEHOUSE_VAR": str(folder / "var"),
            "GATEHOUSE_DATABASE_URL": database.url(),
            "GATEHOUSE_SECRET_KEY": SECRET,
        }
        house = House(Settings.from_env(environment))
        migrate.upgrade(house.engine)
        now = datetime.now(UTC)
        signing.make_file(house.signing_keys, now=now)
        with house.ledger.begin(SYSTEM) as tx:
            made = [make_vendor(tx, f"Vendor {number}") for number in range(rounds + 2)]
            for vendor in made:
                engagement = make_engagement(tx, vendor, starts_on=date(2020, 1, 1))
                make_clearance(tx, engagement, valid_until=(now + timedelta(days=90)).date())
            _client, token = identity.create_client(
                tx, name="readers", scopes=[Scope.GATE_READ], vendor_ids=None, expires_at=tx.now + timedelta(days=1)
            )
        reviewer = actor_of(house, Role.REVIEWER, "Ines Valdarno")
        with serving("app:app", environment, also=(), workers=WORKERS) as server:
            yield Installation(house, database, server, reviewer, token, made)
        house.engine.dispose()


def test_wf_15_fifty_readers_hear_of_a_pause_in_their_very_next_answer(running: Installation) -> None:
    for vendor in running.vendors[2:]:
        heard: list[tuple[float, str]] = []
        done = threading.Event()

        def read(vendor: Vendor = vendor, heard: list[tuple[float, str]] = heard, done: threading.Event = done) -> None:
            connection = running.connection()
            while not done.is_set():
                asked = time.monotonic()
                heard.append((asked, running.ask(vendor, connection)))
            connection.close()

        readers = [threading.Thread(target=read) for _ in range(READERS)]
        for each in readers:
            each.start()
        while len(heard) < 2 * READERS:
            done.wait(0.01)
        running.pause(vendor)
        committed = time.monotonic()
        enough = len(heard) + 4 * READERS
        while len(heard) < enough:
            done.wait(0.01)
        done.set()
        for each in readers:
            each.join()

        after = [decision for asked, decision in heard if asked >= committed]
        assert len(after) >= READERS
        assert set(after) == {"deny"}
        assert "allow" in {decision for _, decision in heard}
        assert {decision for _, decision in heard} == {"allow", "deny"}


def test_inv_12_with_anything_taken_away_nobody_is_let_in(running: Installation) -> None:
    asked, paused = running.vendors[:2]
    assert running.ask(asked) == running.ask(paused) == "allow"

    # The key: nothing unsigned, from the next answer on; back, and it answers again.
    keys = running.house.signing_keys
    aside = keys.rename(keys.with_name("aside"))
    assert {running.ask(asked) for _ in range(2 * WORKERS)} == {"503"}
    aside.rename(keys)
    assert running.ask(asked) == "allow"

    # A worker: whom it was answering hears nothing at all, and none of the others remembers how it was before a pause.
    serving_now = [each.pid for each in psutil.Process(running.server.process.pid).children()]
    assert len(serving_now) >= WORKERS
    os.kill(serving_now[-1], signal.SIGKILL)
    running.pause(paused)
    heard = {running.ask(paused) for _ in range(3 * WORKERS)}
    assert "deny" in heard
    assert heard <= {"deny", AWAY}

    # The database, as when its host loses power; it comes back with what was committed.
    pid = running.database.pid
    assert pid is not None
    for each in [*psutil.Process(pid).children(recursive=True), psutil.Process(pid)]:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    heard = {running.ask(asked) for _ in range(3 * WORKERS)}
    assert "503" in heard
    assert heard <= {"503", AWAY}
    running.database.restart()
    back = [running.ask(paused) for _ in range(3 * WORKERS)]
    assert back[-1] == "deny"
    assert set(back) <= {"deny", "503", AWAY}
    assert running.ask(asked) == "allow"

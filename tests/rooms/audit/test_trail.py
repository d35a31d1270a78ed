"""The trail: one chain, written with what it tells of."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from portal.audit import service as audit
from portal.kernel.actor import system
from portal.kernel.ledger import Fact
from portal.settings import Settings
from portal.wiring import House, make_app

SYSTEM = system("test")


@dataclass(frozen=True, slots=True)
class SomethingHappened(Fact):
    thing_id: UUID
    vendor_id: UUID | None = None


def happen(house: House, times: int = 1) -> None:
    for _ in range(times):
        with house.ledger.begin(SYSTEM) as tx:
            tx.record(SomethingHappened(tx.new_id()))


def test_a_fact_is_one_event_and_the_chain_is_whole(house: House) -> None:
    happen(house, 3)
    with house.ledger.begin(SYSTEM) as tx:
        assert [link.seq for link in audit.links(tx)] == [1, 2, 3]
        assert audit.verify(tx) == []


def test_what_is_rolled_back_leaves_no_event(house: House) -> None:
    with pytest.raises(ZeroDivisionError), house.ledger.begin(SYSTEM) as tx:
        tx.record(SomethingHappened(tx.new_id()))
        raise ZeroDivisionError
    with house.ledger.begin(SYSTEM) as tx:
        assert list(audit.links(tx)) == []


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_event SET fact = 'x'", "DELETE FROM audit_event", "TRUNCATE audit_event"]
)
def test_the_database_refuses_to_change_the_trail(house: House, statement: str) -> None:
    happen(house)
    with pytest.raises(ProgrammingError), house.ledger.begin(SYSTEM) as tx:
        tx.session.execute(sa.text(statement))


TAMPERINGS = {
    "a changed field": "UPDATE audit_event SET payload = '{}' WHERE seq = 5",
    "a deleted row": "DELETE FROM audit_event WHERE seq = 5",
    "two swapped": "UPDATE audit_event SET seq = CASE seq WHEN 5 THEN 1006 ELSE 1005 END WHERE seq IN (5, 6);"
    "UPDATE audit_event SET seq = seq - 1000 WHERE seq > 1000",
    "one inserted": "INSERT INTO audit_event SELECT 13, at, fact, payload, actor_kind, actor_id, actor_label,"
    " vendor_id, hash, sha256(hash) FROM audit_event WHERE seq = 12",
    "the last five deleted": "DELETE FROM audit_event WHERE seq > 7",
    "the last five deleted and the head moved": "DELETE FROM audit_event WHERE seq > 7;"
    "UPDATE audit_head SET seq = 7, hash = (SELECT hash FROM audit_event WHERE seq = 7)",
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_lg_01_what_the_owner_of_the_database_does_is_found(house: House, tampering: str) -> None:
    happen(house, 12)
    with house.ledger.begin(SYSTEM) as tx:
        kept = [audit.head(tx)]
    with house.engine.begin() as owner:
        owner.execute(sa.text("ALTER TABLE audit_event DISABLE TRIGGER rows_only_grow"))
        owner.execute(sa.text("ALTER TABLE audit_event NO FORCE ROW LEVEL SECURITY"))
        for statement in TAMPERINGS[tampering].split(";"):
            owner.execute(sa.text(statement))
    with house.ledger.begin(SYSTEM) as tx:
        assert audit.verify(tx, kept)


def test_two_at_once_never_fork_the_chain(house: House) -> None:
    start = threading.Barrier(6)

    def write() -> None:
        start.wait()
        happen(house, 5)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with house.ledger.begin(SYSTEM) as tx:
        assert [link.seq for link in audit.links(tx, batch=7)] == list(range(1, 31))
        assert audit.verify(tx) == []


def test_the_command_says_whether_the_trail_is_whole(house: House, settings: Settings, tmp_path: Path) -> None:
    happen(house, 3)
    runner = make_app(settings, house).test_cli_runner()
    line = runner.invoke(args=["audit", "checkpoint"]).output
    outside = tmp_path / "checkpoints.jsonl"
    outside.write_text(line)
    whole = runner.invoke(args=["audit", "verify", "--checkpoints", str(outside)])
    assert (whole.exit_code, "3 events" in whole.output) == (0, True)
    with house.engine.begin() as owner:
        owner.execute(sa.text("ALTER TABLE audit_event DISABLE TRIGGER rows_only_grow"))
        owner.execute(sa.text("ALTER TABLE audit_event NO FORCE ROW LEVEL SECURITY"))
        owner.execute(sa.text("UPDATE audit_event SET payload = '{}' WHERE seq = 2"))
    broken = runner.invoke(args=["audit", "verify"])
    assert broken.exit_code == 1
    assert "Event 2 was changed" in broken.output


def test_an_exported_trail_verifies_without_us(house: House, settings: Settings) -> None:
    happen(house, 4)
    lines = make_app(settings, house).test_cli_runner().invoke(args=["audit", "export"]).output.splitlines()
    previous = "00" * 32
    for line in lines:
        event = json.loads(line)
        assert event["previous_hash"] == previous
        content = {name: event[name] for name in event if name not in {"hash", "previous_hash"}}
        content["previous"] = event["previous_hash"]
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(text.encode()).hexdigest() == event["hash"]
        previous = event["hash"]
    assert len(lines) == 4

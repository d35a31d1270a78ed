"""The doctor names what is wrong and what to do, with the real cause made for each."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.doctor import configuration, database, outside
from portal.doctor.findings import Finding, Level, as_json, fail, lines, ok, warn, worst
from portal.doctor.round import examine
from portal.kernel import migrate, signing
from portal.kernel.clock import FixedClock
from portal.settings import Settings
from portal.setup import first_steps
from portal.wiring import House, make_app
from tests.conftest import SECRET, Databases
from tests.factories.identity import person
from tests.rooms.delivery.world import queue_mail
from tests.s3 import servers

QUESTIONNAIRES = Path(__file__).resolve().parents[3] / "questionnaires"


def bad(found: list[Finding] | Iterator[Finding]) -> list[tuple[str, str]]:
    """Return level and part of everything that is not fine."""
    return [(each.level.value, each.part) for each in found if each.level is not Level.OK]


def said(found: list[Finding] | Iterator[Finding], part: str = "") -> str:
    """Return the words about one part, or about all."""
    return " / ".join(f"{each.said}: {each.do}" for each in found if part in {"", each.part})


def with_settings(house: House, **changed: object) -> House:
    """Return the house with other settings, on the same database."""
    return House(replace(house.settings, **changed), database_url=house.database_url, clock=house.clock)  # type: ignore[arg-type]


@pytest.fixture
def owner(house: House) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection of the role that owns the tables."""
    with psycopg.connect(house.database_url.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection


def a_key(path: Path, *, ends: timedelta, mode: int = 0o600) -> None:
    now = datetime.now(UTC)
    row = {
        "kid": "k1",
        "private": base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode(),
        "not_before": (now - timedelta(days=400)).isoformat(),
        "not_after": (now + ends).isoformat(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([row]))
    path.chmod(mode)


def test_a_new_installation_lacks_only_people_and_a_worker(house: House) -> None:
    list(first_steps(house, QUESTIONNAIRES))

    found = [each for each in examine(house) if each.part != "database"]

    assert bad(found) == [("fail", "worker"), ("warn", "people"), ("warn", "people")]
    assert "flask users bootstrap" in said(found, "people")
    assert "none was ever heard" in said(found, "worker")


def test_a_database_that_is_away_is_one_finding(settings: Settings) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"postgresql+psycopg://x@127.0.0.1:{nobody.getsockname()[1]}/x"
        found = [each for each in examine(House(settings, database_url=url)) if each.part == "database"]

    assert [each.level for each in found] == [Level.FAIL]
    assert "cannot be reached" in found[0].said


def test_an_empty_and_an_older_and_a_newer_schema_are_told_apart(
    house: House, databases: Databases, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    migrate.downgrade(house.engine, "0002")
    with house.engine.connect() as connection:
        older = said(list(database.migrations(connection)))
    owner.execute("UPDATE alembic_version SET version_num = '9999'")
    with house.engine.connect() as connection:
        newer = said(list(database.migrations(connection)))
    owner.execute("DELETE FROM alembic_version")
    with house.engine.connect() as connection:
        empty = said(list(database.migrations(connection)))

    assert "Run flask migrate" in older
    assert "newer than this code" in newer
    assert "Run flask init" in empty


def test_a_table_without_its_wall_is_named(house: House, owner: psycopg.Connection[tuple[object, ...]]) -> None:
    owner.execute("ALTER TABLE answer NO FORCE ROW LEVEL SECURITY")
    owner.execute("DROP POLICY by_vendor ON evidence")
    with house.engine.connect() as connection:
        assert "no row-level security on: answer, evidence" in said(list(database.walls(connection)))


def test_a_trail_that_could_be_edited_is_named(house: House, owner: psycopg.Connection[tuple[object, ...]]) -> None:
    owner.execute("ALTER TABLE audit_event DISABLE TRIGGER rows_only_grow")
    owner.execute("GRANT UPDATE ON clearance TO gatehouse_app")
    owner.execute("GRANT DELETE ON answer TO gatehouse_app")
    with house.engine.connect() as connection:
        words = said(list(database.walls(connection)))

    assert "rows can be changed in: audit_event" in words
    assert "answer (delete), clearance (update)" in words


def test_the_doctor_knows_every_table_that_only_grows(owner: psycopg.Connection[tuple[object, ...]]) -> None:
    kept = owner.execute(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'rows_only_grow' AND NOT tgisinternal"
    ).fetchall()

    assert {row[0] for row in kept} == set(database.GROWS_ONLY)


def test_a_worker_that_fell_silent_is_not_alive(house: House, owner: psycopg.Connection[tuple[object, ...]]) -> None:
    owner.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '2 minutes')")
    with house.engine.connect() as connection:
        silent = list(database.worker(connection))
    owner.execute("UPDATE procrastinate_workers SET last_heartbeat = now()")
    with house.engine.connect() as connection:
        alive = list(database.worker(connection))

    assert bad(silent) == [("fail", "worker")]
    assert "heard 120 s ago" in said(silent)
    assert bad(alive) == []


def test_an_edited_event_is_found_by_the_quick_look_and_by_the_deep_one(
    house: House, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    for number in range(4):
        person(house, name=f"Person {number}", roles=["reviewer"])
    assert bad(database.trail(house, deep=True)) == []

    owner.execute("ALTER TABLE audit_event DISABLE TRIGGER rows_only_grow")
    owner.execute("ALTER TABLE audit_event NO FORCE ROW LEVEL SECURITY")
    owner.execute("UPDATE audit_event SET payload = '{}' WHERE seq = 2")

    for deep in (False, True):
        assert "Event 2 was changed" in said(list(database.trail(house, deep=deep)))


def test_authenticator_secrets_of_another_key_are_counted(house: House) -> None:
    list(first_steps(house, QUESTIONNAIRES))
    person(house, name="Ada Holm", roles=["program_admin"])
    with house.ledger.begin(database.ACTOR) as tx:
        tx.session.execute(sa.text("UPDATE user_account SET totp_sealed = :it"), {"it": house.keyring.seal("A" * 32)})
    other = with_settings(house, secret_keys=("another-key-that-is-also-long-enough-0123456789",))
    both = with_settings(house, secret_keys=(*other.settings.secret_keys, SECRET))

    assert "1 of 1 authenticator secrets cannot be opened" in said(list(database.content(other)), "secrets")
    assert "1 authenticator secrets open" in said(list(database.content(both)), "secrets")


def test_signing_keys_are_missing_ending_over_broken_or_too_open(house: House) -> None:
    path = house.signing_keys
    assert "Run flask init" in said(list(configuration.keys(house)))
    a_key(path, ends=timedelta(days=400))
    assert bad(configuration.keys(house)) == []
    a_key(path, ends=timedelta(days=20))
    assert bad(configuration.keys(house)) == [("warn", "keys")]
    a_key(path, ends=timedelta(days=-1))
    assert "no key of" in said(list(configuration.keys(house)))
    a_key(path, ends=timedelta(days=400), mode=0o644)
    assert "chmod 600" in said(list(configuration.keys(house)))
    path.write_text("not a key file")
    assert bad(configuration.keys(house)) == [("fail", "keys")]


def test_a_key_made_by_init_signs_for_two_years(house: House) -> None:
    signing.make_file(house.signing_keys, now=datetime.now(UTC))

    assert bad(configuration.keys(house)) == []


def test_unsafe_production_settings_are_said_one_by_one(house: House) -> None:
    made = with_settings(
        house,
        env="production",
        database_url="postgresql://gatehouse@db.lab.example/gatehouse",
        secret_keys=("short",),
        s3_kms_key="alias/gatehouse",
    )
    words = said(list(configuration.settings(made)))

    for expected in (
        "GATEHOUSE_BASE_URL must be https in production",
        "at least 32 characters",
        "GATEHOUSE_S3_KMS_KEY encrypts nothing",
        "still called Orrery",
        "Set GATEHOUSE_MAIL_FROM",
        "GATEHOUSE_TRUSTED_PROXIES is 0",
        "sslmode=prefer",
    ):
        assert expected in words


def test_a_full_disk_is_repaired_first(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, expected in ((10 * 2**20, ["fail"]), (2**30, ["warn"]), (50 * 2**30, [])):
        monkeypatch.setattr("shutil.disk_usage", lambda _path, left=free: SimpleNamespace(free=left))
        assert [level for level, _ in bad(configuration.disk(house))] == expected


def test_a_store_that_cannot_be_written_is_said(house: House, tmp_path: Path) -> None:
    place = tmp_path / "a file"
    place.write_text("in the way")

    assert bad(examine(with_settings(house, evidence_dir=place)))[-1][1] in {"store", "mail", "scanner"}
    assert ("fail", "store") in bad(examine(with_settings(house, evidence_dir=place)))


@contextmanager
def scanner_that_says(words: bytes) -> Iterator[str]:
    """A scanner daemon that gives one answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            caller, _ = listener.accept()
            with caller:
                caller.recv(100)
                caller.sendall(words + b"\0")

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (b"ClamAV 1.4.3/27500/Mon Nov 23 08:00:00 2026", []),
        (b"ClamAV 1.4.3/27500/Mon Nov 16 08:00:00 2026", [("warn", "scanner")]),
        (b"ClamAV 1.4.3/27500/Thu Oct 01 08:00:00 2026", [("fail", "scanner")]),
        (b"ClamAV 1.4.3", [("fail", "scanner")]),
    ],
)
def test_old_or_absent_signatures_are_seen(house: House, words: bytes, expected: list[tuple[str, str]]) -> None:
    with scanner_that_says(words) as url:
        found = list(outside.scanner(with_settings(house, scanner_url=url), now=datetime(2026, 11, 24, tzinfo=UTC)))

    assert bad(found) == expected


def test_a_scanner_that_is_away_fails_and_none_is_a_warning_in_production(house: House) -> None:
    away = with_settings(house, scanner_url="unix:///nowhere/clamd.ctl")

    assert bad(outside.scanner(away)) == [("fail", "scanner")]
    assert bad(outside.scanner(house)) == []
    assert bad(outside.scanner(with_settings(house, env="production"))) == [("warn", "scanner")]
    assert bad(outside.scanner(with_settings(house, scanner_required=True))) == [("fail", "scanner")]


def test_mail_that_cannot_leave_fails(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert bad(outside.mail(with_settings(house, smtp_url=f"smtp://127.0.0.1:{port}"))) == []
    assert bad(outside.mail(with_settings(house, smtp_url=f"smtp://127.0.0.1:{port}"))) == [("fail", "mail")]
    assert bad(outside.mail(with_settings(house, env="production"))) == [("fail", "mail")]
    assert bad(outside.mail(house)) == []


def test_mail_that_waits_too_long_and_jobs_given_up_are_counted(
    house: House, clock: FixedClock, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    queue_mail(house)
    waits = []
    for minutes in (0, 20, 300):
        clock.advance(minutes=minutes)
        waits.append([level for level, part in bad(outside.backlog(house)) if part == "mail"])
    owner.execute(
        "INSERT INTO parked_job (job_id, name, args, attempts, reason, parked_at) "
        "VALUES (1, 'send_mail', '{}', 5, 'OSError: gone', now())"
    )

    assert waits == [[], ["warn"], ["fail"]]
    assert "given up: 1 job" in said(list(outside.backlog(house)))


@pytest.fixture(scope="module")
def moto() -> Iterator[servers.Server]:
    """An S3 server in memory."""
    with servers.moto() as server:
        yield server


def test_a_bucket_without_versions_fails(house: House, moto: servers.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", moto.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", moto.secret_key)
    plain = moto.new_bucket(versions=False).bucket
    made = with_settings(house, s3_bucket=plain, s3_endpoint_url=moto.endpoint, s3_region="us-east-1")

    assert "does not keep versions" in said(list(outside.store(made)))


def test_one_check_that_breaks_does_not_end_the_round(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_house: House) -> Iterator[Finding]:
        raise RuntimeError("out of order")

    monkeypatch.setattr(configuration, "disk", broken)

    found = examine(house)

    assert "RuntimeError: out of order" in said(found, "disk")
    assert {"database", "store", "mail"} <= {each.part for each in found}


def test_the_command_prints_lines_or_json_and_exits_1_on_a_failure(settings: Settings, house: House) -> None:
    run = make_app(settings, house).test_cli_runner()

    people, machines = run.invoke(args=["doctor"]), run.invoke(args=["doctor", "--json", "--deep"])

    assert people.exit_code == machines.exit_code == 1
    assert "FAIL  worker" in people.output
    assert json.loads(machines.output)["level"] == "fail"


def test_findings_are_written_for_people_and_for_machines() -> None:
    found = [ok("a", "fine"), warn("bb", "odd", "look"), fail("a", "broken", "repair")]

    assert list(lines(found)) == [
        "OK    a   fine",
        "WARN  bb  odd",
        "          -> look",
        "FAIL  a   broken",
        "          -> repair",
        "1 fine, 1 to look at, 1 to repair.",
    ]
    assert json.loads(as_json(found))["findings"][1] == {"level": "warn", "part": "bb", "said": "odd", "do": "look"}
    assert worst(found[:2]) is Level.WARN
    assert worst([]) is Level.OK

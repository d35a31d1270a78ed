"""The embedded database starts as whoever we are, survives kill -9, and says in one sentence what is in its way."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from portal.kernel import embedded
from portal.kernel.embedded import EmbeddedPostgres
from portal.kernel.launch import binaries, folders, identity
from portal.kernel.launch.identity import Way
from portal.kernel.launch.refusal import AlreadyRunning, LaunchRefused

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
AS_ROOT = os.geteuid() == 0


def works(way: Way) -> bool:
    try:
        identity.choose(way)
    except LaunchRefused:
        return False
    return True


WAYS = [way for way in (Way.NAMESPACE, Way.ACCOUNT) if works(way)] if AS_ROOT else [Way.DIRECT]


def plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def ask(url: str, question: str) -> list[tuple[object, ...]]:
    with psycopg.connect(plain(url), autocommit=True) as connection:
        cursor = connection.execute(question.encode())
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a short path that every account can walk to."""
    folder = Path("/tmp") / f"gh-{os.getpid()}-{tmp_path_factory.mktemp('x').name}"
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("shared") / "postgres", fast=True) as running:
        yield running


@pytest.mark.parametrize("way", WAYS)
def test_acknowledged_rows_survive_kill_9_of_the_server(home: Path, way: Way) -> None:
    server = EmbeddedPostgres(home / "postgres", way=way)
    url = server.start()
    try:
        ask(url, "CREATE TABLE kept (n int)")
        ask(url, "INSERT INTO kept SELECT generate_series(1, 100)")
        with psycopg.connect(plain(url)) as busy:
            assert server.pid
            os.kill(server.pid, signal.SIGKILL)
            assert server._server is not None
            server._server.wait(10)
            assert server.poll() == -signal.SIGKILL

            again = server.restart()

            assert ask(again, "SELECT count(*) FROM kept") == [(100,)]
            with pytest.raises(psycopg.OperationalError):
                busy.execute("SELECT 1")
    finally:
        server.stop()


@pytest.mark.parametrize("way", WAYS)
def test_a_folder_made_in_one_way_is_taken_over_in_another(home: Path, way: Way) -> None:
    with EmbeddedPostgres(home / "postgres", fast=True, way=WAYS[0]) as first:
        ask(first.url(), "CREATE TABLE kept (n int)")

    with EmbeddedPostgres(home / "postgres", fast=True, way=way) as second:
        assert ask(second.url(), "SELECT count(*) FROM kept") == [(0,)]


def other_python() -> str | None:
    """Return an interpreter like ours that an ordinary account can run, if root runs this and there is one."""
    nobody = pwd.getpwnam("nobody")
    wanted = [sys.executable, f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"]
    for candidate in wanted if AS_ROOT else []:
        real = Path(candidate).resolve()
        if real.exists() and folders.reaches(real, nobody.pw_uid, nobody.pw_gid):
            return candidate
    return None


def test_an_ordinary_user_needs_nothing_special(home: Path) -> None:
    """As root, a child becomes that user; an ordinary user is one already."""
    script = (
        "import sys; from pathlib import Path; from portal.kernel.embedded import EmbeddedPostgres\n"
        "with EmbeddedPostgres(Path(sys.argv[1]), fast=True) as server:\n"
        "    print(server.url(), server._identity.way)\n"
    )
    python, options = sys.executable, {}
    if AS_ROOT and (found := other_python()):
        nobody = pwd.getpwnam("nobody")
        python, options = found, {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
    path = os.pathsep.join([str(PROJECT), *(entry for entry in sys.path if entry.endswith("site-packages"))])

    done = subprocess.run(
        [python, "-c", script, str(home / "postgres")],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        **options,  # type: ignore[arg-type]
    )

    assert done.stderr == ""
    url, way = done.stdout.split()
    assert url.startswith("postgresql+psycopg://gatehouse@/gatehouse?host=")
    assert way == (Way.DIRECT if options or not AS_ROOT else WAYS[0])


def test_the_application_is_not_a_superuser_but_owns_its_database(server: EmbeddedPostgres) -> None:
    facts = "SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user"
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"

    assert ask(server.url(), facts) == [(False, False, True)]
    assert ask(server.url(), owner) == [("gatehouse",)]
    assert ask(server.url(), "SHOW data_checksums") == [("on",)]


def test_it_listens_on_a_private_socket_only(server: EmbeddedPostgres) -> None:
    assert ask(server.url(), "SHOW listen_addresses") == [("",)]
    assert server.socket_dir.stat().st_mode & 0o777 == 0o700


def test_durability_is_given_up_only_when_asked(server: EmbeddedPostgres, home: Path) -> None:
    assert ask(server.url(), "SHOW fsync") == [("off",)]
    with EmbeddedPostgres(home / "postgres") as durable:
        assert ask(durable.url(), "SHOW fsync") == [("on",)]
        assert ask(durable.url(), "SHOW synchronous_commit") == [("on",)]
        assert ask(durable.url(), "SHOW full_page_writes") == [("on",)]


def test_a_second_server_on_one_folder_is_told_who_runs(server: EmbeddedPostgres) -> None:
    with pytest.raises(AlreadyRunning, match=rf"is already running \(process {os.getpid()}\): stop that one"):
        EmbeddedPostgres(server.wanted, fast=True).start()


def test_a_command_joins_the_server_that_runs(server: EmbeddedPostgres) -> None:
    with embedded.running(server.wanted) as url:
        assert url == server.url()
    assert server.poll() is None


def test_a_command_starts_its_own_server_when_none_runs_and_stops_it(home: Path) -> None:
    with embedded.running(home / "postgres") as url:
        assert ask(url, "SELECT 1") == [(1,)]
    with pytest.raises(psycopg.OperationalError):
        ask(url, "SELECT 1")


def test_data_of_another_major_version_is_refused_with_the_way_out(home: Path) -> None:
    data = home / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("14\n")

    with pytest.raises(LaunchRefused) as refusal:
        EmbeddedPostgres(data).start()

    assert "was made by PostgreSQL 14 and this is PostgreSQL" in str(refusal.value)
    assert "save the database with pg_dump" in str(refusal.value)
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_a_pid_file_that_names_a_stranger_does_not_stop_the_start(home: Path) -> None:
    with EmbeddedPostgres(home / "postgres", fast=True) as first:
        pid_file = first.data / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    with EmbeddedPostgres(home / "postgres", fast=True) as second:
        assert ask(second.url(), "SELECT 1") == [(1,)]


def test_a_socket_path_too_long_for_the_system_moves_to_a_short_folder(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)

    with EmbeddedPostgres(deep / "postgres", fast=True) as server:
        assert not server.socket_dir.is_relative_to(deep)
        assert len(os.fsencode(server.socket_dir / ".s.PGSQL.5432")) <= 107
        assert server.socket_dir.stat().st_mode & 0o777 == 0o700
        assert ask(server.url(), "SELECT 1") == [(1,)]
        assert embedded.database_url(deep / "postgres") == server.url()
    shutil.rmtree(server.socket_dir)


def test_a_folder_with_other_things_in_it_is_left_alone(home: Path) -> None:
    (home / "postgres").mkdir()
    (home / "postgres" / "thesis.txt").write_text("mine")

    with pytest.raises(LaunchRefused, match="is not empty and holds no database: move it away"):
        EmbeddedPostgres(home / "postgres").start()

    assert (home / "postgres" / "thesis.txt").read_text() == "mine"


def test_a_file_in_the_way_is_one_sentence(home: Path) -> None:
    (home / "var").write_text("")

    with pytest.raises(LaunchRefused, match="is a file where a folder is needed: move it"):
        EmbeddedPostgres(home / "var" / "postgres").start()


def test_no_room_is_said_before_anything_is_made(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "ROOM_FOR_FIRST_START", 2**60)

    with pytest.raises(LaunchRefused, match=r"MB are free where .* is, and a start needs"):
        EmbeddedPostgres(home / "postgres").start()

    assert not (home / "postgres").exists()


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("FATAL:  could not write lock file: No space left on device", "is full: make room"),
        ("initdb: error: could not create directory: Permission denied", "give it the rights"),
        ("LOG:  hello\nFATAL:  wrong moon\n", "could not be made: FATAL:  wrong moon"),
    ],
)
def test_what_postgresql_says_becomes_one_sentence(said: str, sentence: str) -> None:
    told = embedded._translate(said, Path("/tmp/data"), "made")

    assert sentence in told
    assert "\n" not in told


def test_the_server_goes_when_the_process_that_started_it_is_killed(home: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from portal.kernel.embedded import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[1]), fast=True); server.start()\n"
        "print(server.pid, flush=True); sys.stdin.read()\n"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", script, str(home / "postgres")],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert starter.stdout
    assert starter.stdin
    assert int(starter.stdout.readline()) > 0
    starter.kill()
    starter.wait(10)
    starter.stdin.close()
    starter.stdout.close()

    # The next start waits for the orphan's orderly end, and so proves it.
    with EmbeddedPostgres(home / "postgres", fast=True) as server:
        assert "database system was shut down" in server.log_file.read_text().split("starting PostgreSQL")[-1]


def test_pg_bin_comes_first_and_must_work(home: Path) -> None:
    wheel = binaries.find({})

    assert binaries.find({"PG_BIN": str(wheel.folder)}) == wheel
    with pytest.raises(LaunchRefused, match="point it at the folder with initdb and postgres, or unset it"):
        binaries.find({"PG_BIN": str(home)})


@pytest.mark.parametrize(("said", "usable"), [("15.19 (Debian)", True), ("14.9", False), ("19beta1", True)])
def test_a_postgresql_older_than_15_does_not_count(home: Path, said: str, usable: bool) -> None:
    for name in ("postgres", "initdb"):
        (home / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {said}'\n")
        (home / name).chmod(0o755)

    assert (binaries.inspect(home) is not None) is usable


@pytest.mark.parametrize("way", WAYS)
def test_data_below_a_private_folder_can_be_used_in_every_way(
    home: Path, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "SHARED_HOME", home / "shared")
    private = home / "private"
    private.mkdir(mode=0o700)
    own = binaries.copied_to(private, binaries.find({}))

    with EmbeddedPostgres(private / "var" / "postgres", fast=True, way=way, binaries=own) as server:
        assert server.moved is (way is Way.ACCOUNT)
        assert server.data.is_relative_to(home / "shared" if server.moved else private)
        assert embedded.database_url(server.wanted) == server.url()
        assert ask(server.url(), "SELECT 1") == [(1,)]


def test_the_record_tells_other_commands_where_the_database_is(server: EmbeddedPostgres) -> None:
    record = json.loads(server.wanted.with_name("postgres.json").read_text())

    assert record["socket_dir"] == str(server.socket_dir)
    assert embedded.database_url(server.wanted) == server.url()
    assert embedded.database_url(server.wanted / "elsewhere") is None

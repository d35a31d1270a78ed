"""A PostgreSQL of our own: found, made, started, watched and stopped, with nothing to install.

It listens on a private socket only, in a folder of mode 0700; who can reach that could read its files anyway.
The application signs in as an ordinary role that owns its database; the superuser stays inside this module.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import psycopg
from psycopg import sql

from portal.kernel.launch import binaries as programs
from portal.kernel.launch import folders, identity, leftovers
from portal.kernel.launch.identity import Identity, Way
from portal.kernel.launch.refusal import AlreadyRunning, LaunchRefused

ROLE = "gatehouse"
DATABASE = "gatehouse"
SUPERUSER = "gatehouse_owner"
PORT = 5432
ROOM_FOR_FIRST_START = 150 * 2**20
ROOM_FOR_START = 24 * 2**20
LONGEST_RECOVERY = 300.0
LONGEST_STOP = 20.0
LARGEST_LOG = 10 * 2**20
BUSY = (
    "The database in {data} is already running (process {{holder}}): stop that one, or choose another folder with VAR="
)
OTHER_MAJOR = (
    "{data} was made by PostgreSQL {theirs} and this is PostgreSQL {ours}, which cannot read it: start once "
    "with the old programs (PG_BIN=/folder/of/postgresql-{theirs}/bin), save the database with pg_dump, "
    "move the folder away, start again and load what you saved with psql."
)
DURABLE = {"synchronous_commit": "on"}
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # it would hold copies of the template open while tests drop them
    "autovacuum": "off",
}


class EmbeddedPostgres:
    """One server on one data folder, owned by this process and gone when this process is gone.

    Beside the data folder lie ``<name>.lock`` (one holder at a time), ``<name>.json`` (where the socket is),
    ``<name>.log`` and, when its path is short enough, ``<name>.run`` with the socket. Start it from the main
    thread: the kernel ties it to the life of the thread that started it.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        fast: bool = False,
        way: Way | None = None,
        binaries: programs.Binaries | None = None,
    ) -> None:
        """``fast`` gives up all durability, for tests; ``way`` forces how root becomes an ordinary user."""
        self.wanted = data_dir.absolute()
        self.fast = fast
        self._way = way
        self._binaries = binaries
        self._identity: Identity | None = None
        self._lock: int | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()
        self.data = self.wanted
        self.socket_dir = self.wanted

    @property
    def log_file(self) -> Path:
        """Return where the server writes what happens to it."""
        return _beside(self.wanted, ".log")

    @property
    def version(self) -> str:
        """Return the version of the programs, once started."""
        return self._binaries.version if self._binaries else ""

    @property
    def moved(self) -> bool:
        """Tell whether the data lies elsewhere than asked, as the database's account cannot reach that."""
        return self.data != self.wanted

    @property
    def pid(self) -> int | None:
        """Return the process id of the postmaster, if it was started."""
        return self._server.pid if self._server else None

    def start(self) -> str:
        """Make the data folder if there is none, start the server, wait until it answers, return the URL.

        :raises AlreadyRunning: if another process holds the folder.
        :raises LaunchRefused: with one sentence on what is in the way.
        """
        self._take_lock()
        try:
            self._prepare()
            self._launch()
            self._wait_until_ready()
            self._furnish()
        except OSError as problem:
            self.stop()
            raise LaunchRefused(folders.explain(problem, Path(problem.filename or self.data))) from problem
        except psycopg.Error as problem:
            self.stop()
            raise LaunchRefused(self._last_words()) from problem
        except BaseException:
            self.stop()
            raise
        atexit.register(self.stop)
        return self.url()

    def restart(self) -> str:
        """Start again after the server died; recovery is PostgreSQL's own.

        :raises LaunchRefused: if it does not come back.
        """
        self._server = None
        return self.start()

    def poll(self) -> int | None:
        """Return the exit code of the server, or None while it runs."""
        return self._server.poll() if self._server else 0

    def stop(self) -> None:
        """Stop the server (sessions end, data is on disk) and let the folder go; twice is harmless."""
        if os.getpid() != self._owner:
            return
        atexit.unregister(self.stop)
        server, self._server = self._server, None
        if server and server.poll() is None:
            for signum, patience in (
                (signal.SIGINT, LONGEST_STOP),
                (signal.SIGQUIT, 5.0),
                (signal.SIGKILL, 5.0),
            ):
                server.send_signal(signum)
                with suppress(subprocess.TimeoutExpired):
                    server.wait(patience)
                    break
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def url(self, database: str = DATABASE, *, role: str = ROLE) -> str:
        """Return the SQLAlchemy URL of one of its databases."""
        return _url(self.socket_dir, database, role)

    def __enter__(self) -> EmbeddedPostgres:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _take_lock(self) -> None:
        if self._lock is None:
            self._lock = folders.hold(_beside(self.wanted, ".lock"), busy=BUSY.format(data=self.wanted))
        folders.sign(self._lock, str(os.getpid()))

    def _prepare(self) -> None:
        self._binaries = self._binaries or programs.find()
        self._identity = self._identity or identity.choose(self._way)
        self.data = folders.place_data(self.wanted, self._identity)
        self._binaries = _reachable(self._binaries, self._identity)
        folders.make(self.data.parent)
        if self.moved:
            self.data.parent.chmod(0o711)
        if not (self.data / "PG_VERSION").exists():
            folders.require_room(self.data.parent, ROOM_FOR_FIRST_START)
            self._create()
        theirs = (self.data / "PG_VERSION").read_text().strip()
        if theirs != str(self._binaries.major):
            raise LaunchRefused(OTHER_MAJOR.format(data=self.data, theirs=theirs, ours=self._binaries.major))
        folders.require_room(self.data, ROOM_FOR_START)
        folders.own(self.data, self._identity)
        leftovers.clear(self.data)
        self.socket_dir = folders.place_socket(self.data, self._identity)

    def _create(self) -> None:
        """Run initdb beside the final place, so that a start cut short never leaves half a data folder."""
        tools, who = self._found()
        if self.data.exists() and any(self.data.iterdir()):
            raise LaunchRefused(
                f"{self.data} is not empty and holds no database: move it away, or choose another folder with VAR="
            )
        draft = _beside(self.data, ".new")
        shutil.rmtree(draft, ignore_errors=True)
        folders.make(draft)
        folders.own(draft, who)
        locale = (
            ["--locale-provider=builtin", "--locale=C.UTF-8"]
            if tools.major >= 17
            else ["--locale-provider=libc", "--locale=C.UTF-8"]
        )
        made = subprocess.run(  # noqa: S603 - our own programs
            who.command(
                [
                    tools.program("initdb"),
                    *(
                        "-D",
                        str(draft),
                        "-U",
                        SUPERUSER,
                        "-A",
                        "trust",
                        "--encoding=UTF8",
                        "--data-checksums",
                    ),
                    *locale,
                    *(["--no-sync"] if self.fast else []),
                ],
                on_parent_death=signal.SIGKILL,
            ),
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_environment(),
        )
        if made.returncode != 0:
            shutil.rmtree(draft, ignore_errors=True)
            raise LaunchRefused(_translate(made.stderr, self.data, "made"))
        if self.data.exists():
            self.data.rmdir()
        draft.rename(self.data)

    def _launch(self) -> None:
        tools, who = self._found()
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_dir),
            "unix_socket_permissions": "0700",
            "port": str(PORT),
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] ",
            "cluster_name": "gatehouse",
            **(FAST if self.fast else DURABLE),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        if self.log_file.exists() and self.log_file.stat().st_size > LARGEST_LOG:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        with self.log_file.open("ab") as log:
            self._server = subprocess.Popen(  # noqa: S603 - our own programs
                who.command([tools.program("postgres"), "-D", str(self.data), *options], on_parent_death=signal.SIGINT),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_environment(),
                start_new_session=True,
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + LONGEST_RECOVERY
        while time.monotonic() < deadline:
            if self.poll() is not None:
                raise LaunchRefused(self._last_words())
            with suppress(psycopg.OperationalError), self._as_superuser():
                return
            time.sleep(0.02)
        raise LaunchRefused(f"The database did not answer within {LONGEST_RECOVERY:.0f} seconds: see {self.log_file}")

    def _furnish(self) -> None:
        """Have the role and the database that the application uses, and write down where they are."""
        with self._as_superuser() as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                create = "CREATE ROLE {} LOGIN CREATEROLE NOSUPERUSER NOREPLICATION NOBYPASSRLS "
                create += "CREATEDB" if self.fast else "NOCREATEDB"
                connection.execute(sql.SQL(create).format(sql.Identifier(ROLE)))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(ROLE))
                )
        record = {"data": str(self.data), "socket_dir": str(self.socket_dir), "version": self.version}
        note = _beside(self.wanted, ".json")
        draft = _beside(self.wanted, ".json.new")
        draft.write_text(json.dumps(record, indent=1) + "\n")
        draft.replace(note)

    def _as_superuser(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self.socket_dir),
            port=PORT,
            dbname="postgres",
            user=SUPERUSER,
            autocommit=True,
            connect_timeout=5,
        )

    def _found(self) -> tuple[programs.Binaries, Identity]:
        if self._binaries is None or self._identity is None:
            raise RuntimeError("start() looks for the programs first")
        return self._binaries, self._identity

    def _last_words(self) -> str:
        with suppress(OSError), self.log_file.open("rb") as log:
            log.seek(max(0, self.log_file.stat().st_size - 4000))
            return _translate(log.read().decode(errors="replace"), self.data, "started", self.log_file)
        return f"The database could not be started: see {self.log_file}"


def database_url(data_dir: Path) -> str | None:
    """Return the URL of the server on this folder as its last start wrote it down, None if there was none."""
    try:
        record = json.loads(_beside(data_dir.absolute(), ".json").read_text())
        return _url(Path(record["socket_dir"]), DATABASE, ROLE)
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def running(data_dir: Path, *, patience: float = 30.0) -> Iterator[str]:
    """Give the URL of the server on this folder: the one that runs, or our own while the block lasts.

    :raises LaunchRefused: if there is neither.
    """
    server = EmbeddedPostgres(data_dir)
    deadline = time.monotonic() + patience
    while True:
        try:
            server.start()
        except AlreadyRunning:
            url = database_url(data_dir)
            if url and _answers(url):
                yield url
                return
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            try:
                yield server.url()
            finally:
                server.stop()
            return


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url.replace("+psycopg", ""), connect_timeout=5):
            return True
    except psycopg.OperationalError:
        return False


def _url(socket_dir: Path, database: str, role: str) -> str:
    place = quote(str(socket_dir), safe="")
    return f"postgresql+psycopg://{quote(role)}@/{quote(database)}?host={place}&port={PORT}"


def _beside(data: Path, suffix: str) -> Path:
    return data.with_name(data.name + suffix)


def _environment() -> dict[str, str]:
    """Return our environment without the settings of somebody else's PostgreSQL."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _reachable(found: programs.Binaries, who: Identity) -> programs.Binaries:
    """Return the programs where the identity can run them: a copy in a shared folder if theirs is private."""
    if who.way is not Way.ACCOUNT or folders.reaches(found.folder / "postgres", who.uid, who.gid):
        return found
    return programs.copied_to(folders.make(folders.SHARED_HOME, mode=0o755), found)


def _translate(said: str, data: Path, verb: str, log_file: Path | None = None) -> str:
    """Return one sentence for what PostgreSQL said when it could not go on."""
    if "No space left on device" in said or "Check free disk space" in said:
        return folders.DISK_FULL.format(path=data)
    if "Permission denied" in said:
        return f"{data} may not be used by the database: give it the rights, or choose another folder with VAR="
    lines = [line for line in said.splitlines() if "FATAL" in line or "PANIC" in line or "error:" in line]
    last = lines[-1] if lines else (said.strip().splitlines() or ["it said nothing"])[-1]
    where = f" (see {log_file})" if log_file else ""
    return f"The database in {data} could not be {verb}{where}: {last.strip()}"

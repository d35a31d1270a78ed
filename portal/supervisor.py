"""One process that starts, watches and stops all the others: the embedded database, the web, the jobs worker."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from portal.kernel.embedded import EmbeddedPostgres
from portal.kernel.launch import folders, identity
from portal.kernel.launch.refusal import AlreadyRunning, LaunchRefused

if TYPE_CHECKING:
    from portal.settings import Settings

HOST = "127.0.0.1"
DRAIN = 30.0
PORT_PATIENCE = 3.0
COMMAND_PATIENCE = 15.0
LOOK_EVERY = 0.25
WINDOW = 60.0
MOST_DEATHS = 5
LONGEST_PAUSE = 30.0
PROJECT = Path(__file__).resolve().parent.parent
RUNNING = (
    "Gatehouse already runs on this folder ({holder}): "
    "stop it, or choose another folder: make run VAR=/other/folder PORT=8001"
)
TAKEN = "Port {port} is in use. Choose another: make run PORT={next}"
RESERVED = "Port {port} needs rights that this user does not have. Choose another: make run PORT=8000"


def main() -> int:
    """Read the settings and serve; return the exit code of the process."""
    from portal.settings import Settings, UnsafeSettings

    try:
        settings = Settings.from_env()
    except UnsafeSettings as refusal:
        sys.stderr.writelines(f"{problem}\n" for problem in refusal.problems)
        return 2
    except OSError as problem:
        var = os.environ.get("GATEHOUSE_VAR") or os.environ.get("VAR") or "var"
        sys.stderr.write(folders.explain(problem, Path(problem.filename or var)) + "\n")
        return 1
    return serve(settings)


def serve(settings: Settings, *, project: Path = PROJECT) -> int:
    """Run the application in ``project`` until told to stop.

    Returns 0 after an orderly stop, and 1, with a sentence on the error stream, when it cannot go on.
    """
    try:
        return _Supervisor(settings, project).run()
    except LaunchRefused as refusal:
        sys.stderr.write(f"{refusal}\n")
    except OSError as problem:
        sys.stderr.write(folders.explain(problem, Path(problem.filename or settings.var_dir)) + "\n")
    return 1


def require_port(port: int, *, patience: float = PORT_PATIENCE) -> None:
    """Check that the port is free; an earlier instance that is just going gets a moment.

    :raises LaunchRefused: if it is taken or reserved.
    """
    deadline = time.monotonic() + patience
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as problem:
                if problem.errno == errno.EACCES:
                    raise LaunchRefused(RESERVED.format(port=port)) from None
                if time.monotonic() >= deadline:
                    other = port + 1 if port < 65535 else 8000
                    raise LaunchRefused(TAKEN.format(port=port, next=other)) from None
            else:
                return
        time.sleep(0.1)


def pause_before_restart(deaths: Sequence[float], now: float) -> float:
    """Return how long to wait before starting again: at once after one death, ever longer after many in a minute."""
    recent = sum(1 for moment in deaths if now - moment < WINDOW)
    return 0.0 if recent <= 1 else min(LONGEST_PAUSE, 0.5 * 2 ** (recent - 2))


def too_often(deaths: Sequence[float], now: float) -> bool:
    """Tell whether something dies so often that starting it again may hide the reason."""
    return sum(1 for moment in deaths if now - moment < WINDOW) >= MOST_DEATHS


@dataclass
class _Child:
    """One process that is to be there, and what became of it."""

    name: str
    command: list[str]
    environment: dict[str, str]
    project: Path
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)
    start_at: float = 0.0
    answered: bool = False

    def start(self) -> None:
        # A group of its own: Ctrl-C reaches the supervisor alone, which then stops things in their order.
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            identity.myself().command(self.command, on_parent_death=signal.SIGTERM),
            stdin=subprocess.DEVNULL,
            env=self.environment,
            cwd=self.project,
            start_new_session=True,
        )

    def look(self, now: float) -> None:
        """Start it if it is due; note its death and bury what it left."""
        if self.process is None:
            if now >= self.start_at:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        self.kill()
        self.process = None
        self.deaths.append(now)
        pause = pause_before_restart(self.deaths, now)
        self.start_at = now + pause
        say(self.name, f"stopped by itself ({_cause(code)}); starting again" + (f" in {pause:g} s" if pause else ""))

    def tell(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        """End the whole group, workers of a dead main process included."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


class _Supervisor:
    def __init__(self, settings: Settings, project: Path) -> None:
        self._settings = settings
        self._project = project
        self._var = settings.var_dir.absolute()
        self._database = None if settings.database_url else EmbeddedPostgres(self._var / "postgres")
        self._database_deaths: list[float] = []
        self._database_due = 0.0
        self._children: list[_Child] = []
        self._stop_signals = 0
        self._bell: tuple[socket.socket, socket.socket] | None = None

    def run(self) -> int:
        lock = folders.hold(self._var / "serve.lock", busy=RUNNING)
        try:
            require_port(self._settings.port)
            folders.sign(lock, f"process {os.getpid()}, http://{HOST}:{self._settings.port}")
            with self._signals():
                try:
                    return self._live()
                finally:
                    self._end()
        finally:
            os.close(lock)

    def _live(self) -> int:
        url = self._settings.database_url or self._start_database()
        environment = {
            **os.environ,
            "GATEHOUSE_DATABASE_URL": url,
            "GATEHOUSE_VAR": str(self._var),
            "PORT": str(self._settings.port),
            "PYTHONUNBUFFERED": "1",
        }
        steps = ["init", "demo"] if self._settings.demo else ["init"]
        for step in steps:
            if self._stop_signals == 0 and not self._finishes(step, environment):
                return 0 if self._stop_signals else 1
        self._children = [
            _Child("web", _web_command(self._settings), environment, self._project),
            _Child("worker", _flask("worker"), environment, self._project),
        ]
        while self._stop_signals == 0:
            now = time.monotonic()
            self._look_at_database(now)
            for child in self._children:
                child.look(now)
            if not self._look_at_web(now):
                return 1
            self._wait(LOOK_EVERY)
        return 0

    def _start_database(self) -> str:
        if self._database is None:
            raise RuntimeError("there is no embedded database to start")
        began = time.monotonic()
        url = self._first_start(self._database)
        say("database", f"PostgreSQL {self._database.version} ready in {time.monotonic() - began:.1f} s")
        if self._database.moved:
            say(
                "database", f"its account cannot reach {self._database.wanted}, so the data is in {self._database.data}"
            )
        return url

    def _first_start(self, database: EmbeddedPostgres) -> str:
        """Start the database; a command that runs its own for a moment gets that moment."""
        deadline = time.monotonic() + COMMAND_PATIENCE
        while True:
            try:
                return database.start()
            except AlreadyRunning:
                if time.monotonic() > deadline or self._stop_signals:
                    raise
            self._wait(LOOK_EVERY)

    def _finishes(self, step: str, environment: dict[str, str]) -> bool:
        """Run one step of the set-up to its end; a stop signal ends it early."""
        child = _Child(step, _flask(step), environment, self._project)
        child.start()
        self._children = [child]
        while child.process and child.process.poll() is None:
            if self._stop_signals:
                return False
            self._wait(LOOK_EVERY)
        self._children = []
        code = child.process.returncode if child.process else 1
        if code != 0:
            say(step, f"did not finish ({_cause(code)}); the lines above say why")
        return code == 0

    def _look_at_database(self, now: float) -> None:
        """Bring the database back when it died: at once, then ever slower, and for as long as it takes.

        Meanwhile the web says that it cannot reach it; once the reason is gone (a full disk), all works again.
        """
        database = self._database
        if database is None or now < self._database_due or (code := database.poll()) is None:
            return
        self._database_deaths.append(now)
        often = f" for the {len(self._database_deaths)}th time; see {database.log_file}"
        say(
            "database",
            f"stopped by itself ({_cause(code)}); starting again"
            + (often if too_often(self._database_deaths, now) else ""),
        )
        began = time.monotonic()
        try:
            database.restart()
        except LaunchRefused as refusal:
            say("database", str(refusal))
        else:
            say("database", f"recovered in {time.monotonic() - began:.1f} s")
        self._database_due = time.monotonic() + pause_before_restart(self._database_deaths, now)

    def _look_at_web(self, now: float) -> bool:
        web = self._children[0]
        if web.answered:
            return True
        if too_often(web.deaths, now):
            say("web", "cannot start; the lines above say why")
            return False
        if web.process and _answers(self._settings.port):
            web.answered = True
            say("gatehouse", f"ready at {self._settings.base_url} (stop it with Ctrl-C)")
        return True

    def _end(self) -> None:
        """Let requests and jobs finish, then stop the database, which comes last."""
        if self._children:
            say("gatehouse", "stopping; requests and jobs in flight may finish")
        for child in self._children:
            child.tell()
        deadline = time.monotonic() + DRAIN
        while time.monotonic() < deadline and self._stop_signals < 2 and any(map(_lives, self._children)):
            self._wait(0.05)
        for child in self._children:
            child.kill()
            if child.process:
                child.process.wait()
        ran = bool(self._children) or (self._database is not None and self._database.pid is not None)
        if self._database is not None:
            self._database.stop()
        if ran:
            say("gatehouse", "stopped")

    def _wait(self, seconds: float) -> None:
        if self._bell is None:
            return
        ear = self._bell[0]
        if select.select([ear], [], [], seconds)[0]:
            with contextlib.suppress(BlockingIOError):
                ear.recv(4096)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Hear of signals and of children's deaths without delay, and die with ``make`` when it started us."""

        def asked(_number: int, _frame: object) -> None:
            self._stop_signals += 1

        handlers: dict[signal.Signals, Callable[[int, object], None]] = {
            signal.SIGINT: asked,
            signal.SIGTERM: asked,
            signal.SIGHUP: asked,
            signal.SIGCHLD: lambda _number, _frame: None,
        }
        bell = socket.socketpair()
        for end in bell:
            end.setblocking(False)
        self._bell = bell
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        wakeup = signal.set_wakeup_fd(bell[1].fileno(), warn_on_full_buffer=False)
        if os.environ.get("GATEHOUSE_STOP_WITH_PARENT") and sys.platform == "linux":
            ctypes.CDLL(None).prctl(1, int(signal.SIGTERM), 0, 0, 0)  # PR_SET_PDEATHSIG
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._bell = None
            for end in bell:
                end.close()


def say(part: str, text: str) -> None:
    """Write one line for the person at the terminal; a closed terminal is no reason to stop."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {part:<9}  {text}\n")
        sys.stdout.flush()


def _web_command(settings: Settings) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(settings.port)),
        *("--workers", str(settings.web_workers), "--blocking-threads", str(settings.web_threads)),
        *("--respawn-failed-workers", "--respawn-interval", "0.5", "--workers-kill-timeout", f"{DRAIN:.0f}"),
        *("--no-ws", "--http", "1", "--log-level", "warning", "app:app"),
    ]


def _flask(command: str) -> list[str]:
    return [sys.executable, "-m", "flask", "--app", "app", command]


def _lives(child: _Child) -> bool:
    return child.process is not None and child.process.poll() is None


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _cause(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"

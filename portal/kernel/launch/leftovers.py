"""What an earlier PostgreSQL may have left: processes of a killed server, a pid file naming a stranger."""

import os
import signal
import time
from pathlib import Path

from portal.kernel.launch.refusal import LaunchRefused

PID_FILE = "postmaster.pid"
SHUTDOWN_PATIENCE = 20.0
QUIT_PATIENCE = 3.0


def processes_of(data: Path) -> list[int]:
    """Return the PostgreSQL processes that stand in the data folder."""
    real = os.path.realpath(data)
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(entry / "cwd") == real and (entry / "comm").read_text().startswith("postgres"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def clear(data: Path, *, patience: float = SHUTDOWN_PATIENCE) -> None:
    """Leave nothing of an earlier server; the caller holds the folder's lock, so what is there is an orphan.

    A server that is shutting down gets its time. Sessions whose server was killed are told to quit and then
    killed, which PostgreSQL recovers from.

    :raises LaunchRefused: if a whole server stays; then somebody else started it.
    """
    deadline = time.monotonic() + patience
    quit_at: float | None = None
    while remaining := processes_of(data):
        now = time.monotonic()
        if (server := _server_pid(data)) in remaining:
            if now > deadline:
                raise LaunchRefused(f"Another PostgreSQL (process {server}) runs on {data}: stop it, then start again.")
        elif quit_at is None:
            quit_at = now
            _send(remaining, signal.SIGQUIT)
        elif now > quit_at + QUIT_PATIENCE:
            _send(remaining, signal.SIGKILL)
        time.sleep(0.02)
    if Path("/proc/self").exists():
        # Pids start again from 1 in a new container: a stranger under the old number would stop the start.
        (data / PID_FILE).unlink(missing_ok=True)


def _server_pid(data: Path) -> int | None:
    try:
        return int((data / PID_FILE).read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def _send(pids: list[int], signum: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, signum)
        except ProcessLookupError:
            continue

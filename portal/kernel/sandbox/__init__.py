"""Run one function over one hostile file in a process of its own that may neither grow, linger nor write."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

_CHILD = Path(__file__).with_name("child.py")
_ROOT = Path(__file__).resolve().parents[3]
_OUT_OF_MEMORY = 12  # what the child exits with; see child.py


class Failing(StrEnum):
    """How a parser went down; all of them mean "this file could not be read"."""

    TIME = "time"
    MEMORY = "memory"
    CRASH = "crash"


class SandboxFailure(Exception):
    """The function gave no answer: it ran over a limit or died. Try again a few times at most."""

    def __init__(self, failing: Failing, detail: str = "") -> None:
        super().__init__(f"{failing}: {detail}" if detail else str(failing))
        self.failing = failing
        self.detail = detail


def run_limited(
    function: str,
    path: Path,
    *,
    timeout: float = 30,
    memory: int = 768 * 1024 * 1024,
    arguments: Mapping[str, str | int] | None = None,
    answer_bytes: int = 1024 * 1024,
    threads: bool = False,
) -> object:
    """Return what ``module:function(path, **arguments)`` returned, carried over as JSON.

    The process gets no environment, no input, no core file, no children and, where the system allows, no
    network; ``timeout`` limits both its processor time and the wall clock, ``memory`` its address space,
    ``answer_bytes`` the length of its answer. ``threads`` lets it start threads, for a library that cannot do without.

    :raises SandboxFailure: if it ran over a limit, died, or did not answer with JSON.
    """
    limits = {"seconds": int(timeout) + 1, "memory": memory, "answer": answer_bytes, "threads": threads}
    command = [
        sys.executable,
        "-I",
        "-B",
        str(_CHILD),
        str(_ROOT),
        json.dumps(limits),
        function,
        str(path),
        json.dumps(dict(arguments or {})),
    ]
    # A file instead of a pipe: the size limit of the child then bounds what it can make us read.
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as complaint:
        process = subprocess.Popen(  # noqa: S603 - a fixed argument list, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=complaint,
            env={"LANG": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise SandboxFailure(Failing.TIME) from None
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        answer.seek(0)
        complaint.seek(0)
        said = complaint.read(4000).decode(errors="replace").strip().rpartition("\n")[2]
        if code in {-signal.SIGXCPU, -signal.SIGKILL}:
            raise SandboxFailure(Failing.TIME, said)
        if code == _OUT_OF_MEMORY:
            raise SandboxFailure(Failing.MEMORY, said)
        if code:
            raise SandboxFailure(Failing.CRASH, said or f"exit {code}")
        try:
            result: object = json.loads(answer.read())
        except ValueError as error:
            raise SandboxFailure(Failing.CRASH, "no answer") from error
        return result

"""Kill a process before each single step of the disk store, one step later each time, until it comes through."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.s3.servers import PROJECT

_HARNESS = """
import hashlib, io, os, signal, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from portal.kernel.objects import disk as module, disk_files, disk_parts

class Steps:
    '''The os module, in which the n-th step of the disk store is the last of the process.'''
    left = 0
    def __getattr__(self, name):
        real = getattr(os, name)
        if name not in {"open", "write", "fsync", "rename", "mkdir", "link", "fchmod", "close", "listdir"}:
            return real
        def step(*given, **named):
            Steps.left -= 1
            if Steps.left == 0:
                if name == "write":
                    real(given[0], bytes(given[1])[:5])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*given, **named)
        return step

def life(root, step):
    disk = module.DiskStore(root, secret_keys=["k" * 32], clock=lambda: datetime.now(UTC))
    Steps.left = step
    module.os = disk_files.os = disk_parts.os = Steps()
    LIFE

step, code = 0, None
while code != 0:
    step += 1
    child = os.fork()
    if child == 0:
        life(Path(sys.argv[1]) / str(step), step)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code)
"""


def killed_at_each_step(folder: Path, life: str) -> list[Path]:
    """Run these lines with a ``disk`` again and again; return the folders that the killed and the last one left."""
    script = _HARNESS.replace("LIFE", life.strip().replace("\n", "\n    "))
    done = subprocess.run(
        [sys.executable, "-c", script, folder], cwd=PROJECT, capture_output=True, text=True, check=True, env=os.environ
    )
    codes = [int(line) for line in done.stdout.split()]
    assert codes[-1] == 0
    assert set(codes[:-1]) == {-signal.SIGKILL}
    return [folder / str(step) for step in range(1, len(codes) + 1)]

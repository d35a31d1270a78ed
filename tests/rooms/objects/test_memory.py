"""A big file passes through in constant memory."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.rooms.objects.conftest import ALL_S3
from tests.s3.servers import PROJECT, Server

MEASURE = """
import hashlib, json, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from portal.kernel.objects import verified_stream
from portal.kernel.objects.disk import DiskStore
from portal.kernel.objects.s3 import S3Config, S3Store

where = json.loads(sys.argv[1])
clock = lambda: datetime.now(UTC)
if "root" in where:
    store = DiskStore(Path(where["root"]), secret_keys=["k" * 32], clock=clock)
else:
    store = S3Store(S3Config(**where), clock=clock)

def peak_kib():
    # Not getrusage: its maximum starts with that of the process which started this one.
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1])

def pass_through(key, size):
    piece = bytes(64 * 1024)
    pieces = (piece for _ in range(size // len(piece)))
    stored = store.receive(key, pieces, content_type="text/plain", max_bytes=size, expected_size=size)
    for _ in verified_stream(store.open(key, stored.version_id), sha256=stored.sha256, size=stored.size):
        pass

def in_parts(key, parts):
    body = bytes(8_000_000)
    sha256 = hashlib.sha256(body).hexdigest()
    upload = store.begin_parts(key, content_type="text/plain", sha256=None)
    for number in range(1, parts + 1):
        to = store.part_ticket(
            key, upload, number=number, size=len(body), sha256=sha256, expires=timedelta(seconds=120)
        )
        # The application passes the parts on where the store is a disk; else the browser sends them past it.
        pieces = (body[at : at + 65536] for at in range(0, len(body), 65536))
        store.accept_part(to.url.rpartition("/")[2], pieces)
    whole = store.complete_parts(key, upload, content_type="text/plain", size=parts * len(body), parts=parts)
    assert whole.size == parts * len(body)

# The first file loads the libraries and warms the connection; the second, 16 times as long, must need no more.
pass_through("incoming/warm", 12 * 1024 * 1024)
before = peak_kib()
if sys.argv[2] == "parts":
    in_parts("incoming/parts", 2)
    before = peak_kib()
    in_parts("incoming/big", 25)
else:
    pass_through("incoming/big", 200 * 1024 * 1024)
print(peak_kib() - before)
"""


def grown_kib(where: dict[str, object], how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, json.dumps(where), how], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_two_hundred_megabytes_in_parts_need_no_more_memory_than_sixteen(tmp_path: Path) -> None:
    assert grown_kib({"root": str(tmp_path / "evidence")}, "parts") < 16 * 1024


@pytest.mark.parametrize("kind", ["disk", *[p for p in ALL_S3 if p.values != ("moto",)]])
def test_two_hundred_megabytes_need_no_more_memory_than_twelve(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    if kind == "disk":
        where: dict[str, object] = {"root": str(tmp_path / "evidence")}
    else:
        server: Server = request.getfixturevalue(kind)
        where = asdict(server.new_bucket())

    assert grown_kib(where, "whole") < 16 * 1024

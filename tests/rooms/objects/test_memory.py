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
import json, sys
from datetime import UTC, datetime
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

# The first file loads the libraries and warms the connection; the second, 16 times as long, must need no more.
pass_through("incoming/warm", 12 * 1024 * 1024)
before = peak_kib()
pass_through("incoming/big", 200 * 1024 * 1024)
print(peak_kib() - before)
"""


@pytest.mark.parametrize("kind", ["disk", *[p for p in ALL_S3 if p.values != ("moto",)]])
def test_two_hundred_megabytes_need_no_more_memory_than_twelve(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    if kind == "disk":
        where: dict[str, object] = {"root": str(tmp_path / "evidence")}
    else:
        server: Server = request.getfixturevalue(kind)
        where = asdict(server.new_bucket())

    done = subprocess.run(
        [sys.executable, "-c", MEASURE, json.dumps(where)], cwd=PROJECT, capture_output=True, text=True, check=True
    )

    grown_kib = int(done.stdout)
    print(kind, grown_kib)
    assert grown_kib < 16 * 1024

"""Every store the contract is tried on: the disk, and each S3 server as far as it checks things."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from portal.kernel.objects import ObjectStore
from portal.kernel.objects.disk import DiskStore
from portal.kernel.objects.s3 import S3Store
from tests.s3 import servers

ON_S3 = [pytest.mark.s3, pytest.mark.xdist_group("s3")]
CEPH = [pytest.param("ceph", marks=ON_S3)] if servers.asked_for_ceph() else []
ALL_S3 = [pytest.param("moto", marks=pytest.mark.slow), pytest.param("localstack", marks=ON_S3), *CEPH]
STRICT_S3 = [pytest.param("localstack", marks=ON_S3), *CEPH]

NOW = datetime.now(UTC)


def clock() -> datetime:
    return NOW


def disk_store(root: Path, **changed: object) -> DiskStore:
    settings: dict[str, object] = {"secret_keys": ["k" * 32], "clock": clock, "new_id": uuid.uuid4}
    return DiskStore(root, **(settings | changed))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def moto() -> Iterator[servers.Server]:
    with servers.moto() as server:
        yield server


@pytest.fixture(scope="session")
def localstack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    with servers.localstack(tmp_path_factory.mktemp("localstack")) as server:
        yield server


@pytest.fixture(scope="session")
def ceph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    with servers.ceph(tmp_path_factory.mktemp("ceph") / "rgw") as server:
        yield server


@pytest.fixture(params=["disk", *ALL_S3])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """An empty store of each kind."""
    if request.param == "disk":
        return disk_store(tmp_path / "evidence")
    server: servers.Server = request.getfixturevalue(request.param)
    return S3Store(server.new_bucket(), clock=clock)


@pytest.fixture(params=STRICT_S3)
def strict(request: pytest.FixtureRequest) -> servers.Server:
    """An S3 server that verifies presigned addresses."""
    server: servers.Server = request.getfixturevalue(request.param)
    return server

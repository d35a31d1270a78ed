"""Real S3 servers for the tests, each on a free loopback port and gone with the tests.

* moto, from the development environment: right answers only, it verifies no signature.
* LocalStack, in ``.venv-s3`` built from ``requirements-s3.txt``: checks presigned addresses, checksums and conditions.
* Ceph's gateway by ``scripts/s3_rgw.sh``: checks every signature; the folder to start it in is asked for by
  ``GATEHOUSE_TEST_RGW``, and needs root and Debian's packages.
"""

import ctypes
import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import requests
from botocore.config import Config

from portal.kernel.objects.s3 import S3Config

PROJECT = Path(__file__).resolve().parents[2]
PLAIN_HTTP = """
from localstack.http.duplex_socket import DuplexSocket
from localstack.runtime.main import main

DuplexSocket.is_ssl_socket = staticmethod(lambda _socket: False)
main()
"""
"""How LocalStack is started. To tell TLS from plain HTTP it peeks at each new connection, and where nothing has come
yet it leaves that socket blocking: one slow reader then stops the whole server for a second and is cut off."""


@dataclass(frozen=True)
class Server:
    """A running server and what it is known to check, so that tests claim neither more nor less."""

    name: str
    endpoint: str
    access_key: str
    secret_key: str
    checks_presigned: bool
    checks_header_signature: bool
    knows_checksums: bool

    def new_bucket(self, *, versions: bool = True, lock: bool = False) -> S3Config:
        """Return the settings of a fresh bucket."""
        bucket = f"evidence-{uuid.uuid4().hex[:12]}"
        client = self.client()
        client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=lock)
        if versions:
            client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        return S3Config(
            bucket,
            endpoint_url=self.endpoint,
            region="us-east-1",
            access_key=self.access_key,
            secret_key=self.secret_key,
        )

    def client(self):  # type: ignore[no-untyped-def]
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def moto() -> Iterator[Server]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        port = server.get_host_and_port()[1]
        yield Server("moto", f"http://127.0.0.1:{port}", "test", "test", False, False, False)
    finally:
        server.stop()


@contextmanager
def localstack(folder: Path) -> Iterator[Server]:
    python = _localstack_python()
    port = free_port()
    environment = {
        "PATH": f"{python.parent}:/usr/bin:/bin",
        "HOME": str(folder),
        "FILESYSTEM_ROOT": str(folder),
        "SERVICES": "s3",
        "EAGER_SERVICE_LOADING": "1",
        # The default server of this release listens on every address.
        "GATEWAY_SERVER": "hypercorn",
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "S3_SKIP_SIGNATURE_VALIDATION": "0",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",
        "DNS_ADDRESS": "0",
        "PERSISTENCE": "0",
    }
    with (folder / "localstack.log").open("wb") as log:
        process = subprocess.Popen(
            [python, "-c", PLAIN_HTTP],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=_die_with_parent,
        )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        _until_answers(f"{endpoint}/_localstack/health", process, folder / "localstack.log")
        yield Server("localstack", endpoint, "test", "test", True, False, True)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def ceph(folder: Path) -> Iterator[Server]:
    script = PROJECT / "scripts" / "s3_rgw.sh"
    said = subprocess.run(
        [script, "start", folder, str(free_port())], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    facts = dict(line.split("=", 1) for line in said.splitlines())
    try:
        yield Server("ceph", facts["endpoint"], facts["access_key"], facts["secret_key"], True, True, False)
    finally:
        subprocess.run([script, "stop", folder], check=True)


def _localstack_python() -> Path:
    """Build the server's own environment once; later runs, and runs beside this one, use the same."""
    environment = PROJECT / ".venv-s3"
    lock = PROJECT / "requirements-s3.txt"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = environment / "built-from"
    with (PROJECT / ".venv-s3.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(environment, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
            python = environment / "bin" / "python"
            subprocess.run(
                [sys.executable, "-m", "uv", "pip", "sync", "-q", "--python", python, "--require-hashes", lock],
                check=True,
            )
            stamp.write_text(wanted)
    return environment / "bin" / "python"


def _die_with_parent() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _until_answers(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"LocalStack ended while starting:\n{log.read_text()[-2000:]}")
        try:
            if requests.get(address, timeout=5).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.1)  # the one wait: for a process of ours to come up
    raise RuntimeError(f"LocalStack did not answer within a minute:\n{log.read_text()[-2000:]}")


def asked_for_ceph() -> bool:
    return bool(os.environ.get("GATEHOUSE_TEST_RGW"))

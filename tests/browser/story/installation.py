"""Gatehouse as a new user starts it: a supervisor of its own, on a folder and a port of its own, without the demo."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from portal.kernel import embedded
from portal.kernel.embedded import EmbeddedPostgres
from tests.s3 import servers

PROJECT = Path(__file__).resolve().parents[3]
BROKEN = re.compile(r"Traceback|Exception on|\[error|\[critical|content security policy report|stopped by itself")
PATIENCE = 90.0
KEPT_FROM_OUR_ENVIRONMENT = ("PATH", "HOME", "LANG", "PG_BIN", "LD_LIBRARY_PATH", "TMPDIR")


@dataclass
class Installation:
    """One running Gatehouse: where it answers, and what its operator can do on the command line."""

    var: Path
    port: int
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    clients: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Everything that its processes said."""
        return self.var.parent / "server.log"

    def start(self) -> None:
        """Start it as ``make run`` does, and return when it answers."""
        with self.log.open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "app.py", "serve"],
                cwd=PROJECT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self.process.poll() is None, f"It did not start:\n{self.log.read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"It does not answer:\n{self.log.read_text()[-3000:]}"
            time.sleep(0.1)  # a process of ours that comes up

    def stop(self) -> None:
        """Stop it in order."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def flask(self, *words: str) -> str:
        """Run one of the operator's commands beside the server, and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "app", *words],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, f"flask {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def gate(self, token: str, **question: str) -> dict[str, Any]:
        """Ask the gate as another system does: plain HTTP, a bearer token, no cookie."""
        return self._get(f"/api/v1/gate?{urllib.parse.urlencode(question)}", token)

    def keys(self) -> dict[str, Any]:
        """Return the published keys that verify statements."""
        return self._get("/api/v1/gate/keys", None)

    def minutes_pass(self, minutes: int) -> None:
        """Let the last code that anybody gave be so much older, as if everybody had gone for a coffee."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute("UPDATE web_session SET fresh_at = fresh_at - make_interval(mins => %s)", [minutes])

    @property
    def database(self) -> str:
        """Its database as libpq reads it."""
        url = self.environment.get("GATEHOUSE_DATABASE_URL") or embedded.database_url(self.var / "postgres")
        assert url, "its database runs"
        return url.replace("+psycopg", "", 1)

    def troubles(self) -> list[str]:
        """Return the lines of its log that tell of a bug, a policy violation or a process that died."""
        return [line for line in self.log.read_text().splitlines() if BROKEN.search(line)]

    def _get(self, path: str, token: str | None) -> dict[str, Any]:
        request = urllib.request.Request(self.url + path)  # noqa: S310 - our own http
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own http
            told: dict[str, Any] = json.load(answer)
        return told

    def _answers(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException, urllib.error.URLError):
            return bool(self._get("/health/ready", None)["status"] == "ok")
        return False


@contextlib.contextmanager
def installed(folder: Path, extra: dict[str, str] | None = None, *, port: int | None = None) -> Iterator[Installation]:
    """Run one on its own embedded database and store, or on what ``extra`` names, and stop it at the end."""
    chosen = port or servers.free_port()
    environment = {name: os.environ[name] for name in KEPT_FROM_OUR_ENVIRONMENT if name in os.environ}
    environment |= {"GATEHOUSE_VAR": str(folder / "var"), "PORT": str(chosen), "PYTHONUNBUFFERED": "1"}
    running = Installation(folder / "var", chosen, environment | (extra or {}))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@contextlib.contextmanager
def on_others(folder: Path, s3: servers.Server) -> Iterator[Installation]:
    """Run one on a PostgreSQL that is given by URL and on an S3 bucket, both set up as docs tell an operator.

    The role owns its database and may make roles, and nothing more: that is all the migrations need.
    """
    port = servers.free_port()
    with EmbeddedPostgres(folder / "elsewhere" / "postgres") as server:
        with psycopg.connect(_plain(server.url("postgres", role=embedded.SUPERUSER)), autocommit=True) as owner:
            owner.execute("CREATE ROLE portal LOGIN CREATEROLE NOSUPERUSER NOCREATEDB NOBYPASSRLS")
            owner.execute("CREATE DATABASE portal OWNER portal")
        bucket = s3.new_bucket()
        rule = {
            "AllowedOrigins": [f"http://127.0.0.1:{port}"],
            "AllowedMethods": ["PUT"],
            "AllowedHeaders": ["content-type", "if-none-match", "x-amz-checksum-sha256"],
        }
        s3.client().put_bucket_cors(Bucket=bucket.bucket, CORSConfiguration={"CORSRules": [rule]})
        extra = {
            "GATEHOUSE_DATABASE_URL": _plain(server.url("portal", role="portal")),
            "GATEHOUSE_S3_BUCKET": bucket.bucket,
            "GATEHOUSE_S3_ENDPOINT_URL": s3.endpoint,
            "GATEHOUSE_S3_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": s3.access_key,
            "AWS_SECRET_ACCESS_KEY": s3.secret_key,
        }
        with installed(folder, extra, port=port) as running:
            yield running


def _plain(url: str) -> str:
    return url.replace("+psycopg", "", 1)

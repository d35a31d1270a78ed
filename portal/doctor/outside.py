"""What can be told from the neighbours: the evidence store, the malware scanner, the mail server."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from portal.delivery import queries as delivery
from portal.delivery import transport
from portal.doctor.bucket import bucket
from portal.doctor.configuration import LOCAL
from portal.doctor.findings import Finding, counted, fail, ok, warn
from portal.kernel import clamd
from portal.kernel.actor import system
from portal.kernel.objects import Reason, StoreUnavailable

if TYPE_CHECKING:
    from portal.wiring import House

OLD_SIGNATURES = timedelta(days=3)
STALE_SIGNATURES = timedelta(days=14)
SLOW_MAIL = timedelta(minutes=15)
STUCK_MAIL = timedelta(hours=4)

_STORE_ADVICE = {
    Reason.DOWN: "Check that the store runs and that this machine reaches it",
    Reason.SLOW: "Check the network to the store",
    Reason.FORBIDDEN: "Check the credentials and the policy: docs/operations.md, S3",
    Reason.NO_SPACE: "Make room",
    Reason.MISCONFIGURED: "Check the bucket's name, region and versioning: docs/operations.md, S3",
}


def store(house: House) -> Iterator[Finding]:
    """Say whether evidence can be kept, and for a bucket whether it is set up as it should be."""
    given = house.settings
    name = f"bucket {given.s3_bucket}" if given.s3_bucket else f"folder {given.evidence_path}"
    try:
        house.store.probe()
    except StoreUnavailable as refusal:
        yield fail("store", f"{name}: {refusal}", _STORE_ADVICE[refusal.reason])
        return
    yield ok("store", f"{name} answers" + (" and keeps versions" if given.s3_bucket else " and can be written"))
    if not given.s3_bucket:
        return
    endpoint = urlsplit(given.s3_endpoint_url or "https://")
    if endpoint.scheme != "https":
        here = (endpoint.hostname or "") in LOCAL
        said = f"{given.s3_endpoint_url} is not encrypted on the way"
        if given.production and not here:
            yield fail("store", said, "Give the store a certificate and use https")
        else:
            yield warn("store", said, "Use https outside of development")
    yield from bucket(_client(house), given)


def _client(house: House) -> Any:
    import boto3
    from botocore.config import Config

    given = house.settings
    return boto3.session.Session().client(
        "s3",
        endpoint_url=given.s3_endpoint_url,
        region_name=given.s3_region or ("us-east-1" if given.s3_endpoint_url else None),
        config=Config(
            signature_version="s3v4",
            connect_timeout=10,
            read_timeout=10,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path" if given.s3_endpoint_url else "auto"},
        ),
    )


def scanner(house: House, *, now: datetime | None = None) -> Iterator[Finding]:
    """Say whether files are scanned, with signatures of today."""
    url = house.settings.scanner_url
    if not url and house.settings.scanner_required:
        said = "GATEHOUSE_SCANNER_REQUIRED is set and no scanner is named: every file waits and cannot be opened"
        yield fail("scanner", said, "Name clamd in GATEHOUSE_SCANNER_URL, or unset GATEHOUSE_SCANNER_REQUIRED")
        return
    if not url:
        said = "GATEHOUSE_SCANNER_URL is not set: files are kept as “not scanned”, and reviewers are told so"
        if house.settings.production:
            yield warn("scanner", said, "Run clamd and name it: tcp://127.0.0.1:3310 or unix:///run/clamav/clamd.ctl")
        else:
            yield ok("scanner", said)
        return
    try:
        known = clamd.signatures(url, timeout=5)
    except clamd.ScannerUnavailable as refusal:
        yield fail("scanner", f"{url}: {refusal}", "Start clamd: files wait and cannot be opened until it answers")
        return
    if known.number is None or known.published_at is None:
        yield fail("scanner", f"ClamAV {known.engine} has no signatures", "Run freshclam and reload clamd")
        return
    age = (now or datetime.now(UTC)) - known.published_at
    said = f"ClamAV {known.engine}, signatures {known.number} of {known.published_at:%Y-%m-%d}"
    if age > STALE_SIGNATURES:
        yield fail("scanner", f"{said}, {age.days} days old", "Run freshclam and reload clamd")
    elif age > OLD_SIGNATURES:
        yield warn("scanner", f"{said}, {age.days} days old", "See why freshclam does not run")
    else:
        yield ok("scanner", said)


def mail(house: House) -> Iterator[Finding]:
    """Say whether mail can leave."""
    given = house.settings
    problems = transport.problems(given.smtp_url, production=given.production)
    for problem in problems:
        yield fail("mail", problem, "Set GATEHOUSE_SMTP_URL and restart the workers")
    if problems:
        return
    if not given.smtp_url:
        yield ok("mail", f"development: mail is read at {given.base_url}/lab/mail")
        return
    server = transport.Server.of(given.smtp_url)
    try:
        with socket.create_connection((server.host, server.port), timeout=5):
            yield ok("mail", f"{server.host}:{server.port} answers")
    except OSError as failure:
        yield fail(
            "mail",
            f"{server.host}:{server.port} does not answer ({type(failure).__name__})",
            "Check the server and the way to it; mail waits meanwhile and is tried again",
        )


def backlog(house: House) -> Iterator[Finding]:
    """Say what waits and what was given up."""
    with house.ledger.begin(system("doctor")) as tx:
        found = delivery.backlog(tx)
        age = tx.now - found.oldest if found.oldest else timedelta()
    if age > STUCK_MAIL:
        yield fail(
            "mail",
            f"waiting: {counted(found.queued, 'mail')}, the oldest for {_hours(age)}",
            "See the worker and the server",
        )
    elif age > SLOW_MAIL:
        yield warn(
            "mail",
            f"waiting: {counted(found.queued, 'mail')}, the oldest for {_hours(age)}",
            "See the worker and the server",
        )
    else:
        yield ok("mail", f"waiting: {counted(found.queued, 'mail')}")
    if found.failed:
        yield warn("mail", f"not delivered: {counted(found.failed, 'mail')}", "See /lab/mail for whom and why")
    if found.parked_jobs:
        yield warn("jobs", f"given up: {counted(found.parked_jobs, 'job')}", "See /lab/mail for which and why")


def _hours(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"

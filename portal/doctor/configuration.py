"""What can be told from the settings, the key files and the room on the disk alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from portal.doctor.findings import Finding, fail, ok, warn
from portal.kernel import signing
from portal.settings import Settings

if TYPE_CHECKING:
    from portal.wiring import House

SOON = timedelta(days=30)
"""A signing key that ends within this time is to be followed by the next one."""
FULL = 256 * 2**20
NEARLY_FULL = 2 * 2**30
LOCAL = {"", "localhost", "127.0.0.1", "::1", "[::1]"}


def settings(house: House) -> Iterator[Finding]:
    """Say what makes the settings unusable, and what is allowed but rarely meant."""
    given = house.settings
    problems = given.problems()
    for problem in problems:
        yield fail("settings", problem, "Correct the variable and start again; docs/operations.md lists each")
    if not problems:
        yield ok("settings", f"{given.env}, {given.base_url}, serving {', '.join(sorted(given.sites))}")
    if given.s3_kms_key and not given.s3_bucket:
        yield warn(
            "settings",
            "GATEHOUSE_S3_KMS_KEY encrypts nothing: no bucket is set",
            "Set GATEHOUSE_S3_BUCKET, or encrypt the disk of the evidence folder",
        )
    if given.production:
        yield from _production(given)


def _production(given: Settings) -> Iterator[Finding]:
    if given.lab_name == Settings().lab_name:
        yield warn(
            "settings",
            f"the lab is still called {given.lab_name}, as in the demo",
            "Set GATEHOUSE_LAB_NAME: it stands on every page and in every mail",
        )
    if given.mail_from.endswith("@localhost"):
        yield warn(
            "settings", f"mail is sent from {given.mail_from}", "Set GATEHOUSE_MAIL_FROM to an address of your domain"
        )
    if given.trusted_proxies == 0:
        yield warn(
            "settings",
            "GATEHOUSE_TRUSTED_PROXIES is 0: behind a proxy, all visitors share the proxy's address and its limits",
            "Set it to the number of proxies in front that write X-Forwarded-For",
        )
    if given.database_url:
        url = sa.make_url(given.database_url)
        mode = url.query.get("sslmode")
        host = url.host or ""
        if host not in LOCAL and not host.startswith("/") and mode != "verify-full":
            yield warn(
                "settings",
                f"the database at {host} is spoken to with sslmode={mode or 'prefer'}, which does not prove who it is",
                "Add ?sslmode=verify-full&sslrootcert=/path/ca.pem to GATEHOUSE_DATABASE_URL",
            )


def keys(house: House) -> Iterator[Finding]:
    """Say whether statements can be signed now, and until when."""
    path = house.signing_keys
    try:
        signer = signing.load(path)
        mode = path.stat().st_mode & 0o077 if path.exists() else 0
    except (OSError, ValueError, KeyError, TypeError) as problem:
        yield fail(
            "keys",
            f"{path} cannot be read as a key file ({type(problem).__name__})",
            "Restore it from the backup: the gate answers 503 without it",
        )
        return
    now = datetime.now(UTC)
    in_force = [key for key in signer.keys if key.not_before <= now < key.not_after]
    if not signer.keys:
        yield fail("keys", f"there is no signing key at {path}", "Run flask init, or restore the file from the backup")
    elif not in_force:
        yield fail(
            "keys", f"no key of {path} is in force now", "Add a key to the file: docs/operations.md, Signing keys"
        )
    else:
        last = max(key.not_after for key in signer.keys)
        said = f"key {in_force[-1].kid} signs; the last key ends on {last:%Y-%m-%d}"
        if last - now < SOON:
            yield warn("keys", said, "Add the next key to the file: docs/operations.md, Signing keys")
        else:
            yield ok("keys", said)
    if mode:
        yield fail("keys", f"{path} may be read by others", f"chmod 600 {path}")


def disk(house: House) -> Iterator[Finding]:
    """Say how much room is left where this process writes."""
    places = {"data": house.settings.var_dir}
    if not house.settings.s3_bucket:
        places["evidence"] = house.settings.evidence_path
    seen: set[int] = set()
    for name, place in places.items():
        there = _existing(place)
        device = there.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(there).free
        said = f"{free / 2**30:.1f} GB free for {name} in {place}"
        if free < FULL:
            yield fail("disk", said, "Make room now: the database and the evidence store stop taking anything in")
        elif free < NEARLY_FULL:
            yield warn("disk", said, "Make room before it is full")
        else:
            yield ok("disk", said)


def _existing(path: Path) -> Path:
    """Return the nearest folder above that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path

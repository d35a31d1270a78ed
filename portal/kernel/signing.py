"""Signed statements: DSSE envelopes (protocol v1.0.2) with Ed25519, and the keys that open them.

The signature covers the payload's very bytes and its type, so nothing has to be put into a canonical form to verify.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from portal.kernel.canonical import canonical_bytes
from portal.kernel.errors import Unavailable
from portal.kernel.logging import logger

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One private key and when it signs. ``kid`` is a hint for the verifier, never trusted by itself."""

    kid: str
    private: bytes
    not_before: datetime
    not_after: datetime

    @property
    def public(self) -> bytes:
        """The 32 bytes that verify."""
        return Ed25519PrivateKey.from_private_bytes(self.private).public_key().public_bytes_raw()


def pae(kind: str, body: bytes) -> bytes:
    """Return the pre-authentication encoding of a payload: what is signed (DSSE protocol v1.0.2)."""
    name = kind.encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(body), body)


class Signer:
    """Signs statements with the keys of a file; the newest key in force signs."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self._keys = _in_order(keys)

    @property
    def keys(self) -> tuple[SigningKey, ...]:
        """The keys that there are, the oldest first."""
        return self._keys

    def sign(self, kind: str, statement: dict[str, Any], *, now: datetime) -> dict[str, Any]:
        """Return the envelope of a statement.

        :raises Unavailable: if no key is in force; an unsigned statement is never given.
        """
        in_force = [key for key in self.keys if key.not_before <= now < key.not_after]
        if not in_force:
            raise Unavailable("No signing key is in force. Nothing can be stated.", retry_after=60)
        key = in_force[-1]
        body = canonical_bytes(statement)
        signature = Ed25519PrivateKey.from_private_bytes(key.private).sign(pae(kind, body))
        return {
            "payloadType": kind,
            "payload": base64.b64encode(body).decode(),
            "signatures": [{"keyid": key.kid, "sig": base64.b64encode(signature).decode()}],
        }

    def published(self) -> list[dict[str, str]]:
        """Return the public keys with their validity, as JSON Web Keys (RFC 8037) plus our window."""
        return [
            {
                "kid": key.kid,
                "kty": "OKP",
                "crv": "Ed25519",
                "use": "sig",
                "x": base64.urlsafe_b64encode(key.public).rstrip(b"=").decode(),
                "not_before": key.not_before.isoformat(),
                "not_after": key.not_after.isoformat(),
            }
            for key in self.keys
        ]


class FileSigner(Signer):
    """Signs with the keys that stand in the file at that moment: a key that is added, ended or removed counts at once.

    A file that is away or cannot be read holds no key. Nothing is signed with what it held before.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(())
        self._path = path
        # One value, so that threads never see the state of one file with the keys of another.
        self._held: tuple[tuple[int, ...], tuple[SigningKey, ...]] | None = None

    @property
    def keys(self) -> tuple[SigningKey, ...]:
        """The keys of the file as it is now, the oldest first."""
        try:
            # The look at the file comes first: if it changes while it is read, it is read again the next time.
            found = self._path.stat()
            state = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            held = self._held
            if held is None or held[0] != state:
                held = self._held = (state, load(self._path).keys)
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, KeyError, TypeError) as problem:
            log.error("signing keys cannot be read", reason=type(problem).__name__)
            return ()
        return held[1]


def _in_order(keys: Sequence[SigningKey]) -> tuple[SigningKey, ...]:
    return tuple(sorted(keys, key=lambda key: key.not_before))


def verify(envelope: dict[str, Any], public: bytes, *, kind: str) -> bytes:
    """Return the payload's bytes if one signature of the envelope is this key's.

    :raises ValueError: if the type is another one, or no signature fits.
    """
    if envelope.get("payloadType") != kind:
        raise ValueError("another type of statement")
    body = base64.b64decode(envelope["payload"], validate=True)
    key = Ed25519PublicKey.from_public_bytes(public)
    for signature in envelope["signatures"]:
        try:
            key.verify(base64.b64decode(signature["sig"], validate=True), pae(kind, body))
        except InvalidSignature:
            continue
        return body
    raise ValueError("no signature fits")


def load(path: Path) -> Signer:
    """Return the signer of a key file; one without keys if there is no file.

    :raises ValueError: if the file is not one of ours.
    """
    if not path.exists():
        return Signer(())
    rows = json.loads(path.read_text())
    return Signer(
        [
            SigningKey(
                kid=row["kid"],
                private=base64.b64decode(row["private"]),
                not_before=datetime.fromisoformat(row["not_before"]),
                not_after=datetime.fromisoformat(row["not_after"]),
            )
            for row in rows
        ]
    )


def make_file(path: Path, *, now: datetime, life: timedelta = timedelta(days=730)) -> bool:
    """Make a key file with one key if there is none; return whether it was made. Owner-readable only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w") as file:
        json.dump([_new_key(now - timedelta(minutes=5), now + life)], file, indent=1)
    return True


def add_key(path: Path, *, begins: datetime, life: timedelta = timedelta(days=730)) -> str:
    """Add a key that signs from a moment on, and return its ``kid``.

    The keys before it stay, to verify what they signed. The file is replaced in one step: whoever reads it sees the old
    or the new one, whole.

    :raises FileNotFoundError: if there is no key file.
    :raises ValueError: if the file is not one of ours, or has a key that begins later: that one would sign, not this.
    """
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        # Two who add at once come one after the other, so that no key is lost.
        fcntl.flock(folder, fcntl.LOCK_EX)
        rows = json.loads(path.read_text())
        if any(key.not_before >= begins for key in load(path).keys):
            raise ValueError("a key of the file begins later")
        row = _new_key(begins, begins + life)
        beside = path.with_name(f".{path.name}.new")
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            json.dump([*rows, row], file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.chown(beside, path.stat().st_uid, path.stat().st_gid)
        beside.replace(path)
        os.fsync(folder)
    finally:
        os.close(folder)
    return row["kid"]


def _new_key(begins: datetime, ends: datetime) -> dict[str, str]:
    private = Ed25519PrivateKey.generate()
    return {
        "kid": hashlib.sha256(private.public_key().public_bytes_raw()).hexdigest()[:16],
        "private": base64.b64encode(private.private_bytes_raw()).decode(),
        "not_before": begins.isoformat(),
        "not_after": ends.isoformat(),
    }

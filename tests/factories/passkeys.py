"""A software authenticator: makes passkeys and answers challenges as a browser with a device would."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from portal.identity.models import Passkey

ORIGIN = "http://localhost:8000"
RP_ID = "localhost"

PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40


def encoded(raw: bytes) -> str:
    """Return bytes as WebAuthn's JSON has them."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Return the bytes of a value of WebAuthn's JSON."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def passkey_of(user_id: UUID, passkey_id: UUID, *, at: datetime) -> Passkey:
    """Return the row of a passkey whose device is nowhere: for pages that show it."""
    return Passkey(
        id=passkey_id,
        user_id=user_id,
        credential_id=passkey_id.bytes,
        public_key=b"nobody holds the other half",
        label="Work laptop",
        transports=[],
        aaguid="",
        backup_eligible=False,
        backed_up=False,
        sign_count=0,
        created_at=at,
    )


@dataclass
class Authenticator:
    """One passkey in one device. Change a field to make it lie."""

    origin: str = ORIGIN
    rp_id: str = RP_ID
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    sign_count: int = 0
    counts: bool = True
    flags: int = PRESENT | VERIFIED
    user_handle: bytes = b""

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the credential that the browser makes of these options."""
        self.user_handle = decoded(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        key = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + key
        data = self._data(self.flags | ATTESTED) + attested
        client = self._client("webauthn.create", options["challenge"])
        return {
            **self._head(),
            "response": {
                "clientDataJSON": encoded(client),
                "attestationObject": encoded(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
                "transports": ["internal"],
            },
        }

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the credential that the browser shows for these options."""
        if self.counts:
            self.sign_count += 1
        data = self._data(self.flags)
        client = self._client("webauthn.get", options["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return {
            **self._head(),
            "response": {
                "clientDataJSON": encoded(client),
                "authenticatorData": encoded(data),
                "signature": encoded(signature),
                "userHandle": encoded(self.user_handle),
            },
        }

    def _head(self) -> dict[str, Any]:
        name = encoded(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "clientExtensionResults": {}}

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.sign_count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(told, separators=(",", ":")).encode()

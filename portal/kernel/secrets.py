"""Secrets: one-time tokens that are never stored, and sealed values that are stored unreadable."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

TOKEN_BYTES = 32


def new_token() -> str:
    """Return 256 bits of chance, URL-safe."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_digest(token: str) -> bytes:
    """Return what is stored of a token: its SHA-256. Enough for a value with 256 bits of chance."""
    return hashlib.sha256(token.encode()).digest()


class Keyring:
    """Keys derived from GATEHOUSE_SECRET_KEY: the first signs and seals, all verify and open."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("at least one secret key")
        self._keys = tuple(keys)
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(self._derive(key, b"seal"))) for key in self._keys])

    @staticmethod
    def _derive(key: str, purpose: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"gatehouse:" + purpose).derive(key.encode())

    def derive_token(self, purpose: str, *parts: object) -> str:
        """Return the one-time token of a stored row: recomputed when a mail leaves, so never at rest.

        :param purpose: what it opens, for example "invitation"; two purposes never share a token.
        """
        message = "\x1f".join([purpose, *map(str, parts)]).encode()
        mac = hmac.new(self._derive(self._keys[0], b"token"), message, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()

    def mac(self, purpose: str, *parts: object) -> str:
        """Return what proves later that these parts came from here: a keyed digest, URL-safe."""
        return self._macs(purpose, parts)[0]

    def is_ours(self, mac: str, purpose: str, *parts: object) -> bool:
        """Tell whether a key of the ring made this proof of exactly these parts."""
        given = mac.encode()
        return any(hmac.compare_digest(given, made.encode()) for made in self._macs(purpose, parts))

    def _macs(self, purpose: str, parts: Sequence[object]) -> list[str]:
        message = b"".join(
            len(piece).to_bytes(8, "big") + piece for piece in (str(p).encode() for p in (purpose, *parts))
        )
        digests = (hmac.new(self._derive(key, b"mac"), message, hashlib.sha256).digest() for key in self._keys)
        return [base64.urlsafe_b64encode(digest).rstrip(b"=").decode() for digest in digests]

    def seal(self, text: str) -> bytes:
        """Encrypt a text for storage."""
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Return the text of a sealed value.

        :raises ValueError: if no key of the ring opens it.
        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as refusal:
            raise ValueError("sealed with another key") from refusal

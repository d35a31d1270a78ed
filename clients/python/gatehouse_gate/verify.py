"""Verify a gate statement offline: gatehouse-verify ANSWER.json KEYS.json AUDIENCE (docs/verify.md)."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TYPE = "application/vnd.gatehouse.gate+json"
SKEW = timedelta(seconds=30)
"""How far our clock may be behind the gate's. The end of a statement knows no such grace."""


class Unverified(ValueError):
    """The statement proves nothing; whoever relies on it says no."""


def verified(
    envelope: Mapping[str, Any], keys: Iterable[Mapping[str, str]], *, audience: str, now: datetime, kind: str = TYPE
) -> dict[str, Any]:
    """Return what a statement says (DSSE protocol 1.0.2, Ed25519); raise ``Unverified`` if it proves nothing.

    ``keys`` come from our own copy, never from the envelope; ``audience`` is the id of our own service client.
    """
    try:
        if envelope["payloadType"] != kind:
            raise Unverified("another type of statement")
        body = base64.b64decode(envelope["payload"], validate=True)
        signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(body), body)
        given = [base64.b64decode(each["sig"], validate=True) for each in envelope["signatures"]]
        usable = [key for key in keys if _time(key["not_before"]) <= now + SKEW and now < _time(key["not_after"])]
        if not any(_fits(base64.urlsafe_b64decode(key["x"] + "="), sig, signed) for key in usable for sig in given):
            raise Unverified("no signature fits")
        statement: dict[str, Any] = json.loads(body)
        if statement["type"] != kind or statement["audience"] != audience:
            raise Unverified("not made for us")
        if not (_time(statement["issued_at"]) <= now + SKEW and now < _time(statement["expires_at"])):
            raise Unverified("out of its time")
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise problem if isinstance(problem, Unverified) else Unverified(f"not a statement: {problem}") from problem
    return statement


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _fits(public: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def main() -> int:
    """Print what an answer's statement says, for the command line; 1 if it proves nothing."""
    answer, keys = (json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:3])
    try:
        said = verified(answer["statement"], keys["keys"], audience=sys.argv[3], now=datetime.now(UTC))
    except Unverified as problem:
        sys.stdout.write(f"deny: {problem}\n")
        return 1
    sys.stdout.write(f"{said['decision']} {said['question']} until {said['expires_at']}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

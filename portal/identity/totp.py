"""Authenticator codes (RFC 6238) and recovery codes. Time is a parameter."""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime

import pyotp

STEP_SECONDS = 30
TOLERANCE = (0, -1, 1)
"""One step either way, for clocks that are a little off (security.md R14)."""
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_GROUPS, _GROUP = 4, 4
"""80 bits a recovery code; at least 20 are demanded (ASVS 6.5.4)."""


def new_secret() -> str:
    """Return a fresh secret of 160 bits, in base 32."""
    return pyotp.random_base32()


def uri(secret: str, *, email: str, issuer: str) -> str:
    """Return the otpauth address that authenticator apps read from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


def grouped(secret: str) -> str:
    """Return the secret in groups of four, for typing."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def step_at(now: datetime) -> int:
    """Return the number of the 30-second step of an instant."""
    return int(now.timestamp()) // STEP_SECONDS


def code_at(secret: str, step: int) -> str:
    """Return the code of a step."""
    return pyotp.TOTP(secret).generate_otp(step)


def matching_step(secret: str, code: str, *, now: datetime, after: int) -> int | None:
    """Return the step whose code this is, None if it is wrong or its step was used before (ASVS 6.5.1).

    :param after: the last step used; only later ones count.
    """
    digits = re.sub(r"\s", "", code)
    if not re.fullmatch(r"[0-9]{6}", digits):
        return None
    here = step_at(now)
    found = None
    for offset in TOLERANCE:
        step = here + offset
        if hmac.compare_digest(code_at(secret, step), digits) and step > after and found is None:
            found = step
    return found


def new_recovery_code() -> str:
    """Return a recovery code such as 7KQM-2HXV-9RTC-W4NP, from the system's source of chance."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


def as_recovery_code(text: str) -> str | None:
    """Return the recovery code that was typed, in one form, or None if it cannot be one."""
    plain = re.sub(r"[\s-]", "", text).upper()
    if len(plain) != _GROUPS * _GROUP or any(letter not in _ALPHABET for letter in plain):
        return None
    return plain

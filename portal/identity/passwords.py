"""Passwords: what is accepted (NIST SP 800-63B-4, 3.1.1.2) and how they are kept (argon2id)."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from threading import BoundedSemaphore

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import hash_secret_raw
from zxcvbn.frequency_lists import FREQUENCY_LISTS
from zxcvbn.matching import l33t_match

from portal.kernel.errors import Unavailable
from portal.kernel.words import said

MIN_LENGTH = 12
MAX_LENGTH = 200
AT_ONCE = 4
"""Hashes made at the same time in one process: 4 × 19 MiB, so that a flood of sign-ins cannot take the memory."""
LONGEST_WAIT = 5.0
_SHORTEST_CONTEXT = 4
_OWN_PART = 8
"""How many letters must be left of a password once the words anybody would guess here are taken out."""
_ALWAYS = ("gatehouse", "password", "passphrase", "annotation", "labelling", "security")


@dataclass(frozen=True, slots=True)
class _Cost:
    memory_kib: int
    passes: int
    lanes: int


_COSTS = {"strong": _Cost(19 * 1024, 2, 1), "test": _Cost(8, 1, 1)}
"""OWASP's second argon2id profile; the test profile is refused nowhere because it never leaves the tests."""


class Hasher:
    """Hashes and verifies, a few at a time, and as slowly for nobody as for somebody."""

    def __init__(self, profile: str) -> None:
        """``profile`` is "strong", or "test" for speed without safety."""
        cost = _COSTS[profile]
        self._cost = cost
        self._hasher = PasswordHasher(cost.passes, cost.memory_kib, cost.lanes, type=Type.ID)
        self._turns = BoundedSemaphore(AT_ONCE)
        self._nobody = self._hasher.hash("nobody's password")

    def hash(self, password: str) -> str:
        """Return what is stored of a password.

        :raises Unavailable: if too many are being made.
        """
        with self._turn():
            return self._hasher.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Return whether the password is the stored one; takes as long when nothing is stored.

        :raises Unavailable: if too many are being checked.
        """
        with self._turn():
            try:
                right = self._hasher.verify(stored or self._nobody, password)
            except (VerificationError, InvalidHashError):
                return False
        return right and stored is not None

    def outdated(self, stored: str) -> bool:
        """Return whether a stored hash was made at another cost than today's (ASVS 11.4.2)."""
        return self._hasher.check_needs_rehash(stored)

    def hash_code(self, code: str, *, salt: bytes) -> str:
        """Return what is stored of a recovery code; salted by its owner, so that one hash finds it.

        :raises Unavailable: if too many are being made.
        """
        cost = self._cost
        with self._turn():
            raw = hash_secret_raw(code.encode(), salt, cost.passes, cost.memory_kib, cost.lanes, 32, Type.ID)
        return base64.b64encode(raw).decode()

    def _turn(self) -> _Turn:
        return _Turn(self._turns)


class _Turn:
    def __init__(self, turns: BoundedSemaphore) -> None:
        self._turns = turns

    def __enter__(self) -> None:
        if not self._turns.acquire(timeout=LONGEST_WAIT):
            raise Unavailable("Many people are signing in. Try again in a few seconds.")

    def __exit__(self, *_: object) -> None:
        self._turns.release()


@cache
def hasher(profile: str = "strong") -> Hasher:
    """Return the process's hasher of a profile."""
    return Hasher(profile)


def problem(password: str, *, about: Iterable[str] = ()) -> str | None:
    """Return why a password cannot be taken, in words, or None.

    No rules of composition, no expiry, compared exactly as given (ASVS 6.2.5, 6.2.8, 6.2.10).

    :param about: names anybody would try here: the lab, the vendor, the person, the address (ASVS 6.2.11).
    """
    if len(password) < MIN_LENGTH:
        return said(
            "Choose a password with at least %(least)s characters, for example four unrelated words", least=MIN_LENGTH
        )
    if len(password) > MAX_LENGTH:
        return said("The password must be %(most)s characters or fewer", most=MAX_LENGTH)
    if _is_common(password):
        return said("That password is among the first that are tried. Choose another, for example four unrelated words")
    if word := _leans_on(password, about):
        return said(
            "Without “%(word)s” too little of that password is left to guess. Choose one that does not lean on it",
            word=word,
        )
    return None


@cache
def _common() -> frozenset[str]:
    return frozenset(word for words in FREQUENCY_LISTS.values() for word in words)


@cache
def _ranked() -> dict[str, dict[str, int]]:
    return {"passwords": {word: rank for rank, word in enumerate(FREQUENCY_LISTS["passwords"], 1)}}


def _is_common(password: str) -> bool:
    """Say whether it is a listed password or word, also repeated, counted up, or written with look-alike signs."""
    lower = password.lower()
    if lower in _common():
        return True
    if len(set(lower)) <= 3:
        return True
    steps = {ord(b) - ord(a) for a, b in pairwise(lower)}
    if steps <= {1, -9} or steps <= {-1, 9}:
        return True
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", lower)
    if core in _common() and len(lower) - len(core) <= len(core) + 4:
        return True
    for size in range(1, len(lower) // 2 + 1):
        if len(lower) % size == 0 and lower == lower[:size] * (len(lower) // size):
            return size < _OWN_PART or lower[:size] in _common()
    if len(password) > 40:
        return False
    return any(len(found["token"]) >= len(password) - 3 for found in l33t_match(password, _ranked()))


def _leans_on(password: str, about: Iterable[str]) -> str | None:
    words = {part for text in (*about, *_ALWAYS) for part in re.split(r"[\W_\d]+", text.lower())}
    left, first = password.lower(), None
    for word in sorted((word for word in words if len(word) >= _SHORTEST_CONTEXT), key=lambda word: (-len(word), word)):
        if word in left:
            first = first or word
            left = left.replace(word, "")
    own = re.sub(r"[\W\d_]", "", left)
    return first if first is not None and len(own) < _OWN_PART else None

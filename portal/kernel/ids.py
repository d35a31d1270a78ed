"""Ids: UUIDs that sort by time (RFC 9562, version 7), and counted ones for tests."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import count
from uuid import UUID

NewId = Callable[[], UUID]


def uuid7() -> UUID:
    """Return a fresh version 7 UUID: 48 bits of milliseconds, then chance (RFC 9562, section 5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & ((1 << 48) - 1)) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return UUID(int=value)


def counted(start: int = 1) -> NewId:
    """Return a source of small, predictable ids: 00000000-0000-7000-8000-000000000001 and on."""
    numbers = count(start)
    return lambda: UUID(int=(0x7 << 76) | (0x2 << 62) | next(numbers))

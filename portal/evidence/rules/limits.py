"""How much of what we take. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from portal.kernel.words import said

MAX_BYTES: Final = 200_000_000
MAX_FORM_BYTES: Final = 32_000_000
"""A file sent by a plain form, which passes through the web server."""

VENDOR_BYTES: Final = 5_000_000_000
VENDOR_FILES: Final = 2_000
RESERVATION_LIFE: Final = timedelta(hours=1)
"""How long a reserved place waits for a file that is sent in one piece."""

PARTS_LIFE: Final = timedelta(hours=24)
"""How long it waits for one that comes in parts: whoever is cut off in the evening goes on in the morning."""

MOST_TICKETS: Final = 3
"""Parts that may be asked for at once, and that a browser sends at the same time (ux.md, upload)."""

TICKET_LIFE: Final = timedelta(seconds=120)
"""How long the address for the transfer can be used; a transfer that began in time may take longer."""

MAX_NOTE: Final = 2_000
"""Characters of a reviewer’s note."""


def is_sha256(text: str) -> bool:
    """Tell whether a text is a SHA-256 in lower-case hexadecimal."""
    return len(text) == 64 and not set(text) - set("0123456789abcdef")


def over_quota(*, files: int, used: int, size: int) -> str:
    """Return the sentence for a library that has no room for one more file of this size, empty if it has."""
    if files >= VENDOR_FILES:
        return said(
            "Your library holds %(vendor_files)s files, which is the most. Remove files you do not use",
            vendor_files=VENDOR_FILES,
        )
    if used + size > VENDOR_BYTES:
        left = max(0, VENDOR_BYTES - used) / 1_000_000
        # Removing a file makes no room: its bytes are kept.
        return said(
            "Your library has %(left)s MB left of 5 GB. Upload a smaller file, or ask us for more room",
            left=round(left),
        )
    return ""

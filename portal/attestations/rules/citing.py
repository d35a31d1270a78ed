"""What a citation says, and when somebody has to look at it again. Pure."""

from __future__ import annotations

from uuid import UUID


def needs_check(cited_id: UUID, checked_id: UUID | None, newest_id: UUID) -> bool:
    """Whether a newer revision of a cited file is there that nobody found to prove the same answer."""
    return newest_id not in (cited_id, checked_id)

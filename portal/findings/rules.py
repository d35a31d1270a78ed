"""What a finding keeps closed, as values. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from portal.terms import AccessMode, DataClass

Block = tuple[int, str | None]
"""The lowest data class that stays closed, in one access mode or (None) in all of them; as a condition closes it."""

MAX_BLOCKS: Final = 12


def problem_of_blocks(blocks: Sequence[Block]) -> str:
    """Return what is wrong with what a finding is to block, as a sentence without a full stop; empty if nothing is."""
    if len(blocks) > MAX_BLOCKS:
        return f"Name at most {MAX_BLOCKS} kinds of access; these are {len(blocks)}"
    if any(data not in set(DataClass) or (mode is not None and mode not in set(AccessMode)) for data, mode in blocks):
        return "Choose the data class and the way of access that it blocks"
    return ""


def stored_blocks(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """Return blocks as the finding stores them."""
    return [{"data_class": int(data), "access_mode": mode} for data, mode in blocks]


def blocks_of(stored: Iterable[Mapping[str, Any]]) -> tuple[Block, ...]:
    """Return stored blocks as values."""
    return tuple((int(each["data_class"]), each.get("access_mode")) for each in stored)

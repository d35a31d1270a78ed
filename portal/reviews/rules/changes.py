"""What became of an answer since the revision before: the order in which a reviewer reads. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final


class Changed(StrEnum):
    """How an answer differs from the one before; first: nothing was signed before."""

    DOWN = "down"
    NEW = "new"
    CHANGED = "changed"
    EVIDENCE = "evidence"
    UNCHANGED = "unchanged"
    FIRST = "first"


READ_TOGETHER: Final = (
    (Changed.DOWN,),
    (Changed.CHANGED, Changed.NEW),
    (Changed.EVIDENCE,),
    (Changed.UNCHANGED,),
    (Changed.FIRST,),
)
"""What is read in one go, in the order of reading."""


def changed_how(
    *,
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any],
    old_credit: int | None,
    new_credit: int | None,
    same_files: bool,
    files_hold: bool = True,
) -> Changed:
    """Return how an answer differs from the one before; ``old`` of None: it was not asked then.

    It went down if it earns less than before: fewer points, or said not to apply where it earned some. What is said
    anew with the same words has other evidence also if its files are the same and do not hold any more.
    """
    if old is None:
        return Changed.NEW
    if old_credit is not None and (new_credit or 0) < old_credit:
        return Changed.DOWN
    if dict(old) != dict(new):
        return Changed.CHANGED
    return Changed.UNCHANGED if same_files and files_hold else Changed.EVIDENCE

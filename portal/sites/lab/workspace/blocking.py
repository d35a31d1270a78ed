"""What a finding may keep closed: the access that the vendor's work is about, as choices of a form."""

from __future__ import annotations

from dataclasses import dataclass

from portal.findings.service import FindingLine
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.reviews.service import Workspace
from portal.sites.lab.workspace.forms import block_name
from portal.terms import ACCESS_MODE_WORDS, DATA_CLASS_WORDS, AccessMode, DataClass
from portal.vendors import service as vendors


@dataclass(frozen=True, slots=True)
class BlockChoice:
    """One kind of access that can be kept closed, as the form posts it and in words."""

    value: str
    words: str


def block_choices(tx: Tx, space: Workspace, finding: FindingLine | None) -> tuple[BlockChoice, ...]:
    """Return what can be blocked: each data class of the engagement, through all its ways and through each of several.

    What a finding blocks already is among them, also if the engagement is another by now.
    """
    engagement = vendors.engagement(tx, space.assessment.engagement_id, Action.VENDOR_READ)
    modes = sorted(engagement.access_modes)
    ways: list[str | None] = [None, *modes] if len(modes) > 1 else [None]
    pairs = [(int(data), mode) for data in sorted(engagement.data_classes, reverse=True) for mode in ways]
    pairs += [each for each in (finding.blocks if finding else ()) if each not in pairs]
    return tuple(BlockChoice(block_name(data, mode), block_words(data, mode)) for data, mode in pairs)


def block_words(data_class: int, mode: str | None) -> str:
    """Return what is kept closed, in words."""
    data = DataClass(data_class)
    words = f"{data.name} {DATA_CLASS_WORDS[data]}" + ("" if data is max(DataClass) else " and above")
    return words if mode is None else f"{words}, {ACCESS_MODE_WORDS[AccessMode(mode)].lower()}"

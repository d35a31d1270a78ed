"""What a program proposes for a field, and where it read it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

MAX_QUOTE: Final = 200


class Confidence(StrEnum):
    """How far a proposal can be relied on; a person confirms every one of them."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A value for one field of the metadata, as the form would store it, with its page and its words.

    ``method`` names the pattern that found it. ``field`` is a name of the kind's fields, or one of the further
    names that the kind's reader documents (``subservice``, ``cuec`` and such), which may occur more than once.
    """

    field: str
    value: str | int
    page: int
    quote: str
    method: str
    confidence: Confidence

    def stored(self) -> dict[str, Any]:
        """Return it as it is written down."""
        return asdict(self) | {"confidence": self.confidence.value}


def proposal_of(stored: Mapping[str, Any]) -> Proposal:
    """Return a proposal that was written down by ``Proposal.stored``."""
    return Proposal(
        field=str(stored["field"]),
        value=stored["value"],
        page=int(stored["page"]),
        quote=str(stored["quote"]),
        method=str(stored["method"]),
        confidence=Confidence(stored["confidence"]),
    )

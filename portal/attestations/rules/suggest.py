"""Which answers a file of a kind would settle: the strongest first. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Ask:
    """A question as it is put to a vendor in one open assessment.

    ``kinds`` are those of evidence that prove it, the best first; ``level`` says whether proof is expected (0 none,
    1 accepted, 2 required). ``proven``: a usable file backs it already. ``worth``: whether its answer earns anything,
    as far as it is known; proof of a "no" settles nothing. ``open``: the person may attach a file to it now.
    """

    assessment_id: UUID
    key: str
    number: str
    label: str
    section: str
    kinds: tuple[str, ...]
    level: int
    weight: int
    knock_out: bool
    proven: bool
    worth: bool
    open: bool


def suggest(kind: str, asks: Iterable[Ask]) -> tuple[Ask, ...]:
    """Return the unproven questions that a file of this kind would settle, the strongest first.

    What needs proof comes before what takes it, then what would rule the vendor out, then the questions whose best
    proof it is, then the heavier ones; equals stay in the order of the questionnaire.
    """
    fitting = [each for each in asks if each.open and each.worth and not each.proven and kind in each.kinds]
    return tuple(
        sorted(fitting, key=lambda each: (-each.level, not each.knock_out, each.kinds.index(kind), -each.weight))
    )

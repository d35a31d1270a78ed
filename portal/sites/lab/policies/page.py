"""What the pages of one kind of policy need beside the general part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.kernel.ledger import Tx
from portal.rulebook.rules import Kind
from portal.rulebook.service import Published


@dataclass(frozen=True, slots=True)
class Told:
    """One difference in words: "Approve in tier 1", from "80" to "82"."""

    words: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class KindPage:
    """A kind with its words.

    ``told`` says how two sound texts differ, each given with its version. ``foresee`` returns what the template
    ``template`` shows, as ``foreseen``, of what would follow from a sound text; it writes nothing. ``query`` is the
    query of the page, for sorting.
    """

    kind: Kind
    told: Callable[[Published, Published], Sequence[Told]]
    foresee: Callable[[Tx, Published, Published, Mapping[str, str]], Any] | None = None
    template: str = ""

"""Which reader proposes for which kind of evidence. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from portal.evidence.rules.prefill.documents import read_bridge, read_insurance, read_iso, read_iso42, read_test
from portal.evidence.rules.prefill.soc2 import read_soc2
from portal.evidence.rules.prefill.values import Proposal

_READERS: Mapping[str, Callable[[Sequence[str]], tuple[Proposal, ...]]] = {
    "SOC2": read_soc2,
    "BL": read_bridge,
    "ISO": read_iso,
    "ISO42": read_iso42,
    "INS": read_insurance,
    "PT": read_test,
}
READ_KINDS: Final = frozenset(_READERS)
"""The kinds of evidence whose text is understood to some degree."""


def propose(kind: str, pages: Sequence[str]) -> tuple[Proposal, ...]:
    """Return what the text of a file proposes for the fields of its kind; nothing for a kind without a reader."""
    reader = _READERS.get(kind)
    return reader(pages) if reader else ()

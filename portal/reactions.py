"""What follows from what: the whole causal map on one page.

A reaction runs in the transaction that recorded the fact, before it commits; what it refuses, the whole act refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from portal.kernel.ledger import Fact, Tx

REACTIONS: Mapping[type[Fact], Sequence[Callable[[Tx, Any], None]]] = {}

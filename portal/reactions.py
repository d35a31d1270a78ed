"""What follows from what: the whole causal map on one page.

A reaction runs in the transaction that recorded the fact, before it commits; what it refuses, the whole act refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from portal.gate import facts as gate_facts
from portal.gate import service as gate
from portal.kernel.ledger import Fact, Tx

REACTIONS: Mapping[type[Fact], Sequence[Callable[[Tx, Any], None]]] = {
    # what the gate says is shown on the vendor's own pages
    gate_facts.ClearanceRecorded: (gate.publish_cards,),
    gate_facts.VendorPaused: (gate.publish_cards,),
    gate_facts.VendorResumed: (gate.publish_cards,),
    gate_facts.EveryVendorPaused: (gate.publish_all_cards,),
    gate_facts.EveryVendorResumed: (gate.publish_all_cards,),
}

"""What is done when stored bytes are not the pinned ones, whoever finds it while reading them. Between transactions."""

from __future__ import annotations

from uuid import UUID

from portal.evidence import service
from portal.kernel.actor import Actor
from portal.kernel.ledger import Ledger
from portal.kernel.logging import logger
from portal.policy import Action

log = logger(__name__)


def integrity_alarm(ledger: Ledger, actor: Actor, evidence_id: UUID, failure: Exception) -> None:
    """Log that a file no longer matches its fingerprint, and mark it, so that nobody is given it.

    :raises NotFound: as ``service.get``.
    """
    log.error("evidence does not match its fingerprint", evidence_id=str(evidence_id), reason=str(failure))
    with ledger.begin(actor) as tx:
        service.integrity_failed(tx, evidence=service.get(tx, evidence_id, Action.EVIDENCE_READ))

"""What the lab says of a file: it is what it says it is, or it is not."""

from __future__ import annotations

from portal import policy
from portal.evidence import rules
from portal.evidence.facts import (
    EvidenceRejected,
    EvidenceTakenUp,
    EvidenceVerified,
)
from portal.evidence.files import OPENABLE, late
from portal.evidence.models import Evidence
from portal.evidence.opening import pinned
from portal.kernel.errors import Conflict, Refused
from portal.kernel.ledger import Tx
from portal.kernel.swap import swap
from portal.policy import Action
from portal.terms import EvidenceState, ScanState


def take_up(tx: Tx, *, evidence: Evidence) -> bool:
    """Note that a reviewer began to check a file; return whether it was the first. Doing it twice is doing it once.

    :raises Forbidden: if the actor may not judge evidence.
    """
    policy.check(tx.actor, Action.EVIDENCE_JUDGE, evidence)
    expect = {"taken_up_by": None, "state": EvidenceState.ATTACHED, "removed_at": None}
    if not swap(tx, evidence, expect=expect, change={"taken_up_by": tx.actor.id, "taken_up_at": tx.now}):
        return False
    tx.record(EvidenceTakenUp(evidence_id=evidence.id, vendor_id=evidence.vendor_id))
    return True


def verify(tx: Tx, *, evidence: Evidence, note: str = "", row_version: int) -> None:
    """Say that a file is what it says it is, with the dates it is described by.

    :raises Forbidden: if the actor may not judge evidence.
    :raises Conflict: if its dates are missing, it is not clean, its opinion is qualified and nobody named the
        criteria, or somebody was faster.
    """
    policy.check(tx.actor, Action.EVIDENCE_JUDGE, evidence)
    if lacking := rules.missing(evidence.kind, evidence.details):
        names = ", ".join(field.the for field in lacking)
        raise Conflict(f"The vendor has not given {names}. Reject the file and ask for it.")
    if rules.needs_criteria(evidence.kind, evidence.details) and not evidence.criteria_hit:
        raise Conflict("The opinion is qualified. Name the criteria that it is qualified on, then verify the file.")
    if evidence.scan not in (ScanState.CLEAN, ScanState.NOT_SCANNED):
        raise Conflict("The file is still being checked. Look again in a minute.")
    _judge(tx, evidence, EvidenceState.VERIFIED, note, row_version)
    tx.record(EvidenceVerified(evidence_id=evidence.id, vendor_id=evidence.vendor_id, sha256=evidence.sha256))


def reject(tx: Tx, *, evidence: Evidence, note: str, row_version: int) -> None:
    """Say that a file does not prove what it should, and why; the vendor reads the note.

    :raises Forbidden: if the actor may not judge evidence.
    :raises Refused: without a note.
    :raises Conflict: if somebody was faster.
    """
    policy.check(tx.actor, Action.EVIDENCE_JUDGE, evidence)
    if not note.strip():
        raise Refused(problems={"note": ["Say what is wrong with the file, so that the vendor can put it right"]})
    _judge(tx, evidence, EvidenceState.REJECTED, note, row_version)
    tx.record(EvidenceRejected(evidence_id=evidence.id, vendor_id=evidence.vendor_id, sha256=evidence.sha256))


def _judge(tx: Tx, evidence: Evidence, state: EvidenceState, note: str, row_version: int) -> None:
    if len(note) > rules.MAX_NOTE:
        raise Refused(problems={"note": [f"Use at most {rules.MAX_NOTE:,} characters"]})
    pinned(evidence)
    change = {
        "state": state,
        "judged_by": tx.actor.id,
        "judged_at": tx.now,
        "judgement": note.strip(),
        "row_version": row_version + 1,
    }
    expect = {"row_version": row_version, "state": list(OPENABLE), "removed_at": None}
    if not swap(tx, evidence, expect=expect, change=change):
        raise late(evidence)

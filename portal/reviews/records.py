"""The sealed record of a decision: one signed statement that anybody can check with the published keys, offline.

The envelope's very bytes are stored, shown and handed out; nothing is put together again later.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from portal.assessments.models import Assessment
from portal.identity import queries as people
from portal.identity.queries import Person
from portal.kernel.canonical import canonical_bytes
from portal.kernel.errors import NotFound
from portal.kernel.ledger import Tx
from portal.kernel.signing import Signer
from portal.reviews import rules
from portal.reviews.models import Decision, DecisionRecord, DecisionSignature
from portal.rulebook import queries as rulebook
from portal.scoring import rules as scores
from portal.scoring import service as scoring
from portal.scoring.policies import SCORING
from portal.terms import DecisionState
from portal.vendors.models import Engagement, Vendor

FORMAT: Final = "gatehouse decision record 1"
TYPE: Final = "application/vnd.gatehouse.decision+json"


@dataclass(frozen=True, slots=True)
class SignedBy:
    """One signature as the record tells it: who, by which kind of factor, when."""

    name: str
    factor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """A sealed record as stored. ``text`` is the envelope, ``digest`` its SHA-256; the rest is its payload."""

    text: str
    digest: str
    statement: dict[str, Any]
    keys: tuple[str, ...]

    @property
    def signatures(self) -> tuple[SignedBy, ...]:
        """Who signed the decision, in their order."""
        return tuple(
            SignedBy(each["name"], each["factor"], datetime.fromisoformat(each["at"]))
            for each in self.statement["signatures"]
        )


def seal(tx: Tx, *, decision: Decision, assessment: Assessment, sealer: Signer) -> DecisionRecord:
    """Write down who decided what, on which answers, score and policy, and sign it with the key of the house.

    :raises Unavailable: if no signing key is in force. Then nothing is decided.
    """
    envelope = sealer.sign(TYPE, _statement(tx, decision, assessment), now=tx.now)
    text = canonical_bytes(envelope).decode()
    row = DecisionRecord(
        decision_id=decision.id,
        vendor_id=decision.vendor_id,
        envelope=text,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        sealed_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    return row


def record_of(tx: Tx, decision: Decision) -> Record | None:
    """Return the sealed record of a decision; None while it is not decided, and for the oldest."""
    row = tx.session.get(DecisionRecord, decision.id)
    if row is None:
        return None
    envelope = json.loads(row.envelope)
    statement = json.loads(base64.b64decode(envelope["payload"], validate=True))
    return Record(row.envelope, row.digest, statement, tuple(each["keyid"] for each in envelope["signatures"]))


def require(tx: Tx, decision: Decision) -> Record:
    """Return the sealed record of a decision.

    :raises NotFound: if there is none.
    """
    found = record_of(tx, decision)
    if found is None:
        raise NotFound
    return found


def _statement(tx: Tx, decision: Decision, assessment: Assessment) -> dict[str, Any]:
    vendor = tx.session.get_one(Vendor, decision.vendor_id)
    engagement = tx.session.get_one(Engagement, decision.engagement_id)
    snapshot = scoring.get(tx, decision.snapshot_id)
    score = scoring.result_of(snapshot).measures.score
    signed = (
        tx.session.execute(
            sa.select(DecisionSignature)
            .where(DecisionSignature.decision_id == decision.id)
            .order_by(DecisionSignature.signed_at, DecisionSignature.signer_id)
        )
        .scalars()
        .all()
    )
    names = people.people(tx, [decision.proposed_by, *(each.signer_id for each in signed)])
    before = _before(tx, decision)
    return {
        "format": FORMAT,
        "type": TYPE,
        "number": f"D-{decision.number}",
        "decided_at": decision.decided_at,
        "vendor": {"id": vendor.id, "slug": vendor.slug, "name": vendor.name},
        "engagement": {"id": engagement.id, "slug": engagement.slug, "project": engagement.project},
        "assessment": {"id": assessment.id, "title": assessment.title, "revision": decision.revision},
        # A text, not a value: its SHA-256 is what everybody signed, and needs no canonical form to be checked.
        "document": decision.document,
        "document_sha256": decision.digest,
        "outcome": decision.outcome,
        "valid_until": decision.valid_until,
        "conditions": decision.conditions,
        "subject": {
            "attestation_sha256": decision.attestation_digest,
            "score_inputs_sha256": snapshot.inputs_digest,
            "score_result_sha256": snapshot.result_digest,
            "policy_sha256": decision.policy_digest,
        },
        "policy": {"kind": SCORING.name, "version": rulebook.current(tx, SCORING).version},
        "score": {"shown": scores.display(score), "exact": score, "snapshot_id": snapshot.id},
        "suggested": decision.recommendation,
        "otherwise": rules.deviates(decision.outcome, decision.recommendation),
        "reason": decision.reason,
        "proposed": _person(names, decision.proposed_by) | {"at": decision.proposed_at},
        "signatures": [
            _person(names, each.signer_id)
            | {"factor": each.factor, "at": each.signed_at, "document_sha256": each.digest}
            for each in signed
        ],
        "before": {"number": f"D-{before.number}", "document_sha256": before.digest} if before is not None else None,
    }


def _before(tx: Tx, decision: Decision) -> Decision | None:
    statement = (
        sa.select(Decision)
        .where(
            Decision.engagement_id == decision.engagement_id,
            Decision.state == DecisionState.CONFIRMED,
            Decision.id != decision.id,
        )
        .order_by(Decision.decided_at.desc(), Decision.number.desc())
        .limit(1)
    )
    return tx.session.execute(statement).scalar_one_or_none()


def _person(names: Mapping[UUID, Person], person_id: UUID) -> dict[str, Any]:
    known = names.get(person_id)
    return {"id": person_id, "name": known.full_name if known is not None else ""}

"""A deletion certificate beside the register of data that its vendor answered with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.attestations.models import Answer, Attestation, AttestedAnswer
from portal.attestations.rules.deletion import INVENTORY_KEY, REGISTER_FIELD, Unnamed, unnamed
from portal.evidence.rules import current
from portal.kernel.ledger import Tx

MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class AgainstRegister:
    """How a certificate compares: so many data sets in the register, and what of them it does not name."""

    registered: int
    as_of: datetime
    signed: bool
    unnamed: tuple[Unnamed, ...]


def against_register(tx: Tx, vendor_id: UUID, details: Mapping[str, Any]) -> AgainstRegister | None:
    """Compare a certificate with the register: the vendor's as it stands, for the lab as it was last signed.

    :param details: what is stored of the certificate. None is returned if there is no register to compare with.
    """
    found = _signed(tx, vendor_id) if tx.actor.is_lab else _standing(tx, vendor_id)
    if found is None:
        return None
    as_of, answered = found
    rows = _rows(answered.get(REGISTER_FIELD))
    if not rows:
        return None
    certificate = _rows(current("DEL", details).get("deleted_rows"))
    return AgainstRegister(len(rows), as_of, tx.actor.is_lab, unnamed(rows, certificate))


def _standing(tx: Tx, vendor_id: UUID) -> tuple[datetime, Mapping[str, Any]] | None:
    statement = (
        sa.select(Answer.updated_at, Answer.details)
        .where(Answer.vendor_id == vendor_id, Answer.question_key == INVENTORY_KEY)
        .order_by(Answer.updated_at.desc(), Answer.assessment_id)
        .limit(1)
    )
    row = tx.session.execute(statement).one_or_none()
    return (row[0], row[1]) if row is not None else None


def _signed(tx: Tx, vendor_id: UUID) -> tuple[datetime, Mapping[str, Any]] | None:
    statement = (
        sa.select(Attestation.signed_at, AttestedAnswer.content)
        .join(Attestation, Attestation.id == AttestedAnswer.attestation_id)
        .where(AttestedAnswer.vendor_id == vendor_id, AttestedAnswer.question_key == INVENTORY_KEY)
        .order_by(Attestation.signed_at.desc(), Attestation.id)
        .limit(1)
    )
    row = tx.session.execute(statement).one_or_none()
    return (row[0], row[1].get("details") or {}) if row is not None else None


def _rows(value: object) -> Sequence[Mapping[str, Any]]:
    rows = value.get("rows") if isinstance(value, Mapping) else value
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return ()
    return [each for each in rows if isinstance(each, Mapping)][:MOST_ROWS]

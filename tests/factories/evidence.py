"""Evidence that came in as in life: reserved, transferred to the store, finalised."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from portal.evidence import intake, rules, service
from portal.evidence.models import Evidence
from portal.kernel.actor import system
from portal.kernel.objects import ObjectStore
from portal.kernel.sniff import CONTENT_TYPES, kind_of
from portal.wiring import House
from tests.factories.identity import Person
from tests.rules import files

POLICY = {"approved_on": "2026-10-01"}


def reserved(
    house: House,
    who: Person,
    content: bytes,
    *,
    name: str = "access-policy.pdf",
    kind: str = "POL",
    details: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Evidence:
    """A place for exactly these bytes."""
    with house.ledger.begin(who.actor) as tx:
        return service.reserve(
            tx,
            bucket=house.store.bucket,
            kind=kind,
            file_name=name,
            size=fields.pop("size", len(content)),
            sha256=fields.pop("sha256", hashlib.sha256(content).hexdigest()),
            details=POLICY if details is None and kind == "POL" else details,
            **fields,
        )


def sent(store: ObjectStore, place: Evidence, content: bytes) -> None:
    """What the browser does: the bytes arrive under the key of the place."""
    store.receive(
        place.object_key,
        io.BytesIO(content),
        content_type=CONTENT_TYPES[kind_of(place.file_name)],
        max_bytes=max(1, len(content)),
    )


def make_evidence(house: House, who: Person, content: bytes | None = None, **fields: Any) -> Evidence:
    """A file that passed its checks, by default a policy of two pages that holds until October 2027."""
    body = files.pdf(pages=2) if content is None else content
    place = reserved(house, who, body, **fields)
    sent(house.store, place, body)
    intake.finalise(house.ledger, who.actor, store=house.store, evidence_id=place.id)
    return row_of(house, place.id)


def row_of(house: House, evidence_id: UUID) -> Evidence:
    """The row as it stands, also of what was refused or removed."""
    with house.ledger.begin(system("test")) as tx:
        return tx.session.get_one(Evidence, evidence_id)


def holds_until(kind: str, details: Mapping[str, Any], on: date) -> date | None:
    """The last day by the rule of the kind."""
    return rules.validity(kind, details, on).valid_until

"""A deletion certificate beside the register: the vendor's as it stands, the lab's as it was signed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from portal.attestations.deletions import against_register
from portal.attestations.models import Answer, AttestedAnswer
from portal.attestations.rules.deletion import INVENTORY_KEY
from portal.kernel.actor import system
from portal.wiring import House
from tests.factories.attestations import make_attestation
from tests.factories.identity import person

NOW = datetime(2026, 11, 20, tzinfo=UTC)
HELD = {"dataset": "Batch 7", "owner": "Ada", "place": "Workspace, Portugal", "copies": "Vault"}
NEWER = {"dataset": "Batch 8"}


def register(*rows: dict[str, str]) -> dict[str, Any]:
    return {"register": list(rows)}


def test_the_vendor_compares_with_what_stands_and_the_lab_with_what_was_signed(house: House) -> None:
    desk, signed = make_attestation(house)
    with house.ledger.begin(system("test")) as tx:
        content = {"value": {"choice": "yes"}, "details": register(HELD)}
        tx.session.add(
            Answer(
                assessment_id=desk.assessment_id,
                question_key=INVENTORY_KEY,
                vendor_id=desk.vendor_id,
                value={"choice": "yes"},
                details=register(HELD, NEWER),
                updated_by=None,
                updated_at=NOW,
            )
        )
        tx.session.add(
            AttestedAnswer(
                attestation_id=signed,
                question_key=INVENTORY_KEY,
                vendor_id=desk.vendor_id,
                state="answered",
                content=content,
                prepared_by=None,
            )
        )
    certificate = {"deleted_rows": [{"dataset": "Batch 7", "systems": "Workspace"}]}

    with house.ledger.begin(desk.respondent.actor) as tx:
        theirs = against_register(tx, desk.vendor_id, certificate)
    with house.ledger.begin(system("lab")) as tx:
        assert against_register(tx, desk.engagement_id, certificate) is None
    assert theirs is not None
    assert (theirs.registered, theirs.signed) == (2, False)
    assert [(each.dataset, each.what, each.name) for each in theirs.unnamed] == [
        ("Batch 7", "copy", "Vault"),
        ("Batch 8", "dataset", "Batch 8"),
    ]

    from_lab = house_lab(house, desk.vendor_id, certificate)
    assert (from_lab.registered, from_lab.signed) == (1, True)
    assert [each.what for each in from_lab.unnamed] == ["copy"]


def house_lab(house: House, vendor_id: Any, certificate: dict[str, Any]) -> Any:
    reviewer = person(house, roles=["reviewer"], name="Hana Veldkamp")
    with house.ledger.begin(reviewer.actor) as tx:
        return against_register(tx, vendor_id, certificate)


def test_what_was_stored_as_one_text_is_compared_as_well(house: House) -> None:
    desk, _ = make_attestation(house)
    with house.ledger.begin(desk.respondent.actor) as tx:
        tx.session.add(
            Answer(
                assessment_id=desk.assessment_id,
                question_key=INVENTORY_KEY,
                vendor_id=desk.vendor_id,
                value={"choice": "yes"},
                details=register(HELD),
                updated_by=None,
                updated_at=NOW,
            )
        )
        tx.session.flush()
        found = against_register(tx, desk.vendor_id, {"datasets": "Batch 7", "systems": "Workspace and vault"})
    assert found is not None
    assert found.unnamed == ()

"""What somebody has to look at now reaches the program admins, once, and nobody else."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from portal.delivery.models import Mail
from portal.evidence import service, viewing
from portal.jobs.alerts import notify_alert
from portal.kernel.actor import system
from portal.kernel.errors import TooMany
from portal.policy import Action
from portal.wiring import House
from tests.factories.evidence import make_evidence
from tests.factories.identity import FACTORY, person
from tests.factories.vendors import make_vendor
from tests.rules import files


def queued(house: House) -> list[dict[str, object]]:
    """The alerts that wait for the worker."""
    with house.engine.connect() as connection:
        rows = connection.execute(
            sa.text("SELECT args FROM procrastinate_jobs WHERE task_name = 'notify_alert' ORDER BY id")
        )
        return list(rows.scalars())


def alerts(house: House) -> list[tuple[str, str]]:
    with house.ledger.begin(system("test")) as tx:
        rows = tx.session.execute(sa.select(Mail).where(Mail.kind == "evidence_alert").order_by(Mail.id)).scalars()
        return [(row.to_name, str(row.context.get("person_name", ""))) for row in rows]


def test_who_opens_too_much_and_bytes_that_changed_are_told_to_the_program_admins(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with house.ledger.begin(FACTORY) as tx:
        vendor_id = make_vendor(tx).id
    ada = person(house, roles=["respondent"], vendor=vendor_id, name="Ada Quill")
    hana = person(house, roles=["reviewer"], name="Hana Veldkamp")
    person(house, roles=["program_admin"], name="Petra Admin")
    rows = [make_evidence(house, ada, files.pdf(pages=1 + n)) for n in range(2)]
    monkeypatch.setattr("portal.evidence.rules.looking.FILES_AN_HOUR", 1)

    for _ in range(2):
        for row in rows:
            try:
                with viewing.opened(house.ledger, hana.actor, store=house.store, evidence_id=row.id):
                    pass
            except TooMany:
                continue
    with house.ledger.begin(ada.actor) as tx:
        service.integrity_failed(tx, evidence=service.get(tx, rows[0].id, Action.EVIDENCE_READ))

    for args in [*queued(house), *queued(house)]:
        notify_alert(house, **args)  # type: ignore[arg-type]
    assert alerts(house) == [("Petra Admin", "Hana Veldkamp"), ("Petra Admin", "")]

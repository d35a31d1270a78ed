"""A vendor that was approved with conditions, each hanging on a finding, and the proof that it sends for them."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.assessments.queries import OutcomeLine
from portal.evidence import service as evidence
from portal.findings import remedies
from portal.findings.models import Finding
from portal.findings.remedies import RemedyLine
from portal.gate import queries as gate
from portal.gate.rules import Answer, Question, decide
from portal.kernel.actor import Actor, system
from portal.policy import Action
from portal.reviews import remedies as judging
from portal.reviews.service import Condition
from portal.terms import DataClass, EvidenceState, Outcome
from portal.wiring import House
from tests.factories import moulds
from tests.factories.attestations import make_file
from tests.factories.identity import Person
from tests.factories.reviews import TIERS, Bench, bench

SYSTEM = system("test")
FLAGGED, ALSO = "iam.mfa.workforce", "inf.rest"


def conditional(house: House, *, tier: int = 2, keys: tuple[str, ...] = (FLAGGED,)) -> Bench:
    """Return a bench whose vendor is approved under one condition a finding: its data stays closed until then."""
    made = copy(moulds.cast(house, "conditional", lambda new: _decided(new, tier, keys), given=(tier, keys)))
    made.house, made.desk = house, replace(made.desk, house=house)
    return made


def _decided(house: House, tier: int, keys: tuple[str, ...]) -> Bench:
    made = bench(house, tier=tier)
    made.claim()
    for key in keys:
        made.flag(key, credit=60)
    made.accept_rest()
    made.recommend()
    level = TIERS[tier]["data_classes"][0]
    conditions = [
        Condition(f"Put right what F-{number} says.", date(2027, 1, 15), level, None, number)
        for number in range(1, len(keys) + 1)
    ]
    given: dict[str, Any] = {
        "outcome": Outcome.APPROVE_WITH_CONDITIONS,
        "conditions": conditions,
        "reason": "The laptops are the only thing between this and full approval.",
    }
    decision_id = made.propose(made.lead, **given)
    if tier == 1:
        made.sign(made.second, decision_id)
    return made


def finding(made: Bench, number: int = 1) -> Finding:
    """Return a finding as stored."""
    with made.house.ledger.begin(SYSTEM) as tx:
        return tx.session.execute(
            sa.select(Finding).where(Finding.vendor_id == made.desk.vendor_id, Finding.number == number)
        ).scalar_one()


def proof_file(made: Bench, **given: Any) -> UUID:
    """Return a file of the vendor's library that passed its checks."""
    with made.house.ledger.begin(SYSTEM) as tx:
        fields = {"kind": "SCR", "details": {"taken_on": "2026-11-20", "system": "MDM"}, **given}
        return make_file(tx, vendor_id=made.desk.vendor_id, uploaded_by=made.desk.respondent.id, **fields).id


def send(made: Bench, file_id: UUID, *, number: int = 1, actor: Actor | None = None, **given: Any) -> RemedyLine:
    """Send a file as the proof of a finding."""
    row_version = given.pop("row_version", None)
    with made.house.ledger.begin(actor or made.desk.respondent.actor) as tx:
        row = remedies.of_vendor(tx, finding(made, number).id)
        return remedies.send_proof(
            tx,
            finding=row,
            evidence=evidence.get(tx, file_id, Action.EVIDENCE_READ),
            row_version=row.row_version if row_version is None else row_version,
            **given,
        )


def verify(made: Bench, step: RemedyLine, *, who: Person | None = None, **given: Any) -> None:
    """Find a proof good, as a reviewer."""
    with made.house.ledger.begin((who or made.reviewer).fresh) as tx:
        row = judging.get(tx, step.finding_id, Action.REMEDY_VERIFY)
        judging.verify(tx, finding=row, **{"remedy_id": step.id, "row_version": row.row_version, **given})


def give_back(made: Bench, step: RemedyLine, *, note: str = "One site is missing.", who: Person | None = None) -> None:
    """Return a proof with words, as a reviewer."""
    with made.house.ledger.begin((who or made.reviewer).actor) as tx:
        row = judging.get(tx, step.finding_id, Action.REMEDY_RETURN)
        judging.give_back(tx, finding=row, remedy_id=step.id, note=note, row_version=row.row_version)


def ask_gate(made: Bench, *, tier: int = 2) -> Answer:
    """Return what the gate answers for the class and mode that the vendor is engaged for."""
    asked = TIERS[tier]
    with made.house.ledger.begin(SYSTEM) as tx:
        world = gate.worlds(tx, [made.desk.vendor_id])[made.desk.vendor_id]
        question = Question(
            world.vendor, DataClass(asked["data_classes"][0]).name, asked["access_modes"][0], "labelling"
        )
        return decide(world, question, tx.now)


def outcome_of(made: Bench) -> OutcomeLine:
    """Return what the vendor was told last."""
    with made.house.ledger.begin(SYSTEM) as tx:
        return assessments.outcomes_of(tx, made.desk.vendor_id)[0]


def standing_of(made: Bench) -> dict[str, Any]:
    """Return how that stands."""
    with made.house.ledger.begin(SYSTEM) as tx:
        return assessments.standing_of(tx, outcome_of(made))


def score_today(made: Bench) -> str:
    """Return the score that the vendor's page shows today."""
    return str(standing_of(made)["steps"][0]["score"])


VERIFIED = EvidenceState.VERIFIED

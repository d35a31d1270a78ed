"""Files seen from the answers: where they are used, and how a newer one takes an older one's place."""

from __future__ import annotations

from typing import Any

import pytest

from portal.assessments import service as assessments
from portal.attestations import library
from portal.attestations import service as attestations
from portal.evidence import service
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.vendors import service as vendors
from portal.wiring import House
from tests.factories.assessments import make_assessment
from tests.factories.evidence import make_evidence
from tests.factories.identity import FACTORY, Person
from tests.rules import files


@pytest.fixture
def asked(house: House, vendor_id: Any) -> tuple[Any, str]:
    """An assessment of the vendor and the key of its first question."""
    with house.ledger.begin(FACTORY) as tx:
        row = make_assessment(tx, vendor=vendors.get(tx, vendor_id, Action.VENDOR_READ))
        questionnaire = questionnaires.compiled(tx, row.questionnaire_id)
        return row.id, next(each.key for each in questionnaire.questions if row.tier in each.tiers)


def uses(house: House, who: Person) -> dict[Any, list[str]]:
    with house.ledger.begin(who.actor) as tx:
        found = library.uses_of(tx, who.vendor_id)  # type: ignore[arg-type]
    return {evidence_id: [use.question_key for use in each] for evidence_id, each in found.items()}


def test_a_newer_file_takes_the_place_of_the_older_one_in_open_answers(
    house: House, ada: Person, asked: tuple[Any, str]
) -> None:
    assessment_id, key = asked
    old = make_evidence(house, ada)
    with house.ledger.begin(ada.actor) as tx:
        row = assessments.get(tx, assessment_id, Action.ANSWER_WRITE)
        file = service.get(tx, old.id, Action.EVIDENCE_READ)
        attestations.cite(tx, assessment=row, question_key=key, evidence=file, pages="2")
    assert uses(house, ada) == {old.id: [key]}

    new = make_evidence(house, ada, files.pdf(pages=4), supersedes=old)

    assert uses(house, ada) == {new.id: [key]}


def test_a_removed_file_leaves_the_open_answers(house: House, ada: Person, asked: tuple[Any, str]) -> None:
    assessment_id, key = asked
    file = make_evidence(house, ada)
    with house.ledger.begin(ada.actor) as tx:
        row = assessments.get(tx, assessment_id, Action.ANSWER_WRITE)
        held = service.get(tx, file.id, Action.EVIDENCE_READ)
        attestations.cite(tx, assessment=row, question_key=key, evidence=held)

    with house.ledger.begin(ada.actor) as tx:
        service.remove(tx, evidence=service.get(tx, file.id, Action.EVIDENCE_DELETE))

    assert uses(house, ada) == {}

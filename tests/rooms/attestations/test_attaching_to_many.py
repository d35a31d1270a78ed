"""A file and the answers that it would settle: offered by what the person may write, and attached in one act."""

from __future__ import annotations

from uuid import UUID

import pytest

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.attestations.service import Tried, Wanted
from portal.evidence.models import Evidence
from portal.kernel.errors import NotFound, Refused
from portal.terms import EvidenceState
from tests.factories.attestations import Desk
from tests.factories.identity import Person


def offered(made: Desk, evidence_id: UUID, who: Person | None = None) -> list[str]:
    with made.at((who or made.respondent).actor) as (tx, _):
        found = attestations.offers(tx, tx.session.get_one(Evidence, evidence_id))
        return [ask.key for each in found for ask in each.asks]


def attach(made: Desk, evidence_id: UUID, *keys: str, pages: str = "") -> tuple[Tried, ...]:
    with made.at(made.respondent.actor) as (tx, _):
        wanted = [Wanted(made.assessment_id, key, pages) for key in keys]
        return attestations.attach_to_many(tx, evidence=tx.session.get_one(Evidence, evidence_id), wanted=wanted)


def cited(made: Desk) -> dict[str, list[str]]:
    with made.at(made.respondent.actor) as (tx, row):
        return {key: [each.pages for each in lines] for key, lines in attestations.citations_of(tx, row).items()}


def test_a_file_is_attached_to_every_answer_that_it_settles_and_offered_no_more(desk: Desk) -> None:
    file = desk.file(kind="POL")
    keys = offered(desk, file)
    assert len(keys) > 3

    tried = attach(desk, file, *keys, pages="3")
    again = attach(desk, file, *keys, pages="3")

    assert all(each.done for each in (*tried, *again))
    assert cited(desk) == {key: ["3"] for key in sorted(keys)}
    assert offered(desk, file) == []
    assert offered(desk, desk.file(kind="POL")) == []


def test_a_section_that_was_given_to_somebody_else_is_neither_offered_nor_attached(desk: Desk) -> None:
    file = desk.file(kind="POL")
    keys = offered(desk, file)
    section = desk.questionnaire.question(keys[0]).section
    with desk.at(desk.admin.actor) as (tx, row):
        assessments.assign_section(tx, assessment=row, section=section, user_id=desk.admin.id)
    mine = [key for key in keys if desk.questionnaire.question(key).section != section]
    assert offered(desk, file) == mine
    assert offered(desk, file, desk.admin) == keys

    tried = attach(desk, file, *keys)

    assert [each.wanted.key for each in tried if each.done] == mine
    assert sorted(cited(desk)) == sorted(mine)


def test_what_cannot_be_attached_is_left_with_its_reason_and_the_rest_goes_on(desk: Desk) -> None:
    file = desk.file(kind="POL")
    first, second, third, *_ = offered(desk, file)
    desk.cite(first, file, "9")
    wanted = [
        Wanted(desk.assessment_id, first),
        Wanted(desk.assessment_id, second, "40"),
        Wanted(desk.assessment_id, third),
    ]
    with desk.at(desk.respondent.actor) as (tx, _):
        tried = attestations.attach_to_many(tx, evidence=tx.session.get_one(Evidence, file), wanted=wanted)
    assert [each.why for each in tried] == [
        "It names this file already, pages 9",
        "The file has 12 pages. Enter pages that are in it",
        "",
    ]
    assert cited(desk) == {first: ["9"], third: [""]}


def test_nothing_is_offered_for_a_no_for_what_was_signed_and_for_a_file_that_cannot_be_used(desk: Desk) -> None:
    file = desk.file(kind="POL")
    keys = offered(desk, file)
    question = desk.questionnaire.question(keys[0])
    worst = min(question.choices, key=lambda option: option.credit or 0)
    desk.save(question.key, {"choice": worst.key})
    assert question.key not in offered(desk, file)

    judged = {"judged_by": desk.admin.id, "judged_at": desk.house.clock.read(None)}
    assert offered(desk, desk.file(kind="POL", state=EvidenceState.REJECTED, **judged)) == []
    desk.complete()
    desk.sign()
    assert offered(desk, file) == []
    assert not any(each.done for each in attach(desk, file, *keys))


def test_a_choice_of_nothing_of_too_much_or_of_no_question_is_refused(desk: Desk) -> None:
    file = desk.file(kind="POL")
    with pytest.raises(Refused, match="Choose the answers"):
        attach(desk, file)
    with pytest.raises(Refused, match="at most 100"):
        attach(desk, file, *(f"no.{number}" for number in range(101)))
    with pytest.raises(NotFound):
        attach(desk, file, "no.such")

"""WF-13: single questions go back; only they reopen, and the next revision differs only there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.attestations.models import Attestation
from portal.attestations.rules import SignedAnswer
from portal.kernel.errors import Conflict, Forbidden, Refused
from portal.questionnaires.rules import Owner
from portal.reviews import service as reviews
from portal.terms import AssessmentState, Role, Verdict
from portal.wiring import House
from tests.factories import invariants
from tests.factories.attestations import least
from tests.factories.identity import person
from tests.factories.reviews import Bench, bench


def returned(house: House, *, count: int = 1) -> tuple[Bench, list[str], list[str]]:
    """Return a bench with questions that went back, their keys, and the keys of the answers that were accepted."""
    made = bench(house, proven=False)
    made.claim()
    keys = [each.key for each in made.desk.visible() if each.is_scored and len(each.choices) > 1]
    asked, rest = keys[:count], keys[count:]
    for key in asked:
        made.judge(key, Verdict.ASK, note=f"Who can open the seal of {key}?")
    made.accept_rest()
    with made.at(made.reviewer.actor) as (tx, review):
        reviews.return_questions(tx, review=review, row_version=review.row_version)
    return made, asked, rest


def worse(made: Bench, key: str) -> dict[str, str]:
    """Return the form of another answer than the best."""
    question = made.desk.questionnaire.question(key)
    worst = min(question.choices, key=lambda option: option.credit or 0)
    return {"choice": worst.key, "comment": "Not at the new site.", "planned_on": "2027-03-01"}


def _saves(made: Bench, key: str) -> None:
    made.desk.save(key, worse(made, key))


def _cites(made: Bench, key: str) -> None:
    made.desk.cite(key, made.desk.file(title="Another", file_name="another.pdf"))


def _confirms(made: Bench, key: str) -> None:
    with made.desk.at(made.desk.admin.actor) as (tx, row):
        done = attestations.confirm(tx, assessment=row, keys=[key], seen={})
    if not done.done:
        raise Conflict(dict(done.left)[key])


@pytest.mark.parametrize("write", [_saves, _cites, _confirms], ids=lambda write: write.__name__.strip("_"))
def test_wf_13_only_what_came_back_can_be_written(house: House, write: Callable[[Bench, str], None]) -> None:
    made, asked, rest = returned(house)

    for key in rest[:3]:
        with pytest.raises((Conflict, Forbidden)):
            write(made, key)
    if write is not _confirms:
        write(made, asked[0])


def test_wf_13_no_fact_about_the_work_moves_while_questions_are_back(house: House) -> None:
    made, _, _ = returned(house)

    with made.desk.at(made.desk.admin.actor) as (tx, row):
        facts = [each for each in assessments.scoping_of(tx, row) if each.definition.owner is Owner.VENDOR]
    assert facts
    for line in facts:
        with pytest.raises((Conflict, Refused)), made.desk.at(made.desk.admin.actor) as (tx, row):
            raw = {"number": "4000"} if "number" in least(line.definition) else {"choice": "yes", "choices": []}
            assessments.state_fact(tx, assessment=row, key=line.key, value=raw, version=line.version)


def test_wf_13_the_next_revision_differs_only_there_and_the_rest_stays_accepted(house: House) -> None:
    made, asked, rest = returned(house, count=2)
    changed, only_said = asked
    made.desk.save(changed, worse(made, changed))
    made.desk.reply(changed)
    made.desk.reply(only_said)

    made.desk.sign()

    with made.at(made.reviewer.actor) as (tx, review):
        now = reviews.attested_of(tx, review)
        before = attestations.previous(tx, tx.session.get_one(Attestation, now.id))
        assert before is not None
        earlier = attestations.attested(tx, before.id).snapshot
        differs = {
            key
            for key, each in now.snapshot.answers.items()
            if dict(each.content) != dict(earlier.answers[key].content)
            and key not in _brought_up(earlier.answers, now.snapshot.answers)
        }
        assert differs == {changed}
        assert now.snapshot.scoping == earlier.scoping
        assert [each.question_key for each in now.snapshot.citations] == [
            each.question_key for each in earlier.citations
        ]
        said = reviews.verdict_lines(tx, review)
        assert review.revision == 2
        assert all(said[key].locked for key in rest if key in said)
        assert all(key not in said for key in asked)
        assert set(made.open_keys()) >= set(asked)
        assert invariants.only_reopened_differ(tx) == 1


def test_wf_13_nothing_goes_back_that_nobody_asked_about(house: House) -> None:
    made = bench(house, proven=False)
    made.claim()
    made.accept_rest()

    with pytest.raises(Refused, match="Ask about at least one answer"), made.at(made.reviewer.actor) as (tx, review):
        reviews.return_questions(tx, review=review, row_version=review.row_version)
    with made.desk.at(made.desk.admin.actor) as (_, row):
        assert row.state is AssessmentState.IN_REVIEW


def test_wf_13_what_was_asked_is_settled_before_it_is_signed(house: House) -> None:
    made, asked, _ = returned(house)

    with pytest.raises((Refused, Conflict)):
        made.desk.sign()

    made.desk.reply(asked[0])
    made.desk.sign()


def test_only_the_reviewer_and_leads_send_questions_back(house: House) -> None:
    made = bench(house, proven=False)
    made.claim()
    made.judge(made.open_keys()[0], Verdict.ASK, note="Which sites?")
    auditor = person(house, roles=[Role.AUDITOR], name="Ana Lindqvist")

    for who in (made.other, auditor, made.admin):
        with pytest.raises(Forbidden), made.at(who.actor) as (tx, review):
            reviews.return_questions(tx, review=review, row_version=review.row_version)
    with made.at(made.lead.actor) as (tx, review):
        assert len(reviews.return_questions(tx, review=review, row_version=review.row_version)) == 1


def _brought_up(before: Mapping[str, SignedAnswer], now: Mapping[str, SignedAnswer]) -> set[str]:
    """Return the questions that one of both revisions did not put to the vendor."""
    return {key for key, each in now.items() if not each.is_asked or not before[key].is_asked}

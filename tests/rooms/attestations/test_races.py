"""Two at once on a real database: exactly one wins, and the other is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.evidence import service as evidence
from portal.evidence.models import Evidence
from portal.kernel.actor import system
from portal.kernel.errors import Conflict
from portal.terms import AssessmentState
from tests.factories.attestations import Desk

ROUNDS = 12
KEY = "gov.owner"


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do all at the same moment; return what each gave, a conflict as itself."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return act()
        except Conflict as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def wait_until_blocked(desk: Desk) -> None:
    """Return once some transaction of this database waits for a lock."""
    statement = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with desk.house.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.execute(statement).scalar_one():
            pass


def lost(results: list[Any]) -> list[Conflict]:
    return [each for each in results if isinstance(each, Conflict)]


def test_of_two_signatures_at_once_exactly_one_counts(desk: Desk) -> None:
    """WF-02, R17."""
    desk.complete()
    for turn in range(1, ROUNDS + 1):
        form = desk.form()

        results = at_once(lambda form=form: desk.sign(**form), lambda form=form: desk.sign(**form))

        (refusal,) = lost(results)
        assert refusal.current["state"] == "submitted"
        with desk.at(desk.admin.actor) as (tx, row):
            assert (row.state, row.revision) == (AssessmentState.SUBMITTED, turn)
            counted = sa.text("SELECT count(*) FROM attestation")
            assert tx.session.execute(counted).scalar_one() == turn
        desk.send_back(KEY)
        desk.reply(KEY)
    with desk.house.ledger.begin(system("test")) as tx:
        told = sa.text("SELECT count(*) FROM audit_event WHERE fact = 'attestation_signed'")
        assert tx.session.execute(told).scalar_one() == ROUNDS


def test_an_answer_and_a_signature_at_once_never_both_count(desk: Desk) -> None:
    desk.complete()
    for turn in range(ROUNDS):
        form = desk.form()
        with desk.at(desk.admin.actor) as (tx, row):
            version = attestations.answers_of(tx, row)[KEY].version
        raw = {"choice": "yes", "comment": f"Turn {turn}."}

        results = at_once(
            lambda raw=raw, version=version: desk.save(KEY, raw, version=version),
            lambda form=form: desk.sign(**form),
        )

        assert len(lost(results)) == 1
        with desk.at(desk.admin.actor) as (tx, row):
            now = attestations.answers_of(tx, row)[KEY]
            if isinstance(results[1], Conflict):
                assert now.comment == f"Turn {turn}."
                assert row.state is not AssessmentState.SUBMITTED
            else:
                frozen = attestations.attested(tx, results[1])
                assert frozen.snapshot.answers[KEY].answer == now.answer
                assert frozen.digest == form["digest_seen"]
        if row.state is AssessmentState.SUBMITTED:
            desk.send_back(KEY)
            desk.reply(KEY)


def test_a_signature_waits_for_an_answer_under_way_and_is_then_refused(desk: Desk) -> None:
    desk.complete()
    form = desk.form()
    with ThreadPoolExecutor(1) as pool:
        with desk.at(desk.respondent.actor) as (tx, row):
            version = attestations.answers_of(tx, row)[KEY].version
            attestations.save_answer(tx, assessment=row, question_key=KEY, raw={"choice": "no"}, version=version)
            signing = pool.submit(at_once, lambda: desk.sign(**form))
            wait_until_blocked(desk)
        (refusal,) = signing.result()
    assert isinstance(refusal, Conflict)
    with desk.at(desk.admin.actor) as (tx, row):
        assert row.state is AssessmentState.IN_PROGRESS
        assert attestations.latest(tx, row.id) is None


def test_an_answer_waits_for_a_signature_under_way_and_is_then_refused(desk: Desk) -> None:
    desk.complete()
    form = desk.form()
    with ThreadPoolExecutor(1) as pool:
        with desk.at(desk.signatory.fresh) as (tx, row):
            signed = attestations.sign(tx, assessment=row, **form).id
            saving = pool.submit(at_once, lambda: desk.save(KEY, {"choice": "no"}))
            wait_until_blocked(desk)
        (refusal,) = saving.result()
    assert isinstance(refusal, Conflict)
    with desk.at(desk.admin.actor) as (tx, row):
        now = attestations.answers_of(tx, row)[KEY]
        assert attestations.attested(tx, signed).snapshot.answers[KEY].answer == now.answer


def test_a_file_cited_while_a_signature_is_under_way_is_refused(desk: Desk) -> None:
    desk.complete()
    form, evidence_id = desk.form(), desk.file()
    with ThreadPoolExecutor(1) as pool:
        with desk.at(desk.signatory.fresh) as (tx, row):
            attestations.sign(tx, assessment=row, **form)
            citing = pool.submit(at_once, lambda: desk.cite(KEY, evidence_id))
            wait_until_blocked(desk)
        (refusal,) = citing.result()
    assert isinstance(refusal, Conflict)
    with desk.at(desk.admin.actor) as (tx, row):
        assert attestations.citations_of(tx, row) == {}


def test_of_two_writers_of_one_answer_one_wins_and_the_other_reads_the_winner(desk: Desk) -> None:
    """R16."""
    for version in range(ROUNDS):
        results = at_once(
            *(
                lambda who=who, version=version: desk.save(
                    KEY, {"choice": "yes", "comment": f"{who} {version}"}, version=version
                )
                for who in ("one", "two")
            )
        )
        (refusal,) = lost(results)
        (winner,) = [each for each in results if each is not refusal]
        assert winner.version == version + 1
        assert refusal.current["theirs"].comment == winner.comment
    with desk.at(desk.admin.actor) as (tx, row):
        assert [each.version for each in attestations.history(tx, row, KEY)] == list(range(ROUNDS, 0, -1))


def test_first_answers_to_different_questions_at_once_all_count(desk: Desk) -> None:
    keys = [each.key for each in desk.visible()[:4]]
    results = at_once(*(lambda key=key: desk.save(key, {"comment": "Mine."}, version=0) for key in keys))
    assert [each.version for each in results] == [1, 1, 1, 1]
    with desk.house.ledger.begin(system("test")) as tx:
        begun = sa.text("SELECT count(*) FROM audit_event WHERE fact = 'assessment_begun'")
        assert tx.session.execute(begun).scalar_one() == 1


def test_a_colleague_answers_another_question_while_mine_is_under_way(desk: Desk) -> None:
    desk.save(KEY, {"choice": "yes"})
    other = desk.visible()[1].key
    with desk.at(desk.respondent.actor) as (tx, row):
        attestations.save_answer(tx, assessment=row, question_key=KEY, raw={"choice": "no"}, version=1)

        line = desk.save(other, {"comment": "Mine."}, actor=desk.admin.actor)

        assert line.version == 1


def test_one_file_attached_twice_at_once_is_one_citation(desk: Desk) -> None:
    desk.save(KEY, {"choice": "yes"})
    for _ in range(ROUNDS):
        evidence_id = desk.file()
        first, second = at_once(lambda e=evidence_id: desk.cite(KEY, e), lambda e=evidence_id: desk.cite(KEY, e))
        assert first == second
        with desk.at(desk.respondent.actor) as (tx, row):
            attestations.uncite(tx, assessment=row, citation_id=first)


def test_a_scoping_fact_stated_while_a_signature_is_under_way_is_refused(desk: Desk) -> None:
    desk.complete()
    form = desk.form()

    def restate() -> None:
        with desk.at(desk.admin.actor) as (tx, row):
            assessments.state_fact(tx, assessment=row, key="scp.people", value={"number": "4000"}, version=1)

    with ThreadPoolExecutor(1) as pool:
        with desk.at(desk.signatory.fresh) as (tx, row):
            attestations.sign(tx, assessment=row, **form)
            stating = pool.submit(at_once, restate)
            wait_until_blocked(desk)
        (refusal,) = stating.result()
    assert isinstance(refusal, Conflict)


def test_a_file_that_leaves_the_library_while_it_is_signed_with_stays(desk: Desk) -> None:
    desk.complete()
    evidence_id = desk.file()
    desk.cite(KEY, evidence_id)
    form = desk.form()

    def remove() -> None:
        with desk.at(desk.respondent.actor) as (tx, _):
            evidence.remove(tx, evidence=tx.session.get_one(Evidence, evidence_id))

    with ThreadPoolExecutor(1) as pool:
        with desk.at(desk.signatory.fresh) as (tx, row):
            attestations.sign(tx, assessment=row, **form)
            removing = pool.submit(at_once, remove)
            wait_until_blocked(desk)
        (refusal,) = removing.result()
    assert isinstance(refusal, Conflict)
    assert "You signed with this file" in refusal.message


def test_a_signature_waits_for_a_file_that_leaves_the_library_and_is_then_refused(desk: Desk) -> None:
    desk.complete()
    evidence_id = desk.file()
    desk.cite(KEY, evidence_id)
    form = desk.form()
    with ThreadPoolExecutor(1) as pool:
        with desk.at(desk.respondent.actor) as (tx, row):
            evidence.remove(tx, evidence=tx.session.get_one(Evidence, evidence_id))
            signing = pool.submit(at_once, lambda: desk.sign(**form))
            wait_until_blocked(desk)
        (refusal,) = signing.result()
    assert isinstance(refusal, Conflict)
    with desk.at(desk.admin.actor) as (tx, row):
        assert attestations.citations_of(tx, row) == {}

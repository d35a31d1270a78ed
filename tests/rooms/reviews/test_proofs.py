"""One file seen from the answers that were signed with it: many judged in one act, and by whom."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.attestations import service as attestations
from portal.attestations.models import Citation
from portal.evidence.models import Evidence
from portal.kernel.actor import system
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.reviews import service as reviews
from portal.reviews.service import Judged, Proof
from portal.terms import Acceptance, EvidenceState
from portal.wiring import House
from tests.factories.attestations import make_file
from tests.factories.identity import Person
from tests.factories.reviews import Bench, bench


@pytest.fixture
def b(house: House) -> Bench:
    made = bench(house)
    made.claim()
    return made


def report(b: Bench, kind: str = "SOC2") -> UUID:
    with b.house.ledger.begin(system("test")) as tx:
        statement = sa.select(Evidence.id).where(Evidence.vendor_id == b.desk.vendor_id, Evidence.kind == kind)
        return tx.session.execute(statement).scalars().one()


def newer(b: Bench, of: UUID) -> UUID:
    with b.house.ledger.begin(system("test")) as tx:
        given = {"vendor_id": b.desk.vendor_id, "uploaded_by": b.desk.respondent.id, "kind": "SOC2"}
        return make_file(tx, supersedes_id=of, **given).id


def proofs(b: Bench, evidence_id: UUID, who: Person | None = None) -> tuple[Proof, ...]:
    with b.house.ledger.begin((who or b.reviewer).actor) as tx:
        return reviews.proofs_of(tx, tx.session.get_one(Evidence, evidence_id))


def seen(lines: tuple[Proof, ...]) -> dict[UUID, Acceptance]:
    return {each.citation_id: each.acceptance for each in lines}


def accept(
    b: Bench, evidence_id: UUID, ticked: dict[UUID, Acceptance], who: Person | None = None
) -> tuple[Judged, ...]:
    with b.house.ledger.begin((who or b.reviewer).actor) as tx:
        return reviews.accept_many(tx, evidence=tx.session.get_one(Evidence, evidence_id), seen=ticked)


def told(b: Bench, fact: str) -> int:
    with b.house.ledger.begin(system("test")) as tx:
        counted = sa.text("SELECT count(*) FROM audit_event WHERE fact = :fact")
        return int(tx.session.execute(counted, {"fact": fact}).scalar_one())


def test_a_verified_document_is_let_in_for_many_answers_at_once_each_with_its_fact(b: Bench) -> None:
    file = report(b)
    lines = proofs(b, file)
    assert len(lines) > 5
    assert all(each.open and each.pages == "3" and each.acceptance is Acceptance.UNJUDGED for each in lines)

    for _ in range(2):
        assert not any(each.why for each in accept(b, file, seen(lines)))

    assert {each.acceptance for each in proofs(b, file)} == {Acceptance.ACCEPTED}
    assert told(b, "citation_judged") == len(lines)


def test_what_somebody_judged_meanwhile_is_left_and_the_rest_goes_on(b: Bench) -> None:
    file = report(b)
    lines = proofs(b, file)
    with b.at(b.reviewer.actor) as (tx, review):
        reviews.judge_citation(tx, review=review, citation_id=lines[0].citation_id, acceptance=Acceptance.REJECTED)

    left = [each for each in accept(b, file, seen(lines)) if each.why]

    assert [each.name for each in left] == [f"{lines[0].question.number} {lines[0].question.label}"]
    assert left[0].why == "Somebody judged this meanwhile. Look at it again."
    assert [each.acceptance for each in proofs(b, file)].count(Acceptance.ACCEPTED) == len(lines) - 1


def test_not_for_these_needs_a_reason_that_stays_with_each_answer(b: Bench) -> None:
    file = report(b)
    ticked = seen(proofs(b, file)[:2])
    with pytest.raises(Refused, match="Say why"), b.house.ledger.begin(b.reviewer.actor) as tx:
        reviews.reject_many(tx, evidence=tx.session.get_one(Evidence, file), seen=ticked, reason=" ")

    for _ in range(2):
        with b.house.ledger.begin(b.reviewer.actor) as tx:
            row = tx.session.get_one(Evidence, file)
            reviews.reject_many(tx, evidence=row, seen=ticked, reason="It carves the tool out.")

    with b.at(b.reviewer.actor) as (tx, review):
        notes = reviews.notes_of(tx, review)
    assert [len(each) for each in notes.values()] == [1, 1]
    assert all(each[0].body.endswith("does not prove this answer: It carves the tool out.") for each in notes.values())


def test_only_the_reviewer_of_the_assessment_judges_the_others_read_why(b: Bench) -> None:
    file = report(b)
    lines = proofs(b, file, b.other)
    assert {each.why for each in lines} == {"Ines Valdarno reviews this."}

    assert all(each.why for each in accept(b, file, seen(lines), b.other))
    with pytest.raises(Forbidden):
        proofs(b, file, b.desk.admin)

    assert {each.acceptance for each in proofs(b, file)} == {Acceptance.UNJUDGED}


def test_a_use_of_another_file_nothing_and_too_much_are_refused(b: Bench) -> None:
    file, other = report(b), report(b, "PT")
    with pytest.raises(NotFound):
        accept(b, file, seen(proofs(b, other)))
    with pytest.raises(Refused, match="Tick the answers"):
        accept(b, file, {})
    with pytest.raises(Refused, match="at most 100"):
        accept(b, file, {UUID(int=number): Acceptance.UNJUDGED for number in range(101)})


def test_a_new_revision_is_checked_for_all_its_answers_at_once(b: Bench) -> None:
    old = report(b)
    count = len(proofs(b, old))
    new = newer(b, old)
    lines = proofs(b, new)
    assert len(lines) == count
    assert all(each.check_again and each.older for each in lines)
    with pytest.raises(NotFound):
        accept(b, new, seen(lines))

    with b.house.ledger.begin(b.reviewer.actor) as tx:
        row = tx.session.get_one(Evidence, new)
        done = reviews.recheck_many(tx, evidence=row, citation_ids=[each.citation_id for each in lines])

    assert not any(each.why for each in done)
    assert not any(each.check_again for each in proofs(b, new))
    assert told(b, "citation_checked") == count


def test_what_was_accepted_is_what_was_seen_also_when_a_new_revision_arrives_in_the_same_moment(b: Bench) -> None:
    old = report(b)
    ticked = seen(proofs(b, old))
    with ThreadPoolExecutor(2) as pool:
        accepted, arrived = pool.submit(accept, b, old, ticked), pool.submit(newer, b, old)
        assert not any(each.why for each in accepted.result())
        new = arrived.result()

    with b.house.ledger.begin(system("test")) as tx:
        rows = tx.session.execute(sa.select(Citation).where(Citation.id.in_(list(ticked)))).scalars().all()
        assert {(each.evidence_id, each.acceptance, each.checked_evidence_id) for each in rows} == {
            (old, Acceptance.ACCEPTED, None)
        }
        assert set(attestations.check_again_of(tx, list(ticked)).values()) == {new}


@pytest.mark.parametrize(("broken", "words"), [("old", "that were signed"), ("new", "that were checked")])
def test_nothing_is_decided_while_the_bytes_signed_with_or_those_checked_since_are_damaged(
    b: Bench, broken: str, words: str
) -> None:
    files = {"old": report(b)}
    files["new"] = newer(b, files["old"])
    with b.house.ledger.begin(b.reviewer.actor) as tx:
        row = tx.session.get_one(Evidence, files["new"])
        lines = [each.citation_id for each in reviews.proofs_of(tx, row)]
        assert not any(each.why for each in reviews.recheck_many(tx, evidence=row, citation_ids=lines))
    b.accept_rest()
    b.recommend()
    with b.house.ledger.begin(system("test")) as tx:
        tx.session.get_one(Evidence, files[broken]).state = EvidenceState.INTEGRITY_FAILURE

    with pytest.raises(Conflict, match=words):
        b.propose(b.lead, reason="We saw it on a call.")

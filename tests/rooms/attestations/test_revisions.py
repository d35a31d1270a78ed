"""A newer revision of a file that answers were signed with: to be checked again, and by whom."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.attestations import counting
from portal.attestations import service as attestations
from portal.attestations.counting import UseCount
from portal.attestations.models import AttestedCitation, Citation
from portal.evidence import queries as files
from portal.evidence.models import Evidence
from portal.kernel.actor import system
from portal.kernel.errors import Conflict, Forbidden
from portal.reviews import service as reviews
from portal.terms import Acceptance, EvidenceState, Role
from portal.vendors.models import Vendor
from portal.wiring import House
from tests.factories.attestations import make_file
from tests.factories.identity import Person, person
from tests.factories.reviews import Bench, bench


@pytest.fixture
def b(house: House) -> Bench:
    made = bench(house)
    made.claim()
    return made


def revision(b: Bench, of: UUID, **fields: Any) -> UUID:
    with b.house.ledger.begin(system("test")) as tx:
        given = {"vendor_id": b.desk.vendor_id, "uploaded_by": b.desk.respondent.id, "kind": "SOC2", **fields}
        return make_file(tx, supersedes_id=of, **given).id


def some(b: Bench, kind: str = "SOC2") -> tuple[UUID, UUID]:
    """Return one signed citation of a file of a kind, and the file."""
    with b.house.ledger.begin(system("test")) as tx:
        statement = (
            sa.select(AttestedCitation.citation_id, AttestedCitation.evidence_id)
            .join(Evidence, Evidence.id == AttestedCitation.evidence_id)
            .where(Evidence.kind == kind, AttestedCitation.vendor_id == b.desk.vendor_id)
            .order_by(AttestedCitation.question_key)
        )
        row = tx.session.execute(statement).first()
        assert row is not None
        return row.citation_id, row.evidence_id


def head(b: Bench, evidence_id: UUID) -> UUID:
    with b.house.ledger.begin(system("test")) as tx:
        return files.heads(tx, [evidence_id])[evidence_id]


def waits(b: Bench, citation_id: UUID) -> UUID | None:
    with b.house.ledger.begin(system("test")) as tx:
        return attestations.check_again_of(tx, [citation_id]).get(citation_id)


def check(b: Bench, who: Person, citation_id: UUID, evidence_id: UUID) -> None:
    with b.house.ledger.begin(who.actor) as tx:
        reviews.recheck(tx, citation_id=citation_id, evidence=tx.session.get_one(Evidence, evidence_id))


def test_the_newest_kept_revision_stands_for_a_file(b: Bench) -> None:
    _, first = some(b)
    assert head(b, first) == first
    second = revision(b, first)
    turned_down = revision(
        b, second, state=EvidenceState.REJECTED, judged_by=b.reviewer.id, judged_at=b.house.clock.read(None)
    )
    assert head(b, first) == second
    third = revision(b, turned_down)
    assert [head(b, each) for each in (first, second, third)] == [third] * 3


def test_a_newer_revision_is_checked_again_until_a_reviewer_says_that_it_proves_the_same(b: Bench) -> None:
    citation, first = some(b)
    assert waits(b, citation) is None
    second = revision(b, first)
    assert waits(b, citation) == second

    for _ in range(2):
        check(b, b.reviewer, citation, second)

    assert waits(b, citation) is None
    with b.house.ledger.begin(system("test")) as tx:
        row = tx.session.get_one(Citation, citation)
        assert (row.checked_evidence_id, row.checked_by) == (second, b.reviewer.id)
        told = sa.text("SELECT count(*) FROM audit_event WHERE fact = 'citation_checked'")
        assert tx.session.execute(told).scalar_one() == 1
    third = revision(b, second)
    assert waits(b, citation) == third


def test_only_the_newest_revision_that_was_seen_is_taken(b: Bench) -> None:
    citation, first = some(b)
    second = revision(b, first)
    revision(b, second)
    with pytest.raises(Conflict, match="newer revision of this file came while you looked"):
        check(b, b.reviewer, citation, second)
    with pytest.raises(Conflict, match="nothing to check"):
        check(b, b.reviewer, citation, first)
    with pytest.raises(Conflict):
        check(b, b.reviewer, citation, some(b, "PT")[1])
    assert waits(b, citation) is not None


def test_its_reviewer_checks_while_it_is_reviewed_and_nobody_while_it_waits_for_a_decision(b: Bench) -> None:
    citation, first = some(b)
    second = revision(b, first)
    for somebody in (b.other, b.desk.admin):
        with pytest.raises(Forbidden):
            check(b, somebody, citation, second)
    b.accept_rest()
    b.recommend()
    with pytest.raises(Conflict, match="waits for a decision"):
        check(b, b.reviewer, citation, second)


def test_after_the_decision_whoever_is_not_tied_to_the_vendor_checks(b: Bench) -> None:
    citation, first = some(b)
    b.accept_rest()
    b.recommend()
    b.propose(b.lead)
    second = revision(b, first)
    with b.house.ledger.begin(b.other.actor) as tx:
        vendor = tx.session.get_one(Vendor, b.desk.vendor_id)
        reviews.declare_conflict(tx, vendor=vendor, reason="Worked there until March")
    with pytest.raises(Forbidden, match="Somebody else judges this file"):
        check(b, b.other, citation, second)
    with pytest.raises(Forbidden):
        check(b, b.admin, citation, second)

    check(b, person(b.house, roles=[Role.REVIEWER], name="Noor Halvorsen"), citation, second)

    assert waits(b, citation) is None


def test_what_was_turned_down_is_not_let_in_by_its_newer_revision(b: Bench) -> None:
    citation, first = some(b)
    with b.at(b.reviewer.actor) as (tx, review):
        reviews.judge_citation(tx, review=review, citation_id=citation, acceptance=Acceptance.REJECTED)
    with pytest.raises(Conflict, match="was not accepted for this answer"):
        check(b, b.reviewer, citation, revision(b, first))


def test_a_file_counts_the_answers_it_proves_and_those_to_check_again(b: Bench) -> None:
    citation, first = some(b)

    def counted(which: UUID) -> UseCount:
        with b.house.ledger.begin(system("test")) as tx:
            return counting.counts_of(tx, [which]).get(which, UseCount())

    def waiting() -> list[UUID]:
        with b.house.ledger.begin(system("test")) as tx:
            return counting.to_check_again(tx)

    before = counted(first)
    assert before.answers > 0
    assert before.again == 0
    assert waiting() == []

    second = revision(b, first)
    assert counted(second) == UseCount(answers=0, unjudged=0, again=before.answers)
    assert counted(first).again == 0
    assert waiting() == [second]

    check(b, b.reviewer, citation, second)
    after = counted(second)
    assert (after.answers, after.again) == (1, before.answers - 1)

    third = revision(b, second)
    assert waiting() == [third]
    assert counted(third).again == before.answers

"""S3, S5 and S7 where they are enforced: claim, assignment, verdict, recommendation, proposal and signature."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.kernel.actor import system
from portal.kernel.errors import Conflict, Forbidden, Refused
from portal.policy import Action
from portal.reviews import service as reviews
from portal.reviews.models import Review
from portal.terms import DecisionState, Outcome, Role, Verdict
from portal.vendors.models import Vendor
from portal.wiring import House
from tests.factories import invariants
from tests.factories.identity import Person, person
from tests.factories.reviews import Bench, bench

BOTH = [Role.REVIEWER, Role.LEAD_APPROVER]


def declared(b: Bench, who: Person, *, by: Person | None = None) -> UUID:
    with b.house.ledger.begin((by or who).actor) as tx:
        vendor = tx.session.get_one(Vendor, b.desk.vendor_id)
        return reviews.declare_conflict(tx, vendor=vendor, reason="Worked there until March", user_id=who.id).id


def by_declaration(b: Bench) -> Person:
    made = person(b.house, roles=BOTH, name="Jonas Weil")
    declared(b, made)
    return made


def by_invitation(b: Bench) -> Person:
    made = person(b.house, roles=BOTH, name="Jonas Weil")
    with b.house.ledger.begin(system("test")) as tx:
        # One that was taken back long ago: the address was asked to work for the vendor.
        tx.session.execute(
            sa.text(
                "INSERT INTO invitation (id, purpose, email, full_name, side, vendor_id, roles, sections, token_digest,"
                " generation, created_at, expires_at, revoked_at)"
                " VALUES (:i, 'join', :e, 'Jonas Weil', 'vendor', :v, '{respondent}', '{}', sha256('y'), 1, :n, :n, :n)"
            ),
            {"i": tx.new_id(), "e": made.email, "v": b.desk.vendor_id, "n": tx.now},
        )
    return made


def by_domain(b: Bench) -> Person:
    return person(b.house, roles=BOTH, name="Jonas Weil", email="jonas@eu.quillmark.example")


def by_an_earlier_address(b: Bench) -> Person:
    made = person(b.house, roles=BOTH, name="Jonas Weil")
    with b.house.ledger.begin(system("test")) as tx:
        # As a change of address leaves it: the invitation that carried it was redeemed.
        tx.session.execute(
            sa.text(
                "INSERT INTO invitation (id, purpose, email, full_name, was_email, side, roles, sections, user_id,"
                " token_digest, generation, created_at, expires_at, redeemed_at)"
                " VALUES (:i, 'address', :e, 'Jonas Weil', 'jonas@quillmark.example', 'lab', '{}', '{}', :u,"
                " sha256('x'), 1, :n, :n, :n)"
            ),
            {"i": tx.new_id(), "e": made.email, "u": made.id, "n": tx.now},
        )
    return made


TIES = [by_declaration, by_invitation, by_domain, by_an_earlier_address]


@contextmanager
def refused() -> Iterator[None]:
    with pytest.raises((Forbidden, Refused), match=r"works or worked at Quillmark|declared a conflict of interest"):
        yield


@pytest.mark.parametrize("tie", TIES)
def test_S3_nobody_tied_to_the_vendor_claims_or_is_given_its_review(
    house: House, tie: Callable[[Bench], Person]
) -> None:
    b = bench(house)
    jonas = tie(b)

    with refused():
        b.claim(jonas)
    with refused(), b.at(b.lead.actor) as (tx, review):
        reviews.assign(tx, review=review, reviewer_id=jonas.id)
    with b.at(b.lead.actor) as (_, review):
        assert review.reviewer_id is None


@pytest.mark.parametrize("tie", TIES)
def test_S3_who_became_tied_judges_recommends_proposes_and_signs_nothing(
    house: House, tie: Callable[[Bench], Person]
) -> None:
    b = bench(house, tier=1)
    b.review()
    proposed = b.propose(b.lead)
    jonas = tie(b)
    with house.ledger.begin(system("test")) as tx:
        tx.session.execute(sa.update(Review).values(reviewer_id=jonas.id))

    with refused():
        b.sign(jonas, proposed)
    with house.ledger.begin(b.lead.actor) as tx:
        reviews.withdraw_decision(tx, decision=reviews.get_decision(tx, proposed, Action.REVIEW_READ))
    with refused():
        b.propose(jonas)
    with refused(), b.at(jonas.actor) as (tx, review):
        reviews.escalate(
            tx, review=review, to=[b.lead.id], reason="Two say different things.", due_on=date(2026, 11, 30)
        )
    with refused(), b.at(jonas.actor) as (tx, review):
        reviews.return_to_review(tx, review=review, reason="Look again", row_version=review.row_version)
    with b.at(b.lead.actor) as (tx, review):
        reviews.return_to_review(tx, review=review, reason="Look again", row_version=review.row_version)
    with refused():
        b.judge(next(iter(_asked(b))), Verdict.ACCEPT, who=jonas)
    with refused():
        b.recommend(jonas)


def _asked(b: Bench) -> list[str]:
    with b.at(b.lead.actor) as (tx, review):
        return [key for key, each in reviews.attested_of(tx, review).snapshot.answers.items() if each.is_asked]


def test_a_conflict_declared_after_half_a_decision_undoes_it(house: House) -> None:
    b = bench(house, tier=1)
    b.review()
    proposed = b.propose(b.lead)

    declared(b, b.lead)

    assert b.decision(proposed).state is DecisionState.VOIDED
    with pytest.raises(Conflict, match="taken back"):
        b.sign(b.second, proposed)
    b.sign(b.third, b.propose(b.second))
    with house.ledger.begin(system("test")) as tx:
        assert invariants.duties_apart(tx) == 1


def test_a_conflict_of_somebody_else_and_of_another_vendor_undoes_nothing(house: House) -> None:
    b = bench(house, tier=1)
    b.review()
    proposed = b.propose(b.lead)

    declared(b, b.third)

    assert b.decision(proposed).state is DecisionState.PROPOSED


def test_a_reviewer_who_declares_a_conflict_lets_the_review_go(house: House) -> None:
    b = bench(house)
    b.claim()

    declared(b, b.reviewer)

    with b.at(b.lead.actor) as (_, review):
        assert review.reviewer_id is None
    b.claim(b.other)


def test_an_admin_declares_for_others_and_ends_it_but_nobody_ends_their_own(house: House) -> None:
    b = bench(house)
    tie = declared(b, b.reviewer, by=b.admin)
    with pytest.raises(Forbidden), house.ledger.begin(b.other.actor) as tx:
        reviews.declare_conflict(
            tx, vendor=tx.session.get_one(Vendor, b.desk.vendor_id), reason="He told me", user_id=b.reviewer.id
        )
    with pytest.raises(Forbidden), house.ledger.begin(b.reviewer.actor) as tx:
        reviews.end_conflict(tx, conflict_id=tie)
    with refused():
        b.claim()

    with house.ledger.begin(b.admin.actor) as tx:
        reviews.end_conflict(tx, conflict_id=tie)

    b.claim()
    with pytest.raises(Conflict), house.ledger.begin(b.admin.actor) as tx:
        reviews.end_conflict(tx, conflict_id=tie)


def test_what_ties_a_person_is_said_without_a_case(house: House) -> None:
    b = bench(house)
    jonas = by_declaration(b)
    with house.ledger.begin(jonas.actor) as tx:
        vendor = tx.session.get_one(Vendor, b.desk.vendor_id)
        assert [each.in_brief for each in reviews.bars_for(tx, jonas.actor, vendor)] == ["worked there until March"]
        assert reviews.bars_for(tx, b.lead.actor, vendor) == ()
        assert reviews.bars_for(tx, system("job"), vendor) == ()


def test_S5_who_signed_the_questionnaire_this_week_does_not_decide_alone_with_it(house: House) -> None:
    b = bench(house, tier=2)
    b.review()
    with house.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE questionnaire_version DISABLE TRIGGER USER"))
        connection.execute(
            sa.text("UPDATE questionnaire_version SET published_by = :u, published_at = :n"),
            {"u": b.lead.id, "n": house.instant()},
        )

    prepared = b.propose(b.lead)

    assert b.decision(prepared).state is DecisionState.PROPOSED
    with pytest.raises(Forbidden, match="changed the questionnaire less than 7 days ago"):
        b.sign(b.lead, prepared)
    b.sign(b.second, prepared)
    assert b.decision(prepared).state is DecisionState.CONFIRMED


def test_one_says_no_alone_but_not_one_who_is_tied(house: House) -> None:
    b = bench(house, tier=1)
    b.review()
    terms: dict[str, Any] = {"outcome": Outcome.REJECT, "reason": "Not now.", "valid_until": None}
    with refused():
        b.propose(by_domain(b), **terms)
    assert b.decision(b.propose(b.reviewer, **terms)).state is DecisionState.CONFIRMED

"""Who is told by mail of proof and second looks, and that nobody is told what the words are."""

from __future__ import annotations

from datetime import timedelta

from portal.delivery import queries as mails
from portal.jobs.digests import gather_digests
from portal.jobs.worker import run_worker
from portal.kernel.clock import FixedClock
from portal.wiring import House
from tests.factories.accepting import accepted, agree, confirm, move_due, plan, propose, return_plan, revoke
from tests.factories.remedies import SYSTEM, conditional, finding, give_back, proof_file, send, verify
from tests.factories.reviews import Bench
from tests.rooms.findings.test_second_look import answer, ask


def sent(made: Bench) -> dict[str, set[str]]:
    """Return who was written to, by the kind of mail."""
    run_worker(made.house, once=True)
    found: dict[str, set[str]] = {}
    with made.house.ledger.begin(SYSTEM) as tx:
        for line in mails.mails(tx, limit=500):
            found.setdefault(line.kind, set()).add(line.to_address)
    return found


def test_the_vendor_hears_what_became_of_its_proof(house: House, clock: FixedClock) -> None:
    made = conditional(house)
    give_back(made, send(made, proof_file(made)), note="Manila is missing.")
    team = {made.desk.respondent.email, made.desk.admin.email, made.desk.signatory.email}
    told = sent(made)
    assert told["proof_returned"] == team
    clock.advance(minutes=11)
    verify(made, send(made, proof_file(made)))
    assert sent(made)["proof_accepted"] == team


def test_the_reviewer_hears_in_the_digest_that_proof_waits(house: House, clock: FixedClock) -> None:
    """ux.md, e-mail 21."""
    made = conditional(house)
    send(made, proof_file(made))
    send(made, proof_file(made))
    clock.advance(minutes=11)
    told = sent(made)
    assert "proof_received" not in told
    before = told.get("digest", set())
    clock.advance(days=1)
    gather_digests(house)
    assert made.reviewer.email in sent(made)["digest"] - before


def test_a_second_look_goes_to_those_who_took_no_part_and_its_answer_to_the_vendor(house: House) -> None:
    made = conditional(house)
    assert made.third
    line = ask(made)
    told = sent(made)["second_look_asked"]
    assert made.third.email in told
    assert told.isdisjoint({made.reviewer.email, made.lead.email})
    answer(made, line.id, made.third)
    assert sent(made)["second_look_answered"] == {made.desk.admin.email, made.desk.signatory.email}


def test_plans_reach_who_follows_the_finding_in_the_digest_and_the_answer_goes_back(
    house: House, clock: FixedClock
) -> None:
    made = conditional(house)
    return_plan(made, plan(made), note="Which site first?")
    clock.advance(minutes=11)
    agree(made, plan(made, words="Manila first."))
    told = sent(made)
    assert told["plan_returned"] == told["plan_agreed"]
    assert made.desk.admin.email in told["plan_agreed"]
    assert made.desk.signatory.email not in told["plan_agreed"]
    assert "plan_received" not in told

    plan(made, words="Cebu as well.")
    clock.advance(minutes=11)
    before = sent(made).get("digest", set())
    clock.advance(days=1)
    gather_digests(house)
    assert made.reviewer.email in sent(made)["digest"] - before


def test_another_due_date_reaches_the_owner_and_no_one_hears_of_one_that_moved_again(house: House) -> None:
    made = conditional(house)
    first = finding(made).due_on
    assert first
    move_due(made, first + timedelta(days=20))
    move_due(made, first + timedelta(days=30))
    run_worker(house, once=True)
    with house.ledger.begin(SYSTEM) as tx:
        lines = [each for each in mails.mails(tx, limit=500) if each.kind == "finding_due_moved"]
        assert [each.to_address for each in lines] == [made.desk.admin.email]
        assert mails.mail(tx, lines[0].id).context["due_on"] == (first + timedelta(days=30)).isoformat()


def test_a_risk_goes_to_who_may_confirm_it_and_its_fate_to_the_vendors_admins(house: House) -> None:
    made = conditional(house)
    waiting = propose(made)
    told = sent(made)["risk_proposed"]
    assert made.lead.email in told
    assert made.reviewer.email not in told

    confirm(made, waiting)
    assert sent(made)["risk_accepted"] == {made.desk.admin.email}
    revoke(made, waiting)
    assert sent(made)["risk_revoked"] == {made.desk.admin.email}


def test_nobody_hears_that_access_is_closed_again_by_a_finding_that_proof_closed(house: House) -> None:
    made = conditional(house)
    accepted(made)
    verify(made, send(made, proof_file(made)))
    told = sent(made)
    assert "proof_accepted" in told
    assert not {"risk_accepted", "risk_revoked"} & set(told)

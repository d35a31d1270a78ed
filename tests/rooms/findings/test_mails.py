"""Who is told by mail of proof and second looks, and that nobody is told what the words are."""

from __future__ import annotations

from portal.delivery import queries as mails
from portal.jobs.digests import gather_digests
from portal.jobs.worker import run_worker
from portal.kernel.clock import FixedClock
from portal.wiring import House
from tests.factories.remedies import SYSTEM, conditional, give_back, proof_file, send, verify
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

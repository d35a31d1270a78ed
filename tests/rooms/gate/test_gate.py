"""The gate's truth in the database: sequences without gaps, pauses by one, resumption by two, lapses by the clock."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from portal.assessments import service as assessments
from portal.gate import queries
from portal.gate import service as gate
from portal.gate.models import Clearance, Pause
from portal.gate.rules import Answer, Question, Reason
from portal.kernel.actor import Actor, ActorKind, system
from portal.kernel.clock import FixedClock
from portal.kernel.errors import Conflict, Forbidden, Refused, StepUpRequired
from portal.kernel.signing import make_file
from portal.policy import Action
from portal.terms import ClearanceAct, Role
from portal.vendors.models import Engagement, Vendor
from portal.wiring import House
from tests.factories.gate import make_clearance
from tests.factories.identity import person
from tests.factories.vendors import make_engagement, make_vendor

SYSTEM = system("test")
QUESTION = Question("quillmark-annotation", "D3", "A2", "preference ranking")


@dataclass
class World:
    house: House
    vendor: Vendor
    engagement: Engagement
    reviewer: Actor
    leads: tuple[Actor, Actor]

    def ask(self, question: Question = QUESTION) -> Answer:
        with self.house.ledger.begin(SYSTEM) as tx:
            return gate.answer(tx, question)

    def pause(self, actor: Actor | None = None) -> UUID:
        with self.house.ledger.begin(actor or self.reviewer) as tx:
            return gate.pause(tx, vendor=self.vendor, reason="breach reported").id

    def resume(self, pause_id: UUID, first: Actor, second: Actor) -> None:
        with self.house.ledger.begin(first) as tx:
            row = gate.get_pause(tx, pause_id, Action.RESUME)
            gate.ask_resume(tx, pause=row, plan="keys rotated, watched for a week", row_version=row.row_version)
        with self.house.ledger.begin(second) as tx:
            row = gate.get_pause(tx, pause_id, Action.RESUME)
            gate.confirm_resume(tx, pause=row, row_version=row.row_version, sealer=self.house.signer)


def actor_of(house: House, role: Role, name: str) -> Actor:
    someone = person(house, roles=[role], name=name)
    return Actor(ActorKind.PERSON, someone.id, name, roles=frozenset({role}), fresh=True)


@pytest.fixture
def world(house: House) -> World:
    make_file(house.signing_keys, now=house.instant())
    with house.ledger.begin(SYSTEM) as tx:
        vendor = make_vendor(tx)
        engagement = make_engagement(tx, vendor, data_classes=[2, 3])
    return World(
        house,
        vendor,
        engagement,
        actor_of(house, Role.REVIEWER, "Ines Valdarno"),
        (actor_of(house, Role.LEAD_APPROVER, "Hana Kobayashi"), actor_of(house, Role.LEAD_APPROVER, "Theo Brandvold")),
    )


@pytest.fixture
def cleared(world: World) -> World:
    with world.house.ledger.begin(SYSTEM) as tx:
        make_clearance(tx, world.engagement)
    return world


def test_gw_01_a_vendor_without_a_decision_is_denied(world: World) -> None:
    assert world.ask().reasons == (Reason.NOT_DECIDED,)
    assert world.ask(replace(QUESTION, vendor="nobody")).reasons == (Reason.UNKNOWN_VENDOR,)


def test_a_clearance_opens_what_it_covers_and_nothing_else(cleared: World) -> None:
    assert cleared.ask().allow
    assert not cleared.ask(replace(QUESTION, data_class="D5")).allow
    assert not cleared.ask(replace(QUESTION, access_mode="A4")).allow


def test_wf_17_a_clearance_lapses_with_no_worker_alive(cleared: World, clock: FixedClock) -> None:
    clock.advance(days=68)
    assert cleared.ask().allow
    clock.advance(days=1)
    assert cleared.ask().reasons == (Reason.EXPIRED,)


def test_a_later_rejection_closes_and_keeps_the_history(cleared: World) -> None:
    with cleared.house.ledger.begin(SYSTEM) as tx:
        make_clearance(tx, cleared.engagement, act=ClearanceAct.REJECT, valid_until=None)
    assert cleared.ask().reasons == (Reason.REJECTED,)
    with cleared.house.ledger.begin(SYSTEM) as tx:
        assert [line.sequence for line in queries.history(tx, cleared.vendor.id)] == [2, 1]


def test_the_database_refuses_to_change_a_clearance(cleared: World) -> None:
    with pytest.raises(ProgrammingError), cleared.house.ledger.begin(SYSTEM) as tx:
        tx.session.execute(sa.update(Clearance).values(sequence=9))


def test_wf_15_one_person_pauses_and_the_next_answer_is_no(cleared: World) -> None:
    before = cleared.ask()
    cleared.pause()
    after = cleared.ask()
    assert (before.allow, after.allow) == (True, False)
    assert after.reasons == (Reason.PAUSED,)
    assert after.sequence > before.sequence


def test_wf_15_one_person_cannot_resume(cleared: World) -> None:
    pause_id = cleared.pause()
    lead = cleared.leads[0]
    with pytest.raises(Forbidden):
        cleared.resume(pause_id, lead, lead)
    assert not cleared.ask().allow


def test_wf_15_two_people_resume_under_a_new_sequence(cleared: World) -> None:
    pause_id = cleared.pause()
    paused = cleared.ask()
    cleared.resume(pause_id, *cleared.leads)
    resumed = cleared.ask()
    assert resumed.allow
    assert resumed.sequence > paused.sequence


def test_the_one_who_paused_may_be_one_of_the_two(cleared: World) -> None:
    pause_id = cleared.pause(cleared.leads[0])
    cleared.resume(pause_id, *cleared.leads)
    assert cleared.ask().allow


def test_a_reviewer_cannot_resume_and_a_stale_factor_cannot_pause(cleared: World) -> None:
    pause_id = cleared.pause()
    with pytest.raises(Forbidden), cleared.house.ledger.begin(cleared.reviewer) as tx:
        gate.get_pause(tx, pause_id, Action.RESUME)
    with pytest.raises(StepUpRequired), cleared.house.ledger.begin(replace(cleared.leads[0], fresh=False)) as tx:
        gate.pause(tx, vendor=cleared.vendor, reason="again")


def test_nobody_pauses_twice_or_without_a_reason(cleared: World) -> None:
    with pytest.raises(Refused), cleared.house.ledger.begin(cleared.reviewer) as tx:
        gate.pause(tx, vendor=cleared.vendor, reason="  ")
    cleared.pause()
    with pytest.raises(Conflict):
        cleared.pause()


def test_a_pause_of_everybody_stops_everybody_and_is_not_a_reviewers(cleared: World) -> None:
    with pytest.raises(Forbidden), cleared.house.ledger.begin(cleared.reviewer) as tx:
        gate.pause(tx, vendor=None, reason="worm in a shared package")
    with cleared.house.ledger.begin(cleared.leads[0]) as tx:
        pause_id = gate.pause(tx, vendor=None, reason="worm in a shared package").id
    assert cleared.ask().reasons == (Reason.PAUSED_EVERYWHERE,)
    cleared.resume(pause_id, *cleared.leads)
    assert cleared.ask().allow


def test_of_two_who_pause_at_once_one_wins_and_no_sequence_is_used_twice(cleared: World) -> None:
    start = threading.Barrier(4)
    outcomes: list[str] = []

    def try_it(actor: Actor) -> None:
        start.wait()
        try:
            cleared.pause(actor)
            outcomes.append("won")
        except Conflict:
            outcomes.append("lost")

    actors = [cleared.reviewer, *cleared.leads, actor_of(cleared.house, Role.PROGRAM_ADMIN, "Mara Ilves")]
    threads = [threading.Thread(target=try_it, args=(actor,)) for actor in actors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost", "lost", "lost", "won"]
    with cleared.house.ledger.begin(SYSTEM) as tx:
        assert tx.session.execute(sa.select(sa.func.count()).select_from(Pause)).scalar_one() == 1


def test_the_vendors_own_page_is_told_at_once(cleared: World) -> None:
    def card() -> dict[str, object]:
        with cleared.house.ledger.begin(SYSTEM) as tx:
            return assessments.cards_of(tx, cleared.vendor.id)[0].body

    assert (card()["paused"], card()["valid_until"]) == (False, "2027-01-31")
    pause_id = cleared.pause()
    assert card()["paused"] is True
    assert "breach" not in str(card())
    cleared.resume(pause_id, *cleared.leads)
    assert card()["paused"] is False

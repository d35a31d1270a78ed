"""Taking an approval back: two people, one step of the clearances, and a record that anybody can check."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from portal.gate import pausing, revoking, sealing
from portal.gate import service as gate
from portal.gate.models import Clearance, Pause, Revocation
from portal.gate.rules import Answer, Question, Reason
from portal.identity import service as identity
from portal.identity.invitations import give
from portal.identity.models import UserAccount
from portal.kernel.actor import Actor, system
from portal.kernel.clock import FixedClock
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused, StepUpRequired, Unavailable
from portal.kernel.signing import Signer, make_file, pae
from portal.policy import Action
from portal.reviews import service as reviews
from portal.terms import ClearanceAct, RevocationEnd, Role
from portal.vendors.models import Engagement, Vendor
from portal.wiring import House
from tests.factories.gate import make_clearance
from tests.factories.identity import Person, person
from tests.factories.vendors import make_engagement, make_vendor
from tests.rooms.delivery.world import jobs_of

SYSTEM = system("test")
QUESTION = Question("quillmark-annotation", "D3", "A2", "preference ranking")


@dataclass
class Scene:
    """An approved vendor, and the lab's people."""

    house: House
    vendor_id: UUID
    engagement_id: UUID
    first: Person
    second: Person
    third: Person
    reviewer: Person
    admin: Person

    def answer(self) -> Answer:
        with self.house.ledger.begin(SYSTEM) as tx:
            return gate.answer(tx, QUESTION)

    def step(self, act: ClearanceAct = ClearanceAct.APPROVE) -> UUID:
        with self.house.ledger.begin(SYSTEM) as tx:
            engagement = tx.session.get_one(Engagement, self.engagement_id)
            return make_clearance(tx, engagement, act=act).id

    def newest(self) -> UUID:
        with self.house.ledger.begin(SYSTEM) as tx:
            statement = sa.select(Clearance.id).order_by(Clearance.sequence.desc()).limit(1)
            return tx.session.execute(statement).scalar_one()

    def ask(self, who: Person | None = None, *, about: UUID | None = None, reason: str = "the report fell") -> UUID:
        about = about or self.newest()
        with self.house.ledger.begin((who or self.first).fresh) as tx:
            vendor = tx.session.get_one(Vendor, self.vendor_id)
            return revoking.ask(tx, vendor=vendor, clearance_id=about, reason=reason, ticket="SEC-41").id

    def confirm(self, asked: UUID, who: Person | None = None, *, version: int = 1, actor: Actor | None = None) -> None:
        with self.house.ledger.begin(actor or (who or self.second).fresh) as tx:
            row = revoking.get(tx, self.vendor_id, asked, Action.REVOKE)
            revoking.confirm(tx, revocation=row, row_version=version, sealer=self.house.signer)

    def ended(self, asked: UUID) -> RevocationEnd | None:
        with self.house.ledger.begin(SYSTEM) as tx:
            return tx.session.get_one(Revocation, asked).ended_how

    def pause(self) -> UUID:
        with self.house.ledger.begin(self.reviewer.fresh) as tx:
            return gate.pause(
                tx, vendor=tx.session.get_one(Vendor, self.vendor_id), reason="breach", sealer=self.house.signer
            ).id

    def lose_role(self, who: Person) -> None:
        with self.house.ledger.begin(self.admin.fresh) as tx:
            user = tx.session.get_one(UserAccount, who.id)
            identity.revoke_role(tx, user=user, role=Role.LEAD_APPROVER)

    def keep_away(self, who: Person) -> None:
        with self.house.ledger.begin(who.fresh) as tx:
            reviews.declare_conflict(
                tx, vendor=tx.session.get_one(Vendor, self.vendor_id), user_id=who.id, reason="My sister works there"
            )


@pytest.fixture
def scene(house: House) -> Scene:
    make_file(house.signing_keys, now=house.instant())
    with house.ledger.begin(SYSTEM) as tx:
        vendor = make_vendor(tx)
        engagement = make_engagement(tx, vendor, data_classes=[2, 3])
        make_clearance(tx, engagement)
        ids = vendor.id, engagement.id
    return Scene(
        house,
        *ids,
        *(person(house, roles=[Role.LEAD_APPROVER], name=name) for name in ("Hana Ito", "Theo Brandt", "Stellan Ek")),
        person(house, roles=[Role.REVIEWER], name="Ines Valdarno"),
        person(house, roles=[Role.PROGRAM_ADMIN], name="Mara Ilves"),
    )


def test_two_people_take_an_approval_back_and_only_a_decision_opens_again(scene: Scene) -> None:
    asked = scene.ask()
    assert scene.answer().allow, "one person alone changes nothing"
    scene.confirm(asked)

    denied = scene.answer()
    assert (denied.allow, denied.reasons, denied.sequence) == (False, (Reason.REVOKED,), 2)
    assert scene.ended(asked) is RevocationEnd.CONFIRMED
    assert "notify_revoked" in [name for name, _args, _status in jobs_of(scene.house)]

    scene.step()
    assert scene.answer().allow


def test_a_pause_that_ends_does_not_bring_back_what_was_revoked_meanwhile(scene: Scene) -> None:
    pause_id = scene.pause()
    scene.confirm(scene.ask())
    with scene.house.ledger.begin(scene.first.fresh) as tx:
        row = gate.get_pause(tx, pause_id, Action.RESUME)
        gate.ask_resume(tx, pause=row, plan="Rotated", row_version=row.row_version)
    with scene.house.ledger.begin(scene.second.fresh) as tx:
        row = gate.get_pause(tx, pause_id, Action.RESUME)
        gate.confirm_resume(tx, pause=row, row_version=row.row_version, sealer=scene.house.signer)

    assert scene.answer().reasons == (Reason.REVOKED,)


def test_the_record_says_who_on_what_and_verifies_with_the_published_key(scene: Scene) -> None:
    pause_id, asked = scene.pause(), scene.ask()
    scene.confirm(asked)
    with scene.house.ledger.begin(SYSTEM) as tx:
        revoked, paused = sealing.records_of(tx, scene.vendor_id)
        text, kind = sealing.envelope_of(tx, scene.vendor_id, revoked.id)
        with pytest.raises(NotFound):
            sealing.envelope_of(tx, make_vendor(tx, name="Tern Data Works").id, revoked.id)
        of_pause = json.loads(sealing.envelope_of(tx, scene.vendor_id, paused.id)[0])
        about_pause = json.loads(base64.b64decode(of_pause["payload"]))
    envelope = json.loads(text)
    (key,) = scene.house.signer.published()
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
    body = base64.b64decode(envelope["payload"])
    public.verify(base64.b64decode(envelope["signatures"][0]["sig"]), pae(envelope["payloadType"], body))
    statement = json.loads(body)

    assert (kind.value, statement["kind"], statement["type"]) == ("revoked", "revoked", sealing.TYPE)
    assert [(each["name"], each["did"]) for each in statement["people"]] == [
        ("Hana Ito", "asked"),
        ("Theo Brandt", "confirmed"),
    ]
    assert statement["words"] == {"reason": "the report fell", "ticket": "SEC-41"}
    assert (statement["sequence_before"], statement["sequence"]) == (2, 3)
    assert statement["stands_on"][0]["act"] == "revoke"
    assert (about_pause["about"], about_pause["stands_on"][0]["act"]) == (str(pause_id), "approve")


def test_who_asked_cannot_confirm_and_only_they_take_it_back(scene: Scene) -> None:
    asked = scene.ask()
    with pytest.raises(Forbidden, match="second lead approver"):
        scene.confirm(asked, scene.first)
    with (
        pytest.raises(Forbidden, match="Only who asked"),
        scene.house.ledger.begin(scene.second.fresh) as tx,
    ):
        revoking.take_back(tx, revocation=tx.session.get_one(Revocation, asked), row_version=1)
    with scene.house.ledger.begin(scene.first.fresh) as tx:
        revoking.take_back(tx, revocation=tx.session.get_one(Revocation, asked), row_version=1)
    with pytest.raises(Conflict):
        scene.confirm(asked)
    assert scene.answer().allow
    scene.confirm(scene.ask(scene.second), scene.first)


@pytest.mark.parametrize("how", ["role", "conflict"])
def test_s7_a_half_given_act_falls_with_the_right_to_it(scene: Scene, how: str) -> None:
    asked, pause_id = scene.ask(), scene.pause()
    with scene.house.ledger.begin(scene.first.fresh) as tx:
        gate.ask_resume(tx, pause=tx.session.get_one(Pause, pause_id), plan="Rotated", row_version=1)
    scene.lose_role(scene.first) if how == "role" else scene.keep_away(scene.first)

    assert scene.ended(asked) is RevocationEnd.OVER
    with pytest.raises(Conflict):
        scene.confirm(asked)
    with scene.house.ledger.begin(scene.second.fresh) as tx:
        row = tx.session.get_one(Pause, pause_id)
        assert (row.resume_asked_by, row.resume_plan) == (None, "")
        with pytest.raises(Conflict, match="Nobody has asked"):
            gate.confirm_resume(tx, pause=row, row_version=row.row_version, sealer=scene.house.signer)
    scene.confirm(scene.ask(scene.third))
    assert not scene.answer().allow


@pytest.mark.parametrize("everybody", [False, True])
def test_s7_who_lost_the_role_while_the_request_was_under_way_does_neither_half(scene: Scene, everybody: bool) -> None:
    asked = scene.ask()
    pause_id = scene.pause()
    if everybody:
        with scene.house.ledger.begin(scene.first.fresh) as tx:
            pause_id = gate.pause(tx, vendor=None, reason="breach").id
    scene.lose_role(scene.second)
    with pytest.raises(Forbidden, match="Only a lead approver"):
        scene.ask(scene.second)
    with pytest.raises(Forbidden, match="Only a lead approver"):
        scene.confirm(asked, scene.second)
    with pytest.raises(Forbidden, match="Only a lead approver"), scene.house.ledger.begin(scene.second.fresh) as tx:
        gate.ask_resume(tx, pause=tx.session.get_one(Pause, pause_id), plan="Rotated", row_version=1)
    with scene.house.ledger.begin(scene.first.fresh) as tx:
        gate.ask_resume(tx, pause=tx.session.get_one(Pause, pause_id), plan="Rotated", row_version=1)
    with pytest.raises(Forbidden, match="Only a lead approver"), scene.house.ledger.begin(scene.second.fresh) as tx:
        row = tx.session.get_one(Pause, pause_id)
        gate.confirm_resume(tx, pause=row, row_version=2, sealer=scene.house.signer)
    assert not scene.answer().allow


def test_s7_losing_another_role_lets_nothing_fall(scene: Scene) -> None:
    asked = scene.ask()
    with scene.house.ledger.begin(SYSTEM) as tx:
        pausing.fall_of_person(tx, scene.second.id, "another")
    assert scene.ended(asked) is None


def test_s9_what_was_decided_anew_is_not_revoked_by_what_was_asked_before(scene: Scene) -> None:
    asked, older = scene.ask(), scene.newest()
    scene.step()
    assert scene.ended(asked) is RevocationEnd.OVER
    with pytest.raises(Conflict):
        scene.confirm(asked)
    with pytest.raises(Conflict):
        scene.ask(about=older)
    assert scene.answer().allow


def test_s3_who_is_tied_to_the_vendor_does_neither_half_and_may_still_pause(scene: Scene) -> None:
    scene.keep_away(scene.third)
    with pytest.raises(Forbidden, match="conflict of interest"):
        scene.ask(scene.third)
    asked = scene.ask()
    with pytest.raises(Forbidden, match="conflict of interest"):
        scene.confirm(asked, scene.third)
    with scene.house.ledger.begin(scene.third.fresh) as tx:
        row = gate.pause(tx, vendor=tx.session.get_one(Vendor, scene.vendor_id), reason="breach")
        with pytest.raises(Forbidden, match="conflict of interest"):
            gate.ask_resume(tx, pause=row, plan="It was me", row_version=1)


def test_nothing_is_revoked_twice_nor_what_is_not_in_force(scene: Scene) -> None:
    asked = scene.ask()
    with pytest.raises(Conflict, match="already"):
        scene.ask(scene.third)
    scene.confirm(asked)
    for act in (ClearanceAct.REVOKE, ClearanceAct.REJECT):
        with pytest.raises(Conflict):
            scene.ask(about=scene.newest() if act is ClearanceAct.REVOKE else scene.step(act))
    with scene.house.ledger.begin(SYSTEM) as tx:
        assert revoking.revocable(tx, scene.vendor_id) == []


def test_an_approval_whose_day_is_over_is_nothing_to_revoke(scene: Scene, clock: FixedClock) -> None:
    clock.advance(days=900)
    with pytest.raises(Conflict):
        scene.ask()


def test_without_a_reason_or_a_fresh_factor_or_the_role_nothing_is_asked(scene: Scene) -> None:
    with pytest.raises(Refused):
        scene.ask(reason="  ")
    with pytest.raises(Forbidden):
        scene.ask(scene.reviewer)
    with pytest.raises(StepUpRequired), scene.house.ledger.begin(scene.first.actor) as tx:
        vendor = tx.session.get_one(Vendor, scene.vendor_id)
        revoking.ask(tx, vendor=vendor, clearance_id=scene.newest(), reason="the report fell")
    asked = scene.ask()
    with pytest.raises(StepUpRequired):
        scene.confirm(asked, actor=scene.second.actor)
    with pytest.raises(Conflict):
        scene.confirm(asked, version=7)
    assert scene.answer().allow


def test_without_a_key_nothing_is_opened_or_revoked_and_a_stop_still_stops(scene: Scene) -> None:
    asked = scene.ask()
    with pytest.raises(Unavailable), scene.house.ledger.begin(scene.second.fresh) as tx:
        row = revoking.get(tx, scene.vendor_id, asked, Action.REVOKE)
        revoking.confirm(tx, revocation=row, row_version=1, sealer=Signer(()))
    assert (scene.answer().allow, scene.ended(asked)) == (True, None)
    with scene.house.ledger.begin(scene.reviewer.fresh) as tx:
        gate.pause(tx, vendor=tx.session.get_one(Vendor, scene.vendor_id), reason="breach", sealer=Signer(()))
    assert scene.answer().reasons == (Reason.PAUSED,)


def test_s6_who_was_made_a_lead_by_the_first_is_no_second(scene: Scene) -> None:
    fresh = person(scene.house, roles=[Role.REVIEWER], name="Runa Solberg")
    both = person(scene.house, roles=[Role.PROGRAM_ADMIN, Role.LEAD_APPROVER], name="Ada Okafor")
    with scene.house.ledger.begin(SYSTEM) as tx:
        give(tx, user=tx.session.get_one(UserAccount, fresh.id), role=Role.LEAD_APPROVER, granted_by=both.id)
    fresh = replace(fresh, roles=frozenset({Role.LEAD_APPROVER}))
    revocation = scene.ask(both)
    with pytest.raises(Forbidden, match="less than 24 hours"):
        scene.confirm(revocation, fresh)
    scene.confirm(revocation, scene.second)

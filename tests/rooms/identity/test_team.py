"""A team that changes: who takes over, who leaves, what becomes of their sections, and two at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.assessments.models import SectionAssignment
from portal.audit import service as audit
from portal.delivery.models import Mail
from portal.identity import queries as people
from portal.identity import service as identity
from portal.identity import totp
from portal.identity.passwords import hasher
from portal.jobs.notify import notify_invited
from portal.kernel.actor import Actor, system
from portal.kernel.clock import FixedClock
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.terms import Role, Side
from portal.wiring import House
from tests.factories.attestations import Desk, desk
from tests.factories.identity import PASSWORD, Person, person

SYSTEM = system("test")


@pytest.fixture
def quillmark(house: House) -> Desk:
    return desk(house)


def second_admin(made: Desk) -> Person:
    return person(made.house, roles=[Role.VENDOR_ADMIN], vendor=made.vendor_id, name="Tomasz Okoro")


def together(*works: Callable[[], None]) -> list[Exception | None]:
    """Run these at once from one barrier; return the refusal of each, None where there was none."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], None]) -> Exception | None:
        barrier.wait()
        try:
            work()
        except (Conflict, Refused, NotFound, Forbidden) as refusal:
            return refusal
        return None

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def admins(made: Desk) -> list[str]:
    with made.house.ledger.begin(SYSTEM) as tx:
        found = people.people_of_vendor_with(tx, made.vendor_id, Role.VENDOR_ADMIN)
        assert audit.verify(tx) == []
        return sorted(each.full_name for each in found)


def joins(made: Desk, email: str) -> None:
    """Have whoever was invited to this address enrol."""
    with made.house.ledger.begin(SYSTEM) as tx:
        line = next(each for each in people.invitations_of(tx, made.vendor_id) if each.email == email)
        secret = totp.new_secret()
        identity.enrol(
            tx,
            invitation=identity.get_invitation(tx, line.id),
            password=PASSWORD,
            totp_secret=secret,
            totp_code=totp.code_at(secret, totp.step_at(tx.now)),
            keyring=made.house.keyring,
            hasher=hasher("test"),
        )


def invite(made: Desk, actor: Actor, email: str = "lena@quillmark.example", **given: object) -> UUID:
    fields: dict[str, object] = {"full_name": "Lena Brandt", "roles": [Role.RESPONDENT], **given}
    with made.house.ledger.begin(actor) as tx:
        return identity.invite(
            tx,
            email=email,
            side=Side.VENDOR,
            vendor_id=made.vendor_id,
            keyring=made.house.keyring,
            **fields,  # type: ignore[arg-type]
        ).id


def roles_of(made: Desk, user_id: UUID) -> frozenset[Role]:
    with made.house.ledger.begin(SYSTEM) as tx:
        return people.person(tx, user_id).roles


def test_two_admins_who_switch_each_other_off_at_once_leave_one(quillmark: Desk) -> None:
    tomasz = second_admin(quillmark)

    def off(by: Person, whom: Person) -> Callable[[], None]:
        def work() -> None:
            with quillmark.house.ledger.begin(by.actor) as tx:
                identity.deactivate(tx, user=identity.get_person(tx, whom.id))

        return work

    for _ in range(3):
        refusals = together(off(quillmark.admin, tomasz), off(tomasz, quillmark.admin))
        assert len(admins(quillmark)) == 1
        assert sum(each is None for each in refusals) <= 1


def test_two_admins_who_take_each_others_role_at_once_leave_one(quillmark: Desk) -> None:
    tomasz = second_admin(quillmark)

    def strip(by: Person, whom: Person) -> Callable[[], None]:
        def work() -> None:
            with quillmark.house.ledger.begin(by.actor) as tx:
                identity.set_roles(tx, user=identity.get_person(tx, whom.id), roles=[Role.RESPONDENT])

        return work

    refusals = together(strip(quillmark.admin, tomasz), strip(tomasz, quillmark.admin))

    assert len(admins(quillmark)) == 1
    assert any("is the only vendor admin" in str(each) for each in refusals)


def test_administration_goes_to_a_colleague_and_the_team_has_one_all_the_time(quillmark: Desk) -> None:
    with quillmark.house.ledger.begin(quillmark.admin.actor) as tx:
        identity.hand_over_admin(tx, to=identity.get_person(tx, quillmark.respondent.id))

    assert admins(quillmark) == ["Priya Raghunath"]
    assert roles_of(quillmark, quillmark.admin.id) == {Role.RESPONDENT}


@pytest.mark.parametrize("why", ["oneself", "not joined", "left"])
def test_administration_does_not_go_to_who_cannot_take_it(quillmark: Desk, why: str) -> None:
    to = quillmark.admin.id
    if why != "oneself":
        invite(quillmark, quillmark.admin.actor)
        with quillmark.house.ledger.begin(quillmark.admin.actor) as tx:
            everybody = people.people_of_vendor(tx, quillmark.vendor_id)
            to = next(each.id for each in everybody if each.full_name == "Lena Brandt")
    if why == "left":
        joins(quillmark, "lena@quillmark.example")
        with quillmark.house.ledger.begin(quillmark.admin.actor) as tx:
            identity.deactivate(tx, user=identity.get_person(tx, to))

    with pytest.raises(Conflict), quillmark.house.ledger.begin(quillmark.admin.actor) as tx:
        identity.hand_over_admin(tx, to=identity.get_person(tx, to))

    assert admins(quillmark) == ["Marisol Dufour"]


def test_somebody_new_takes_over_on_the_day_they_join(quillmark: Desk) -> None:
    invite(quillmark, quillmark.admin.actor, roles=[Role.VENDOR_ADMIN], takes_over=True)
    assert admins(quillmark) == ["Marisol Dufour"]

    joins(quillmark, "lena@quillmark.example")

    assert admins(quillmark) == ["Lena Brandt"]
    assert roles_of(quillmark, quillmark.admin.id) == {Role.RESPONDENT}


def test_who_leaves_leaves_their_sections_to_nobody_and_a_notice_behind(quillmark: Desk) -> None:
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        assessments.assign_sections(tx, assessment=row, sections=["gov", "dat"], user_id=quillmark.respondent.id)
        assessments.assign_section(tx, assessment=row, section="dat", user_id=quillmark.signatory.id)
    with quillmark.house.ledger.begin(quillmark.admin.actor) as tx:
        identity.deactivate(tx, user=identity.get_person(tx, quillmark.respondent.id))

    with quillmark.at(quillmark.admin.actor) as (tx, row):
        assert assessments.assignees(tx, row) == {"dat": [quillmark.signatory.id]}
        (left,) = assessments.left_behind(tx, row)
        assert (left.section, left.user_id) == ("gov", quillmark.respondent.id)
        assessments.assign_section(tx, assessment=row, section="gov", user_id=quillmark.signatory.id)
        assert assessments.left_behind(tx, row) == ()


def test_who_takes_over_has_the_roles_and_the_sections_with_their_days(quillmark: Desk) -> None:
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        due = row.due_on
        assessments.assign_section(tx, assessment=row, section="gov", user_id=quillmark.respondent.id, due_on=due)
    with quillmark.house.ledger.begin(quillmark.admin.actor) as tx:
        leaving = identity.get_person(tx, quillmark.respondent.id)
        identity.hand_over(tx, user=leaving, to=identity.get_person(tx, quillmark.signatory.id))

    with quillmark.at(quillmark.admin.actor) as (tx, row):
        (given,) = assessments.given_of(tx, row)
        assert (given.section, given.user_id, given.due_on) == ("gov", quillmark.signatory.id, due)
        assert assessments.left_behind(tx, row) == ()
    assert roles_of(quillmark, quillmark.signatory.id) == {Role.SIGNATORY, Role.RESPONDENT}


def test_a_section_never_stays_with_somebody_who_is_switched_off_at_that_moment(quillmark: Desk) -> None:
    tomasz = second_admin(quillmark)

    def give() -> None:
        with quillmark.at(quillmark.admin.actor) as (tx, row):
            assessments.assign_section(tx, assessment=row, section="gov", user_id=quillmark.respondent.id)

    def off() -> None:
        with quillmark.house.ledger.begin(tomasz.actor) as tx:
            identity.deactivate(tx, user=identity.get_person(tx, quillmark.respondent.id))

    refusals = together(give, off)

    assert refusals[1] is None
    with quillmark.house.ledger.begin(SYSTEM) as tx:
        live = sa.select(sa.func.count()).where(SectionAssignment.ended_at.is_(None))
        assert tx.session.scalar(live) == 0


def test_a_section_given_twice_at_once_is_given_once(quillmark: Desk) -> None:
    def give() -> None:
        with quillmark.at(quillmark.admin.actor) as (tx, row):
            assessments.assign_section(tx, assessment=row, section="gov", user_id=quillmark.respondent.id)

    assert together(give, give, give) == [None, None, None]
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        assert len(assessments.given_of(tx, row)) == 1


def test_nothing_is_given_of_an_assessment_that_was_closed_meanwhile(quillmark: Desk) -> None:
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        assessments.assign_section(tx, assessment=row, section="gov", user_id=quillmark.respondent.id)
    with quillmark.house.ledger.begin(SYSTEM) as tx:
        row = tx.session.get_one(type(row), row.id)
        assessments.cancel(tx, assessment=row, reason="Asked by mistake.")

    with quillmark.at(quillmark.admin.actor) as (tx, row):
        for act in (
            lambda: assessments.assign_section(tx, assessment=row, section="dat", user_id=quillmark.respondent.id),
            lambda: assessments.change_due(
                tx, assessment=row, section="gov", user_id=quillmark.respondent.id, due_on=None
            ),
        ):
            with pytest.raises(Conflict, match="is cancelled"):
                act()


def test_a_day_in_the_past_is_no_day_to_be_due(quillmark: Desk, clock: FixedClock) -> None:
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        yesterday = tx.now.date().replace(year=tx.now.year - 1)
        with pytest.raises(Refused):
            assessments.assign_section(
                tx, assessment=row, section="gov", user_id=quillmark.respondent.id, due_on=yesterday
            )
    with pytest.raises(Refused):
        invite(quillmark, quillmark.admin.actor, due_on=yesterday)


def test_two_invitations_to_one_address_are_one_with_the_sections_of_both(quillmark: Desk, clock: FixedClock) -> None:
    given = {"assessment_id": quillmark.assessment_id}
    first = invite(quillmark, quillmark.admin.actor, sections=["gov"], **given)
    clock.advance(minutes=5)
    second = invite(quillmark, quillmark.admin.actor, sections=["dat"], **given)

    assert first == second
    joins(quillmark, "lena@quillmark.example")
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        assert sorted(each.section for each in assessments.given_of(tx, row)) == ["dat", "gov"]
        lena = next(each for each in people.people_of_vendor(tx, row.vendor_id) if each.full_name == "Lena Brandt")
        assert lena.keeps_to_given


def test_who_joined_already_is_named(quillmark: Desk) -> None:
    with pytest.raises(Refused) as own:
        invite(quillmark, quillmark.admin.actor, email=quillmark.respondent.email)

    assert "has joined already" in own.value.problems["email"][0]


def test_an_address_beyond_the_wall_is_invited_like_any_other_and_its_owner_alone_is_told(
    quillmark: Desk, house: House
) -> None:
    theirs = desk(house, name="Brightfen Data")
    lab = person(house, roles=[Role.REVIEWER], name="Hana Reviewer")

    for someone in (theirs.admin, lab):
        made = invite(quillmark, quillmark.admin.actor, email=someone.email)
        assert invite(quillmark, quillmark.admin.actor, email=someone.email) == made
        notify_invited(house, invitation_id=str(made), generation=1)
        with house.ledger.begin(SYSTEM) as tx:
            mail = tx.session.scalars(sa.select(Mail).where(Mail.to_address == someone.email)).one()
            assert (mail.kind, mail.vendor_id) == ("invited_elsewhere", quillmark.vendor_id)
            there = people.person(tx, someone.id)
            assert (there.vendor_id, there.roles) == (someone.vendor_id, someone.roles)
            token = identity.link_token(identity.get_invitation(tx, made), house.keyring)
            secret = totp.new_secret()
            with pytest.raises(NotFound):
                identity.enrol(
                    tx,
                    invitation=identity.open_invitation(tx, token=token),
                    password=PASSWORD,
                    totp_secret=secret,
                    totp_code=totp.code_at(secret, totp.step_at(tx.now)),
                    keyring=house.keyring,
                    hasher=hasher("test"),
                )
    with house.ledger.begin(quillmark.admin.actor) as tx:
        shown = {each.email: each.state for each in people.invitations_of(tx, quillmark.vendor_id)}
    assert set(shown) >= {theirs.admin.email, lab.email}


def test_two_who_invite_one_new_address_at_once_make_one_invitation(quillmark: Desk) -> None:
    tomasz = second_admin(quillmark)

    refusals = together(lambda: invite(quillmark, quillmark.admin.actor), lambda: invite(quillmark, tomasz.actor))

    assert refusals == [None, None]
    with quillmark.house.ledger.begin(SYSTEM) as tx:
        found = [each for each in people.invitations_of(tx, quillmark.vendor_id) if each.full_name == "Lena Brandt"]
        assert [each.user_id is not None for each in found] == [True]

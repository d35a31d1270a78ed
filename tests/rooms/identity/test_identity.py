"""People, invitations, roles and sessions on a real database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.audit import service as audit
from portal.identity import invitations, queries, totp
from portal.identity import service as identity
from portal.identity.models import Invitation, RoleGrant, UserAccount, WebSession
from portal.identity.passwords import hasher
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused, StepUpRequired, TooMany
from portal.terms import Role, Side
from portal.wiring import House
from tests.factories.identity import PASSWORD, Person, code_of, person, session_token
from tests.factories.vendors import make_vendor

SYSTEM = system("test")


@pytest.fixture
def vendor_id(house: House) -> UUID:
    with house.ledger.begin(SYSTEM) as tx:
        return make_vendor(tx).id


@pytest.fixture
def other_id(house: House) -> UUID:
    with house.ledger.begin(SYSTEM) as tx:
        return make_vendor(tx, "Brightloom Data").id


@pytest.fixture
def admin(house: House, vendor_id: UUID) -> Person:
    return person(
        house, vendor=vendor_id, roles=["vendor_admin"], name="Priya Raghunath", email="priya@quillmark.example"
    )


def invited(house: House, **changes: object) -> Invitation:
    fields = {"email": "new@orrery.example", "full_name": "New Person", "roles": [Role.REVIEWER], "side": Side.LAB}
    with house.ledger.begin(SYSTEM) as tx:
        return identity.invite(tx, keyring=house.keyring, **{**fields, **changes})


def enrols(house: House, token: str) -> None:
    secret = totp.new_secret()
    with house.ledger.begin(SYSTEM) as tx:
        identity.enrol(
            tx,
            invitation=identity.open_invitation(tx, token=token),
            password=PASSWORD,
            totp_secret=secret,
            totp_code=totp.code_at(secret, totp.step_at(tx.now)),
            keyring=house.keyring,
            hasher=hasher("test"),
        )


def at_once(work: Callable[[], object], times: int = 2) -> list[object]:
    """Run work in parallel from one barrier; return results or the refusals they raised."""
    barrier = Barrier(times)

    def run(_: int) -> object:
        barrier.wait()
        try:
            return work()
        except (Conflict, Refused, NotFound) as refusal:
            return refusal

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def test_nothing_that_opens_a_door_is_stored_as_it_is(house: House) -> None:
    someone = person(house, roles=["reviewer"])
    token = session_token(house, someone)
    link = identity.link_token(invited(house), house.keyring)

    with house.engine.connect() as connection:
        dump = "".join(
            connection.execute(sa.text(f"SELECT coalesce(string_agg(t::text, ''), '') FROM {name} t")).scalar_one()  # noqa: S608
            for name in ("user_account", "recovery_code", "invitation", "web_session", "audit_event")
        )
    for secret in (PASSWORD, someone.totp_secret, token, link, *someone.recovery_codes):
        assert secret not in dump
        assert secret.replace("-", "") not in dump


def sent_again(house: House, invitation: Invitation) -> str:
    """Send an invitation again, and return the token of its newest link."""
    with house.ledger.begin(SYSTEM) as tx:
        row = identity.get_invitation(tx, invitation.id)
        assert identity.resend(tx, invitation=row, keyring=house.keyring)
        return identity.link_token(row, house.keyring)


@pytest.mark.parametrize("used", ["earlier", "newest"])
def test_sending_again_locks_nobody_out_and_the_first_link_used_ends_them_all(
    house: House, clock: FixedClock, used: str
) -> None:
    invitation = invited(house)
    first = identity.link_token(invitation, house.keyring)
    clock.advance(days=1)
    second = sent_again(house, invitation)

    mine, other = (first, second) if used == "earlier" else (second, first)
    enrols(house, mine)

    with pytest.raises(Conflict, match="was used"):
        enrols(house, other)


def test_an_earlier_link_ends_when_it_was_promised_to(house: House, clock: FixedClock) -> None:
    invitation = invited(house)
    first = identity.link_token(invitation, house.keyring)
    clock.advance(days=6)
    second = sent_again(house, invitation)
    clock.advance(days=2)

    with pytest.raises(Conflict, match="This invitation ended on"):
        enrols(house, first)
    enrols(house, second)


def test_no_link_of_an_invitation_that_was_taken_back_opens_anything(house: House, clock: FixedClock) -> None:
    invitation = invited(house)
    first = identity.link_token(invitation, house.keyring)
    clock.advance(days=1)
    second = sent_again(house, invitation)
    with house.ledger.begin(SYSTEM) as tx:
        identity.revoke(tx, invitation=identity.get_invitation(tx, invitation.id))

    for token in (first, second):
        with pytest.raises(Conflict, match="was withdrawn"):
            enrols(house, token)


def test_a_mailbox_is_not_flooded(house: House, clock: FixedClock) -> None:
    invitation = invited(house)

    def again() -> bool:
        with house.ledger.begin(SYSTEM) as tx:
            row = identity.get_invitation(tx, invitation.id)
            return identity.resend(tx, invitation=row, keyring=house.keyring)

    assert not again()
    clock.advance(minutes=2)
    assert (again(), again()) == (True, False)
    for _ in range(8):
        clock.advance(minutes=2)
        assert again()
    clock.advance(minutes=2)
    with pytest.raises(Conflict, match="was sent 10 times"):
        again()


def test_one_person_invites_so_many_within_an_hour(
    house: House, vendor_id: UUID, admin: Person, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "MOST_AN_HOUR", 2)

    def invites(name: str) -> None:
        with house.ledger.begin(admin.actor) as tx:
            identity.invite(
                tx,
                email=f"{name}@quillmark.example",
                full_name="New Person",
                roles=[Role.RESPONDENT],
                side=Side.VENDOR,
                vendor_id=vendor_id,
                keyring=house.keyring,
            )

    invites("one")
    invites("two")
    with pytest.raises(TooMany, match="You invited 2 people within an hour") as refusal:
        invites("three")
    clock.advance(seconds=refusal.value.retry_after)
    invites("three")


def test_a_link_is_redeemed_once_also_by_two_at_once(house: House) -> None:
    token = identity.link_token(invited(house), house.keyring)

    results = at_once(lambda: enrols(house, token), 3)

    assert [each for each in results if each is None] == [None]
    with house.ledger.begin(SYSTEM) as tx:
        assert tx.session.scalar(sa.select(sa.func.count()).select_from(RoleGrant)) == 1
        assert audit.verify(tx) == []


@pytest.mark.parametrize("kind", ["totp", "recovery"])
def test_a_factor_counts_once_also_for_two_at_once(house: House, kind: str) -> None:
    someone = person(house, roles=["reviewer"])
    code = code_of(house, someone) if kind == "totp" else someone.recovery_codes[0]

    def sign_in() -> object:
        with house.ledger.begin(SYSTEM) as tx:
            return identity.sign_in(
                tx,
                email=someone.email,
                password=PASSWORD,
                code=code,
                address="",
                user_agent="",
                keyring=house.keyring,
                hasher=hasher("test"),
            )

    results = at_once(sign_in, 3)

    assert sum(each is not None for each in results) == 1


def test_the_sides_never_mix(house: House, vendor_id: UUID, admin: Person) -> None:
    for roles, side, place in (
        ([Role.REVIEWER], Side.VENDOR, vendor_id),
        ([Role.SIGNATORY], Side.LAB, None),
        ([Role.RESPONDENT, Role.AUDITOR], Side.VENDOR, vendor_id),
    ):
        with pytest.raises(Refused):
            invited(house, roles=roles, side=side, vendor_id=place)
    with pytest.raises(Refused), house.ledger.begin(SYSTEM) as tx:
        identity.grant_role(tx, user=identity.get_person(tx, admin.id), role=Role.REVIEWER)
    with pytest.raises(Refused):
        invited(house, email=admin.email)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO role_grant (id, user_id, side, role, granted_at) "
        "SELECT gen_random_uuid(), id, 'vendor', 'reviewer', now() FROM user_account",
        "INSERT INTO role_grant (id, user_id, side, role, granted_at) "
        "SELECT gen_random_uuid(), id, 'lab', 'reviewer', now() FROM user_account",
        "UPDATE user_account SET side = 'lab'",
        "UPDATE user_account SET vendor_id = NULL",
    ],
)
def test_the_database_itself_keeps_the_sides_apart(house: House, admin: Person, statement: str) -> None:
    with pytest.raises(IntegrityError), house.ledger.begin(SYSTEM) as tx:
        tx.session.execute(sa.text(statement))


def test_a_vendor_admin_manages_their_own_people_and_knows_of_no_others(
    house: House, vendor_id: UUID, other_id: UUID, admin: Person
) -> None:
    theirs = person(house, vendor=other_id, roles=["respondent"], name="Other Person", email="o@brightloom.example")
    lab = person(house, roles=["reviewer"])

    with house.ledger.begin(admin.actor) as tx:
        identity.invite(
            tx,
            email="tomasz@quillmark.example",
            full_name="Tomasz Okoro",
            roles=[Role.RESPONDENT],
            side=Side.VENDOR,
            vendor_id=vendor_id,
            keyring=house.keyring,
            domains=("quillmark.example",),
        )
        assert [each.full_name for each in queries.people_of_vendor(tx, vendor_id)] == [
            "Priya Raghunath",
            "Tomasz Okoro",
        ]
        assert queries.people_of_vendor(tx, other_id) == []
        assert queries.lab_people(tx) == []
        for stranger in (theirs.id, lab.id):
            with pytest.raises(NotFound):
                identity.get_person(tx, stranger)
            with pytest.raises(NotFound):
                queries.person(tx, stranger)


@pytest.mark.parametrize("known", [True, False])
def test_a_vendor_admin_cannot_invite_beyond_their_domains(
    house: House, vendor_id: UUID, admin: Person, known: bool
) -> None:
    if known:
        person(house, roles=["reviewer"], email="someone@orrery.example")

    with pytest.raises(Refused) as refusal, house.ledger.begin(admin.actor) as tx:
        identity.invite(
            tx,
            email="someone@orrery.example",
            full_name="Some One",
            roles=[Role.RESPONDENT],
            side=Side.VENDOR,
            vendor_id=vendor_id,
            keyring=house.keyring,
            domains=("quillmark.example",),
        )
    assert refusal.value.problems == {"email": ["The address must end in @quillmark.example"]}


@pytest.mark.parametrize("role", ["respondent", "signatory"])
def test_others_of_a_vendor_invite_nobody(house: House, vendor_id: UUID, role: str) -> None:
    someone = person(house, vendor=vendor_id, roles=[role])

    with pytest.raises(Forbidden), house.ledger.begin(someone.fresh) as tx:
        identity.invite(
            tx,
            email="x@quillmark.example",
            full_name="X",
            roles=[Role.RESPONDENT],
            side=Side.VENDOR,
            vendor_id=vendor_id,
            keyring=house.keyring,
        )


def test_AU_17_managing_the_labs_people_needs_a_fresh_factor(house: House) -> None:
    ines = person(house, roles=["program_admin"])
    ruth = person(house, roles=["reviewer"])

    with pytest.raises(StepUpRequired), house.ledger.begin(ines.actor) as tx:
        identity.get_person(tx, ruth.id)
    with house.ledger.begin(ines.fresh) as tx:
        assert identity.get_person(tx, ruth.id).full_name == ruth.full_name


def test_an_invited_lead_waits_for_a_second_admin(house: House) -> None:
    ines = person(house, roles=["program_admin"], name="Ines", email="ines@orrery.example")
    omar = person(house, roles=["program_admin"], name="Omar", email="omar@orrery.example")
    with house.ledger.begin(ines.fresh) as tx:
        invitation = identity.invite(
            tx,
            email="lena@orrery.example",
            full_name="Lena Brandt",
            roles=[Role.LEAD_APPROVER, Role.REVIEWER],
            side=Side.LAB,
            keyring=house.keyring,
        )
    assert invitation.roles == ["reviewer"]
    enrols(house, identity.link_token(invitation, house.keyring))

    with house.ledger.begin(omar.fresh) as tx:
        assert queries.lab_people_with(tx, Role.LEAD_APPROVER) == []
        (waiting,) = queries.role_requests(tx)
        identity.confirm_role(tx, request=identity.get_request(tx, waiting.id))
        assert [each.full_name for each in queries.lab_people_with(tx, Role.LEAD_APPROVER)] == ["Lena Brandt"]
        lena = queries.lab_people_with(tx, Role.LEAD_APPROVER)[0].id
        by = queries.granters_of(tx, [lena, ines.id], Role.LEAD_APPROVER, since=tx.now.replace(hour=0))
        assert by == {lena: {ines.id, omar.id}}


def test_who_lost_the_right_to_ask_voids_what_was_asked(house: House) -> None:
    ines, omar, ada = (
        person(house, roles=["program_admin"], name=name, email=f"{name}@orrery.example".lower())
        for name in ("Ines", "Omar", "Ada")
    )
    ruth = person(house, roles=["reviewer"])
    with house.ledger.begin(ines.fresh) as tx:
        request = identity.grant_role(tx, user=identity.get_person(tx, ruth.id), role=Role.LEAD_APPROVER)
        assert request is not None
    with house.ledger.begin(ada.fresh) as tx:
        identity.deactivate(tx, user=identity.get_person(tx, ines.id))

    with pytest.raises(Conflict), house.ledger.begin(omar.fresh) as tx:
        identity.confirm_role(tx, request=identity.get_request(tx, request.id))


def test_two_admins_who_remove_each_other_leave_one(house: House) -> None:
    ines = person(house, roles=["program_admin"], name="Ines", email="ines@orrery.example")
    omar = person(house, roles=["program_admin"], name="Omar", email="omar@orrery.example")
    pairs = iter([(ines, omar), (omar, ines)])

    def remove() -> None:
        actor, target = next(pairs)
        with house.ledger.begin(actor.fresh) as tx:
            identity.revoke_role(tx, user=identity.get_person(tx, target.id), role=Role.PROGRAM_ADMIN)

    results = at_once(remove)

    assert sum(isinstance(each, Conflict) for each in results) == 1
    with house.ledger.begin(SYSTEM) as tx:
        assert len(queries.lab_people_with(tx, Role.PROGRAM_ADMIN)) == 1


def test_the_first_admin_comes_by_a_link_and_only_while_there_is_none(house: House) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        invitation = identity.bootstrap(tx, email="First@Orrery.example", full_name="First", keyring=house.keyring)
    enrols(house, identity.link_token(invitation, house.keyring))

    with pytest.raises(Conflict), house.ledger.begin(SYSTEM) as tx:
        identity.bootstrap(tx, email="second@orrery.example", full_name="Second", keyring=house.keyring)


def test_handing_over_gives_the_roles_and_ends_the_sessions(house: House, vendor_id: UUID, admin: Person) -> None:
    heir = person(house, vendor=vendor_id, roles=["respondent"], name="Marisol Dufour")
    chief = person(house, vendor=vendor_id, roles=["vendor_admin"], name="Chief")
    token = session_token(house, admin)
    with house.ledger.begin(chief.actor) as tx:
        identity.hand_over(tx, user=identity.get_person(tx, admin.id), to=identity.get_person(tx, heir.id))

    with house.ledger.begin(SYSTEM) as tx:
        assert queries.person(tx, heir.id).roles == {Role.RESPONDENT, Role.VENDOR_ADMIN}
        assert queries.person(tx, admin.id).state == "Switched off"
        assert identity.session_of(tx, token=token) is None


def test_a_vendor_that_is_switched_off_ends_its_peoples_sessions(house: House, vendor_id: UUID, admin: Person) -> None:
    token = session_token(house, admin)
    with house.ledger.begin(SYSTEM) as tx:
        assert identity.session_of(tx, token=token) is not None
        tx.session.execute(sa.text("UPDATE vendor SET disabled_at = now()"))
        assert identity.session_of(tx, token=token) is None


def test_being_seen_is_noted_once_a_minute(house: House, clock: FixedClock) -> None:
    token = session_token(house, person(house, roles=["auditor"]))
    seen = []
    for _ in range(3):
        clock.advance(seconds=30)
        with house.ledger.begin(SYSTEM) as tx:
            identity.session_of(tx, token=token)
        with house.ledger.begin(SYSTEM) as tx:
            seen.append(tx.session.scalars(sa.select(WebSession.last_seen_at)).one())

    began = clock.instant - timedelta(seconds=90)
    assert seen == [began, began + timedelta(seconds=60), began + timedelta(seconds=60)]


def test_an_old_hash_is_made_anew_at_the_next_sign_in(house: House) -> None:
    someone = person(house, roles=["reviewer"])
    with house.ledger.begin(SYSTEM) as tx:
        identity.sign_in(
            tx,
            email=someone.email,
            password=PASSWORD,
            code=code_of(house, someone),
            address="",
            user_agent="",
            keyring=house.keyring,
        )
        stored = tx.session.get_one(UserAccount, someone.id).password_hash

    assert stored is not None
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")

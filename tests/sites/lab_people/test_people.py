"""Users and roles, and service clients, as admins of the lab work with them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from portal.identity import queries
from portal.identity import service as identity
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.wiring import House
from tests.factories.identity import Person, code_of, person
from tests.factories.vendors import make_vendor

SYSTEM = system("test")


@pytest.fixture
def ines(house: House) -> Person:
    return person(house, roles=["program_admin"], name="Ines Admin")


@pytest.fixture
def omar(house: House) -> Person:
    return person(house, roles=["program_admin"], name="Omar Admin")


@pytest.fixture
def ruth(house: House) -> Person:
    return person(house, roles=["reviewer"], name="Ruth Reviewer")


def roles_of(house: House, someone: Person) -> set[str]:
    with house.ledger.begin(SYSTEM) as tx:
        return {role.value for role in queries.person(tx, someone.id).roles}


def test_an_invitation_needs_a_code_given_now(
    house: House, signed_in: Callable[..., FlaskClient], ines: Person
) -> None:
    browser = signed_in(ines)
    form = {"email": "nia@orrery.example", "full_name": "Nia Okafor", "roles": ["auditor"]}

    challenged = browser.post("/lab/admin/users/invite", data=form)
    assert challenged.status_code == 422
    assert "Enter the 6 digits" in challenged.get_data(as_text=True)
    done = browser.post("/lab/admin/users/invite", data={**form, "code": code_of(house, ines)})

    assert done.location == "/lab/admin/users"
    assert "nia@orrery.example" in browser.get("/lab/admin/users").get_data(as_text=True)


def test_a_lead_approver_takes_two_admins(
    house: House, signed_in: Callable[..., FlaskClient], ines: Person, omar: Person, ruth: Person
) -> None:
    first, second = signed_in(ines, fresh=True), signed_in(omar, fresh=True)

    first.post(f"/lab/admin/users/{ruth.id}/roles", data={"roles": ["reviewer", "lead_approver"]})
    assert roles_of(house, ruth) == {"reviewer"}
    page = first.get("/lab/admin/users").get_data(as_text=True)
    assert "Waiting for a second admin" in page
    assert "/confirm" not in page
    confirm = re.search(r'action="([^"]+/confirm)"', second.get("/lab/admin/users").get_data(as_text=True))
    assert confirm

    assert first.post(confirm[1]).status_code == 403
    assert roles_of(house, ruth) == {"reviewer"}
    assert second.post(confirm[1]).location == "/lab/admin/users"
    assert roles_of(house, ruth) == {"reviewer", "lead_approver"}
    assert second.post(confirm[1]).status_code == 409


def test_the_first_admin_alone_may_appoint_the_second_and_nobody_else(
    house: House, signed_in: Callable[..., FlaskClient], ines: Person, ruth: Person
) -> None:
    browser = signed_in(ines, fresh=True)

    browser.post(f"/lab/admin/users/{ruth.id}/roles", data={"roles": ["lead_approver", "program_admin"]})

    assert roles_of(house, ruth) == {"program_admin"}


def test_the_last_admin_cannot_go(house: House, signed_in: Callable[..., FlaskClient], ines: Person) -> None:
    browser = signed_in(ines, fresh=True)

    answer = browser.post(f"/lab/admin/users/{ines.id}/roles", data={"roles": ["auditor"]})

    assert answer.status_code in {409, 422}
    assert roles_of(house, ines) == {"program_admin"}


def test_AZ_11_a_person_who_is_switched_off_is_out_in_the_very_next_request(
    signed_in: Callable[..., FlaskClient], ines: Person, ruth: Person
) -> None:
    admin, reviewer = signed_in(ines, fresh=True), signed_in(ruth)
    assert reviewer.get("/account").status_code == 200

    assert admin.post(f"/lab/admin/users/{ruth.id}/deactivate").status_code == 303

    assert reviewer.get("/account").status_code == 302
    assert reviewer.post("/account/sessions/end-others").status_code == 401


def test_AZ_11_a_role_taken_away_is_gone_in_the_very_next_request(
    signed_in: Callable[..., FlaskClient], ines: Person, omar: Person
) -> None:
    admin, other = signed_in(ines, fresh=True), signed_in(omar)
    assert other.get("/lab/admin/users").status_code == 200

    admin.post(f"/lab/admin/users/{omar.id}/roles", data={"roles": ["reviewer"]})

    assert other.get("/lab/admin/users").status_code == 403


def test_an_admin_ends_all_sessions_of_a_person(
    signed_in: Callable[..., FlaskClient], ines: Person, ruth: Person
) -> None:
    reviewer = signed_in(ruth)
    signed_in(ines, fresh=True).post(f"/lab/admin/users/{ruth.id}/end-sessions")

    assert reviewer.get("/account").status_code == 302


def test_who_lost_everything_enrols_again_and_keeps_the_roles(
    house: House, client: FlaskClient, signed_in: Callable[..., FlaskClient], ines: Person, ruth: Person
) -> None:
    reviewer = signed_in(ruth)
    signed_in(ines, fresh=True).post(f"/lab/admin/users/{ruth.id}/reset-factors")

    assert reviewer.get("/account").status_code == 302
    form = {"email": ruth.email, "password": ruth.password, "code": "123456"}
    assert client.post("/sign-in", data=form).status_code == 422
    assert roles_of(house, ruth) == {"reviewer"}


@pytest.mark.parametrize("role", ["reviewer", "lead_approver", "auditor"])
def test_only_admins_manage_people(
    house: House, signed_in: Callable[..., FlaskClient], ines: Person, role: str
) -> None:
    browser = signed_in(person(house, roles=[role], email="x@orrery.example"), fresh=True)

    assert browser.get("/lab/admin/users/invite").status_code == 403
    assert browser.post(f"/lab/admin/users/{ines.id}/deactivate").status_code == 403
    assert browser.get("/lab/admin/users").status_code == (200 if role == "auditor" else 403)


def test_a_vendors_person_finds_no_page_of_the_lab(house: House, signed_in: Callable[..., FlaskClient]) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        vendor = make_vendor(tx)
    browser = signed_in(person(house, vendor=vendor, roles=["vendor_admin"]), fresh=True)

    for path in ("/lab/admin/users", "/lab/admin/users/invite", "/lab/admin/clients"):
        assert browser.get(path).status_code == 404


def test_AU_17_a_role_and_a_token_need_a_factor_given_now(
    house: House, signed_in: Callable[..., FlaskClient], ines: Person, ruth: Person, clock: FixedClock
) -> None:
    browser = signed_in(ines, fresh=True)
    clock.advance(minutes=10)
    roles = {"roles": ["reviewer", "auditor"]}
    client = {"name": "Data platform", "scopes": ["gate:read"], "vendors": ["every"], "days": "30"}

    assert browser.post(f"/lab/admin/users/{ruth.id}/roles", data=roles).status_code == 422
    assert browser.post("/lab/admin/clients/new", data=client).status_code == 422
    assert roles_of(house, ruth) == {"reviewer"}

    done = browser.post(f"/lab/admin/users/{ruth.id}/roles", data={**roles, "code": code_of(house, ines)})
    assert done.status_code == 303
    assert roles_of(house, ruth) == {"reviewer", "auditor"}


def test_a_token_is_shown_once_works_and_dies_when_disabled(
    house: House, signed_in: Callable[..., FlaskClient], ines: Person
) -> None:
    browser = signed_in(ines, fresh=True)
    form = {"name": "Data platform", "scopes": ["gate:read"], "vendors": ["every"], "days": "30"}

    shown = re.search(r'id="token">(ghs_[\w-]+)<', browser.post("/lab/admin/clients/new", data=form).text)
    assert shown
    listed = browser.get("/lab/admin/clients").text
    assert "Data platform" in listed
    assert shown[1] not in listed
    with house.ledger.begin(SYSTEM) as tx:
        actor = identity.client_of(tx, token=shown[1])
        assert actor is not None
        assert actor.scopes == {"gate:read"}
        assert (
            tx.session.scalar(sa.text("SELECT count(*) FROM service_client WHERE token_digest::text LIKE '%ghs_%'"))
            == 0
        )

    disable = re.search(r'action="([^"]+/disable)"', listed)
    assert disable
    assert browser.post(disable[1]).location == "/lab/admin/clients"
    with house.ledger.begin(SYSTEM) as tx:
        assert identity.client_of(tx, token=shown[1]) is None


def test_a_token_does_not_outlive_its_maker(house: House, ines: Person, omar: Person) -> None:
    with house.ledger.begin(omar.fresh) as tx:
        _, token = identity.create_client(
            tx, name="IAM", scopes=["gate:read"], vendor_ids=None, expires_at=tx.now + timedelta(days=1)
        )
    with house.ledger.begin(ines.fresh) as tx:
        identity.deactivate(tx, user=identity.get_person(tx, omar.id))

    with house.ledger.begin(SYSTEM) as tx:
        assert identity.client_of(tx, token=token) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"name": " "},
        {"name": "x" * 121},
        {"scopes": []},
        {"scopes": ["gate:write"]},
        {"vendors": []},
        {"vendors": ["not-a-uuid"]},
        {"days": "0"},
        {"days": "401"},
        {"days": "many"},
    ],
)
def test_a_client_that_makes_no_sense_is_refused_in_words(
    signed_in: Callable[..., FlaskClient], ines: Person, changes: dict[str, object]
) -> None:
    form = {"name": "IAM", "scopes": ["gate:read"], "vendors": ["every"], "days": "30", **changes}

    answer = signed_in(ines, fresh=True).post("/lab/admin/clients/new", data=form)

    assert answer.status_code == 422
    assert "There is a problem" in answer.text


def test_an_admin_may_switch_others_off_but_is_not_offered_it_for_themselves(
    signed_in: Callable[..., FlaskClient], ines: Person, ruth: Person
) -> None:
    browser = signed_in(ines, fresh=True)

    assert "Switch off Ruth Reviewer" in browser.get(f"/lab/admin/users/{ruth.id}").text
    assert "Switch off" not in browser.get(f"/lab/admin/users/{ines.id}").text
    assert browser.post(f"/lab/admin/users/{ines.id}/deactivate").status_code == 409

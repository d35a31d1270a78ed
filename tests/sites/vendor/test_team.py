"""The contractor's own team: in, out, roles and sections."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.assessments import service as assessments
from portal.identity import queries as people
from portal.kernel.clock import FixedClock
from tests.factories.attestations import Desk
from tests.sites.conftest import Client

LENA = {"full_name": "Lena Brandt", "email": "lena.brandt@quillmark.example", "roles": ["respondent"]}


def test_a_colleague_is_invited_with_a_section_and_the_invitation_sent_again_and_withdrawn(
    quillmark: Desk, marisol: Client
) -> None:
    invited = marisol.post(
        "/team/invitations", data={**LENA, "assessment": str(quillmark.assessment_id), "sections": ["gov"]}
    )
    page = marisol.get("/team").get_data(as_text=True)

    assert invited.status_code == 303
    assert "Lena Brandt" in page
    assert "Queued" in page
    assert "Invited Lena Brandt" in marisol.get("/").get_data(as_text=True)
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        line = next(each for each in people.invitations_of(tx, row.vendor_id) if each.full_name == "Lena Brandt")
    assert line.sections == ("gov",)
    assert "less than a minute ago" in marisol.post(
        f"/team/invitations/{line.id}/resend", follow_redirects=True
    ).get_data(as_text=True)
    assert marisol.post(f"/team/invitations/{line.id}/revoke").status_code == 303
    assert marisol.post(f"/team/invitations/{line.id}/revoke").status_code == 409


def test_an_invitation_that_ended_says_so_and_offers_a_new_one(
    quillmark: Desk, signed_in: Callable[..., Client], clock: FixedClock, marisol: Client
) -> None:
    marisol.post("/team/invitations", data=LENA)
    clock.advance(days=8)

    page = signed_in(quillmark.admin).get("/team").get_data(as_text=True)

    assert "Expired" in page
    assert "ended on" in page
    assert "Send again" in page


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"email": "lena"}, "Enter a work e-mail address"),
        ({"full_name": ""}, "Enter the person&#39;s full name"),
        ({"roles": []}, "Choose at least one role"),
    ],
)
def test_an_invitation_that_cannot_be_sent_says_what_to_mend(
    marisol: Client, changed: dict[str, object], words: str
) -> None:
    answer = marisol.post("/team/invitations", data={**LENA, **changed})

    assert answer.status_code == 422
    assert answer.get_data(as_text=True).count(words) == 2


@pytest.mark.parametrize("role", ["reviewer", "program_admin", "king"])
def test_nobody_gives_a_role_that_is_not_the_teams(quillmark: Desk, marisol: Client, role: str) -> None:
    assert marisol.post("/team/invitations", data={**LENA, "roles": [role]}).status_code == 403
    assert marisol.post(f"/team/{quillmark.respondent.id}/roles", data={"roles": [role]}).status_code == 403


def test_a_section_is_given_and_taken_back(quillmark: Desk, marisol: Client) -> None:
    given = {"assessment": str(quillmark.assessment_id), "section": "gov", "person": str(quillmark.respondent.id)}

    assert marisol.post("/team/sections", data={**given, "due_on": "2026-12-01"}).status_code == 303
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        assert assessments.assignees(tx, row) == {"gov": [quillmark.respondent.id]}
    assert "Take back" in marisol.get("/team").get_data(as_text=True)
    assert marisol.post("/team/sections/take-back", data=given).status_code == 303
    assert marisol.post("/team/sections/take-back", data=given).status_code == 404
    assert marisol.post("/team/sections", data={**given, "due_on": "soon"}).status_code == 422
    assert marisol.post("/team/sections", data={**given, "person": ""}).status_code == 422


def test_roles_change_and_a_person_who_leaves_is_switched_off(quillmark: Desk, marisol: Client, priya: Client) -> None:
    there = f"/team/{quillmark.respondent.id}"

    assert marisol.post(f"{there}/roles", data={"roles": ["respondent", "signatory"]}).status_code == 303
    assert marisol.post(f"{there}/roles", data={}).status_code == 422
    assert marisol.post(f"{there}/deactivate").status_code == 303
    assert priya.get("/").status_code == 302
    assert "1 person left or never came" in marisol.get("/team").get_data(as_text=True)


def test_the_last_admin_stays_and_others_manage_nobody(quillmark: Desk, marisol: Client, priya: Client) -> None:
    alone = marisol.post(f"/team/{quillmark.admin.id}/roles", data={"roles": ["respondent"]})

    assert alone.status_code == 409
    assert "is the only vendor admin" in alone.get_data(as_text=True)
    assert marisol.post(f"/team/{quillmark.admin.id}/deactivate").status_code == 409
    assert priya.post("/team/invitations", data=LENA).status_code == 403
    assert "Marisol Dufour invites people and divides the work" in priya.get("/team").get_data(as_text=True)

"""The contractor's own team: in, out, roles and sections."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.assessments import service as assessments
from portal.delivery import service as delivery
from portal.delivery.models import Mail
from portal.evidence.models import Evidence
from portal.identity import queries as people
from portal.identity import service as identity
from portal.identity.models import Invitation
from portal.jobs.addresses import notify_address
from portal.jobs.mail import deliver_mail
from portal.jobs.notify import notify_invited
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.kernel.errors import Conflict
from portal.terms import EvidenceState
from portal.wiring import House
from tests.factories.attestations import Desk, desk
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


def test_sections_go_to_somebody_new_who_sees_these_only(quillmark: Desk, marisol: Client) -> None:
    form = {
        "assessment": str(quillmark.assessment_id),
        "sections": ["gov", "dat"],
        "person": "new",
        "full_name": "Lena Brandt",
        "email": "lena.brandt@quillmark.example",
        "due_on": "2026-12-01",
    }

    assert marisol.post("/team/sections", data=form).status_code == 303
    page = marisol.get("/team").get_data(as_text=True)

    assert "from the day they join" in page
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        line = next(each for each in people.invitations_of(tx, row.vendor_id) if each.full_name == "Lena Brandt")
    assert (line.sections, str(line.due_on)) == (("gov", "dat"), "2026-12-01")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"sections": []}, "Choose a section"),
        ({"person": ""}, "Choose somebody of your team, or somebody new"),
        ({"due_on": "2020-01-01"}, "Choose a day from today on"),
        ({"person": "new", "email": "lena"}, "Enter a work e-mail address"),
        ({"person": "new", "full_name": ""}, "Enter the person&#39;s full name"),
        ({"person": "00000000-0000-4000-8000-0000000000ff"}, "Choose somebody of your team"),
    ],
)
def test_a_section_that_cannot_be_given_says_what_to_mend(
    quillmark: Desk, marisol: Client, changed: dict[str, object], words: str
) -> None:
    form = {
        "assessment": str(quillmark.assessment_id),
        "sections": ["gov"],
        "person": str(quillmark.respondent.id),
        "full_name": "Lena Brandt",
        "email": "lena.brandt@quillmark.example",
    }

    answer = marisol.post("/team/sections", data={**form, **changed})

    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)


def test_giving_twice_by_a_double_press_gives_once_and_says_so(quillmark: Desk, marisol: Client) -> None:
    form = {"assessment": str(quillmark.assessment_id), "sections": ["gov"], "person": str(quillmark.respondent.id)}

    first = marisol.post("/team/sections", data=form, follow_redirects=True).get_data(as_text=True)
    second = marisol.post("/team/sections", data=form, follow_redirects=True).get_data(as_text=True)

    assert "Priya Raghunath has the section now" in first
    assert "Priya Raghunath had it already" in second


def test_another_day_is_given_and_a_day_in_the_past_is_not(quillmark: Desk, marisol: Client) -> None:
    there, mine = f"/team/{quillmark.respondent.id}", {"assessment": str(quillmark.assessment_id), "section": "gov"}
    marisol.post("/team/sections", data={**mine, "person": str(quillmark.respondent.id)})

    assert marisol.post(f"{there}/due", data={**mine, "due_on": "2026-12-01"}).status_code == 303
    assert "Sections" in marisol.get(there).get_data(as_text=True)
    assert marisol.post(f"{there}/due", data={**mine, "due_on": "2020-01-01"}).status_code == 422
    assert marisol.post(f"{there}/due", data={**mine, "due_on": "soon"}).status_code == 422
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        assert [str(each.due_on) for each in assessments.given_of(tx, row)] == ["2026-12-01"]


def test_who_leaves_hands_over_and_the_team_is_told_what_nobody_has(
    quillmark: Desk, marisol: Client, daniel: Client
) -> None:
    marisol.post(
        "/team/sections",
        data={"assessment": str(quillmark.assessment_id), "section": "gov", "person": str(quillmark.respondent.id)},
    )

    off = marisol.post(f"/team/{quillmark.respondent.id}/deactivate", data={"takes_over": ""})

    assert off.status_code == 303
    assert "Nobody has 1. Governance" in daniel.get("/team").get_data(as_text=True)


def test_administration_is_handed_over_and_what_was_an_admin_manages_nobody(
    quillmark: Desk, marisol: Client, priya: Client
) -> None:
    handed = marisol.post("/team/hand-over", data={"person": str(quillmark.respondent.id)})

    assert handed.status_code == 303
    assert marisol.post("/team/invitations", data=LENA).status_code == 403
    assert priya.post("/team/invitations", data=LENA).status_code == 303
    assert priya.post("/team/hand-over", data={"person": ""}).status_code == 422


def test_the_team_says_how_each_mail_stands(quillmark: Desk, marisol: Client) -> None:
    marisol.post("/team/invitations", data=LENA)
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        line = next(each for each in people.invitations_of(tx, row.vendor_id) if each.full_name == "Lena Brandt")
    assert "Queued" in marisol.get("/team").get_data(as_text=True)

    notify_invited(quillmark.house, invitation_id=str(line.id), generation=1)
    with quillmark.house.ledger.begin(system("test")) as tx:
        mail_id = tx.session.scalars(sa.select(Mail.id).where(Mail.dedupe_key == line.mail_key)).one()
    deliver_mail(quillmark.house, mail_id=str(mail_id))
    assert "Sent" in marisol.get("/team").get_data(as_text=True)

    with quillmark.house.ledger.begin(system("test")) as tx:
        assert delivery.bounced(tx, mail_id, reason="550 5.1.1 no such mailbox")
        assert not delivery.bounced(tx, mail_id, reason="again")
    page = marisol.get("/team").get_data(as_text=True)
    assert "Not delivered" in page
    assert "A mail server gave it back: 550 5.1.1 no such mailbox" in page


def test_a_new_address_counts_once_its_link_was_followed(
    quillmark: Desk, daniel: Client, signed_in: Callable[..., Client], app: Flask
) -> None:
    there = f"/team/{quillmark.signatory.id}"
    new = "d.osei@quillmark.example"

    assert daniel.post(f"{there}/details", data={"full_name": "Daniel K. Osei", "title": "CTO"}).status_code == 303
    assert daniel.post(f"{there}/address", data={"email": new, "again": "other@quillmark.example"}).status_code == 422
    assert daniel.post(f"{there}/address", data={"email": new, "again": new}).status_code == 303

    with quillmark.house.ledger.begin(system("test")) as tx:
        asked = tx.session.scalars(sa.select(Invitation).where(Invitation.purpose == "address")).one()
        path, asked_id = identity.link_path(asked, quillmark.house.keyring), str(asked.id)
        assert people.person(tx, quillmark.signatory.id).email == quillmark.signatory.email
    notify_address(quillmark.house, invitation_id=asked_id, changed=False)
    stranger = app.test_client()
    asking = stranger.get(path, follow_redirects=True).get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', asking)
    assert token is not None
    assert f"<b>{new}</b> takes the place of" in asking
    assert stranger.post("/team/address", data={"csrf_token": token.group(1)}).status_code == 303
    notify_address(quillmark.house, invitation_id=asked_id, changed=True)

    with quillmark.house.ledger.begin(system("test")) as tx:
        person = people.person(tx, quillmark.signatory.id)
        sent = dict(tx.session.execute(sa.select(Mail.kind, Mail.to_address).where(Mail.kind.like("address%"))).all())
    assert (person.email, person.full_name, person.title) == (new, "Daniel K. Osei", "CTO")
    assert sent == {"address_confirm": new, "address_moved": quillmark.signatory.email}
    assert daniel.get("/").status_code == 302
    assert stranger.get(path, follow_redirects=True).status_code == 410


def test_nobody_else_changes_an_address_and_a_taken_one_gets_no_mail(
    quillmark: Desk, marisol: Client, priya: Client, signed_in: Callable[..., Client]
) -> None:
    there = f"/team/{quillmark.signatory.id}"
    taken = quillmark.respondent.email

    assert priya.get(f"{there}/details").status_code == 403
    assert priya.post(f"{there}/address", data={"email": "x@y.example", "again": "x@y.example"}).status_code == 403
    assert marisol.post(f"{there}/address", data={"email": taken, "again": taken}).status_code == 422
    fresh = signed_in(quillmark.admin, fresh=True)
    assert fresh.post(f"{there}/address", data={"email": taken, "again": taken}).status_code == 303

    with quillmark.house.ledger.begin(system("test")) as tx:
        asked = tx.session.scalars(sa.select(Invitation).where(Invitation.purpose == "address")).one()
        asked_id = str(asked.id)
    notify_address(quillmark.house, invitation_id=asked_id, changed=False)
    with quillmark.house.ledger.begin(system("test")) as tx:
        assert tx.session.scalars(sa.select(Mail.id).where(Mail.kind == "address_confirm")).all() == []
        asked = tx.session.get_one(Invitation, asked.id)
        with pytest.raises(Conflict, match="cannot be used"):
            identity.confirm_address(tx, asked=asked)


def test_az_11_who_is_switched_off_finishes_no_upload_and_opens_no_link(
    quillmark: Desk, marisol: Client, priya: Client, app: Flask
) -> None:
    body = b"%PDF-1.7\n" + b"x" * 500
    told = {"name": "policy.pdf", "size": len(body), "sha256": hashlib.sha256(body).hexdigest(), "kind": "POL"}
    place = priya.post("/evidence/reserve", json=told).json
    assert place is not None
    with quillmark.house.ledger.begin(system("the door")) as tx:
        identity.ask_reset(tx, email=quillmark.respondent.email, keyring=quillmark.house.keyring)
        reset = tx.session.scalars(sa.select(Invitation).where(Invitation.purpose == "reset")).one()
        link = identity.link_path(reset, quillmark.house.keyring)

    assert marisol.post(f"/team/{quillmark.respondent.id}/deactivate").status_code == 303

    put = priya.put(place["upload"]["url"], data=body, headers=place["upload"]["headers"])
    finished = priya.post(f"/evidence/{place['id']}/finalise")
    assert (put.status_code, finished.status_code) == (401, 401)
    assert app.test_client().get(link, follow_redirects=True).status_code == 410
    with quillmark.house.ledger.begin(system("test")) as tx:
        assert tx.session.get_one(Evidence, UUID(place["id"])).state is EvidenceState.RESERVED


def test_an_address_of_somebody_elsewhere_looks_like_any_other_on_the_page(
    house: House, quillmark: Desk, marisol: Client
) -> None:
    theirs = desk(house, name="Brightfen Data").respondent

    told = marisol.post("/team/invitations", data={**LENA, "email": theirs.email}, follow_redirects=True)
    page = told.get_data(as_text=True)
    withdraw = re.search(r'action="(/team/invitations/[^"]+/revoke)"', page)

    assert told.status_code == 200
    assert "Lena Brandt is invited." in page
    assert "Queued" in page
    assert "Priya Raghunath" in page
    assert withdraw is not None
    assert marisol.post(withdraw.group(1)).status_code == 303
    assert theirs.email not in marisol.get("/team").get_data(as_text=True)
